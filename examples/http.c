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

static const char bad[] = "400 Bad Request";

/* Undoes percent-encoding, up to the query. */
static bool decode(const char *from, char *to, size_t size)
{
	for (; *from && *from != '?'; from++, size--) {
		*to = *from;
		if (*from == '%') {
			if (!isxdigit((unsigned char)from[1]) || !isxdigit((unsigned char)from[2]))
				return false;
			*to = (char)strtoul((char[]){ from[1], from[2], 0 }, NULL, 16);
			from += 2;
		}
		if (!*to++ || size == 1)
			return false;
	}
	*to = 0;
	return true;
}

static const char *parse_request_line(char *line, struct http_request *request)
{
	const char *method = strsep(&line, " "), *target = strsep(&line, " "), *version = line;

	if (!version || *target != '/' ||
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
static bool number(const char **text, intmax_t *value)
{
	bool found = isdigit((unsigned char)**text);

	if (found)
		*value = strtoll(*text, (char **)text, 10);
	return found;
}

/* "1-2", "1-" or "-2"; whatever else may be ignored (RFC 9110 14.2). */
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
	else if (!strcasecmp(name, "Expect"))
		request->expect = !strcasecmp(value, "100-continue");
	else if (!strcasecmp(name, "Range") && !strncasecmp(value, "bytes=", 6))
		parse_range(value + 6, request);
	else if (!strcasecmp(name, "Transfer-Encoding"))
		return "501 Not Implemented";
	else if (!strcasecmp(name, "Content-Length") &&
		 (request->length >= 0 || !number(&value, &request->length) ||
		  value[strspn(value, " \t")]))
		return bad;
	return NULL;
}

const char *http_parse(char *text, size_t len, struct http_request *request, size_t *consumed)
{
	char *end = memmem(text, len, "\r\n\r\n", 4), *line, *stop;
	const char *status = NULL;

	*request = (struct http_request){ .first = -1, .last = -1, .length = -1 };
	*consumed = end ? (size_t)(end + 4 - text) : 0;
	for (line = text; !status && line < end; line = stop + 2) {
		/* The first control character must be the end of the line. */
		for (stop = line; !iscntrl((unsigned char)*stop) || *stop == '\t'; stop++)
			;
		if (stop[0] != '\r' || stop[1] != '\n')
			return bad;
		*stop = 0;
		status = line == text ? parse_request_line(line, request) :
					parse_field(line, request);
	}
	if (status || !end)
		return status;
	/* A body that nobody asked for would be read as the next request. */
	if (*request->method == 'P' ? request->length < 0 : request->length > 0)
		return bad;
	return request->host ? NULL : bad;
}

void http_select(const struct http_request *request, struct http_answer *answer)
{
	intmax_t first = request->first, last = request->last, size = answer->size;

	if (!request->ranged || first < 0) { /* everything, or the last bytes */
		first = request->ranged && last < size ? size - last : 0;
		last = -1;
	}
	if (last < 0 || last >= size)
		last = size - 1;
	answer->first = first;
	answer->length = first <= last ? last - first + 1 : 0;
	answer->status = !request->ranged ? "200 OK" :
			 answer->length	  ? "206 Partial Content" :
					    "416 Range Not Satisfiable";
}

size_t http_header(char *text, size_t size, const struct http_answer *answer)
{
	char range[96] = "";

	if (!strncmp(answer->status, "206", 3))
		snprintf(range, sizeof(range), "Content-Range: bytes %jd-%jd/%jd\r\n",
			 answer->first, answer->first + answer->length - 1, answer->size);
	return (size_t)snprintf(text, size, "HTTP/1.1 %s\r\nContent-Length: %jd\r\n%s%s\r\n",
				answer->status, answer->length, range,
				answer->keep_alive ? "" : "Connection: close\r\n");
}
