# shellcheck shell=bash
# Makes the base that the Dockerfile names, from Debian's packages and this machine's Rust. Sourced by `run`.

BASE=$(sed -n 's/^ARG RUST_IMAGE=//p' "$root/Dockerfile")

make_base() {
  local toolchain made folder=$work/base
  toolchain=$(rustc --version)
  made=$(docker image inspect --format '{{.Comment}}' "$BASE" 2>/dev/null || true)
  if [[ $made == "$toolchain" ]]; then printf '%s: as in the last run\n' "$BASE"; return; fi
  debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev bookworm "$folder" >"$work/debootstrap.log" 2>&1 \
    || { tail -n 20 "$work/debootstrap.log" >&2; fail "debootstrap"; }
  copy_rust "$folder"
  # Roots that this machine trusts: where a proxy of the network opens TLS, cargo could fetch nothing without them.
  if [[ -d /usr/local/share/ca-certificates ]]; then
    cp -R /usr/local/share/ca-certificates "$folder/usr/local/share/"
    chroot "$folder" update-ca-certificates >/dev/null 2>&1
  fi
  tar -C "$folder" -c . | docker import --message "$toolchain" --change 'ENV CARGO_HOME=/usr/local/cargo' \
    --change 'ENV PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$BASE" >/dev/null
  rm -rf "$folder"
  printf '%s: %s\n' "$BASE" "$toolchain"
}

# The toolchain's folder itself, which needs no rustup. A mirror of crates is in cargo's configuration, where there is one.
copy_rust() {
  local home=${CARGO_HOME:-$HOME/.cargo} sysroot
  sysroot=$(rustc --print sysroot)
  mkdir -p "$1/usr/local/cargo"
  cp -R --preserve=mode,links "$sysroot/bin" "$sysroot/lib" "$1/usr/local/"
  if [[ -f $home/config.toml ]]; then cp "$home/config.toml" "$1/usr/local/cargo/"; fi
}
