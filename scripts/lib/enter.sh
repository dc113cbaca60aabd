#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# enter.sh TREE CWD COUNT PATH... COMMAND...: the part of scripts/toolchain that runs in a mount
# namespace of its own. Builds a root out of the tree's directories (read-only) and the COUNT paths
# (as they are), and runs COMMAND there.

set -euo pipefail

tree=$1 cwd=$2 count=$3
shift 3
paths=("${@:1:count}")
shift "$count"

root=/mnt
mount -t tmpfs -o mode=755 tmpfs "$root"

for entry in "$tree"/*; do
	name=${entry##*/}
	if [ -L "$entry" ]; then
		ln -s "$(readlink "$entry")" "$root/$name"
		continue
	fi
	[ -d "$entry" ] || continue
	mkdir "$root/$name"
	case $name in
	dev | proc | sys)
		mount --rbind "/$name" "$root/$name"
		;;
	etc | usr | var)
		mount --bind "$entry" "$root/$name"
		;;
	esac
done
for name in resolv.conf hosts; do
	[ ! -e "/etc/$name" ] || mount --bind "/etc/$name" "$root/etc/$name" 2>/dev/null || true
done

# A shorter path first: what lies inside of it is then there already.
while IFS= read -r path; do
	[ -d "$path" ] || continue
	[ "$root$path" -ef "$path" ] && continue
	mkdir -p "$root$path"
	mount --rbind "$path" "$root$path"
done < <(printf '%s\n' "${paths[@]}" | LC_ALL=C sort -u)

for name in etc usr; do
	mount -o remount,bind,ro "$root/$name" 2>/dev/null || true
done

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset TMPDIR LD_PRELOAD LD_LIBRARY_PATH
# shellcheck disable=SC2016 # expanded by the inner shell
exec chroot "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$cwd" "$@"
