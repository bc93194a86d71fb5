# shellcheck shell=bash
# Starts the sample tenant, and the proxy in front of it with a consumer for each client. Sourced by `run`.

make_certificates() {
  cd "$work"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj '/CN=Private CA' \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' -keyout ca.key -out ca.pem
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=localhost' \
    -keyout tls.key -out tls.csr
  openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out tls.crt -extfile <(
    printf '%s\n' 'subjectAltName=DNS:localhost,IP:127.0.0.1' 'basicConstraints=CA:FALSE' \
      'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth' 'authorityKeyIdentifier=keyid'
  )
}

start_tenant() {
  "$glassine" demo --format json --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --graph-listen 127.0.0.1:0 \
    >"$work/demo.json" 2>"$work/demo.log" &
  started+=($!)
  within 30 test -s "$work/demo.json" || fail "the sample tenant did not start"
  graph=$(field graph <"$work/demo.json")
}

# A port that nobody gets by chance: the kernel gives the port of a socket that is bound to nobody else. With SO_REUSEADDR, which the
# proxy sets, it can listen there.
reserve_port() {
  python3 -c '
import signal, socket, sys
held = socket.socket()
held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
held.bind(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
signal.pause()' >"$work/port" &
  started+=($!)
  within 30 test -s "$work/port" || fail "no port could be reserved"
}

start_proxy() { # CONSUMER...
  local port consumer
  reserve_port
  port=$(<"$work/port")
  "$glassine" keys new --out "$work/keys.yaml" >/dev/null
  say any >"$work/access-token"
  {
    cat <<CONFIG
listen: 127.0.0.1:$port
public_url: https://localhost:$port
tls: { certificate_file: tls.crt, private_key_file: tls.key }
upstream: { graph: "$graph", credential: { access_token_file: access-token } }
keys: { file: keys.yaml }
tenant_domains: [tallgrass.example]
audit: { file: audit.jsonl }
consumers:
CONFIG
    for consumer in "$@"; do configure "$consumer"; done
  } >"$work/config.yaml"
  "$glassine" serve --config "$work/config.yaml" >"$work/serve.log" 2>&1 &
  started+=($!)
  proxy=https://localhost:$port
  within 30 python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])))' "$port" \
    2>/dev/null || fail "the proxy did not start"
}

configure() { # CONSUMER
  local token
  token=$("$glassine" token new --format json)
  field token <<<"$token" >"$work/$1.token"
  cat <<CONSUMER
  - name: $1
    rules: $rules
    credential: { bearer_sha256: [$(field bearer_sha256 <<<"$token")] }
    limits: { requests_per_second: 1000 }
CONSUMER
}
