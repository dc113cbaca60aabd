// SPDX-License-Identifier: GPL-2.0-only
/*
 * find-plaintext CAPTURE PORT <LIST-OF-FILES: what of these files can be read on the wire?
 *
 * Puts the TCP streams to and from a port together by sequence number and looks in them, at every
 * position, for blocks of 32 bytes of the files and for a word of HTTP. Of a file every block is
 * looked for, so a run of 63 readable bytes is seen, whatever surrounds it; of files that are more
 * than some megabytes together every second, every fourth and so on (the stride is printed).
 * Blocks of fewer than eight different bytes are left out: runs of zeros stand in any capture.
 *
 * Prints one "name value" per line; whoever calls it judges. That nothing is missing in the capture
 * is part of the answer: where a gap is, nothing can be found.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 32
#define DIFFERENT_MIN 8
#define FACTOR 0x9e3779b97f4a7c15ULL
#define BLOCKS_MAX (256 * 1024)
#define FILTER_BITS 22
#define ETHERNET 1
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04

struct bytes {
	const uint8_t *data;
	size_t len;
};

struct file {
	char *path;
	struct bytes content;
};

/* One direction of a connection. */
struct stream {
	uint8_t ends[36]; /* addresses and ports */
	bool begun, ended;
	uint32_t first; /* sequence number of its first byte */
	uint32_t len; /* as far as any packet says */
};

struct segment {
	uint32_t stream;
	uint32_t offset; /* from the stream's beginning */
	struct bytes data;
};

static struct file *files;
static size_t file_count;

static struct stream *streams;
static size_t stream_count;
static struct segment *segments;
static size_t segment_count;
static uint16_t port;

/* A hash table of the files' blocks, open addressing; a filter of bits before it. */
static struct slot {
	const uint8_t *block;
	bool seen;
} *slots;
static uint64_t slot_mask;
static uint64_t filter[1 << (FILTER_BITS - 6)];
static uintmax_t block_count, seen_count;

static size_t stride = BLOCK;

static const char word[] = "HTTP/1.1"; /* in each request, and in each answer */
static uintmax_t word_count;

/* ---- Memory and files ---- */

static void *grown(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * count : 1) * size);
	if (!array)
		err(1, "memory");
	return array;
}

static struct bytes mapped(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct bytes content = {};
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat))
		err(1, "%s", path);
	content.len = (size_t)stat.st_size;
	if (content.len)
		content.data =
			mmap(NULL, content.len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (content.data == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	return content;
}

/* ---- The files' blocks ---- */

static uint64_t hash_of(const uint8_t *block)
{
	uint64_t hash = 0;
	size_t i;

	for (i = 0; i < BLOCK; i++)
		hash = hash * FACTOR + block[i];
	return hash;
}

static uint64_t mixed(uint64_t hash)
{
	hash ^= hash >> 32;
	return hash * FACTOR;
}

/* The slot of a block that equals this one, or where it would have to go. */
static struct slot *slot_of(const uint8_t *block, uint64_t hash)
{
	uint64_t i = mixed(hash) >> 20;

	for (;; i++) {
		struct slot *slot = &slots[i & slot_mask];

		if (!slot->block || !memcmp(slot->block, block, BLOCK))
			return slot;
	}
}

static bool is_telling(const uint8_t *block)
{
	unsigned int i, j, different = 0;

	for (i = 0; i < BLOCK && different < DIFFERENT_MIN; i++) {
		for (j = 0; j < i && block[j] != block[i]; j++)
			;
		different += j == i;
	}
	return different >= DIFFERENT_MIN;
}

static void add_block(const uint8_t *block)
{
	uint64_t hash = hash_of(block), bit = mixed(hash) >> (64 - FILTER_BITS);
	struct slot *slot;

	if (!is_telling(block))
		return;
	slot = slot_of(block, hash);
	block_count += !slot->block;
	slot->block = block;
	filter[bit / 64] |= 1ULL << (bit % 64);
}

static void read_list(void)
{
	size_t size = 0, total = 0, i, at;
	char *line = NULL;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = 0;
		files = grown(files, file_count, sizeof(*files));
		files[file_count].path = strdup(line);
		files[file_count].content = mapped(line);
		total += files[file_count++].content.len;
	}
	free(line);
	while (total / stride > BLOCKS_MAX)
		stride *= 2;
	for (slot_mask = 1024; slot_mask < total / stride * 2; slot_mask *= 2)
		;
	slots = calloc(slot_mask--, sizeof(*slots));
	if (!slots)
		err(1, "memory");
	for (i = 0; i < file_count; i++)
		for (at = 0; at + BLOCK <= files[i].content.len; at += stride)
			add_block(files[i].content.data + at);
}

