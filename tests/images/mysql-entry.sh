#!/bin/sh
# Entry point of the MariaDB and MySQL test images: {MARIADB,MYSQL}_ROOT_PASSWORD, _DATABASE, and the official way to pass options.
set -eu
server=$(command -v mariadbd >/dev/null && echo mariadbd || echo mysqld)
case ${1:-} in -* | "") set -- "$server" "$@" ;; esac
data=/var/lib/mysql
password=${MARIADB_ROOT_PASSWORD:-${MYSQL_ROOT_PASSWORD:-}} database=${MARIADB_DATABASE:-${MYSQL_DATABASE:-}}
empty=${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-${MYSQL_ALLOW_EMPTY_PASSWORD:-}}
if [ ! -d $data/mysql ]; then
  [ -n "$password$empty" ] || { echo "Database is uninitialized and password option is not specified" >&2; exit 1; }
  mkdir -p $data; chown mysql:mysql $data
  init=/run/init.sql; : >$init; chmod 644 $init    # one statement a line: --bootstrap takes no more
  if [ "$server" = mariadbd ]; then
    mariadb-install-db --user=mysql --datadir=$data --skip-test-db --auth-root-authentication-method=normal >/dev/null
    echo "FLUSH PRIVILEGES;" >>$init
    echo "DROP USER IF EXISTS root@'127.0.0.1', root@'::1';" >>$init
  fi
  cat >>$init <<SQL
ALTER USER root@localhost IDENTIFIED BY '$password';
CREATE USER root@'%' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
${database:+CREATE DATABASE IF NOT EXISTS \`$database\`;}
SQL
  if [ "$server" = mariadbd ]; then mariadbd --no-defaults --user=mysql --datadir=$data --bootstrap --skip-networking <$init
  else mysqld --no-defaults --user=mysql --datadir=$data --secure-file-priv=NULL --initialize-insecure --init-file=$init; fi
  rm $init
fi
[ "$server" = mysqld ] && set -- "$@" --secure-file-priv=NULL --mysqlx=OFF --performance-schema=OFF
program=$1
shift
exec "$program" --no-defaults --user=mysql --datadir=$data --socket=/run/mysql.sock --pid-file=/run/mysql.pid --bind-address=0.0.0.0 "$@"
