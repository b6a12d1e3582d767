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
  compose down --volumes --timeout 20 >/dev/null 2>&1 || true
  [ -z "$own_engine" ] || "$here/engine.sh" stop
  [ $status -eq 0 ] && echo "1 passed, 0 failed" || echo "0 passed, 1 failed"
  exit $status
}

# The command line client of the image, beside the published ports.
martlet() { ${inside[@]+"${inside[@]}"} docker run --rm -i --network host --user root -e MARTLET_PASSWORD \
  -v martlet-test-homes:/homes "martlet:$MARTLET_TAG" martlet "$@"; }
on() { local user=$1 port=$2; shift 2; martlet --server "127.0.0.1:$port" --home "/homes/$user" "$@"; }

# The output has the line; else the test ends.
expect() { grep -qF -- "$1" <<<"$2" || { say "missing: $1"; echo "$2"; exit 1; }; }

docker info >/dev/null 2>&1 || start_engine
trap finish EXIT
say "building the image (a few minutes the first time)"
compose build --quiet
if [ -n "$own_engine" ]; then
  "$here/engine.sh" stop keep
  "$here/engine.sh" start box
fi

say "up"
compose up -d --no-build --pull never --wait --wait-timeout 120
docker volume rm -f martlet-test-homes >/dev/null
export MARTLET_PASSWORD=compose-test-secret
for user in alice bob; do on "$user" $EDGE1_PORT register "$user" --device laptop; done

say "chat: alice on edge 1, bob on edge 2"
on alice $EDGE1_PORT send bob 'hello through two edges'
heard=$(on bob $EDGE2_PORT listen --count 1 --until-idle 10)
expect 'hello through two edges' "$heard"

say "down, up"
compose down --timeout 20
compose up -d --no-build --pull never --wait --wait-timeout 120
expect 'hello through two edges' "$(on alice $EDGE2_PORT history bob)"
on bob $EDGE2_PORT send alice 'still here'
expect 'still here' "$(on alice $EDGE1_PORT history bob)"
docker volume rm -f martlet-test-homes >/dev/null
say "all messages are there"
