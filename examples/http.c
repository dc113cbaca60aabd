// SPDX-License-Identifier: MIT
/*
 * A hundred lines of HTTP. What a request may not do is refused, not guessed at: two lengths, a
 * transfer coding, control characters and folded lines are how two parties come to disagree about
 * where a request ends.
 */
#include "http.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char bad[] = "400 Bad Request";

/* Undoes percent-encoding, up to the query. */
static bool decode(const char *from, char *to, size_t size)
{
	for (; *from && *from != '?'; from++, size--) {
		char byte = *from;

		if (byte == '%') {
			if (!isxdigit((unsigned char)from[1]) || !isxdigit((unsigned char)from[2]))
				return false;
			byte = (char)strtoul((char[]){ from[1], from[2], 0 }, NULL, 16);
			from += 2;
		}
		if (!byte || size <= 1)
			return false;
		*to++ = byte;
	}
	*to = 0;
	return true;
}

static const char *parse_request_line(char *line, struct http_request *request)
{
	const char *method = strsep(&line, " "), *target = strsep(&line, " "), *version = line;

	if (!target || !version || *target != '/' ||
	    !decode(target + strspn(target, "/"), request->path, sizeof(request->path)))
		return bad;
	request->keep_alive = !strcmp(version, "HTTP/1.1");
	request->host = !strcmp(version, "HTTP/1.0");
	if (!request->keep_alive && !request->host)
		return "505 HTTP Version Not Supported";
	if (strcmp(method, "GET") && strcmp(method, "HEAD") && strcmp(method, "PUT"))
		return "501 Not Implemented";
	strcpy(request->method, method);
	return NULL;
}

/* A number without sign; one that is too large becomes the largest. */
static bool number(const char **text, int64_t *value)
{
	if (!isdigit((unsigned char)**text))
		return false;
	*value = strtoll(*text, (char **)text, 10);
	return true;
}

/* "bytes=1-2", "bytes=1-" or "bytes=-2"; whatever else may be ignored (RFC 9110 14.2). */
static void parse_range(const char *text, struct http_request *request)
{
	bool first = number(&text, &request->first);
	bool last = *text++ == '-' && (number(&text, &request->last) || first) && !*text;

	request->ranged = last && (request->last < 0 || request->first <= request->last);
}

static const char *parse_field(char *line, struct http_request *request)
{
	const char *name = strsep(&line, ":"), *value = line ? line + strspn(line, " \t") : NULL;

	if (!value || !*name || strpbrk(name, " \t"))
		return bad;
	if (!strcasecmp(name, "Host"))
		request->host = true;
	else if (!strcasecmp(name, "Connection") && strcasestr(value, "close"))
		request->keep_alive = false;
	else if (!strcasecmp(name, "Content-Length") &&
		 (request->length >= 0 || !number(&value, &request->length) ||
		  value[strspn(value, " \t")]))
		return bad;
	else if (!strcasecmp(name, "Transfer-Encoding"))
		return "501 Not Implemented";
	else if (!strcasecmp(name, "Expect"))
		request->expect = !strcasecmp(value, "100-continue");
	else if (!strcasecmp(name, "Range") && !strncasecmp(value, "bytes=", 6))
		parse_range(value + 6, request);
	return NULL;
}

const char *http_parse(char *text, size_t len, struct http_request *request, size_t *consumed)
{
	char *end = memmem(text, len, "\r\n\r\n", 4), *line = text, *next;
	const char *status = NULL;

	*request = (struct http_request){ .first = -1, .last = -1, .length = -1 };
	*consumed = end ? (size_t)(end + 4 - text) : 0;
	if (!end)
		return NULL;
	for (end[2] = 0; !status && line < end; line = next) {
		next = strstr(line, "\r\n");
		if (!next)
			return bad;
		for (const char *c = line; c < next; c++)
			if (iscntrl((unsigned char)*c) && *c != '\t')
				return bad;
		*next = 0;
		next += 2;
		status = line == text ? parse_request_line(line, request) :
					parse_field(line, request);
	}
	if (status)
		return status;
	if (line == text || !request->host)
		return bad;
	if (*request->method == 'P')
		return request->length < 0 ? "411 Length Required" : NULL;
	/* A body that nobody asked for would be read as the next request. */
	return request->length > 0 ? bad : NULL;
}

void http_select(const struct http_request *request, struct http_answer *answer)
{
	int64_t first = 0, last = answer->size - 1;

	if (request->ranged && request->first >= 0) {
		first = request->first;
		if (request->last >= 0 && request->last < last)
			last = request->last;
	} else if (request->ranged && request->last < answer->size) {
		first = answer->size - request->last;
	}
	answer->first = first;
	answer->length = first <= last ? last - first + 1 : 0;
	answer->status = !request->ranged ? "200 OK" :
			 answer->length	  ? "206 Partial Content" :
					    "416 Range Not Satisfiable";
}

size_t http_header(char *text, size_t size, const struct http_answer *answer)
{
	char date[64], range[96] = "";
	time_t now = time(NULL);

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
	if (!strncmp(answer->status, "206", 3))
		snprintf(range, sizeof(range), "Content-Range: bytes %jd-%jd/%jd\r\n",
			 (intmax_t)answer->first, (intmax_t)(answer->first + answer->length - 1),
			 (intmax_t)answer->size);
	else if (!strncmp(answer->status, "416", 3))
		snprintf(range, sizeof(range), "Content-Range: bytes */%jd\r\n",
			 (intmax_t)answer->size);
	return (size_t)snprintf(text, size,
				"HTTP/1.1 %s\r\nDate: %s\r\nContent-Type: %s\r\n"
				"Content-Length: %jd\r\nAccept-Ranges: bytes\r\n%s%s\r\n",
				answer->status, date, answer->type, (intmax_t)answer->length, range,
				answer->keep_alive ? "" : "Connection: close\r\n");
}

const char *http_type(const char *path)
{
	static const char *const types[][2] = { { ".html", "text/html" },
						{ ".css", "text/css" },
						{ ".svg", "image/svg+xml" },
						{ ".txt", "text/plain" } };
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(dot, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}
