#!/bin/bash
# Proves compose/compose.yaml: up, chat through haproxy, more edges and fewer while somebody listens,
# down, up, the messages are still there. Uses the Docker engine that answers, or makes one of its own from Debian's packages (engine.sh; needs root), whose containers
# run in a network namespace without uplink.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$here/../.." && pwd)
export MARTLET_PROJECT=martlet-test MARTLET_TAG=test EDGE_PORT=17400 API_PORT=17480
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

# The command line client, as the README starts it: on USER COMMAND…
on() {
  local user=$1
  shift
  compose run --rm -T -e MARTLET_PASSWORD martlet --home "/homes/$user" "$@" 2> >(grep -v 'Container ' >&2)
}
# How many edges the api hears, and waits until it is so many.
edges() {
  ${inside[@]+"${inside[@]}"} bash -c "exec 3<>/dev/tcp/127.0.0.1/$API_PORT
    printf 'GET /v1/edges HTTP/1.0\r\n\r\n' >&3; cat <&3" | grep -o '"draining":false' | wc -l
}
wait_edges() {
  for _ in $(seq 120); do
    [ "$(edges)" = "$1" ] && return
    sleep 0.5
  done
  say "not $1 edges but $(edges)"
  exit 1
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
for user in alice bob; do on "$user" register "$user" --device laptop; done

say "chat through haproxy"
on alice send bob 'hello through haproxy'
expect 'hello through haproxy' "$(on bob listen --count 1 --until-idle 10)"
for port in $EDGE_PORT $API_PORT; do published "$port"; done
wait_edges 2

say "edges 2 to 4 to 1 while bob listens and alice writes"
heard=$(mktemp)
on bob --timeout 300 listen --count 12 </dev/null >"$heard" &
listener=$!
write() { for number in $(seq "$1" "$2"); do on alice send bob "message $number of 12" >/dev/null; done; }
write 1 3
compose up -d --no-build --pull never --no-recreate --scale edge=4 --wait --wait-timeout 120
wait_edges 4
write 4 6
compose up -d --no-build --pull never --no-recreate --scale edge=1 --wait --wait-timeout 120
wait_edges 1
write 7 12
wait $listener || { say "bob did not hear everything"; cat "$heard"; exit 1; }
for number in $(seq 12); do
  expect "message $number of 12" "$(cat "$heard")"
  [ "$(grep -c "message $number of 12" "$heard")" = 1 ] || { say "message $number came twice"; exit 1; }
done
rm -f "$heard"

say "down, up"
compose down --timeout 60
compose up -d --no-build --pull never --wait --wait-timeout 120
expect 'message 12 of 12' "$(on alice history bob)"
on bob send alice 'still here'
expect 'still here' "$(on alice history bob)"
say "all messages are there"
