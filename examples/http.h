/* SPDX-License-Identifier: MIT */
/*
 * As much of HTTP/1.1 (RFC 9110, RFC 9112) as a server of static files needs.
 * No sockets here: text in, text out.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_request {
	char method[8];
	char path[1024]; /* decoded, without leading slashes */
	bool host; /* there was a Host field, or none is needed */
	bool keep_alive;
	bool expect; /* the client waits for "100 Continue" */
	bool ranged;
	intmax_t first, last; /* of the range as asked for, -1: left out */
	intmax_t length; /* of the body, -1: not told */
};

struct http_answer {
	const char *status; /* "200 OK" */
	intmax_t first, length; /* the part of the file that follows */
	intmax_t size; /* of the whole file */
	bool keep_alive;
};

/**
 * http_parse - read a request's header, and overwrite it
 * @consumed: its length, 0 when its end has not come yet
 *
 * Return: NULL, or the status to answer before the connection is closed, since
 * nobody knows where the next request would begin.
 */
const char *http_parse(char *text, size_t len, struct http_request *request, size_t *consumed);

/* Chooses the status and the part of a file of answer->size bytes. */
void http_select(const struct http_request *request, struct http_answer *answer);

/* Writes an answer's header. Return: its length. */
size_t http_header(char *text, size_t size, const struct http_answer *answer);

#endif /* HTTP_H */
