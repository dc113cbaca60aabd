# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For scripts that build a library from its upstream release: the source is Debian's copy of it, pinned
# by its digest and taken from the mirror that this machine's own apt uses; it is built inside the
# toolchain tree and installed into the cache, under a name that carries the digest of everything that
# shaped it. When that is there already, nothing is done.
#
# The script sets NAME, VERSION, TARBALL, SHA256, POOL, and the lists of its recipe, defines recipe(),
# compile() and install_release(), and optionally patches(); then it calls build_release "$@".

WORK=

say() {
	printf '%s: %s\n' "$NAME" "$*"
}

patches() {
	:
}

remove_work() {
	[ -z "$WORK" ] || rm -rf "$WORK"
}

right_digest() {
	[ -f "$1" ] && printf '%s  %s\n' "$SHA256" "$1" | sha256sum --check --status
}

# The first main archive of the machine's apt that is a distribution's own.
mirror() {
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(CREATED_BY) $(COMPONENT) $(RELEASE) $(SITE)' |
		awk '$1 == "Packages" && $2 == "main" && $3 !~ /-/ { print $4; exit }'
}

# apt's own downloader goes the machine's own way to the network (proxies and the like), and the
# pool keeps the file for as long as any suite uses it, whatever version sid is at.
fetch() {
	local helper=/usr/lib/apt/apt-helper file=$CACHE/download/$TARBALL site

	right_digest "$file" && return
	[ -x "$helper" ] || die "missing: $helper (package apt)"
	site=$(mirror)
	[ -n "$site" ] || die "apt on this machine names no Debian mirror (apt-get indextargets is empty)"
	say "fetching $TARBALL from the machine's mirror"
	mkdir -p "$CACHE/download"
	"$helper" -o APT::Sandbox::User= download-file "$site/$POOL/$TARBALL" "$WORK/$TARBALL" \
		"SHA256:$SHA256" >>"$LOG" 2>&1 ||
		die "could not fetch $POOL/$TARBALL, or its digest is wrong (log: $LOG);" \
			"a copy of it put into $CACHE/download is used as well"
	right_digest "$WORK/$TARBALL" || die "$TARBALL has another digest than $SHA256"
	mv "$WORK/$TARBALL" "$file"
}

unpack() {
	local patch

	mkdir "$WORK/source"
	tar -x -f "$CACHE/download/$TARBALL" -C "$WORK/source" --strip-components=1
	while IFS= read -r patch; do
		say "applying ${patch##*/}"
		patch -d "$WORK/source" -p1 --fuzz=0 <"$patch" >>"$LOG" 2>&1 ||
			die "$patch does not apply (log: $LOG)"
	done < <(patches)
}

in_source() {
	(cd "$WORK/source" && "$PROJECT/scripts/toolchain" -- "$@") </dev/null >>"$LOG" 2>&1
}

failed() {
	tail -n 15 "$LOG" >&2
	die "$1 failed (the whole log: $LOG)"
}

# Only what was complete gets the name that others look for. $@: files that must be there.
keep_installed() {
	local installed=$WORK/installed$TARGET file

	for file; do
		[ -f "$installed/$file" ] || die "missing: $file was not built (log: $LOG)"
	done
	cp "$WORK/source"/COPYING* "$installed/"
	mv -T "$installed" "$TARGET"
}

# build_release [--prefix | --help]
build_release() {
	local started=$SECONDS

	TARGET=$CACHE/$NAME-$VERSION-$(recipe | digest)
	LOG=$CACHE/log/${TARGET##*/}
	case ${1-} in
	'') ;;
	--prefix)
		printf '%s\n' "$TARGET"
		return
		;;
	-h | --help)
		print_help "$0"
		return
		;;
	*) die "unknown argument '$1' (see --help)" ;;
	esac

	[ ! -d "$TARGET" ] || return 0
	[ -d "$TOOLCHAIN" ] || die "missing: the toolchain tree (run scripts/setup)"

	mkdir -p "$CACHE/log" "$CACHE/tmp"
	exec 8>"$CACHE/.$NAME.lock"
	flock 8
	[ ! -d "$TARGET" ] || return 0

	trap remove_work EXIT
	WORK=$(mktemp -d "$CACHE/tmp/$NAME.XXXXXX")
	: >"$LOG"
	fetch
	unpack
	say "building $VERSION, 1 to 3 minutes (log: $LOG)"
	compile
	install_release
	say "ready after $((SECONDS - started)) s"
}
