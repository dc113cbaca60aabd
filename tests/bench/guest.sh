# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the list of cells that scripts/bench makes (see cells.py) calls, in the virtual machine or,
# with --native, on the machine itself. Every function prints one line of JSON.

programs=${BENCH_PROGRAMS:-build/tests}

# Upstream's module has to be there: sockets do not load it. With --native it is, by now.
modprobe -a tls signet_aead 2>/dev/null || true

# driver CIPHER KEY-BYTES
driver() {
	local name

	[ -w /proc/signet_aead ] || return 0
	exec 5<>/proc/signet_aead
	printf 'key %s %s' "$1" "$2" >&5
	IFS= read -r name <&5 || true
	exec 5>&-
	printf '%s' "$name"
}

# header KERNEL/CLOCK: what is measured on.
header() {
	local cpu version

	cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	version=$(sed 's/["\\]//g' /proc/version)
	printf '{"header":"%s","kernel":"%s","version":"%s","cpu":"%s","cpus":%s,' \
		"$1" "$(uname -r)" "$version" "$cpu" "$(nproc)"
	printf '"drivers":{"AES-GCM":"%s","ChaCha20-Poly1305":"%s"},' \
		"$(driver 'gcm(aes)' 16)" "$(driver 'rfc7539(chacha20,poly1305)' 32)"
	printf '"openssl":"%s"}\n' "$(openssl version | cut -d' ' -f2)"
}

# Two namespaces, a cable between them, and segments of its MTU's size on it: the sender's end has no
# segmentation of its own.
prepare_veth() {
	[ ! -e /run/netns/bench-sender ] || return 0
	ip netns add bench-sender
	ip netns add bench-receiver
	ip link add bench0 netns bench-sender mtu 1500 type veth \
		peer name bench1 netns bench-receiver mtu 1500
	ip -n bench-sender addr add 10.77.0.1/24 dev bench0
	ip -n bench-receiver addr add 10.77.0.2/24 dev bench1
	ip -n bench-sender link set bench0 up
	ip -n bench-receiver link set bench1 up
	ip netns exec bench-sender ethtool -K bench0 tso off gso off
	ip netns exec bench-receiver ethtool -K bench1 tso off gso off
}

remove_veth() {
	ip netns del bench-sender 2>/dev/null || true
	ip netns del bench-receiver 2>/dev/null || true
}

# messages PATH ARGUMENT...
messages() {
	local path=$1 gro=on
	shift

	if [ "$path" = loopback ]; then
		"$programs/bench_messages" "$@"
		return
	fi
	[ "$path" = gro ] || gro=off
	prepare_veth
	ip netns exec bench-sender ethtool -K bench0 gro "$gro"
	ip netns exec bench-receiver ethtool -K bench1 gro "$gro"
	"$programs/bench_messages" --sender /run/netns/bench-sender \
		--receiver /run/netns/bench-receiver --address 10.77.0.2 "$@"
}

connections() {
	"$programs/bench_connections" "$@"
}

memory() {
	"$programs/bench_memory" "$@"
}

# The daemon, with one certificate, as its own users; once.
start_signetd() {
	local directory=/tmp/bench-signetd

	[ ! -e "$directory" ] || return 0
	mkdir -m 755 "$directory"
	mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || true
	printf '%s\n' 'signetd:x:901:901::/:/bin/false' 'signetd-signer:x:902:902::/:/bin/false' \
		>>/etc/passwd
	printf '%s\n' 'signetd:x:901:' 'signetd-signer:x:902:' 'signet:x:900:' >>/etc/group
	openssl req -quiet -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj /CN=server.test -addext subjectAltName=DNS:server.test \
		-keyout "$directory/key.pem" -out "$directory/chain.pem" 2>/dev/null
	cat >"$directory/signetd.conf" <<-CONF
		control = "$directory/control";
		default_server = "web";
		profiles: { web: { role = "server"; allow = "everyone";
			certificates = ( { chain = "$directory/chain.pem"; key = "$directory/key.pem"; } ); }; };
	CONF
	signetd --foreground --config "$directory/signetd.conf" 2>"$directory/log" &
	for _ in {1..500}; do
		! grep -q 'notice: serving' "$directory/log" || return 0
		sleep 0.02
	done
	cat "$directory/log" >&2
	return 1
}

# upcall CELL full|resumed
upcall() {
	start_signetd || return 1
	"$programs/bench_upcall" --counted --cell "$1" "$2" /tmp/bench-signetd/chain.pem \
		/tmp/bench-signetd/key.pem
}

# profile KERNEL DIRECTORY: the plugin counts while the marks say whose turn it is; the kernel's
# symbols are left beside what it writes. Nothing waits here, so there is no idle time to count.
profile() {
	local slot=1 size

	for size in 64 1024 16384; do
		"$programs/bench_messages" --repeats 3 --profile "$slot" \
			--cell "$1/counted/profile-of/$size" pingpong send AES-128-GCM "$size" \
			TCP kTLS "kTLS NO_PAD" Signet || return 1
		slot=$((slot + 8))
	done
	grep -i '^[0-9a-f]* [tw] ' /proc/kallsyms >"$2/profile-$1.symbols"
}

# helper CELL COUNT
helper() {
	python3 tests/bench/helper_memory.py "$1" "$2"
}
