# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A 6.12 kernel of our own that watches itself: memory (KASAN, kmemleak, UBSAN), locks (lockdep),
# sleeping where one must not, and that can be made to run out of memory. For scripts/vm --debug.

DEBUG_KERNEL_VERSION=1

# Of the default configuration, what a virtual machine without any hardware does not need ...
DEBUG_KERNEL_OFF=(
	DRM SOUND USB_SUPPORT WLAN WIRELESS CFG80211 MAC80211 RFKILL NETDEVICES_ETHERNET ETHERNET
	ATA SCSI MD INPUT_JOYSTICK INPUT_TABLET INPUT_TOUCHSCREEN HID_SUPPORT MACINTOSH_DRIVERS PCMCIA
	AGP I2C HWMON THERMAL PARPORT FB NFS_FS NETWORK_FILESYSTEMS ISO9660_FS MSDOS_FS VFAT_FS QUOTA
	HIBERNATION SUSPEND CPU_FREQ IOMMU_SUPPORT EFI KEXEC CRASH_DUMP PROFILING SECURITY_SELINUX AUDIT
	DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT X86_16BIT PHYLIB PPS PTP_1588_CLOCK LEGACY_PTYS MICROCODE
	RANDOMIZE_BASE COMPAT IA32_EMULATION BLK_DEV_SR CHR_DEV_SG WATCHDOG RC_CORE MEDIA_SUPPORT
	UBSAN_TRAP WERROR MODULE_SIG DEBUG_KMEMLEAK_AUTO_SCAN
)

# ... what it does need, what the module and its tests use ...
DEBUG_KERNEL_ON=(
	HYPERVISOR_GUEST PARAVIRT PVH VIRTIO_MENU VIRTIO_PCI VIRTIO_CONSOLE VIRTIO_FS FUSE_FS
	BLK_DEV_NVME EXT4_FS TMPFS DEVTMPFS MODULES MODULE_UNLOAD IO_URING NAMESPACES NET_NS USER_NS
	VETH TUN DUMMY PACKET NET_SCHED NET_SCH_NETEM IPV6 INET_DIAG CGROUPS MEMCG
	CRYPTO_AES_NI_INTEL CRYPTO_GHASH_CLMUL_NI_INTEL CRYPTO_GCM CRYPTO_CCM CRYPTO_CHACHA20POLY1305
	CRYPTO_ARIA CRYPTO_SM4_GENERIC CRYPTO_HMAC CRYPTO_SHA256 CRYPTO_SHA512 CRYPTO_USER_API_AEAD
	# ... and the watching.
	DEBUG_KERNEL DEBUG_FS DEBUG_INFO_NONE KALLSYMS_ALL PREEMPT DEBUG_PREEMPT
	KASAN KASAN_GENERIC KASAN_INLINE KASAN_VMALLOC UBSAN UBSAN_BOUNDS UBSAN_SHIFT SLUB_DEBUG
	DEBUG_KMEMLEAK PROVE_LOCKING PROVE_RCU DEBUG_ATOMIC_SLEEP DEBUG_LIST DEBUG_SG DEBUG_NET
	DEBUG_NOTIFIERS DETECT_HUNG_TASK SOFTLOCKUP_DETECTOR STACKTRACE
	KPROBES FUNCTION_ERROR_INJECTION FAULT_INJECTION FAULT_INJECTION_DEBUG_FS FAILSLAB
	FAIL_PAGE_ALLOC FAIL_FUNCTION FAULT_INJECTION_USERCOPY FAULT_INJECTION_STACKTRACE_FILTER
	KUNIT KERNEL_ZSTD
)
DEBUG_KERNEL_MODULES=(TLS)

debug_kernel_recipe() {
	toolchain_recipe
	printf '%s\n' "$DEBUG_KERNEL_VERSION" off "${DEBUG_KERNEL_OFF[@]}" on "${DEBUG_KERNEL_ON[@]}" \
		modules "${DEBUG_KERNEL_MODULES[@]}"
}

DEBUG_KERNEL=$CACHE/debug-kernel-6.12-$(debug_kernel_recipe | digest)

debug_kernel_fragment() {
	printf '# CONFIG_%s is not set\n' "${DEBUG_KERNEL_OFF[@]}"
	printf 'CONFIG_%s=y\n' "${DEBUG_KERNEL_ON[@]}"
	printf 'CONFIG_%s=m\n' "${DEBUG_KERNEL_MODULES[@]}"
	printf 'CONFIG_%s\n' 'LOCALVERSION="-signet-debug"' DEBUG_KMEMLEAK_MEM_POOL_SIZE=40000
}

kernel_make() {
	SIGNET_EXTRA_BIND=$WORK nice -n 19 "$PROJECT/scripts/toolchain" \
		make -s -C "$WORK/source" -j"$(nproc)" "$@"
}

make_debug_kernel() {
	local made=$WORK/made release

	private_apt
	download_kernel_source 6.12
	mkdir -p "$WORK/source" "$made"
	tar -x -f "$WORK/linux-source-6.12.tar.xz" -C "$WORK/source" --strip-components=1
	kernel_make x86_64_defconfig
	debug_kernel_fragment >"$WORK/fragment"
	(cd "$WORK/source" && SIGNET_EXTRA_BIND=$WORK "$PROJECT/scripts/toolchain" \
		scripts/kconfig/merge_config.sh -m .config "$WORK/fragment" >/dev/null)
	kernel_make olddefconfig
	check_debug_kernel_config
	kernel_make bzImage modules

	release=$(kernel_make kernelrelease)
	printf '%s\n' "$release" >"$made/release"
	cp "$WORK/source/.config" "$made/config"
	# Not vmlinux: what QEMU calls first in that one is not ready for KASAN.
	cp "$WORK/source/arch/x86/boot/bzImage" "$made/bzImage"
	kernel_make INSTALL_MOD_PATH="$WORK/installed" modules_install
	mv "$WORK/installed/lib/modules/$release" "$made/modules"
	rm -f "$made/modules/build"
	# What building our module against it takes.
	# shellcheck disable=SC2016 # expanded by make
	kernel_make run-command \
		KBUILD_RUN_COMMAND='${srctree}/scripts/package/install-extmod-build '"$made/build"
	mv -T "$made" "$DEBUG_KERNEL"
}

# An option that went by another name, or lost a dependency, would be missed much later.
check_debug_kernel_config() {
	local option missing=()

	for option in "${DEBUG_KERNEL_ON[@]}"; do
		grep -qE "^CONFIG_$option=[ym]" "$WORK/source/.config" || missing+=("$option")
	done
	[ ${#missing[@]} -eq 0 ] || die "options that this kernel did not take: ${missing[*]}"
}
