// SPDX-License-Identifier: MIT
/* The options that change keys and shape records. */
#include <signet.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "option.h"

/* Whatever happens, *value is defined afterwards. */
static int get_whole(int fd, int option, void *value, socklen_t size)
{
	if (!value)
		return -EINVAL;
	memset(value, 0, size);
	return signet_option_get(fd, option, value, &size);
}

static int get_switch(int fd, int option, bool *on)
{
	uint32_t value;
	int ret;

	if (!on)
		return -EINVAL;
	ret = get_whole(fd, option, &value, sizeof(value));
	*on = value;
	return ret;
}

int signet_rekey(int fd, unsigned int flags)
{
	return signet_option_set_number(fd, SIGNET_REKEY, flags);
}

int signet_set_rekey_policy(int fd, const struct signet_rekey_policy *policy)
{
	if (!policy)
		return -EINVAL;
	return signet_option_set(fd, SIGNET_REKEY_POLICY, policy, sizeof(*policy));
}

int signet_get_rekey_policy(int fd, struct signet_rekey_policy *policy)
{
	return get_whole(fd, SIGNET_REKEY_POLICY, policy, sizeof(*policy));
}

int signet_set_record_max(int fd, unsigned int bytes)
{
	return signet_option_set_number(fd, SIGNET_RECORD_MAX, bytes);
}

int signet_get_record_max(int fd, unsigned int *bytes)
{
	return get_whole(fd, SIGNET_RECORD_MAX, bytes, sizeof(*bytes));
}

int signet_set_padding(int fd, const struct signet_padding *padding)
{
	if (!padding)
		return -EINVAL;
	return signet_option_set(fd, SIGNET_PADDING, padding, sizeof(*padding));
}

int signet_get_padding(int fd, struct signet_padding *padding)
{
	return get_whole(fd, SIGNET_PADDING, padding, sizeof(*padding));
}

int signet_set_adaptive_records(int fd, bool on)
{
	return signet_option_set_number(fd, SIGNET_ADAPTIVE_RECORDS, on);
}

int signet_get_adaptive_records(int fd, bool *on)
{
	return get_switch(fd, SIGNET_ADAPTIVE_RECORDS, on);
}

int signet_set_record_types(int fd, bool on)
{
	return signet_option_set_number(fd, SIGNET_RECORD_TYPES, on);
}

int signet_get_record_types(int fd, bool *on)
{
	return get_switch(fd, SIGNET_RECORD_TYPES, on);
}
