// SPDX-License-Identifier: GPL-3.0-or-later
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/signet_helper.h>

#include "log.h"

static const char *hint(int error)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return " (is the module loaded? modprobe signet)";
	case EPERM:
	case EACCES:
		return " (CAP_NET_ADMIN over the network namespace is needed)";
	default:
		return "";
	}
}

int device_open(void)
{
	struct signet_hello hello = { .version = SIGNET_HELPER_VERSION };
	int fd;

	fd = open(SIGNET_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		log_text(LOG_ERR, "%s: %s%s", SIGNET_DEVICE, strerror(errno), hint(errno));
		return -1;
	}
	if (!ioctl(fd, SIGNET_IOC_HELLO, &hello))
		return fd;
	if (errno == EPROTONOSUPPORT)
		log_text(LOG_ERR,
			 "the module speaks version %u of the helper's protocol, this "
			 "program version %u: install them from the same release",
			 hello.version, SIGNET_HELPER_VERSION);
	else
		log_text(LOG_ERR, "%s: %s", SIGNET_DEVICE, strerror(errno));
	close(fd);
	return -1;
}
