// SPDX-License-Identifier: MIT
#include "attach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <signet.h>

#include "names.h"

/* --- what is said -------------------------------------------------------------- */

static struct stat standard_error;
static bool has_standard_error;

void attach_remember_stderr(void)
{
	has_standard_error = !fstat(STDERR_FILENO, &standard_error);
}

static void tell(const char *line)
{
	struct stat now;
	ssize_t ignored;

	if (!has_standard_error || fstat(STDERR_FILENO, &now) ||
	    now.st_dev != standard_error.st_dev || now.st_ino != standard_error.st_ino)
		return;
	/* In one piece: other threads write there too. */
	ignored = write(STDERR_FILENO, line, strlen(line));
	(void)ignored;
}

#define PLACE_MAX (INET6_ADDRSTRLEN + 16)

static void print_place(char *place, const struct sockaddr *address, socklen_t len)
{
	char text[INET6_ADDRSTRLEN] = "?";
	struct in6_addr in6;
	uint16_t port;

	if (!rule_take_address(address, len, &in6, &port)) {
		strcpy(place, "?");
	} else if (IN6_IS_ADDR_V4MAPPED(&in6)) {
		inet_ntop(AF_INET, in6.s6_addr + 12, text, sizeof(text));
		snprintf(place, PLACE_MAX, "%s:%u", text, port);
	} else {
		inet_ntop(AF_INET6, &in6, text, sizeof(text));
		snprintf(place, PLACE_MAX, "[%s]:%u", text, port);
	}
}

void attach_tell_refusal(const char *call, const struct sockaddr *address, socklen_t len,
			 const char *text)
{
	char place[PLACE_MAX], line[768];

	print_place(place, address, len);
	snprintf(line, sizeof(line), "signet-run: %s[%d]: %s %s: %s\n",
		 program_invocation_short_name, (int)getpid(), call, place, text);
	/* The text may be a peer's. */
	for (char *at = line; *at; at++)
		if ((*at < ' ' && at[1]) || *at == 0x7f)
			*at = '?';
	tell(line);
}

/* --- attaching ----------------------------------------------------------------- */

static const char *attach_error(int error)
{
	switch (error) {
	case ENOENT:
		return "the kernel module signet is not loaded";
	case EOPNOTSUPP:
	case ENOPROTOOPT:
	case EINVAL:
		return "this is no TCP socket that the kernel module can be attached to";
	case EEXIST:
		return "the socket has another upper layer protocol";
	default:
		return signet_strerror(error);
	}
}

/* Return: 0, or an errno. */
static int attach(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name) - 1;
	int off = 0, error;

	/* A connection that begins with the first write would begin with plaintext. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &off, sizeof(off));
	if (!setsockopt(fd, IPPROTO_TCP, TCP_ULP, SIGNET_ULP_NAME, strlen(SIGNET_ULP_NAME)))
		return 0;
	error = errno;
	if (error == EEXIST && !getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len) &&
	    !strcmp(name, SIGNET_ULP_NAME))
		return 0;
	return error;
}

static bool is_gated(int fd)
{
	struct signet_info info;

	return !signet_info(fd, &info) && info.state == SIGNET_STATE_GATED;
}

static int set_option(int fd, int option, const void *value, socklen_t len)
{
	return len && setsockopt(fd, SOL_SIGNET, option, value, len) ? errno : 0;
}

static int set_number(int fd, int option, uint32_t value)
{
	return set_option(fd, option, &value, value ? sizeof(value) : 0);
}

/* What clients and listeners have in common. */
static int set_common(int fd, const struct settings *settings)
{
	int error = set_option(fd, SIGNET_ALPN, settings->alpn, settings->alpn_len);

	if (!error)
		error = set_option(fd, SIGNET_CA, settings->ca, strlen(settings->ca));
	if (!error)
		error = set_number(fd, SIGNET_MIN_VERSION, settings->min_version);
	if (!error)
		error = set_number(fd, SIGNET_TIMEOUT, settings->timeout_ms);
	return error;
}

static int set_client(int fd, const struct settings *settings)
{
	int error = set_common(fd, settings);

	if (!error)
		error = set_option(fd, SIGNET_PROFILE, settings->profile,
				   strlen(settings->profile));
	if (!error)
		error = set_option(fd, SIGNET_PIN, settings->pins,
				   settings->pin_count * SIGNET_PIN_LEN);
	return error;
}

int attach_client(int fd, const struct settings *settings, const struct sockaddr *address,
		  socklen_t len)
{
	int error = attach(fd);

	if (error) {
		attach_tell_refusal("connect to", address, len, attach_error(error));
		return error;
	}
	/* One that connects again may be further on. */
	if (!is_gated(fd))
		return 0;
	error = set_client(fd, settings);
	if (error)
		attach_tell_refusal("connect to", address, len, signet_strerror(error));
	return error;
}

