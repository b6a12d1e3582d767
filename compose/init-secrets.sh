#!/bin/bash
# Makes the secrets of a cluster in $MARTLET_SECRETS, once, and gives each service its own: the files that it
# needs, in a directory of its own in $MARTLET_SECRETS_OUT, for nobody else's eyes. What exists is kept; what
# lies in $MARTLET_SECRETS_GIVEN is taken instead. Runs as root, before everything else.
set -euo pipefail
secrets=${MARTLET_SECRETS:-/secrets} out=${MARTLET_SECRETS_OUT:-/out} given=${MARTLET_SECRETS_GIVEN:-/given}
roles=${MARTLET_ROLES:-/usr/local/share/martlet}
umask 077

say() { echo "init-secrets: $*" >&2; }

# An operator's own files: passwords by their names, keys as signing/k1.pem and public/*.pem; tls/ is the edges',
# identity/ persist's.
if [ -d "$given" ]; then cp -RL --no-preserve=mode,ownership "$given/." "$secrets/"; fi
chmod 0700 "$secrets"

# In a URL, in a line of Redis and in quotes of NATS and SQL these mean themselves.
secret() {
  local value
  [ -s "$secrets/$1" ] || openssl rand -hex 24 >"$secrets/$1"
  value=$(cat "$secrets/$1")
  [[ $value =~ ^[A-Za-z0-9_.~-]{16,128}$ ]] ||
    { say "$1: 16 to 128 characters of A-Z a-z 0-9 _ . ~ - are needed"; exit 1; }
}
for name in nats_{edge,dispatcher,persist,api,operator} redis_{edge,api,operator} postgres_{owner,persist}; do
  secret "${name}_password"
done
secret postgres_password   # of the administrator
secret grafana_password
secret nats_routes_password   # between the servers of cluster.yaml
of() { cat "$secrets/$1_password"; }

# Who may look after the cluster through the api: one token of an administrator, unless a file of tokens is given.
if [ ! -s "$secrets/api_tokens" ]; then
  [ -s "$secrets/api_token" ] ||
    echo "ma1_$(openssl rand -base64 32 | tr '+/' '-_' | tr -d '=')" >"$secrets/api_token"
  echo "admin admin $(tr -d '\n' <"$secrets/api_token" | sha256sum | cut -d' ' -f1)" >"$secrets/api_tokens"
fi

mkdir -p "$secrets/signing" "$secrets/public"
if [ ! -s "$secrets/signing/k1.pem" ]; then
  openssl genpkey -algorithm ed25519 -out "$secrets/signing/k1.pem"
  rm -f "$secrets/public/k1.pem"
fi
[ -s "$secrets/public/k1.pem" ] ||
  openssl pkey -in "$secrets/signing/k1.pem" -pubout -out "$secrets/public/k1.pem"

# give UID DIRECTORY: all that was written there belongs to who reads it.
give() {
  chmod -R u=rX,go= "$out/$2"
  if [ "$(id -u)" = 0 ]; then chown -R "$1:$1" "$out/$2"; fi
}
# Empty, and writable for this script, which has files of the run before it taken away.
fresh() {
  mkdir -p "$out/$1"
  chmod -R u=rwX "$out/$1"
  find "$out/$1" -mindepth 1 -delete
}

ours=10001
for service in edge dispatcher persist api; do
  fresh $service
  printf 'nats://%s:%s@nats:4222' $service "$(of nats_$service)" >"$out/$service/nats_url"
done
for service in edge api; do
  printf 'redis://%s:%s@redis:6379/0' $service "$(of redis_$service)" >"$out/$service/redis_url"
done
cp -R "$secrets/public" "$out/edge/public"
cp -R "$secrets/signing" "$out/persist/signing"
[ ! -d "$secrets/tls" ] || cp -R "$secrets/tls" "$out/edge/tls"
[ ! -d "$secrets/identity" ] || cp -R "$secrets/identity" "$out/persist/identity"
printf 'postgresql://martlet_persist:%s@postgres:5432/martlet' "$(of postgres_persist)" >"$out/persist/postgres_url"
printf 'postgresql://martlet_owner:%s@postgres:5432/martlet' "$(of postgres_owner)" >"$out/persist/postgres_owner_url"
cp "$secrets/api_tokens" "$out/api/api_tokens"
fresh martlet   # the command line client
[ ! -s "$secrets/api_token" ] || cp "$secrets/api_token" "$out/martlet/api_token"
for service in edge dispatcher persist api martlet; do give $ours $service; done

fresh nats
for name in edge dispatcher persist api operator; do
  printf '%s_password: "%s"\n' $name "$(of nats_$name)"
done >"$out/nats/nats-passwords.conf"
cp "$roles/nats-roles.conf" "$out/nats/"
cat >"$out/nats/nats.conf" <<CONF
port: 4222
http_port: 8222
include ./nats-roles.conf
jetstream {
  store_dir: /data
  # An acknowledged append is on the disk, also after a power cut; the group commit pays for it.
  sync_interval: always
}
CONF
# The same of cluster.yaml's servers, which know each other by these names.
routes=$(for n in 1 2 3; do echo "    \"nats://routes:$(of nats_routes)@nats-$n:6222\""; done)
cat >"$out/nats/nats-cluster.conf" <<CONF
include ./nats.conf
cluster {
  name: martlet
  listen: "0.0.0.0:6222"
  authorization { user: routes, password: "$(of nats_routes)" }
  routes: [
$routes
  ]
}
CONF
give 0 nats   # the image's user

fresh redis
digest() { of "redis_$1" | tr -d '\n' | sha256sum | cut -d' ' -f1; }
grep -v '^#' "$roles/redis-roles.acl" \
  | sed "s/@EDGE@/$(digest edge)/; s/@API@/$(digest api)/; s/@OPERATOR@/$(digest operator)/" >"$out/redis/users.acl"
give 999 redis

fresh postgres
cp "$roles/postgres-roles.sql" "$out/postgres/roles.sql"
of postgres >"$out/postgres/postgres_password"
of postgres_owner >"$out/postgres/owner_password"
of postgres_persist >"$out/postgres/persist_password"
give 999 postgres

fresh grafana
of grafana >"$out/grafana/grafana_password"
give 472 grafana   # the image's user
