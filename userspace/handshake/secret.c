// SPDX-License-Identifier: GPL-3.0-or-later
#include "secret.h"

#include <string.h>
#include <sys/mman.h>

void *signet_secret_alloc(size_t size)
{
	void *secret;

	secret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secret == MAP_FAILED)
		return NULL;
	(void)mlock(secret, size);
	(void)madvise(secret, size, MADV_DONTDUMP);
	(void)madvise(secret, size, MADV_WIPEONFORK);
	return secret;
}

void signet_secret_inherit(void *secret, size_t size)
{
	(void)madvise(secret, size, MADV_KEEPONFORK);
}

void signet_secret_lock(void *secret, size_t size)
{
	(void)mlock(secret, size);
}

void signet_secret_free(void *secret, size_t size)
{
	if (!secret)
		return;
	explicit_bzero(secret, size);
	(void)munlock(secret, size);
	(void)munmap(secret, size);
}