/* ---- The capture ---- */

static struct stream *stream_of(const uint8_t ends[36])
{
	size_t i;

	for (i = stream_count; i-- > 0;)
		if (!memcmp(streams[i].ends, ends, sizeof(streams[i].ends)))
			return &streams[i];
	streams = grown(streams, stream_count, sizeof(*streams));
	streams[stream_count] = (struct stream){};
	memcpy(streams[stream_count].ends, ends, sizeof(streams[stream_count].ends));
	return &streams[stream_count++];
}

/* A reset ends the other direction too: what that one sends is not received any more. */
static void end_other_direction(const uint8_t ends[36], size_t address_len)
{
	uint8_t other[36] = {};

	memcpy(other, ends + address_len, address_len);
	memcpy(other + address_len, ends, address_len);
	memcpy(other + 32, ends + 34, 2);
	memcpy(other + 34, ends + 32, 2);
	for (size_t i = stream_count; i-- > 0;) {
		if (memcmp(streams[i].ends, other, sizeof(other)))
			continue;
		streams[i].ended = true;
		break;
	}
}

static void take_segment(const uint8_t ends[36], const uint8_t *tcp, struct bytes data,
			 size_t data_len)
{
	struct stream *stream = stream_of(ends);
	uint32_t sequence, offset;

	memcpy(&sequence, tcp + 4, sizeof(sequence));
	sequence = ntohl(sequence);
	if (tcp[13] & TCP_SYN) {
		stream->first = ++sequence;
		stream->begun = true;
	}
	offset = sequence - stream->first;
	stream->ended |= (tcp[13] & (TCP_FIN | TCP_RST)) != 0;
	if ((data_len || tcp[13] & TCP_FIN) && offset + data_len > stream->len)
		stream->len = (uint32_t)(offset + data_len);
	if (!data.len)
		return;
	segments = grown(segments, segment_count, sizeof(*segments));
	segments[segment_count++] = (struct segment){ .stream = (uint32_t)(stream - streams),
						      .offset = offset,
						      .data = data };
}

/* What the headers say is there may be more than what was captured. */
static void take_packet(const uint8_t *packet, size_t captured, size_t whole)
{
	uint8_t ends[36] = {};
	const uint8_t *ip = packet + 14, *tcp;
	size_t ip_len, header_len, tcp_len, address_len;

	if (captured < 14 + 40)
		return; /* shorter than any TCP packet */
	if (packet[12] == 0x08 && packet[13] == 0x00 && ip[9] == IPPROTO_TCP) {
		header_len = (size_t)(ip[0] & 15) * 4;
		ip_len = (size_t)ip[2] << 8 | ip[3];
		address_len = 4;
		memcpy(ends, ip + 12, 8);
	} else if (packet[12] == 0x86 && packet[13] == 0xdd && ip[6] == IPPROTO_TCP) {
		header_len = 40;
		ip_len = ((size_t)ip[4] << 8 | ip[5]) + 40;
		address_len = 16;
		memcpy(ends, ip + 8, 32);
	} else {
		return;
	}
	if (ip_len <= header_len)
		ip_len = whole - 14; /* larger than the field can say */
	if (captured < 14 + header_len + 20)
		errx(1, "a packet of which not even the headers were captured");
	tcp = ip + header_len;
	tcp_len = (size_t)(tcp[12] >> 4) * 4;
	memcpy(ends + 32, tcp, 4);
	if ((tcp[0] << 8 | tcp[1]) != port && (tcp[2] << 8 | tcp[3]) != port)
		return;
	if (14 + header_len + tcp_len > captured || header_len + tcp_len > ip_len)
		errx(1, "a packet with impossible lengths");
	if (tcp[13] & TCP_RST)
		end_other_direction(ends, address_len);
	take_segment(ends, tcp,
		     (struct bytes){ tcp + tcp_len,
				     (captured - 14 < ip_len ? captured - 14 : ip_len) -
					     header_len - tcp_len },
		     ip_len - header_len - tcp_len);
}

static void read_capture(const char *path)
{
	struct bytes capture = mapped(path);
	uint32_t header[6], record[4];
	size_t at = sizeof(header);

	if (capture.len < sizeof(header))
		errx(1, "%s: not a capture", path);
	memcpy(header, capture.data, sizeof(header));
	if (header[0] != 0xa1b2c3d4 && header[0] != 0xa1b23c4d)
		errx(1, "%s: not a pcap file of this machine", path);
	if (header[5] != ETHERNET)
		errx(1, "%s: link type %u instead of Ethernet", path, header[5]);
	while (at + sizeof(record) <= capture.len) {
		memcpy(record, capture.data + at, sizeof(record));
		at += sizeof(record);
		if (record[2] > capture.len - at)
			errx(1, "%s: ends within a packet", path);
		take_packet(capture.data + at, record[2], record[3]);
		at += record[2];
	}
}

