# shellcheck shell=bash
# Docker daemons for this run: own data, own sockets, no change to the machine's network. Sourced by `run`.

daemons=()

# start_daemon NAME DATA WORD…: the words run the daemon, for example in another network. DOCKER_HOST names it from then on.
start_daemon() {
  local name=$1 data=$2 log=$work/$1.log
  shift 2
  [[ $(id -u) == 0 ]] || fail "a Docker daemon needs root"
  mkdir -p "$data"
  export DOCKER_HOST=unix://$work/$name.sock
  # Nice: the daemon's containers compile for minutes beside whatever else the machine does.
  nice -n 10 "$@" dockerd --iptables=false --ip6tables=false --bridge=none --data-root "$data" --exec-root "$work/$name.exec" \
    --pidfile "$work/$name.pid" --host "$DOCKER_HOST" --shutdown-timeout 5 >"$log" 2>&1 &
  local daemon=$! end=$((SECONDS + 60))
  daemons+=("$name $daemon $DOCKER_HOST")
  until docker version >/dev/null 2>&1; do
    if ! kill -0 "$daemon" 2>/dev/null || ((SECONDS > end)); then tail -n 20 "$log" >&2; fail "dockerd did not start"; fi
    sleep 0.2
  done
  docker version --format 'Docker {{.Server.Version}}'
}

stop_daemons() {
  local each name daemon host
  for each in "${daemons[@]}"; do
    read -r name daemon host <<<"$each"
    # The containers that a failed claim has left.
    docker --host "$host" ps --all --quiet | xargs --no-run-if-empty docker --host "$host" rm --force --volumes >/dev/null 2>&1 || true
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
    # The daemon leaves the network of the host mounted.
    umount "$work/$name.exec"/netns/* 2>/dev/null || true
  done
}
