#!/bin/sh
# clickhouse-image.sh HOME TAG LABEL: an image that answers as ClickHouse's server does over HTTP, as far as tests ask; HOME holds chdb.
# The tag is a name: the engine in it is the one chdb brings.
set -eu
home=$1 tag=$2 label=$3
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$here/debroot.sh" "$dir/root" bookworm python3-minimal libpython3-stdlib busybox-static
for tool in sh sleep cp rm; do [ -e "$dir/root/usr/bin/$tool" ] || ln -s busybox "$dir/root/usr/bin/$tool"; done
mkdir -p "$dir/root/opt" "$dir/root/var/lib/clickhouse"
cp -a "$home/chdb" "$home/chdb_core.libs" "$dir/root/opt/"
cp "$here/clickhouse_front.py" "$dir/root/opt/front.py"
printf '%s\n' 'FROM scratch' 'COPY root/ /' "LABEL pilotage.test=$label" 'ENV PYTHONPATH=/opt' 'EXPOSE 8123' \
  'ENTRYPOINT ["/usr/bin/python3", "/opt/front.py"]' >"$dir/Dockerfile"
docker build -q -t "$tag" "$dir"