/* ---- The search ---- */

static void search_words(struct bytes text)
{
	const uint8_t *end = text.data + text.len, *found = text.data;

	while ((found = memmem(found, (size_t)(end - found), word, sizeof(word) - 1))) {
		word_count++;
		found++;
	}
}

/* The hash of the next window comes from that of the last: add a byte, take one away. */
static void search_blocks(struct bytes text)
{
	uint64_t leaving[256], power = 1, hash, bit;
	struct slot *slot;
	size_t i;

	if (text.len < BLOCK)
		return;
	for (i = 0; i < BLOCK; i++)
		power *= FACTOR;
	for (i = 0; i < 256; i++)
		leaving[i] = i * power;
	hash = hash_of(text.data);
	for (i = 0;; i++) {
		bit = mixed(hash) >> (64 - FILTER_BITS);
		if (filter[bit / 64] >> (bit % 64) & 1) {
			slot = slot_of(text.data + i, hash);
			if (slot->block && !slot->seen) {
				slot->seen = true;
				seen_count++;
			}
		}
		if (i + BLOCK == text.len)
			break;
		hash = hash * FACTOR + text.data[i + BLOCK] - leaving[text.data[i]];
	}
}

static int by_place(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	if (x->stream != y->stream)
		return x->stream < y->stream ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Puts the stream of segments[from..to) together and searches it. Return: its length. */
static size_t search_stream(size_t from, size_t to)
{
	size_t i, room = 0, len = 0;
	uint32_t next = 0;
	uint8_t *text;

	for (i = from; i < to; i++)
		room += segments[i].data.len;
	text = malloc(room + 1);
	if (!text)
		err(1, "memory");
	for (i = from; i < to; i++) {
		struct bytes data = segments[i].data;
		uint32_t offset = segments[i].offset, again;

		if (offset > next)
			next = offset; /* a gap */
		again = next - offset; /* sent twice */
		if (again >= data.len)
			continue;
		memcpy(text + len, data.data + again, data.len - again);
		len += data.len - again;
		next += (uint32_t)(data.len - again);
	}
	search_blocks((struct bytes){ text, len });
	search_words((struct bytes){ text, len });
	free(text);
	return len;
}

static void report_files(void)
{
	size_t i, at, searched = 0, whole = 0, partly = 0;

	for (i = 0; i < file_count; i++) {
		size_t telling = 0, seen = 0;

		for (at = 0; at + BLOCK <= files[i].content.len; at += stride) {
			const uint8_t *block = files[i].content.data + at;

			if (!is_telling(block))
				continue;
			telling++;
			seen += slot_of(block, hash_of(block))->seen;
		}
		searched += telling > 0;
		whole += telling && seen == telling;
		partly += seen > 0;
		if (seen && partly <= 5)
			printf("readable %zu of %zu blocks of %s\n", seen, telling, files[i].path);
	}
	printf("files-listed %zu\nfiles-searched %zu\nfiles-found %zu\nfiles-found-whole %zu\n",
	       file_count, searched, partly, whole);
}

int main(int argc, char **argv)
{
	uintmax_t expected = 0, bytes = 0, headless = 0, endless = 0;
	size_t from, to, i;

	if (argc != 3)
		errx(2, "usage: find-plaintext CAPTURE PORT <LIST-OF-FILES");
	port = (uint16_t)atoi(argv[2]);
	read_list();
	read_capture(argv[1]);
	for (i = 0; i < stream_count; i++) {
		headless += !streams[i].begun;
		endless += !streams[i].ended;
		expected += streams[i].len;
	}
	if (segment_count)
		qsort(segments, segment_count, sizeof(*segments), by_place);
	for (from = 0; from < segment_count; from = to) {
		for (to = from; to < segment_count && segments[to].stream == segments[from].stream;)
			to++;
		bytes += search_stream(from, to);
	}
	printf("streams %zu\nstreams-without-beginning %ju\nstreams-without-end %ju\n"
	       "bytes %ju\nbytes-missing %ju\n",
	       stream_count, headless, endless, bytes, expected - bytes);
	report_files();
	printf("stride %zu\nblocks-searched %ju\nblocks-found %ju\nwords-found %ju\n", stride,
	       block_count, seen_count, word_count);
	return 0;
}
