// SPDX-License-Identifier: MIT
/*
 * fetch: gets files from an HTTPS server, or puts one there, over one connection.
 *
 * The point of it: connect(), signet_connect(), and from then on it is a socket like any other.
 * This program writes to it with send() and reads from it with stdio, which knows nothing of TLS;
 * the kernel seals and opens the records under them. When signet_connect() has returned, there is
 * no key in this process any more.
 *
 * The source is MIT; a binary of it, linked with libsignet-handshake and so with wolfSSL, is
 * GPL-3.0-or-later.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdbool.h>
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

static char host[256];
static int connection;
static FILE *server; /* the connection, to read from */
static bool broken; /* nobody knows where the next answer would begin: nothing more is asked */
static struct signet_result handshake;
static uintmax_t bytes_sent, bytes_received;

static char buffer[256 * 1024]; /* large, so that a call opens several records */

/* ---- The connection ---- */

static void connect_to(const char *where)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found, *a;
	struct timeval timeout = { .tv_sec = atoi(patience) };
	int error, one = 1;
	char port[8];

	if (sscanf(where, "[%255[^]]]:%7s", host, port) != 2 &&
	    sscanf(where, "%255[^:]:%7s", host, port) != 2)
		errx(USAGE, "HOST:PORT is wanted, not '%s'", where);
	error = getaddrinfo(host, port, &hints, &found);
	if (error)
		errx(UNREACHABLE, "%s: %s", host, gai_strerror(error));
	for (a = found; a; a = a->ai_next) {
		connection = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
		setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
		setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (!connect(connection, a->ai_addr, a->ai_addrlen))
			break;
		error = errno;
		close(connection);
	}
	if (!a)
		errx(UNREACHABLE, "%s: %s", where, strerror(error));
	freeaddrinfo(found);
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
	error = signet_connect(config, connection, name, &handshake);
	signet_config_free(config);
	if (error)
		errx(error == -EKEYREJECTED ? REFUSED : UNREACHABLE, "%s: %s", name,
		     handshake.text);
}

/* Tells why, and what the module has to say about it. NULL: it is the connection's fault. */
static bool failed(const char *doing, const char *why)
{
	char text[SIGNET_TEXT_MAX] = "";

	if (!why && feof(server))
		why = "the server closed the connection too early";
	else if (!why)
		why = errno == EAGAIN ? "the server takes too long" : signet_strerror(errno);
	if (!plain)
		signet_error(connection, text, sizeof(text));
	warnx("%s: %s%s%s", doing, why, *text ? ": " : "", text);
	broken = true;
	return false;
}

static bool send_all(const char *data, size_t len)
{
	ssize_t sent;

	for (; len; data += sent, len -= (size_t)sent) {
		sent = send(connection, data, len, MSG_NOSIGNAL);
		if (sent < 0)
			return failed("sending", NULL);
		bytes_sent += (uintmax_t)sent;
	}
	return true;
}

/* Our close_notify (without TLS a FIN), and then the server's. */
static void hang_up(void)
{
	if (!shutdown(connection, SHUT_WR))
		while (recv(connection, buffer, sizeof(buffer), 0) > 0)
			;
	fclose(server);
}

/* ---- HTTP ---- */

static bool send_request(const char *method, const char *path, const char *fields)
{
	char text[8192];
	size_t len = (size_t)sprintf(text, "%s /", method);
	const char *form;

	for (path += strspn(path, "/"); *path && len < sizeof(text) - 1024; path++) {
		form = isalnum((unsigned char)*path) || strchr("/-._~", *path) ? "%c" : "%%%02X";
		len += (size_t)sprintf(text + len, form, (unsigned char)*path);
	}
	if (*path)
		return failed(path, "the path is too long");
	len += (size_t)sprintf(text + len, " HTTP/1.1\r\nHost: %.256s\r\n%s\r\n", name, fields);
	return send_all(text, len);
}

/* Reads an answer's header. Return: whether it is what was asked for; if not, this was told. */
static bool receive_header(const char *path, int wanted, intmax_t *length)
{
	char first[256] = "", line[8192];
	int status = 0;
	size_t size = 0;

	*length = -1;
	do {
		if (!fgets(line, sizeof(line), server))
			return failed("receiving", NULL);
		if (!size)
			snprintf(first, sizeof(first), "%.*s", (int)strcspn(line, "\r\n"), line);
		if (!strncasecmp(line, "Content-Length:", 15))
			*length = strtoimax(line + 15, NULL, 10);
		size += strlen(line);
	} while (strcmp(line, "\r\n") && size < sizeof(buffer));
	bytes_received += size;
	if (sscanf(first, "HTTP/1.1 %3d", &status) != 1 || *length < 0 || size >= sizeof(buffer))
		return failed(path, "the server's answer is not understood");
	if (status != wanted)
		warnx("%s: %s", path, first);
	return status == wanted;
}

