# shellcheck shell=bash
# Installs the clients, once, into $cache. Sourced by `run`.

msgraph=1.65.0
o365=2.1.10
javascript=3.0.7
# msgraph-sdk's batches import this package without declaring it (microsoftgraph/msgraph-sdk-python-core, issue 1030).
deprecated=1.3.1
httpx=0.28.1
office365=3.3.0
airbyte=7.39.1
singer=0.54.9
dlt=1.31.0
kiota=1.0.0-preview.90
pnp=4.21.0
# In clients/graph-rs/Cargo.toml and Cargo.lock, too.
graph_rs=3.0.1

install_clients() {
  local stamp jobs=() job
  stamp="$msgraph $deprecated $o365 $javascript $httpx $office365 $airbyte $singer $dlt $kiota $pnp $graph_rs"
  [[ $(cat "$cache/stamp" 2>/dev/null) == "$stamp" ]] && return
  rm -rf "$cache"
  mkdir -p "$cache/js"
  # The longest first. Programs whose requirements conflict have a place of their own.
  build_client & jobs+=($!)
  install_python airbyte "airbyte-cdk==$airbyte" & jobs+=($!)
  install_python graph "msgraph-sdk==$msgraph" "deprecated==$deprecated" "O365==$o365" "httpx[http2]==$httpx" \
    "Office365-REST-Python-Client==$office365" & jobs+=($!)
  install_python singer "singer-sdk==$singer" & jobs+=($!)
  install_python dlt "dlt==$dlt" & jobs+=($!)
  install_javascript >"$work/install-javascript.log" 2>&1 & jobs+=($!)
  for job in "${jobs[@]}"; do wait "$job" || fail "an installation failed"; done
  say "$stamp" >"$cache/stamp"
}

install_python() { # PLACE PACKAGE...
  python3 -m venv "$cache/$1"
  # The packages have thousands of modules, of which few are used here. Python compiles those when it imports them.
  "$cache/$1/bin/pip" install --quiet --disable-pip-version-check --no-compile "${@:2}" >"$work/install-$1.log" 2>&1
}

install_javascript() {
  npm install --prefix "$cache/js" --silent --no-audit --no-fund --no-package-lock \
    "@microsoft/microsoft-graph-client@$javascript" "@microsoft/msgraph-sdk@$kiota" \
    "@microsoft/msgraph-sdk-users@$kiota" "@pnp/graph@$pnp"
}

# Cargo knows what is to be done.
build_client() {
  mkdir -p "$cache/rust/src"
  cp "$here"/clients/graph-rs/Cargo.* "$cache/rust/"
  program graph-rs-sdk graph-rs/src/main.rs "$cache/rust/src/main.rs"
  cargo build --locked --manifest-path "$cache/rust/Cargo.toml" --target-dir "$cache/rust/target" >"$work/build.log" 2>&1
}
