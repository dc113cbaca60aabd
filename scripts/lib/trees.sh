# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Makes the two Debian trees: toolchain-<digest>/ (compilers, checkers, QEMU) and guest-<digest>/
# (the virtual machine's disk and kernels). Sourced by scripts/setup.
#
# Packages come from the mirror that this machine's own apt uses; what apt is told is told through a
# private configuration, so that nothing of the machine's own changes.

WORK=
APT_OPTIONS=()

# mirror_of SITE-FILTER: the first archive of the machine's apt whose release matches.
mirror_of() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(CREATED_BY) $(COMPONENT) $(RELEASE) $(SITE)' |
		awk -v want="$1" '$1 == "Packages" && $2 == "main" && $3 ~ want { print $4; exit }'
}

# The machine's own way to the network (proxies, tolerance of old snapshots) holds for us too.
inherited_apt_options() {
	apt-config dump | sed -n \
		-E 's/^(Acquire::(https?::(Proxy|Timeout|CaInfo)|Retries|Check-Valid-Until|Check-Date)[^ ]*) "(.*)";$/\1 "\4";/p'
}

apt_sources() {
	local main security key='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'

	main=$(mirror_of '^(bookworm|trixie|forky|sid|stable|testing|unstable)$')
	security=$(mirror_of '-security$')
	[ -n "$main" ] || die "apt on this machine names no Debian mirror (apt-get indextargets is empty)"
	printf 'deb %s %s %s main\n' "$key" "$main" "$SUITE"
	printf 'deb %s %s %s-backports main\n' "$key" "$main" "$SUITE"
	if [ -n "$security" ]; then
		printf 'deb %s %s %s-security main\n' "$key" "$security" "$SUITE"
	fi
}

