#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The module is loaded, offered as a TCP upper layer protocol, and can be unloaded and loaded again.

count=0 failed=0

check() {
	local name=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count $name"
	else
		echo "not ok $count $name"
		failed=1
	fi
}

offered() {
	grep -qw signet /proc/sys/net/ipv4/tcp_available_ulp
}

echo "TAP version 13"
echo "1..5"
check "the module is loaded" test -e /sys/module/signet
check "TCP offers the protocol" offered
check "the module unloads" rmmod signet
check "TCP offers it no more" bash -c '! grep -qw signet /proc/sys/net/ipv4/tcp_available_ulp'
check "the module loads again" modprobe signet
exit "$failed"
