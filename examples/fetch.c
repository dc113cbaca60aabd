// SPDX-License-Identifier: MIT
/*
 * fetch: gets files from an HTTPS server, or puts one there, over one connection.
 *
 * The point of it: connect(), signet_connect(), and from then on send() and recv() are all that is
 * needed. They are the ordinary calls on an ordinary blocking TCP socket; the kernel seals and
 * opens TLS records under them, and this program never holds a key once signet_connect() has
 * returned.
 *
 * The source is MIT; a binary of it, linked with libsignet-handshake and so with wolfSSL, is
 * GPL-3.0-or-later.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <signet-handshake.h>

enum {
	INCOMPLETE = 1, /* not everything came, or went, as it should */
	USAGE = 2,
	REFUSED = 3, /* the server's certificate was not accepted */
	UNREACHABLE = 4, /* no connection, or no handshake */
};

static const char *ca, *name, *output = "-", *range, *put, *patience = "30";
static int plain, info;

static char host[256], port[8];
static int connection;
static struct signet_result handshake;
static uintmax_t bytes_sent, bytes_received;

/* Received and not yet used: buffer[start..end). Large, so that a call opens several records. */
static char buffer[256 * 1024];
static size_t start, end;

/* ---- The connection ---- */

static void connect_to(const char *where)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found, *a;
	struct timeval timeout = { .tv_sec = atoi(patience) };
	int error, one = 1;

	if (sscanf(where, "[%255[^]]]:%7s", host, port) != 2 &&
	    sscanf(where, "%255[^:]:%7s", host, port) != 2)
		errx(USAGE, "HOST:PORT is wanted, not '%s'", where);
	error = getaddrinfo(host, port, &hints, &found);
	if (error)
		errx(UNREACHABLE, "%s: %s", host, gai_strerror(error));
	for (a = found; a; a = a->ai_next) {
		connection = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connection < 0)
			continue;
		setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
		setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
		if (!connect(connection, a->ai_addr, a->ai_addrlen))
			break;
		error = errno;
		close(connection);
	}
	if (!a)
		errx(UNREACHABLE, "%s: %s", where, strerror(error));
	freeaddrinfo(found);
	setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* After this the connection is encrypted, and the server is who it says it is. */
static void secure(void)
{
	struct signet_config *config;
	int error = signet_config_new(SIGNET_ROLE_CLIENT, &config);

	if (error)
		errx(UNREACHABLE, "%s", signet_strerror(error));
	error = ca ? signet_config_ca_file(config, ca) : signet_config_ca_system(config);
	if (error)
		errx(USAGE, "%s: %s", ca ? ca : "the system's certificates",
		     signet_strerror(error));
	error = signet_connect(config, connection, name ? name : host, &handshake);
	signet_config_free(config);
	if (error == -EKEYREJECTED)
		errx(REFUSED, "%s refused: %s", name ? name : host, handshake.text);
	if (error)
		errx(UNREACHABLE, "no handshake with %s port %s: %s", host, port, handshake.text);
}

/* Says what it was that failed: the module knows more than an errno. */
static bool failed(const char *doing)
{
	char text[SIGNET_TEXT_MAX] = "";
	int error = errno;

	if (!plain)
		signet_error(connection, text, sizeof(text));
	warnx("%s: %s%s%s", doing,
	      error == EAGAIN ? "the server takes too long" : signet_strerror(error),
	      *text ? ": " : "", text);
	return false;
}

static bool send_all(const char *data, size_t len)
{
	ssize_t sent;

	for (; len; data += sent, len -= (size_t)sent) {
		sent = send(connection, data, len, MSG_NOSIGNAL);
		if (sent < 0)
			return failed("sending");
		bytes_sent += (uintmax_t)sent;
	}
	return true;
}

/* Receives something more into the buffer's room. */
static bool receive(void)
{
	ssize_t received = recv(connection, buffer + end, sizeof(buffer) - 1 - end, 0);

	if (received < 0)
		return failed("receiving");
	if (!received) {
		warnx("the server closed the connection too early");
		return false;
	}
	bytes_received += (uintmax_t)received;
	end += (size_t)received;
	return true;
}