/* Moves an answer's body to a file, or to nowhere (NULL). */
static bool receive_body(FILE *file, intmax_t left)
{
	size_t len, want;

	for (; left; left -= (intmax_t)len) {
		want = left < (intmax_t)sizeof(buffer) ? (size_t)left : sizeof(buffer);
		len = fread(buffer, 1, want, server);
		bytes_received += len;
		if (file && fwrite(buffer, 1, len, file) < len)
			return failed(output, strerror(errno));
		if (len < want)
			return failed("receiving", NULL);
	}
	return true;
}

/* DIR/some/path for /some/path, with the directories in between. */
static FILE *open_output(const char *path)
{
	char name[4096], *slash;
	FILE *file;
	int len;

	if (!strcmp(output, "-"))
		return stdout;
	len = snprintf(name, sizeof(name), "%s/%s", output, path + strspn(path, "/"));
	if (len >= (int)sizeof(name) || strstr(name + strlen(output), "/../")) {
		warnx("%s: not a path to store under", path);
		return NULL;
	}
	for (slash = name + strlen(output); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(name, 0777);
		*slash = '/';
	}
	file = fopen(name, "we");
	if (!file)
		warn("%s", name);
	return file;
}

static bool get(const char *path)
{
	char fields[128] = "";
	intmax_t length;
	FILE *file = NULL;
	bool good;

	if (range)
		snprintf(fields, sizeof(fields), "Range: bytes=%s\r\n", range);
	if (!send_request("GET", path, fields))
		return false;
	good = receive_header(path, range ? 206 : 200, &length);
	if (good)
		file = open_output(path);
	if (!broken && !receive_body(file, length))
		warnx("%s is not complete", path);
	if (file && (file == stdout ? fflush(file) : fclose(file))) {
		warn("%s", path);
		good = false;
	}
	return good && file && !broken;
}

static bool put_file(const char *path)
{
	FILE *file = fopen(put, "re");
	struct stat status;
	char fields[64];
	intmax_t length;
	size_t len;
	bool good;

	if (!file || fstat(fileno(file), &status))
		err(INCOMPLETE, "%s", put);
	snprintf(fields, sizeof(fields), "Content-Length: %jd\r\n", (intmax_t)status.st_size);
	good = send_request("PUT", path, fields);
	while (good && (len = fread(buffer, 1, sizeof(buffer), file)))
		good = send_all(buffer, len);
	if (good && ftello(file) != status.st_size)
		good = failed(put, "its length changed");
	fclose(file);
	good = good && receive_header(path, 201, &length);
	return !broken && receive_body(NULL, length) && good;
}

/* ---- The whole ---- */

static void print_info(void)
{
	struct signet_info now = {};

	fprintf(stderr, "fetch: ");
	if (plain)
		fprintf(stderr, "no TLS, data path: TCP; ");
	else if (!signet_info(connection, &now))
		fprintf(stderr, "%s, %s, data path: signet.ko, %ju records sealed, %ju opened; ",
			signet_suite_name(now.tx_suite), handshake.group, (uintmax_t)now.tx_records,
			(uintmax_t)now.rx_records);
	fprintf(stderr, "%ju bytes sent, %ju received\n", bytes_sent, bytes_received);
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

	while (!(option = getopt_long(argc, argv, "", known, &index)))
		if (optarg)
			*values[index] = optarg;
	if (option == 'h') {
		fputs(usage, stdout);
		exit(0);
	}
	if (option != -1 || argc - optind < 2)
		errx(USAGE, "HOST:PORT and PATH are needed; see --help");
}

int main(int argc, char **argv)
{
	bool complete = true;
	int i;

	parse_options(argc, argv);
	connect_to(argv[optind]);
	if (!name)
		name = host;
	if (!plain)
		secure();
	server = fdopen(connection, "r");
	for (i = optind + 1; i < argc && !broken; i++)
		complete &= put ? put_file(argv[i]) : get(argv[i]);
	if (i < argc)
		warnx("not asked for any more: %s%s", argv[i],
		      i + 1 < argc ? " and what follows" : "");
	if (info)
		print_info();
	hang_up();
	return complete ? 0 : INCOMPLETE;
}
