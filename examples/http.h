/* SPDX-License-Identifier: MIT */
/*
 * As much of HTTP/1.1 (RFC 9110, RFC 9112) as a server of static files needs.
 * No sockets here: text in, text out.
 */
#ifndef HTTP_H
#define HTTP_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>

struct http_request {
	bool head, put; /* or else it is GET */
	char path[1024]; /* decoded, without the first slash */
	bool host; /* there was a Host field, or none is needed */
	bool keep_alive;
	bool expect; /* the client waits for "100 Continue" */
	bool ranged; /* only a part is wanted */
	intmax_t first, last; /* of it; first < 0: the last so many bytes */
	intmax_t body; /* its length, -1: not told */
	size_t size; /* of the header, 0: its end has not come yet */
};

struct http_answer {
	const char *status; /* "200 OK" */
	intmax_t first, len; /* the part of the file that follows */
};

/**
 * http_parse - read a request's header, and overwrite it
 *
 * Return: NULL, or the status to answer before the connection is closed, since
 * nobody knows where the next request would begin.
 */
const char *http_parse(char *text, size_t len, struct http_request *request);

/**
 * http_header - write an answer's header
 * @answer: if it is a whole file, and a range of it was asked for, it becomes that part
 *
 * Return: the header's length.
 */
size_t http_header(char *text, size_t size, const struct http_request *request,
		   struct http_answer *answer);

#endif /* HTTP_H */