/* ---- HTTP ---- */

static bool send_request(const char *method, const char *path, const char *fields)
{
	char text[8192];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s /", method);

	for (path += strspn(path, "/"); *path && len < sizeof(text) - 2048; path++)
		len += (size_t)sprintf(
			text + len,
			isalnum((unsigned char)*path) || strchr("/-._~", *path) ? "%c" : "%%%02X",
			(unsigned char)*path);
	len += (size_t)snprintf(text + len, sizeof(text) - len, " HTTP/1.1\r\nHost: %s\r\n%s\r\n",
				name ? name : host, fields);
	return send_all(text, len);
}

/* Reads an answer's header. Return: its status, 0 after an error, which was told. */
static int receive_header(intmax_t *length)
{
	char *stop, *field;
	int status;

	memmove(buffer, buffer + start, end - start);
	end -= start;
	start = 0;
	while (!(stop = memmem(buffer, end, "\r\n\r\n", 4)))
		if (end == sizeof(buffer) - 1 || !receive())
			return 0;
	start = (size_t)(stop + 4 - buffer);
	*stop = 0;
	field = strcasestr(buffer, "\r\nContent-Length:");
	*length = field ? strtoimax(field + 17, NULL, 10) : -1;
	if (sscanf(buffer, "HTTP/1.1 %3d", &status) != 1 || *length < 0) {
		warnx("the server's answer is not understood");
		return 0;
	}
	return status;
}

/* Moves an answer's body to a file, or to nowhere (file < 0). */
static bool receive_body(int file, intmax_t left)
{
	while (left) {
		size_t len = end - start;
		ssize_t written;

		if (!len) {
			start = 0;
			end = 0;
			if (!receive())
				return false;
			continue;
		}
		if ((intmax_t)len > left)
			len = (size_t)left;
		written = file < 0 ? (ssize_t)len : write(file, buffer + start, len);
		if (written < 0) {
			warn("%s", output);
			return false;
		}
		start += (size_t)written;
		left -= written;
	}
	return true;
}

/* DIR/some/path for /some/path, with the directories in between. */
static int open_output(const char *path)
{
	char file[4096], *slash;
	int fd;

	if (!strcmp(output, "-"))
		return STDOUT_FILENO;
	path += strspn(path, "/");
	if (snprintf(file, sizeof(file), "%s/%s", output, path) >= (int)sizeof(file) ||
	    strstr(file + strlen(output), "/../")) {
		warnx("%s: not a path to store under", path);
		return -1;
	}
	for (slash = file + strlen(output); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(file, 0777);
		*slash = '/';
	}
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		warn("%s", file);
	return fd;
}

/* What errors leave behind is a connection of unknown state: they end it (return -1). */
static int get(const char *path)
{
	char fields[128] = "";
	int status, file = -1;
	intmax_t length;
	bool good, moved;

	if (range)
		snprintf(fields, sizeof(fields), "Range: bytes=%s\r\n", range);
	if (!send_request("GET", path, fields))
		return -1;
	status = receive_header(&length);
	if (!status)
		return -1;
	good = status == (range ? 206 : 200);
	if (good)
		file = open_output(path);
	else
		warnx("%s: %.*s", path, (int)strcspn(buffer, "\r\n"), buffer);
	moved = receive_body(file, length);
	if (file > STDOUT_FILENO && close(file)) {
		warn("%s", path);
		good = false;
	}
	if (!moved)
		warnx("%s is not complete", path);
	return !moved ? -1 : good && file >= 0;
}

static bool send_file(int file, intmax_t left)
{
	static char part[sizeof(buffer)];
	ssize_t len;

	for (; left; left -= len) {
		len = read(file, part, left < (intmax_t)sizeof(part) ? (size_t)left : sizeof(part));
		if (len <= 0) {
			warnx("%s: %s", put, len ? strerror(errno) : "became shorter");
			return false;
		}
		if (!send_all(part, (size_t)len))
			break; /* the server may have said why */
	}
	return true;
}

