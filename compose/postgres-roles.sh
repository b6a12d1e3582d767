#!/bin/bash
# Makes the roles of the database, or gives them their passwords anew. The image runs it when it makes the
# database; for one that exists: docker compose exec postgres bash /docker-entrypoint-initdb.d/roles.sh
# In a shell of its own, since the image may also source it.
(
  set -euo pipefail
  secrets=${MARTLET_SECRETS:-/secrets}
  {
    printf "\\\\set owner_password '%s'\n" "$(cat "$secrets/owner_password")"
    printf "\\\\set persist_password '%s'\n" "$(cat "$secrets/persist_password")"
    cat "$secrets/roles.sql"
  } | psql --quiet --no-psqlrc -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB"
)
