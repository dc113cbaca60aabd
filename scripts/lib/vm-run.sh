#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vm-run.sh JOB IMAGE DISK ACCEL SMP MEM TIMEOUT APPEND PLUGIN: the part of scripts/vm that runs
# inside the toolchain tree. Gathers what the guest may see under one directory, serves it with
# virtiofsd, and runs QEMU until it ends or its time is up (then the status is 124).

set -euo pipefail

job=$1 image=$2 disk=$3 accel=$4 smp=$5 mem=$6 timeout=$7 append=$8 plugin=$9
children=()

cleanup() {
	[ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2>/dev/null || true
}
trap cleanup EXIT
trap 'exit 143' INT TERM HUP

# /run is of this mount namespace alone.
share=/run/share
gather() {
	local path

	mkdir -p "$share/job"
	mount --bind "$job" "$share/job"
	while read -r path; do
		[ -n "$path" ] || continue
		mkdir -p "$share/host$path"
		mount --bind "$path" "$share/host$path"
		[ "$1" = writable ] || mount -o remount,bind,ro "$share/host$path"
	done < <(LC_ALL=C sort -u "$job/$1")
}
gather readonly
gather writable

# virtiofsd ends by itself when QEMU lets go of it.
setpriv --pdeathsig KILL /usr/libexec/virtiofsd --socket-path /run/virtiofs.sock --shared-dir "$share" \
	--sandbox none --cache always --rlimit-nofile 0 --log-level error &
children+=($!)
for ((tries = 0; tries < 100; tries++)); do
	[ ! -S /run/virtiofs.sock ] || break
	sleep 0.02
done

# shellcheck disable=SC2054 # the commas are QEMU's
case $accel in
kvm) machine=(-accel kvm -cpu host) ;;
# "rep movsb" is emulated byte by byte: without these flags the kernel copies with plain moves.
tcg) machine=(-accel tcg,thread=multi -cpu max,-erms,-fsrm) ;;
icount) machine=(-accel tcg,thread=single -icount shift=0,sleep=off -cpu max,-erms,-fsrm) ;;
esac

init='mount -t virtiofs share /signet && exec /bin/bash /signet/job/init'
export TMPDIR=$job
setpriv --pdeathsig TERM timeout --foreground --kill-after=5 "$timeout" \
	qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
	-machine q35,memory-backend=memory "${machine[@]}" -smp "$smp" -m "$mem" \
	${plugin:+-plugin "$plugin"} \
	-object "memory-backend-memfd,id=memory,size=${mem}M,share=on" \
	-drive "file=$disk,format=raw,if=none,id=disk,snapshot=on" \
	-device nvme,drive=disk,serial=1 \
	-chardev socket,id=share,path=/run/virtiofs.sock \
	-device vhost-user-fs-pci,chardev=share,tag=share \
	-chardev "file,id=console,path=$job/console" \
	-device virtio-serial-pci -device virtconsole,chardev=console \
	-kernel "$image" \
	-append "root=/dev/nvme0n1 rootfstype=ext4 rw console=hvc0 loglevel=7 panic=-1 oops=panic \
random.trust_cpu=on $append init=/bin/sh -- -c \"$init\"" &
children+=($!)
status=0
wait $! || status=$?
children=()
exit "$status"
