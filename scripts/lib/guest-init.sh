#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The first process of the virtual machine (see scripts/vm). Every program it starts costs some
# hundredths of a second under emulation, so it uses the shell's own commands where it can.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C.UTF-8 TERM=dumb

# A line that scripts/vm takes for a failure.
complain() {
	printf 'signet-vm: %s\n' "$*" >/dev/kmsg
}

power_off() {
	echo o >/proc/sysrq-trigger
	while :; do sleep 60; done
}

prepare() {
	mount -t proc proc /proc
	mount -a -T "$job/fstab"
	cp -d "$job"/dev/* /dev/
	ip link set lo up
	printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/hosts
	echo signet-guest >/proc/sys/kernel/hostname
	ulimit -n 65536
	# What the kernel itself lost while it booted is not looked for.
	[ ! -w /sys/kernel/debug/kmemleak ] || echo clear >/sys/kernel/debug/kmemleak
}

load_module() {
	local arguments

	[ -e "$job/module-args" ] || return
	read -r -a arguments <"$job/module-args"
	modprobe signet "${arguments[@]}" || complain "modprobe signet failed"
}

# Daemons that COMMAND left would keep its output open, and the module in use.
kill_leftovers() {
	local dir pid

	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		[[ $pid != 1 && $pid != "$$" ]] || continue
		[[ " $* " != *" $pid "* ]] || continue
		[ ! -e "$dir/exe" ] || kill -9 "$pid" 2>/dev/null
	done
}

unload_module() {
	local tries

	[ -e /sys/module/signet ] || return
	for tries in {1..30}; do
		rmmod signet 2>/dev/null && return
		sleep 0.1
	done
	complain "signet cannot be unloaded: something that is gone still holds $(</sys/module/signet/refcnt) reference(s) (after $tries attempts)"
}

# Objects younger than five seconds are not reported by kmemleak.
look_for_leaks() {
	[ -w /sys/kernel/debug/kmemleak ] || return
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	echo scan >/sys/kernel/debug/kmemleak
	while IFS= read -r line; do
		printf '%s\n' "$line" >/dev/kmsg
	done </sys/kernel/debug/kmemleak
}

# Shortly before scripts/vm gives up: what everybody is waiting for.
tell_who_hangs() {
	local dir pid

	sleep "$1"
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		[ -e "$dir/exe" ] || continue
		[[ $pid != 1 && $pid != "$$" && $pid != "$BASHPID" ]] || continue
		{
			printf 'process %s: ' "$pid"
			tr '\0' ' ' <"$dir/cmdline"
			printf '\n'
			cat "$dir"/task/*/stack
		} >>"$job/hangs"
	done 2>/dev/null
}

run_command() {
	local argv status

	mapfile -d '' -t argv <"$job/argv"
	cd "$(<"$job/cwd")" 2>/dev/null || cd /
	exec 3> >(exec cat >>"$job/stdout")
	writers=$!
	exec 4> >(exec cat >>"$job/stderr")
	writers+=" $!"
	if [ -s "$job/patience" ]; then
		tell_who_hangs "$(<"$job/patience")" 3>&- 4>&- &
		disown
	fi
	"${argv[@]}" </dev/null >&3 2>&4 3>&- 4>&-
	status=$?
	exec 3>&- 4>&-
	# shellcheck disable=SC2086 # two process ids
	kill_leftovers $writers
	# shellcheck disable=SC2086
	wait $writers
	return "$status"
}

# systemd becomes the first process, and starts this script again as its default unit.
start_systemd() {
	local units=/run/systemd/system

	mkdir -p "$units"
	printf '%s\n' '[Unit]' 'Description=The command of scripts/vm' 'Wants=basic.target' \
		'After=basic.target' '[Service]' 'Type=exec' "ExecStart=/bin/bash $job/init" \
		'Environment=HOME=/root LC_ALL=C.UTF-8 TERM=dumb' 'LimitNOFILE=65536' \
		>"$units/signet-vm.service"
	exec /lib/systemd/systemd --unit=signet-vm.service --log-target=journal --show-status=0
}

job=/signet/job
if [ "$$" = 1 ]; then
	prepare 2>>"$job/stderr"
	load_module 2>>"$job/stderr"
	[ ! -e "$job/systemd" ] || start_systemd 2>>"$job/stderr"
fi
PATH=$(<"$job/path"):$PATH
LD_LIBRARY_PATH=$(<"$job/library-path")
export LD_LIBRARY_PATH

run_command
status=$?
cd /
unload_module
look_for_leaks
echo "$status" >"$job/status"
power_off
