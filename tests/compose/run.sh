#!/bin/bash
# Proves compose/compose.yaml: up, chat, down, up, the messages are still there. Uses the Docker engine
# that answers, or makes one of its own from Debian's packages (engine.sh; needs root), whose containers
# run in a network namespace without uplink.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$here/../.." && pwd)
export MARTLET_PROJECT=martlet-test MARTLET_TAG=test EDGE1_PORT=17401 EDGE2_PORT=17402 API_PORT=17480
file=$root/compose/compose.yaml
own_engine='' inside=()

say() { echo "compose-test: $*"; }
case ${1:-} in
  '') ;;
  -h | --help) echo "usage: ./dev compose-test"; exit 0 ;;
  *) say "no argument '$1'"; exit 2 ;;
esac
# Two at once would end each other's engine.
exec 9>"${TMPDIR:-/tmp}/martlet-compose-test.lock"
flock -n 9 || { say "another one is running"; exit 1; }
compose() { docker compose -f "$file" "$@"; }

start_engine() {
  say "no Docker engine answers: making one from Debian's packages"
  "$here/engine.sh" install
  export DOCKER_HOST=unix://${ENGINE_DIR:-${TMPDIR:-/tmp}/martlet-engine}/docker.sock
  "$here/engine.sh" stop
  "$here/engine.sh" start build
  own_engine=yes
  say "base image and stand-ins for the official images"
  "$here/engine.sh" images
}

finish() {
  local status=$?
  if [ $status -ne 0 ]; then compose ps -a || true; compose logs --tail 20 || true; fi
  rm -f "$log"
  compose down --volumes --timeout 20 >/dev/null 2>&1 || true
  [ -z "$own_engine" ] || "$here/engine.sh" stop
  [ $status -eq 0 ] && echo "1 passed, 0 failed" || echo "0 passed, 1 failed"
  exit $status
}

# The command line client, as the README starts it: on USER EDGE COMMAND…
on() {
  local user=$1 edge=$2
  shift 2
  compose run --rm -T -e MARTLET_PASSWORD martlet --server "$edge:7400" --home "/homes/$user" "$@" 2> >(grep -v 'Container ' >&2)
}
# The port of the host leads into a container.
published() { ${inside[@]+"${inside[@]}"} bash -c "exec 3<>/dev/tcp/127.0.0.1/$1"; }

# The output has the line; else the test ends.
expect() { grep -qF -- "$1" <<<"$2" || { say "missing: $1"; echo "$2"; exit 1; }; }

log=$(mktemp)
docker info >/dev/null 2>&1 || start_engine
trap finish EXIT
say "building the image (a few minutes the first time)"
compose --progress plain build >"$log" 2>&1 || { tail -n 60 "$log"; exit 1; }
if [ -n "$own_engine" ]; then
  "$here/engine.sh" stop keep
  "$here/engine.sh" start box
  inside=(nsenter "--net=/run/netns/${BOX:-martletbox}")
fi

say "up"
compose up -d --no-build --pull never --wait --wait-timeout 120
export MARTLET_PASSWORD=compose-test-secret
for user in alice bob; do on "$user" edge1 register "$user" --device laptop; done

say "chat: alice on edge 1, bob on edge 2"
on alice edge1 send bob 'hello through two edges'
heard=$(on bob edge2 listen --count 1 --until-idle 10)
expect 'hello through two edges' "$heard"
for port in $EDGE1_PORT $EDGE2_PORT $API_PORT; do published "$port"; done

say "down, up"
compose down --timeout 20
compose up -d --no-build --pull never --wait --wait-timeout 120
expect 'hello through two edges' "$(on alice edge2 history bob)"
on bob edge2 send alice 'still here'
expect 'still here' "$(on alice edge1 history bob)"
say "all messages are there"
