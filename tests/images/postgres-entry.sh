#!/bin/sh
# Entry point of the test images: the variables and the two-step start of the official postgres images.
set -eu
case ${1:-postgres} in -*) set -- postgres "$@" ;; esac
export PGDATA=${PGDATA:-/var/lib/postgresql/data}
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"; chown -R postgres "$PGDATA"; chmod 700 "$PGDATA"
  exec su -p postgres -s /bin/sh -c 'exec /entrypoint.sh "$@"' -- sh "$@"
fi
user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -n "${POSTGRES_PASSWORD:-}" ] || [ "${POSTGRES_HOST_AUTH_METHOD:-}" = trust ] || {
    echo "Error: Database is uninitialized and superuser password is not specified." >&2; exit 1; }
  (umask 077; printf '%s\n' "${POSTGRES_PASSWORD:-unused}" >/tmp/pw)
  initdb -U "$user" -N --locale=C -E UTF8 --pwfile=/tmp/pw -D "$PGDATA" ${POSTGRES_INITDB_ARGS:-}; rm /tmp/pw
  # scram-sha-256, before 14 md5
  auth=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption -D "$PGDATA")}
  echo "host all all all $auth" >>"$PGDATA/pg_hba.conf"
  [ "$database" = postgres ] || echo "CREATE DATABASE \"$database\"" | postgres --single -D "$PGDATA" postgres >/dev/null
  # A temporary server on the socket only, as in the official image, so that a probe by socket is caught out.
  pg_ctl -w -o "-c listen_addresses='' -k /var/run/postgresql" start; sleep "${TEST_INIT_SECONDS:-0}"; pg_ctl -w -m fast stop
fi
exec "$@" -c listen_addresses='*' -k /var/run/postgresql