/* --- handshakes ---------------------------------------------------------------- */

/* Room for the role in front of the name: SIGNET_BEGIN's value. */
struct request {
	char role;
	char name[SIGNET_STRING_MAX + 1];
};

static void choose_name(char *name, const struct rule *rule, const struct sockaddr *address,
			socklen_t len)
{
	struct in6_addr in6 = {};
	uint16_t port;

	if (rule->named) {
		strcpy(name, rule->name);
		return;
	}
	rule_take_address(address, len, &in6, &port);
	if (names_find(&in6, name))
		return;
	/* The certificate must have it as an address then (RFC 9525 6.2). */
	if (IN6_IS_ADDR_V4MAPPED(&in6))
		inet_ntop(AF_INET, in6.s6_addr + 12, name, SIGNET_STRING_MAX);
	else
		inet_ntop(AF_INET6, &in6, name, SIGNET_STRING_MAX);
}

/* TCP's own ends explain themselves, before TLS has begun. */
static bool is_tcps(int error, unsigned int reason)
{
	return reason == SIGNET_REASON_RESET && error != ECONNRESET && error != EPIPE;
}

static void tell_failure(int fd, const struct sockaddr *address, socklen_t len, const char *name,
			 int error)
{
	char text[SIGNET_STRING_MAX + 1], call[SIGNET_STRING_MAX + 32], all[sizeof(text) + 64];
	struct signet_info info;

	if (signet_info(fd, &info) || is_tcps(error, info.reason))
		return;
	if (info.reason == SIGNET_REASON_NONE || signet_error(fd, text, sizeof(text)))
		snprintf(text, sizeof(text), "%s", signet_strerror(error));
	snprintf(call, sizeof(call), name ? "TLS with %s at" : "TLS with", name);
	snprintf(all, sizeof(all), "%s (%s)", text, strerrorname_np(error) ?: "?");
	attach_tell_refusal(call, address, len, all);
}

void attach_tell_failure(int fd, int error)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	struct signet_info info;

	if (signet_info(fd, &info) || info.role != SIGNET_ROLE_CLIENT ||
	    info.reason == SIGNET_REASON_NONE)
		return;
	if (getpeername(fd, (struct sockaddr *)&address, &len))
		len = 0;
	tell_failure(fd, (struct sockaddr *)&address, len, NULL, error);
}

int attach_begin(int fd, const struct settings *settings, const struct rule *rule,
		 const struct sockaddr *address, socklen_t len, bool wait)
{
	struct request request = { .role = SIGNET_ROLE_CLIENT };
	int ret, error;

	choose_name(request.name, rule, address, len);
	if (!*request.name && !settings->pin_count) {
		attach_tell_refusal("connect to", address, len, "there is no name to verify");
		return EINVAL;
	}
	if (wait)
		ret = setsockopt(fd, SOL_SIGNET, SIGNET_CONNECT, request.name,
				 strlen(request.name));
	else
		ret = setsockopt(fd, SOL_SIGNET, SIGNET_BEGIN, &request, 1 + strlen(request.name));
	error = ret ? errno : 0;
	switch (error) {
	case 0:
	case EISCONN:
	case EALREADY:
	case EINPROGRESS:
	case EINTR:
		return error;
	case EAGAIN: /* SO_SNDTIMEO is over, as it may be in connect() */
		return EINPROGRESS;
	case ENOTCONN: /* TCP's end was faster: SO_ERROR has it */
		if (!wait)
			return EINPROGRESS;
		break;
	}
	tell_failure(fd, address, len, request.name, error);
	/* Who waits for the connection all the same shall not wait for ever, nor the server. */
	(void)shutdown(fd, SHUT_RDWR);
	return error;
}

int attach_listener(int fd, const struct settings *settings, const struct rule *rule,
		    const struct sockaddr *address, socklen_t len)
{
	int error = attach(fd);

	if (error) {
		attach_tell_refusal("listen at", address, len, attach_error(error));
		return error;
	}
	error = set_common(fd, settings);
	if (!error)
		error = set_number(fd, SIGNET_CLIENT_AUTH, settings->client_auth);
	/* The empty text is the default profile. */
	if (!error && setsockopt(fd, SOL_SIGNET, SIGNET_ACCEPT, rule->name, strlen(rule->name)))
		error = errno;
	if (error)
		attach_tell_refusal("listen at", address, len, signet_strerror(error));
	return error;
}
