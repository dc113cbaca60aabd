#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh LOGS DIRECTORY: the part of scripts/demo that runs in the virtual machine. Starting a
# program costs some hundredths of a second there, so it starts few.

set -eEuo pipefail
trap 'say "FAILED unexpectedly: line $LINENO"' ERR

logs=$1 directory=$2
name=docs.signet.test
files_max=200 bytes_max=$((64 * 1024 * 1024))
tls_port=8443 plain_port=8080
held=yes

cd "$(mktemp -d)"

say() {
	printf 'demo: %s\n' "$*"
}

# What must be so, or the demonstration fails. $1: what is said if it is not; then a command.
expect() {
	local what=$1
	shift

	"$@" && return
	held=no
	say "FAILED: $what"
}

grouped() {
	local number=$1 text=

	while [ ${#number} -gt 3 ]; do
		text=,${number: -3}$text
		number=${number:0:-3}
	done
	printf '%s' "$number$text"
}

# seconds_since TIME: to a tenth.
seconds_since() {
	local tenths=$(((${EPOCHREALTIME/./} - ${1/./}) / 100000))

	printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
}

# Percent-encodes all but what every URL may contain.
encoded() {
	local LC_ALL=C text=$1 i

	case $text in
	*[!A-Za-z0-9/._~-]*) ;;
	*)
		printf '%s' "$text"
		return
		;;
	esac
	for ((i = 0; i < ${#text}; i++)); do
		case ${text:i:1} in
		[A-Za-z0-9/._~-]) printf '%s' "${text:i:1}" ;;
		*) printf '%%%02X' "'${text:i:1}" ;;
		esac
	done
}

# ---- What is served ----

choose_files() {
	local path size

	paths=() total=0
	while IFS=$'\t' read -r -d '' size path; do
		((${#paths[@]} < files_max)) || break
		[ $((total + size)) -le $bytes_max ] || continue
		paths+=("$path")
		total=$((total + size))
	done < <(cd "$directory" &&
		LC_ALL=C find . -type f -readable ! -path '*[[:cntrl:]]*' -printf '%s\t%P\0' |
		LC_ALL=C sort -z -k 2)
	count=${#paths[@]}
	[ "$count" -gt 0 ] || {
		say "there is no file in $directory that could be served"
		exit 1
	}
}

# digests DIRECTORY: of the chosen files there, one per line.
digests() {
	(cd "$1" && printf '%s\0' "${paths[@]}" | xargs -0 sha256sum -z --) | tr '\0' '\n' |
		cut -c1-64
}

# ---- Certificates ----

make_certificates() {
	local leaf=(-addext "subjectAltName=DNS:$name" -addext "basicConstraints=critical,CA:FALSE"
		-addext "keyUsage=critical,digitalSignature" -addext "extendedKeyUsage=serverAuth")
	local authority=(-addext "basicConstraints=critical,CA:TRUE"
		-addext "keyUsage=critical,keyCertSign" -days 7)
	local key=(-newkey ec -pkeyopt "ec_paramgen_curve:P-256" -noenc)

	openssl req -x509 "${key[@]}" -keyout ca.key -out ca.pem -subj "/CN=Demonstration CA" \
		"${authority[@]}"
	openssl req -x509 "${key[@]}" -keyout other.key -out other.pem -subj "/CN=Another CA" \
		"${authority[@]}"
	openssl req -x509 -CA ca.pem -CAkey ca.key "${key[@]}" -keyout server.key -out server.pem \
		-subj "/CN=$name" -days 7 "${leaf[@]}"
	openssl req -x509 -CA ca.pem -CAkey ca.key -key server.key -out expired.pem \
		-subj "/CN=$name" -not_before 20200101000000Z -not_after 20200201000000Z \
		"${leaf[@]}"
	openssl req -x509 -CA other.pem -CAkey other.key -key server.key -out unknown.pem \
		-subj "/CN=$name" -days 7 "${leaf[@]}"
}

# ---- Servers and captures ----

# Both are read from through a descriptor, so that nothing has to be waited for by trying again.
start_server() {
	exec {server_output}< <(exec https-server --root "$directory" "$@" 2>&1)
	server=$!
	read -r -t 20 -u "$server_output" line || line="nothing"
	[[ $line == serving* ]] || {
		say "the server did not start: $line"
		exit 1
	}
}

# Leaves the last line that it wrote, the totals, in $totals.
stop_server() {
	kill -TERM "$server"
	totals=
	while read -r -t 20 -u "$server_output" line; do
		printf '%s\n' "$line" >>"$logs/server"
		totals=$line
	done
	exec {server_output}<&-
}

start_capture() {
	exec {capture_output}< <(exec tcpdump -Z root -i lo -s 0 -B 131072 -w capture.pcap \
		tcp port "$tls_port" or tcp port "$plain_port" 2>&1)
	capture=$!
	while read -r -t 20 -u "$capture_output" line; do
		[[ $line != *"listening on"* ]] || return 0
	done
	say "the capture did not start: $line"
	exit 1
}

# The packets of the last second may still wait in tcpdump's ring, and would be lost with it.
stop_capture() {
	local dropped=unknown

	sleep 1.2
	kill -INT "$capture"
	while read -r -t 20 -u "$capture_output" line; do
		printf '%s\n' "$line" >>"$logs/capture"
		[[ $line != *" dropped by kernel"* ]] || dropped=${line%% *}
	done
	exec {capture_output}<&-
	expect "the capture lost packets ($dropped)" [ "$dropped" = 0 ]
}

# ---- The transfers ----

fetch_all() {
	local into=$1
	shift

	fetch "$@" --info --output "$into" "${paths[@]/#//}" 2>"$logs/fetch-$into" ||
		{ held=no && say "FAILED: fetch ($*): $(<"$logs/fetch-$into")"; }
}

curl_all() {
	local path i=0

	for path in "${paths[@]}"; do
		printf 'url = "https://%s:%s/%s"\noutput = "curl/%s"\n' "$name" "$tls_port" \
			"$(encoded "$path")" $((i++))
	done >curl.conf
	curl --cacert ca.pem --resolve "$name:$tls_port:127.0.0.1" --globoff --http1.1 \
		--create-dirs --fail --silent --show-error -K curl.conf 2>"$logs/curl" ||
		{ held=no && say "FAILED: curl: $(<"$logs/curl")"; }
}

curl_digests() {
	local i

	for ((i = 0; i < count; i++)); do
		printf 'curl/%s\0' "$i"
	done | xargs -0 sha256sum -z -- | tr '\0' '\n' | cut -c1-64
}

# equal_files DIGESTS: how many of them are what was served.
equal_files() {
	local wanted got equal=0

	while read -r wanted <&3 && read -r got <&4; do
		[ "$wanted" != "$got" ] || equal=$((equal + 1))
	done 3<served.digests 4<"$1"
	printf '%s' "$equal"
}

# ---- The search ----

# search NAME PORT: leaves what it finds in $logs/search-NAME.
search() {
	(cd "$directory" && exec find-plaintext "$OLDPWD/capture.pcap" "$2") \
		<list >"$logs/search-$1"
}

# found NAME: reads that into the associative array NAME.
found() {
	local -n into=$1
	local key value

	while read -r key value; do
		into["$key"]=$value
	done <"$logs/search-$1"
}

# gaps NAME: 000 if the capture NAME is complete.
gaps() {
	local -n in=$1

	printf '%s' "${in[bytes-missing]}${in[streams-without-beginning]}${in[streams-without-end]}"
}

# refusal WHAT CERTIFICATE NAME: what fetch says to it, and that it does not talk to that server.
refusal() {
	local status=0 text

	start_server --listen "[::1]:$tls_port" --cert "$2" --key server.key
	text=$(fetch --ca ca.pem --name "$3" "[::1]:$tls_port" "${paths[0]}" 2>&1) || status=$?
	stop_server
	expect "$1 was not refused as it should (status $status): $text" [ "$status" = 3 ]
	refusals+=("$1" "$text")
}

print_summary() {
	local fetch_info records verdict="all of this held" line i

	[ $held = yes ] || verdict="FAILED, see above"
	fetch_info=$(<"$logs/fetch-fetched")
	records=$(sed -n 's/.*, \([0-9]* records sealed, [0-9]* opened\);.*/\1/p' <<<"$fetch_info")
	printf '\n'
	while IFS='|' read -r line text; do
		printf '  %-12s %s\n' "$line" "$text"
	done <<-SUMMARY
		served|$count files, $(grouped "$total") bytes, from $directory
		fetch|$fetch_equal of $count files equal by SHA-256, in $fetch_time
		curl $curl_version|$curl_equal of $count files equal by SHA-256, in $curl_time
		connection|$(sed -n 's/^fetch: \(.*, data path: [^,]*\),.*/\1/p' <<<"$fetch_info")
		fetch saw|$records
		server saw|$server_totals
		plaintext|in the TLS capture: $tls_verdict (of $(grouped "${tls[bytes]}") bytes)
		|in the control capture of plain TCP: $control_verdict
		machine|Linux $(uname -r), $machine, $driver
	SUMMARY
	for ((i = 0; i < ${#refusals[@]}; i += 2)); do
		printf '  %-12s %s: %s\n' "$([ $i -gt 0 ] || echo refused)" "${refusals[i]}" \
			"${refusals[i + 1]}"
	done
	printf '\nSignet: %s.\n' "$verdict"
}

began=$EPOCHREALTIME
choose_files
digests "$directory" >served.digests
paste served.digests <(printf '%s\n' "${paths[@]}") >"$logs/files"
say "$count files, $(grouped "$total") bytes of $directory, digests ($(seconds_since "$began"))"

began=$EPOCHREALTIME
make_certificates 2>"$logs/openssl" || {
	say "no certificates: $(<"$logs/openssl")"
	exit 1
}
say "a CA and three certificates ($(seconds_since "$began"))"

start_capture
start_server --listen "[::]:$tls_port" --cert server.pem --key server.key
began=$EPOCHREALTIME
fetch_all fetched --ca ca.pem --name "$name" "[::1]:$tls_port"
fetch_time=$(seconds_since "$began")
say "$(<"$logs/fetch-fetched") ($fetch_time)"
began=$EPOCHREALTIME
curl_all
curl_time=$(seconds_since "$began")
stop_server
server_totals=$totals
say "curl from the same server ($curl_time)"

began=$EPOCHREALTIME
start_server --plain --listen "127.0.0.1:$plain_port"
fetch_all control --plain "127.0.0.1:$plain_port"
stop_server
stop_capture
say "the same without TLS, for a control capture ($(seconds_since "$began"))"

# While the digests are computed and the captures searched, what must be refused is tried.
began=$EPOCHREALTIME
printf '%s\n' "${paths[@]}" >list
{
	digests fetched >fetched.digests || true
	curl_digests >curl.digests || true
} &
compared=$!
{ search tls "$tls_port" && search control "$plain_port"; } &
searched=$!
refusals=()
refusal "wrong name" server.pem "someone-else.test"
refusal "expired" expired.pem "$name"
refusal "unknown CA" unknown.pem "$name"
wait $compared
expect "the captures could not be searched" wait $searched
say "digests, a search for plaintext, and refused certificates ($(seconds_since "$began"))"

fetch_equal=$(equal_files fetched.digests)
curl_equal=$(equal_files curl.digests)
expect "files fetched are not equal" [ "$fetch_equal" = "$count" ]
expect "files got by curl are not equal" [ "$curl_equal" = "$count" ]

# The control proves that the search finds what is there; completeness, that it saw everything.
declare -A tls control
found tls
found control
tls_verdict=none
control_verdict="${control[files-found-whole]} of ${control[files-searched]} files"
control_verdict+=", so the search works"
[ "${control[files-found-whole]}" = "${control[files-searched]}" ] ||
	control_verdict="only ${control[files-found-whole]} of ${control[files-searched]} files"
[ "${tls[blocks-found]}${tls[words-found]}" = 00 ] ||
	tls_verdict="FOUND: of ${tls[files-found]} files, and ${tls[words-found]} words of HTTP"
unsearched=$((count - control[files-searched]))
[ $unsearched = 0 ] || control_verdict+=" ($unsearched too short or too uniform to look for)"
expect "plaintext on the wire" [ "$tls_verdict" = none ]
expect "no file that can be searched for" [ "${control[files-searched]}" -gt 0 ]
expect "the control's files were not found" \
	[ "${control[files-found-whole]}" = "${control[files-searched]}" ]
expect "the control's HTTP was not found" [ "${control[words-found]}" -ge $((2 * count)) ]
expect "the TLS capture is not complete" [ "$(gaps tls)" = 000 ]
expect "the control capture is not complete" [ "$(gaps control)" = 000 ]
expect "the TLS capture is too short" [ "${tls[bytes]}" -gt $((2 * total)) ]

machine="virtualised by KVM"
! grep -q 'QEMU TCG' /proc/cpuinfo || machine="emulated by QEMU (TCG)"
driver=$(dmesg | sed -n 's/.*signet: TLS_AES_128_GCM_SHA256: //p')
read -r _ curl_version _ < <(curl --version) || true
print_summary
if [ $held != yes ]; then
	exit 1
fi
