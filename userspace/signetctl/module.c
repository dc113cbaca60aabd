// SPDX-License-Identifier: MIT
#include "module.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/signet_helper.h>

#include "json_text.h"
#include "table.h"

#define COLUMNS_MAX 32

/* --- the module ------------------------------------------------------------------- */

/* Its version, or what stands for one. Return: false when the module is not loaded. */
static bool read_version(char *version, size_t size)
{
	static const char *const files[] = { "/sys/module/signet/version",
					     "/sys/module/signet/srcversion" };

	*version = '\0';
	if (access("/sys/module/signet", F_OK))
		return false;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !*version; i++) {
		FILE *file = fopen(files[i], "re");

		if (!file)
			continue;
		if (fgets(version, size, file))
			version[strcspn(version, "\n")] = '\0';
		fclose(file);
	}
	return true;
}

static void print_counters(bool json)
{
	FILE *file = fopen("/proc/net/signet_stat", "re");
	const char *separator = "";
	unsigned long long value;
	char name[64];

	while (file && fscanf(file, "%63s %llu", name, &value) == 2) {
		if (json)
			printf("%s\"%s\":%llu", separator, name, value);
		else if (value)
			printf("  %-20s %llu\n", name, value);
		separator = ",";
	}
	if (file)
		fclose(file);
}

bool module_print(bool json)
{
	char version[64];
	bool loaded = read_version(version, sizeof(version));

	if (json) {
		printf("{\"loaded\":%s,\"version\":", loaded ? "true" : "false");
		if (*version)
			json_print_text(stdout, version);
		else
			fputs("null", stdout);
		fputs(",\"counters\":{", stdout);
		print_counters(true);
		fputs("}}", stdout);
	} else if (loaded) {
		printf("module signet: loaded, version %s\n", *version ? version : "unknown");
		print_counters(false);
	} else {
		puts("module signet: not loaded");
	}
	return loaded;
}

int module_rekey(uint32_t flags)
{
	struct signet_hello hello = { .version = SIGNET_HELPER_VERSION };
	int fd = open(SIGNET_DEVICE, O_RDWR | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	/* This makes it a helper, which serves nobody, until it is closed. */
	if (ioctl(fd, SIGNET_IOC_HELLO, &hello) || ioctl(fd, SIGNET_IOC_REKEY, &flags))
		ret = -errno;
	close(fd);
	return ret;
}

/* --- connections ------------------------------------------------------------------ */

/* Columns that are no numbers, whatever a name looks like. */
static bool is_text(const char *column)
{
	static const char *const texts[] = { "local", "peer",	 "state",    "role",
					     "suite", "version", "identity", "peer_name" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(texts[i], column))
			return true;
	return false;
}

/* Undoes the kernel's "\040" for a space. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*to++ = (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0');
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* Cuts a line into words. Return: how many. */
static size_t split(char *line, char *words[COLUMNS_MAX])
{
	size_t count = 0;

	for (char *word = strtok(line, " \t\n"); word && count < COLUMNS_MAX;
	     word = strtok(NULL, " \t\n"))
		words[count++] = word;
	return count;
}

static void print_object(char *const columns[], char *const words[], size_t count, bool first)
{
	printf("%s{", first ? "" : ",");
	for (size_t i = 0; i < count; i++) {
		if (i)
			putchar(',');
		json_print_text(stdout, columns[i]);
		putchar(':');
		if (!strcmp(words[i], "-"))
			fputs("null", stdout);
		else if (is_text(columns[i]))
			json_print_text(stdout, words[i]);
		else
			fputs(words[i], stdout);
	}
	putchar('}');
}

/* 3725 s as "1h02m". */
static void print_age(char *text, size_t size, const char *seconds)
{
	unsigned long long age = strtoull(seconds, NULL, 10);

	if (age < 60)
		snprintf(text, size, "%llus", age);
	else if (age < 3600)
		snprintf(text, size, "%llum%02llus", age / 60, age % 60);
	else if (age < 86400)
		snprintf(text, size, "%lluh%02llum", age / 3600, age / 60 % 60);
	else
		snprintf(text, size, "%llud%02lluh", age / 86400, age / 3600 % 24);
}

static void add_heading(struct table *table, char *const columns[], size_t count)
{
	char name[64];

	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s", columns[i]);
		for (char *at = name; *at; at++)
			*at = *at == '_' ? ' ' : *at >= 'a' && *at <= 'z' ? *at - 32 : *at;
		table_add(table, name);
	}
}

static void add_row(struct table *table, char *const columns[], char *const words[], size_t count)
{
	char age[32];

	for (size_t i = 0; i < count; i++) {
		if (strcmp(columns[i], "age")) {
			table_add(table, words[i]);
		} else {
			print_age(age, sizeof(age), words[i]);
			table_add(table, age);
		}
	}
}

/* The lines behind the heading. */
static void print_lines(FILE *file, char *const columns[], size_t count, bool json)
{
	char *line = NULL, *words[COLUMNS_MAX];
	struct table table;
	bool first = true;
	size_t size = 0;

	table_begin(&table, count);
	if (json)
		putchar('[');
	else
		add_heading(&table, columns, count);
	while (getline(&line, &size, file) > 0) {
		if (split(line, words) < count)
			continue;
		for (size_t i = 0; i < count; i++)
			unescape(words[i]);
		if (json)
			print_object(columns, words, count, first);
		else
			add_row(&table, columns, words, count);
		first = false;
	}
	table_end(&table);
	if (json)
		puts("]");
	free(line);
}

bool module_print_connections(bool json)
{
	char *heading = NULL, *columns[COLUMNS_MAX];
	FILE *file = fopen("/proc/net/signet", "re");
	size_t size = 0, count;

	if (!file && errno == ENOENT)
		warnx("/proc/net/signet is not there: the module signet is not loaded");
	else if (!file)
		warn("/proc/net/signet");
	if (!file)
		return false;
	if (getline(&heading, &size, file) > 0) {
		count = split(heading, columns);
		print_lines(file, columns, count, json);
	}
	free(heading);
	fclose(file);
	return true;
}