# An apt of our own, which sees only the suite that the trees are made of.
private_apt() {
	[ ${#APT_OPTIONS[@]} -eq 0 ] || return 0
	mkdir -p "$WORK"/apt/{state/lists/partial,cache/archives/partial}
	apt_sources >"$WORK/apt/sources.list"
	inherited_apt_options >"$WORK/apt/inherited.conf"
	cat >"$WORK/apt/apt.conf" <<-CONF
		#clear DPkg::Post-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		Dir::State "$WORK/apt/state";
		Dir::State::status "/dev/null";
		Dir::Cache "$WORK/apt/cache";
		Dir::Etc::SourceList "$WORK/apt/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
	CONF
	APT_OPTIONS=(-c "$WORK/apt/apt.conf" -q)
	apt-get "${APT_OPTIONS[@]}" update
}

# resolve_kernel SERIES: the newest release that the cloud kernel's meta package of that series means.
resolve_kernel() {
	apt-cache "${APT_OPTIONS[@]}" show linux-headers-cloud-amd64 |
		awk -F': ' -v series="$1" '
			$1 == "Depends" && match($2, /linux-headers-[0-9][^ ,]*/) {
				name = substr($2, RSTART + 14, RLENGTH - 14)
				if (index(name, series ".") == 1)
					print name
			}' |
		sort -V | tail -n 1
}

# bootstrap DIR PACKAGE...: a minimal tree with these packages. It goes through a tar file, so that
# an ordinary user owns what an ordinary user made.
bootstrap() {
	local dir=$1 options=() line
	shift

	while read -r line; do
		options+=(--aptopt="$line")
	done <"$WORK/apt/inherited.conf"
	mkdir -p "$dir"
	mmdebstrap --variant=minbase --architectures=amd64 "${options[@]}" \
		--aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
		--include="$(IFS=,; printf '%s' "$*")" \
		"$SUITE" - "$WORK/apt/sources.list" |
		tar -x -C "$dir" --exclude='./dev/*'
}

# download_kernel_source VERSION: leaves linux-source-VERSION.tar.xz in $WORK. VERSION is as in 6.12.
download_kernel_source() {
	local name=linux-source-$1

	(cd "$WORK" && apt-get "${APT_OPTIONS[@]}" download "$name")
	dpkg-deb --fsys-tarfile "$WORK/$name"_*.deb |
		tar -x -C "$WORK" --wildcards --strip-components=3 "*/$name.tar.xz"
	rm "$WORK/$name"_*.deb
}

# What is in no package but the kernel's whole source, of the newest kernel that we use: checkpatch and
# kernel-doc; kselftest's headers; upstream's test of its own TLS, with the header of the options that
# it knows. Each keeps its place, since some look for others relative to their own.
extract_kernel_source() {
	local dir=$1 release version name

	release=$(sort -V -k 2 "$WORK/kernels" | tail -n 1 | cut -d ' ' -f 2)
	version=$(cut -d . -f 1,2 <<<"$release")
	name=linux-source-$version
	download_kernel_source "$version"
	mkdir -p "$dir"
	tar -x -f "$WORK/$name.tar.xz" -C "$dir" --strip-components=1 \
		"$name"/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch,kernel-doc} \
		"$name"/tools/{docs/kernel-doc,lib/python} \
		"$name"/tools/testing/selftests/{kselftest.h,kselftest_harness.h,net/tls.c} \
		"$name"/include/uapi/linux/tls.h
	printf '%s\n' "$version" >"$dir/version"
	rm "$WORK/$name.tar.xz"
}

make_toolchain() {
	local series release packages=("${TOOLCHAIN_PACKAGES[@]}")

	private_apt
	: >"$WORK/kernels"
	for series in "${KERNELS[@]}"; do
		release=$(resolve_kernel "$series")
		[ -n "$release" ] || die "no cloud kernel $series in $SUITE or its backports"
		printf '%s %s\n' "$series" "$release" >>"$WORK/kernels"
		packages+=("linux-headers-$release")
	done
	extract_kernel_source "$WORK/kernel-source" &
	bootstrap "$WORK/tree" "${packages[@]}"
	wait $!
	mkdir -p "$WORK/tree/usr/share/signet"
	mv "$WORK/kernel-source" "$WORK/tree/usr/share/signet/kernel-source"
	cp "$WORK/kernels" "$WORK/tree/kernels"
	mv -T "$WORK/tree" "$TOOLCHAIN"
}

# The image packages want an initramfs builder, which the guest has no use for: unpacked, not
# installed. $1: guest directory, $2: release.
add_kernel() {
	local unpacked=$WORK/kernel-$2 package packages

	# Newer kernels keep image and modules in packages of their own, with the same version.
	packages=$(apt-cache "${APT_OPTIONS[@]}" depends --no-recommends --no-suggests --no-conflicts \
		--no-breaks --no-replaces --no-enhances "linux-image-$2" |
		awk -v release="$2" '$1 == "Depends:" && index($2, release) { print $2 }')
	mkdir -p "$unpacked/deb"
	for package in "linux-image-$2" $packages; do
		(cd "$unpacked/deb" && apt-get "${APT_OPTIONS[@]}" download "$package") ||
			die "$package is gone from the mirror; run scripts/setup --clean, then scripts/setup"
	done
	for package in "$unpacked"/deb/*.deb; do
		dpkg-deb -x "$package" "$unpacked"
	done
	# Older packages keep the kernel in /boot, newer ones beside the modules.
	mkdir -p "$1/boot" "$1/root/usr/lib/modules"
	mv "$unpacked"/{usr/,}lib/modules/"$2" "$1/root/usr/lib/modules/" 2>/dev/null || true
	mv "$unpacked/boot/vmlinuz-$2" "$1/boot/" 2>/dev/null ||
		mv "$1/root/usr/lib/modules/$2/vmlinuz" "$1/boot/vmlinuz-$2"
	mv "$unpacked/boot/config-$2" "$1/boot/" 2>/dev/null ||
		mv "$1/root/usr/lib/modules/$2/config" "$1/boot/config-$2"
	in_toolchain depmod -b "$1/root" "$2"
	unpack_kernel "$1/boot/vmlinuz-$2" "$1/boot/vmlinux-$2"
}

# Unpacking itself takes a kernel more than a second under emulation, so that is done here. The
# payload's place and length are in the boot protocol's header; the last four bytes are not zstd's.
unpack_kernel() {
	local sectors offset length

	sectors=$(od -A n -t u1 -j 497 -N 1 "$1")
	read -r offset length < <(od -A n -t u4 -j 584 -N 8 "$1")
	dd if="$1" bs=1M iflag=skip_bytes,count_bytes status=none \
		skip="$(((sectors + 1) * 512 + offset))" count="$((length - 4))" |
		in_toolchain zstd -q -d -o "$2"
}

in_toolchain() {
	SIGNET_EXTRA_BIND=$WORK "$PROJECT/scripts/toolchain" "$@"
}

make_guest() {
	local guest=$WORK/guest release size

	private_apt
	bootstrap "$guest/root" "${GUEST_PACKAGES[@]}"
	while read -r _ release; do
		add_kernel "$guest" "$release"
	done <"$TOOLCHAIN/kernels"
	cp "$TOOLCHAIN/kernels" "$guest/kernels"

	# Where scripts/vm mounts what it brings, and a disk with room to spare for what tests write.
	mkdir "$guest/root/signet"
	size=$(du -s --block-size=1M "$guest/root" | cut -f1)
	in_toolchain mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$guest/root" "$guest/disk.img" \
		"$((size + size / 4 + 1024))M"
	mv -T "$guest" "$GUEST"
}
