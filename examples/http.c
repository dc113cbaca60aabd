// SPDX-License-Identifier: MIT
/*
 * A hundred lines of HTTP. What a request may not do is refused, not guessed at: two lengths, a
 * transfer coding, stray control characters and folded lines are how two parties come to disagree
 * about where a request ends.
 */
#include "http.h"

#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"

static const char bad[] = "400 Bad Request";

/* Undoes percent-encoding, up to the query; to is all zeros, so that a string comes of it. */
static bool decode(const char *from, char *to, size_t size)
{
	for (; *from && *from != '?'; from++, size--) {
		bool coded = *from == '%';

		if (size == 1 || (coded && strspn(from + 1, DIGITS "abcdefABCDEF") < 2))
			return false;
		*to = coded ? (char)strtoimax((char[]){ from[1], from[2], 0 }, NULL, 16) : *from;
		if ((unsigned char)*to++ < ' ')
			return false;
		from += coded ? 2 : 0;
	}
	return true;
}

static const char *parse_start(char *line, struct http_request *request)
{
	const char *method = strsep(&line, " "), *target = strsep(&line, " "), *version = line;

	if (!version || *target != '/' || !decode(target + 1, request->path, sizeof(request->path)))
		return bad;
	if (strcmp(version, "HTTP/1.1") && strcmp(version, "HTTP/1.0"))
		return "505 HTTP Version Not Supported";
	request->head = !strcmp(method, "HEAD");
	request->put = !strcmp(method, "PUT");
	if (!request->head && !request->put && strcmp(method, "GET"))
		return "501 Not Implemented";
	request->keep_alive = !strcmp(version, "HTTP/1.1");
	request->host = !request->keep_alive;
	return NULL;
}

/* "1-2", "1-" or "-2"; whatever else may be ignored (RFC 9110 14.2). */
static void parse_range(const char *text, struct http_request *request)
{
	size_t digits = strspn(text, DIGITS);
	const char *last = text + digits + 1;

	if (text[digits] != '-' || last[strspn(last, DIGITS)])
		return;
	request->first = digits ? strtoimax(text, NULL, 10) : -1; /* too large: the largest */
	request->last = *last ? strtoimax(last, NULL, 10) : INTMAX_MAX;
	request->ranged = (digits || *last) && request->first <= request->last;
}

static const char *parse_field(char *line, struct http_request *request)
{
	const char *name = strsep(&line, ":"), *value = line ? line + strspn(line, " \t") : "";
	size_t digits = strspn(value, DIGITS);

	if (!line || !*name || strpbrk(name, " \t"))
		return bad;
	if (!strcasecmp(name, "Transfer-Encoding"))
		return "501 Not Implemented";
	if (!strcasecmp(name, "Content-Length")) {
		if (!digits || value[digits + strspn(value + digits, " \t")] || request->body >= 0)
			return bad;
		request->body = strtoimax(value, NULL, 10);
	}
	if (!strcasecmp(name, "Range") && !strncasecmp(value, "bytes=", 6))
		parse_range(value + 6, request);
	request->host |= !strcasecmp(name, "Host");
	request->expect |= !strcasecmp(name, "Expect") && !strcasecmp(value, "100-continue");
	request->keep_alive &= strcasecmp(name, "Connection") || !strcasestr(value, "close");
	return NULL;
}

const char *http_parse(char *text, size_t len, struct http_request *request)
{
	char *end = memmem(text, len, "\r\n\r\n", 4), *line, *stop;
	const char *status = NULL;

	*request = (struct http_request){ .body = -1, .size = end ? (size_t)(end + 4 - text) : 0 };
	for (line = text; !status && line < end; line = stop + 2) {
		stop = line + strcspn(line, "\r\n");
		if (stop[0] != '\r' || stop[1] != '\n')
			return bad;
		*stop = 0;
		status = line == text ? parse_start(line, request) : parse_field(line, request);
	}
	/* A body that nobody asked for would be read as the next request. */
	if (end && !status && (!request->host || (!request->put && request->body > 0)))
		status = bad;
	return status;
}

size_t http_header(char *text, size_t size, const struct http_request *request,
		   struct http_answer *answer)
{
	intmax_t whole = answer->len, first = request->first, last = request->last;
	char range[96] = "";

	if (request->ranged && !request->head && !strncmp(answer->status, "200", 3)) {
		if (first < 0) /* the last so many bytes */
			first = last < whole ? whole - last : 0;
		if (request->first < 0 || last >= whole)
			last = whole - 1;
		answer->first = first;
		answer->len = first <= last ? last - first + 1 : 0;
		answer->status = answer->len ? "206 Partial Content" : "416 Range Not Satisfiable";
		if (answer->len)
			snprintf(range, sizeof(range), "Content-Range: bytes %jd-%jd/%jd\r\n",
				 first, last, whole);
	}
	return (size_t)snprintf(text, size, "HTTP/1.1 %s\r\nContent-Length: %jd\r\n%s%s\r\n",
				answer->status, answer->len, range,
				request->keep_alive ? "" : "Connection: close\r\n");
}
