// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signet: TLS records in the kernel, as a TCP upper layer protocol.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <net/tcp.h>

#include "compat.h"
#include "helper.h"
#include "namespace.h"
#include "scratch.h"
#include "selftest.h"
#include "socket.h"
#include "suite.h"

static int __init signet_init(void)
{
	int err;

	signet_compat_load_ciphers();
	err = signet_selftest();
	if (err)
		goto exit_scratch;
	signet_suite_log_drivers();
	err = signet_namespace_init();
	if (err)
		goto exit_scratch;
	err = signet_helper_init();
	if (err)
		goto exit_namespace;
	err = signet_socket_init();
	if (err)
		goto exit_helper;
	return 0;

exit_helper:
	signet_helper_exit();
exit_namespace:
	signet_namespace_exit();
exit_scratch:
	signet_scratch_exit();
	return err;
}

static void __exit signet_exit(void)
{
	signet_socket_exit();
	signet_helper_exit();
	signet_namespace_exit();
	signet_scratch_exit();
}

module_init(signet_init);
module_exit(signet_exit);

MODULE_DESCRIPTION("Signet: TLS records for TCP sockets");
MODULE_LICENSE("GPL");
MODULE_ALIAS_TCP_ULP("signet");
