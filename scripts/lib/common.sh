# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every script of the project starts with: where things are, how to complain, and the recipes
# of the two Debian trees that everything is built in and runs in.
#
# A tree is named after the digest of its recipe, so that a changed recipe makes a new tree and an
# older checkout that still wants the old one goes on finding it.

# shellcheck disable=SC2034 # many of these are for the scripts that source this file

set -euo pipefail

PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
CACHE=${SIGNET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/signet}
KERNELS=(6.12 7)

SUITE=trixie

# Bumped when the way a tree is made changes and its package list does not.
TOOLCHAIN_VERSION=1
GUEST_VERSION=1

# What compiles, checks and emulates. The kernels' headers are added by version (see lib/trees.sh).
TOOLCHAIN_PACKAGES=(
	gcc make libc6-dev liburing-dev pkg-config
	autoconf automake libtool
	bc bison flex libelf-dev libssl-dev xz-utils kmod
	sparse clang-format shellcheck mandoc perl python3
	valgrind libc6-dbg gdb
	openssl gnutls-bin ca-certificates curl iproute2 procps faketime strace
	libgnutls28-dev libconfig-dev libseccomp-dev libsystemd-dev libwolfssl-dev
	qemu-system-x86 seabios virtiofsd e2fsprogs zstd patch file
)

# What the tests and the demonstration use inside the virtual machine, and a documentation tree to
# serve there.
GUEST_PACKAGES=(
	kmod iproute2 procps psmisc util-linux ethtool iputils-ping strace tcpdump
	openssl gnutls-bin curl ca-certificates nginx-light faketime socat
	liburing2 libconfig11 libseccomp2 libsystemd0 libasan8 libubsan1 python3 debian-policy
	systemd
)

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

digest() {
	sha256sum | cut -c1-12
}

toolchain_recipe() {
	printf '%s\n' toolchain "$SUITE" "$TOOLCHAIN_VERSION" "${TOOLCHAIN_PACKAGES[@]}"
}

# The guest's modules must be of the kernels whose headers the toolchain has.
guest_recipe() {
	toolchain_recipe
	printf '%s\n' guest "$GUEST_VERSION" "${GUEST_PACKAGES[@]}"
}

TOOLCHAIN=$CACHE/toolchain-$(toolchain_recipe | digest)
GUEST=$CACHE/guest-$(guest_recipe | digest)

# kernel_release 6.12|7: the release (uname -r) that the trees hold under that name.
kernel_release() {
	local name release

	[ -r "$TOOLCHAIN/kernels" ] || die "no toolchain yet: run scripts/setup first"
	while read -r name release; do
		[ "$name" = "$1" ] || continue
		printf '%s\n' "$release"
		return
	done <"$TOOLCHAIN/kernels"
	die "unknown kernel '$1' (one of: ${KERNELS[*]})"
}

# print_help FILE: the comment block after the licence line, which is each script's --help.
print_help() {
	sed -n '3,/^[^#]/ { s/^# \{0,1\}//p }' "$1"
}
