#!/bin/sh
# debroot.sh DIR SUITE PACKAGE...: unpack Debian packages and what they need into DIR, leaving this machine's packages alone.
set -eu
dir=$1 suite=$2
shift 2
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$dir"
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -m1 '/debian/$')
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$apt/sources.list"
get() {
  apt-get -q -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$apt/lists" \
    -o Dir::State::status=/dev/null -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root "$@"
}
get update
get -y --no-install-recommends --download-only install base-files "$@"
for link in bin lib lib64 sbin; do
  mkdir -p "$dir/usr/$link"
  [ -L "$dir/$link" ] || ln -s "usr/$link" "$dir/$link"
done
for deb in "$apt"/cache/archives/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$dir"; done
rm -rf "$dir/usr/share/doc" "$dir/usr/share/man" "$dir/usr/share/locale"
chmod 1777 "$dir/run"
