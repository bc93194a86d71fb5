# shellcheck shell=bash
# Makes the bases that the Dockerfile names, from Debian's packages and this machine's Rust. Sourced by `run`.

base() { sed -n "s/^ARG $1=//p" "$root/Dockerfile"; }
BASE=$(base RUST_IMAGE)
SYSTEM=$(base DEBIAN_IMAGE)
# A tag names one image in the daemon, and that of this machine's architecture has the Dockerfile's.
FOREIGN=$SYSTEM-arm64

make_bases() {
  local toolchain made
  toolchain=$(rustc --version)
  # It is made last.
  made=$(docker image inspect --format '{{.Comment}}' "$BASE" 2>/dev/null || true)
  if [[ $made == "$toolchain" ]]; then printf '%s, %s: as in the last run\n' "$BASE" "$SYSTEM"; return; fi
  if [[ ${IMAGE_ARM64:-1} != 0 ]]; then make_foreign "$work/foreign"; fi
  make_base "$work/base" "$toolchain"
  printf '%s, %s: %s\n' "$BASE" "$SYSTEM" "$toolchain"
}

# The Rust image is made of the Debian image, as the published ones are.
make_base() { # FOLDER COMMENT
  quietly debootstrap --variant=minbase --include=ca-certificates bookworm "$1"
  import "$1" "$SYSTEM"
  inside "$1" apt-get install --yes --no-install-recommends gcc libc6-dev
  copy_rust "$1"
  # Roots that this machine trusts: where a proxy of the network opens TLS, cargo could fetch nothing without them.
  if [[ -d /usr/local/share/ca-certificates ]]; then
    cp -R /usr/local/share/ca-certificates "$1/usr/local/share/"
    inside "$1" update-ca-certificates
  fi
  import "$1" "$BASE" --message "$2" --change 'ENV CARGO_HOME=/usr/local/cargo' \
    --change 'ENV PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  rm -rf "$1"
}

# The toolchain's folder itself, which needs no rustup, with the standard libraries that it has. A mirror of crates is in
# cargo's configuration, where there is one.
copy_rust() {
  local home=${CARGO_HOME:-$HOME/.cargo} sysroot
  sysroot=$(rustc --print sysroot)
  mkdir -p "$1/usr/local/cargo"
  cp -R --preserve=mode,links "$sysroot/bin" "$sysroot/lib" "$1/usr/local/"
  if [[ -f $home/config.toml ]]; then cp "$home/config.toml" "$1/usr/local/cargo/"; fi
}

# Unpacked only: this machine cannot run arm64's programs, and the image needs but libraries. So what dpkg would note is noted here.
make_foreign() { # FOLDER
  local package
  quietly debootstrap --foreign --arch=arm64 --variant=minbase bookworm "$1"
  for package in "$1"/var/cache/apt/archives/*.deb; do
    dpkg-deb --extract "$package" "$1"
    { dpkg-deb --field "$package"; printf 'Status: install ok installed\n\n'; } >>"$work/status"
  done
  mv "$work/status" "$1/var/lib/dpkg/status"
  rm -r "$1/var/cache/apt/archives" "$1/debootstrap"
  # `docker import` would name this machine's architecture.
  mkdir "$work/context"
  tar -C "$1" -cf "$work/context/system.tar" .
  printf 'FROM scratch\nADD system.tar /\n' >"$work/context/Dockerfile"
  DOCKER_BUILDKIT=0 quietly docker build --platform linux/arm64 --tag "$FOREIGN" "$work/context"
  rm -rf "$1" "$work/context"
}

import() { # FOLDER TAG OPTION…
  local folder=$1 tag=$2
  shift 2
  tar -C "$folder" -c . | docker import "$@" - "$tag" >/dev/null
}

# This machine's TMPDIR may not exist there.
inside() { TMPDIR=/tmp quietly chroot "$@"; }
quietly() { "$@" >"$work/quiet.log" 2>&1 || { tail -n 20 "$work/quiet.log" >&2; fail "$1"; }; }
