#!/bin/bash
# Proves the compose files with real kills: makes a Docker engine of its own from Debian's packages (engine.sh; needs root), builds the
# image, and runs main.py beside the containers, in a network namespace without uplink. Everything is taken down at the end.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$here/../.." && pwd)
export MARTLET_PROJECT=martlet-test MARTLET_TAG=test EDGE_PORT=17400 API_PORT=17480 MARTLET_PASSWORD=compose-test-secret
export ENGINE_DIR=${ENGINE_DIR:-${TMPDIR:-/tmp}/martlet-engine} BOX=${BOX:-martletbox}
export DOCKER_HOST=unix://$ENGINE_DIR/docker.sock
child='' engine='' result="0 passed, 1 failed"

say() { echo "compose-test: $*"; }
case ${1:-} in
  '') ;;
  -h | --help) echo "usage: ./dev compose-test"; exit 0 ;;
  *) say "no argument '$1'"; exit 2 ;;
esac
# Two at once would end each other's engine. Nobody inherits the lock: what outlives this script must not keep the next one out.
exec 3>&1 9>"${TMPDIR:-/tmp}/martlet-compose-test.lock"
flock -n 9 || { say "another one is running"; exit 1; }

# In the background, because a shell that waits for a command in the foreground does not hear signals. Its
# group ends with this script, and the command itself even when this script is killed.
run() {
  setsid setpriv --pdeathsig TERM "$@" 3>&- 9>&- &
  child=$!
  wait $child || { local status=$?; child=''; return $status; }
  child=''
}

finish() {
  local status=$?
  trap '' INT TERM HUP
  exec >&3 2>&1   # a signal may have come where the output goes into a file
  if [ -n "$child" ]; then kill -- "-$child" 2>/dev/null || true; wait "$child" || true; fi
  if [ -n "$engine" ]; then
    say "taking everything down"
    { "$here/engine.sh" clear && "$here/engine.sh" stop; } 3>&- 9>&- || status=1
  fi
  rm -f "$log"
  [ ! -s "$results" ] || result=$(cat "$results")
  rm -f "$results"
  # What went wrong outside of main.py counts as well.
  case $result in *", 0 failed") [ $status -eq 0 ] || result="${result%%,*}, 1 failed" ;; esac
  echo "$result"
  exit $status
}

log=$(mktemp) results=$(mktemp)
trap finish EXIT
trap 'exit 130' INT TERM HUP

run "$root/scripts/build" tests/support/swarm/martlet-swarm >"$log" 2>&1 || { cat "$log"; say "the clients do not build"; exit 1; }
say "a Docker engine from Debian's packages"
engine=yes
run "$here/engine.sh" install
run "$here/engine.sh" clear
run "$here/engine.sh" stop
run "$here/engine.sh" start build
say "base image and stand-ins for the official images ($SECONDS s)"
run "$here/engine.sh" images
say "the image ($SECONDS s; some minutes the first time)"
run docker compose -f "$root/compose/compose.yaml" --progress plain build >"$log" 2>&1 || { tail -n 60 "$log"; exit 1; }
run "$here/engine.sh" stop keep
run "$here/engine.sh" start box
say "everything is ready ($SECONDS s)"
run nsenter "--net=/run/netns/$BOX" python3 "$here/main.py" "$results"
