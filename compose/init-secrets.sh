#!/bin/bash
# Makes the secrets of a cluster in /secrets, once: passwords of NATS, PostgreSQL and Redis, and the
# key pair that signs access tokens. What exists is kept.
set -euo pipefail
cd /secrets
umask 022   # the volume is private to this cluster; the servers read it under their own users

secret() { [ -s "$1" ] || openssl rand -hex 24 >"$1"; }
secret postgres_password
secret redis_password
secret nats_password

postgres=$(cat postgres_password) redis=$(cat redis_password) nats=$(cat nats_password)
printf 'postgresql://martlet:%s@postgres:5432/martlet' "$postgres" >postgres_url
printf 'redis://:%s@redis:6379/0' "$redis" >redis_url
printf 'nats://martlet:%s@nats:4222' "$nats" >nats_url
cat >nats.conf <<CONF
port: 4222
http_port: 8222
authorization { user: martlet, password: "$nats" }
jetstream {
  store_dir: /data
  # An acknowledged append is on the disk, also after a power cut; the group commit pays for it.
  sync_interval: always
}
CONF

mkdir -p signing public
if [ ! -s signing/k1.pem ]; then
  openssl genpkey -algorithm ed25519 -out signing/k1.pem
  openssl pkey -in signing/k1.pem -pubout -out public/k1.pem
fi
chmod 0444 signing/k1.pem public/k1.pem
