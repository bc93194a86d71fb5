# shellcheck shell=bash
# A Docker daemon for this run: its own data, its own socket, no change to the machine's network. Sourced by `run`.

daemon=

start_daemon() {
  local data=${IMAGE_CACHE:-$work/docker} log=$work/dockerd.log
  [[ $(id -u) == 0 ]] || fail "a Docker daemon needs root"
  mkdir -p "$data"
  export DOCKER_HOST=unix://$work/docker.sock
  # Nice: the daemon's containers compile for minutes beside whatever else the machine does.
  nice -n 10 dockerd --iptables=false --ip6tables=false --bridge=none --data-root "$data" --exec-root "$work/exec" \
    --pidfile "$work/dockerd.pid" --host "$DOCKER_HOST" --shutdown-timeout 5 >"$log" 2>&1 &
  daemon=$!
  local end=$((SECONDS + 60))
  until docker version >/dev/null 2>&1; do
    if ! kill -0 "$daemon" 2>/dev/null || ((SECONDS > end)); then tail -n 20 "$log" >&2; fail "dockerd did not start"; fi
    sleep 0.2
  done
  docker version --format 'Docker {{.Server.Version}}'
}

stop_daemon() {
  if [[ -z $daemon ]]; then return; fi
  # The containers that a failed claim has left.
  docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes >/dev/null 2>&1 || true
  kill "$daemon" 2>/dev/null || true
  wait "$daemon" 2>/dev/null || true
  # The daemon leaves the network of the host mounted.
  umount "$work"/exec/netns/* 2>/dev/null || true
}
