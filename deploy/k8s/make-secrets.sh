#!/usr/bin/env bash
# Makes the secrets of a Martlet on Kubernetes, for all overlays, in files which kustomize turns into Secrets.
# compose/init-secrets.sh makes them, once: what exists is kept, also when this is run again for a new version.
set -euo pipefail
usage() {
  cat <<'END'
usage: make-secrets.sh [--nats HOST:PORT[,HOST:PORT…]] [--redis HOST:PORT] [--postgres HOST:PORT] [--tls] [--given DIRECTORY]

Writes deploy/k8s/base/secrets and deploy/k8s/stores/secrets; private/ beside them holds the passwords. Keep private/
as you keep private keys: none of this is in git.
  --nats, --redis, --postgres   servers outside of the cluster (overlays/external); give the same ones each time
  --tls                         which speak TLS, all three: with components/tls-to-stores
  --given                       passwords and keys of your own, see docs/operations.md, "Roles and secrets"
END
}
here="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
compose="$here/../../compose"
nats=nats:4222 redis=redis:6379 postgres=postgres:5432 given=/nonexistent tls=
while (($# > 0)); do
  case "$1" in
    --help) usage; exit 0 ;;
    --tls) tls=1; shift ;;
    --nats | --redis | --postgres | --given)
      [[ -n "${2:-}" ]] || { usage >&2; exit 2; }
      printf -v "${1#--}" %s "$2"
      shift 2
      ;;
    *) usage >&2; exit 2 ;;
  esac
done
address='(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}'
[[ $nats =~ ^$address(,$address)*$ && $redis =~ ^$address$ && $postgres =~ ^$address$ ]] ||
  { echo "make-secrets: '$nats', '$redis' or '$postgres' is not HOST:PORT" >&2; exit 2; }
[[ $given == /nonexistent || -d $given ]] || { echo "make-secrets: '$given' is no directory" >&2; exit 2; }

umask 077
out="$(mktemp -d "$here/.secrets.XXXXXX")"
trap 'rm -rf "$out"' EXIT
mkdir -p "$here/private"
MARTLET_SECRETS="$here/private" MARTLET_SECRETS_OUT="$out" MARTLET_SECRETS_GIVEN="$given" MARTLET_ROLES="$compose" \
  bash "$compose/init-secrets.sh"

# nats://USER:PASSWORD@HOST:PORT for each server, with commas between.
for service in edge dispatcher persist api; do
  url="$out/$service/nats_url"
  login="$(sed 's/@.*/@/' "$url")"
  chmod u+w "$url"
  printf %s "$login${nats//,/,$login}" >"$url"
done
for url in "$out"/{edge,api}/redis_url "$out"/persist/postgres{,_owner}_url; do
  chmod u+w "$url"
  sed -i "s|@redis:6379/|@$redis/|; s|@postgres:5432/|@$postgres/|" "$url"
done
if [[ -n $tls ]]; then
  sed -i 's|nats://|tls://|g' "$out"/*/nats_url
  sed -i 's|^redis://|rediss://|' "$out"/{edge,api}/redis_url
  sed -i 's|$|?sslmode=verify-full\&sslrootcert=/ca/ca.crt|' "$out"/persist/postgres{,_owner}_url
fi

# The servers of overlays/cluster have the names of compose/cluster.yaml's, below that of a Service.
chmod -R u+w "$out/nats" "$out/postgres"
sed -i 's/@\(nats-[0-9]*\):/@\1.nats-peers:/' "$out/nats/nats-cluster.conf"
cp "$compose/postgres-roles.sh" "$out/postgres/roles.sh"

# place DIRECTORY NAME…: complete, or as it was before.
place() {
  local target="$here/$1/secrets"
  shift
  rm -rf "$target.new"
  mkdir "$target.new"
  for name; do mv "$out/$name" "$target.new/"; done
  chmod -R u+rwX,go= "$target.new"
  rm -rf "$target"
  mv "$target.new" "$target"
}
place base edge dispatcher persist api
place stores nats redis postgres
echo "make-secrets: the passwords are in $here/private"
