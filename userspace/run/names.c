// SPDX-License-Identifier: MIT
#include "names.h"

#include <pthread.h>
#include <string.h>

static struct {
	struct in6_addr address;
	char name[SIGNET_STRING_MAX + 1];
} names[NAMES_MAX];

/* The first @used are; @next is the oldest when all are. */
static unsigned int used, next;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void names_lock(void)
{
	pthread_mutex_lock(&lock);
}

void names_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* Return: its index, or @used. */
static unsigned int find(const struct in6_addr *address)
{
	unsigned int i = 0;

	while (i < used && memcmp(&names[i].address, address, sizeof(*address)))
		i++;
	return i;
}

void names_remember(const struct in6_addr *address, const char *name)
{
	size_t len = strlen(name);
	unsigned int i;

	/* "db.internal." is the name "db.internal" from the root. */
	if (len && name[len - 1] == '.')
		len--;
	if (!len || len > SIGNET_STRING_MAX)
		return;
	names_lock();
	i = find(address);
	if (i == used && used == NAMES_MAX) {
		i = next;
		next = (next + 1) % NAMES_MAX;
	} else if (i == used) {
		used++;
	}
	names[i].address = *address;
	memcpy(names[i].name, name, len);
	names[i].name[len] = '\0';
	names_unlock();
}

bool names_find(const struct in6_addr *address, char *name)
{
	bool found;
	unsigned int i;

	names_lock();
	i = find(address);
	found = i < used;
	if (found)
		strcpy(name, names[i].name);
	names_unlock();
	return found;
}