static int put_file(const char *path)
{
	int file = open(put, O_RDONLY | O_CLOEXEC), status;
	struct stat stat;
	char fields[64];
	intmax_t length;
	bool whole;

	if (file < 0 || fstat(file, &stat))
		err(INCOMPLETE, "%s", put);
	snprintf(fields, sizeof(fields), "Content-Length: %jd\r\n", (intmax_t)stat.st_size);
	whole = send_request("PUT", path, fields) && send_file(file, stat.st_size);
	close(file);
	if (!whole)
		return -1;
	status = receive_header(&length);
	if (!status)
		return -1;
	if (status != 201)
		warnx("%s: %.*s", path, (int)strcspn(buffer, "\r\n"), buffer);
	return receive_body(-1, length) ? status == 201 : -1;
}

/* ---- The whole ---- */

static void print_info(void)
{
	struct signet_info now = {};

	if (!plain && signet_info(connection, &now))
		return;
	if (plain)
		fprintf(stderr, "fetch: no TLS, data path: TCP; ");
	else
		fprintf(stderr,
			"fetch: %s, %s, data path: signet.ko, %ju records sealed, %ju opened; ",
			signet_suite_name(now.tx_suite), handshake.group, (uintmax_t)now.tx_records,
			(uintmax_t)now.rx_records);
	fprintf(stderr, "%ju bytes sent, %ju received\n", bytes_sent, bytes_received);
}

/* Our close_notify (without TLS a FIN), and then the server's. */
static void hang_up(void)
{
	if (!shutdown(connection, SHUT_WR))
		while (recv(connection, buffer, sizeof(buffer), 0) > 0)
			;
	close(connection);
}

static const char usage[] =
	"Usage: fetch [OPTION...] HOST:PORT PATH...\n"
	"Gets each PATH over one HTTPS connection; the kernel module signet opens the records.\n\n"
	"  --ca FILE       trust the certificates in FILE (default: the system's)\n"
	"  --name NAME     the name that the server must prove (default: HOST)\n"
	"  --output DIR    store PATH as DIR/PATH (default: -, standard output)\n"
	"  --range A-B     only these bytes, counted from 0; also A- and -COUNT\n"
	"  --put FILE      send FILE to PATH instead\n"
	"  --timeout S     give up when nothing moves for S seconds (default 30)\n"
	"  --info          tell about the connection at the end\n"
	"  --plain         HTTP without TLS\n"
	"  --help          this text\n\n"
	"Exit status: 0 all is complete, 1 something is not, 2 wrong usage,\n"
	"3 the server's certificate was refused, 4 no connection or no handshake.\n";

static void parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "ca", 1, NULL, 0 },	  { "name", 1, NULL, 0 },
		{ "output", 1, NULL, 0 }, { "range", 1, NULL, 0 },
		{ "put", 1, NULL, 0 },	  { "timeout", 1, NULL, 0 },
		{ "info", 0, &info, 1 },  { "plain", 0, &plain, 1 },
		{ "help", 0, NULL, 'h' }, {},
	};
	static const char **const values[] = { &ca, &name, &output, &range, &put, &patience };
	int option, index;

	while ((option = getopt_long(argc, argv, "", known, &index)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == '?')
			exit(USAGE);
		if (optarg)
			*values[index] = optarg;
	}
	if (argc - optind < 2)
		errx(USAGE, "HOST:PORT and PATH are needed; see --help");
}

int main(int argc, char **argv)
{
	bool complete = true;
	int i, result = 0;

	parse_options(argc, argv);
	connect_to(argv[optind]);
	if (!plain)
		secure();
	for (i = optind + 1; i < argc && result >= 0; i++) {
		result = put ? put_file(argv[i]) : get(argv[i]);
		complete &= result > 0;
	}
	if (i < argc)
		warnx("not asked for any more: %s%s", argv[i],
		      i + 1 < argc ? " and what follows" : "");
	if (info)
		print_info();
	hang_up();
	return complete ? 0 : INCOMPLETE;
}
