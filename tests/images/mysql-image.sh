#!/bin/sh
# mysql-image.sh mariadb bookworm TAG LABEL, or mysql sid TAG LABEL: a server image named like the official one, from Debian packages.
set -eu
engine=$1 suite=$2 tag=$3 label=$4
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$here/debroot.sh" "$dir/root" "$suite" busybox-static "$engine-server-core" "$engine-client-core"
for tool in $("$dir/root/usr/bin/busybox" --list); do [ -e "$dir/root/usr/bin/$tool" ] || ln -s busybox "$dir/root/usr/bin/$tool"; done
printf 'root:x:0:0::/:/bin/sh\nmysql:x:999:999::/var/lib/mysql:/bin/sh\n' >"$dir/root/etc/passwd"
printf 'root:x:0:\nmysql:x:999:\n' >"$dir/root/etc/group"
cp "$here/mysql-entry.sh" "$dir/root/entrypoint.sh"
printf '%s\n' 'FROM scratch' 'COPY root/ /' "LABEL pilotage.test=$label" 'EXPOSE 3306' \
  'ENTRYPOINT ["/bin/sh", "/entrypoint.sh"]' 'CMD []' >"$dir/Dockerfile"
docker build -q -t "$tag" "$dir"
