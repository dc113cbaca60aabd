// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module as such: its self-test, loading and unloading. Leaves it loaded.
 */
#include "fixture.h"

#include <stdio.h>
#include <sys/klog.h>

#include "file.h"
#include "namespace.h"

FIXTURE(module){};

static int run(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_loaded(void)
{
	return !access("/sys/module/signet", F_OK);
}

FIXTURE_SETUP(module)
{
	if (is_loaded())
		ASSERT_EQ(0, run("rmmod signet"));
}

FIXTURE_TEARDOWN(module)
{
	run("modprobe signet");
}

/* Everything that the kernel has logged. */
static char *kernel_log(void)
{
	int size = klogctl(10, NULL, 0);
	char *text = calloc(1, size + 1);

	klogctl(3, text, size);
	return text;
}

TEST_F(module, failing_self_test_prevents_loading)
{
	char *log;

	EXPECT_NE(0, run("modprobe signet fail_selftest=1 2>/dev/null"));
	EXPECT_FALSE(is_loaded());
	log = kernel_log();
	EXPECT_NE(NULL, strstr(log, "signet: self-test"));
	free(log);
	/* Not for good. */
	EXPECT_EQ(0, run("modprobe signet"));
	EXPECT_TRUE(is_loaded());
}

TEST_F(module, loads_when_a_socket_asks_for_it)
{
	int fds[2];

	ASSERT_EQ(0, tcp_pair(LINK_IPV4, fds));
	EXPECT_EQ(0, ulp_attach(fds[0]));
	EXPECT_TRUE(is_loaded());
	close(fds[0]);
	close(fds[1]);
}

TEST_F(module, is_unknown_when_not_loadable)
{
	pid_t child = fork();

	if (!child) {
		int fds[2];

		/* Not for an ordinary user, who may not load modules. */
		if (tcp_pair(LINK_IPV4, fds) || setuid(65534))
			_exit(1);
		_exit(!(ulp_attach(fds[0]) == -1 && errno == ENOENT));
	}
	int status = -1;

	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_FALSE(is_loaded());
}

/* Once it is there, anybody may use it. */
TEST_F(module, needs_no_privilege)
{
	pid_t child;
	int status = -1;

	ASSERT_EQ(0, run("modprobe signet"));
	child = fork();
	if (!child) {
		struct link link;

		if (setuid(65534) || link_up(&link, LINK_IPV6, SIGNET_AES_256_GCM_SHA384))
			_exit(1);
		_exit(send_pattern(link.fd, 0, 100) || peer_recv_pattern(&link, 0, 100));
	}
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* References go with the last socket, also with one that TCP keeps for a while. */
TEST_F(module, unloads_after_use)
{
	for (int i = 0; i < 5; i++) {
		struct link link;

		ASSERT_EQ(0, run("modprobe signet"));
		ASSERT_EQ(0,
			  link_up(&link, i % 2 ? LINK_IPV6 : LINK_IPV4, SIGNET_AES_128_GCM_SHA256));
		ASSERT_EQ(0, send_pattern(link.fd, 0, 100));
		EXPECT_NE(0, run("rmmod signet 2>/dev/null"));
		close(link.fd);
		link.fd = -1;
		EXPECT_EQ(0, peer_recv_pattern(&link, 0, 100));
		EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(&link));
		EXPECT_EQ(PEER_FIN, peer_recv_end(&link));
		link_close(&link);
		/* It is in TIME_WAIT now, which must not need the module's code. */
		EXPECT_EQ(0, run("rmmod signet"));
	}
}

#define HALF_OPEN 20

/* Half-open connections, all with TCP's own struct proto; or -1. See tests/module/signet_user.c. */
static int half_open(int file, int fd)
{
	char text[20] = "";
	int n = snprintf(text, sizeof(text), "requests %d", fd);

	if (write(file, text, n) != n)
		return -1;
	memset(text, 0, sizeof(text));
	return pread(file, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : -1;
}

static int connect_deaf(const struct sockaddr_storage *address, socklen_t len)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (!deafen(fd, true) && connect(fd, (const struct sockaddr *)address, len) &&
	    errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

/*
 * TCP keeps a connection that the client has not completed for half a minute, also when its listener
 * is closed at once. It must not need the module.
 */
TEST_F(module, unloads_under_half_open_connections)
{
	static const enum link_family families[] = { LINK_IPV4, LINK_IPV6, LINK_MAPPED };
	struct sockaddr_storage address;
	int clients[HALF_OPEN], listener, file;
	socklen_t len;

	ASSERT_EQ(0, run("modprobe signet_user"));
	ASSERT_EQ(0, namespace_enter());
	file = open("/proc/signet_user", O_RDWR);
	ASSERT_LE(0, file);
	for (size_t family = 0; family < COUNT(families); family++) {
		ASSERT_EQ(0, run("modprobe signet"));
		listener = tcp_listen(families[family], HALF_OPEN, &address, &len);
		ASSERT_LE(0, listener);
		for (int i = 0; i < HALF_OPEN; i++) {
			/* The first ones are from before the attach. */
			if (i == 5)
				ASSERT_EQ(0, ulp_attach(listener));
			clients[i] = connect_deaf(&address, len);
			ASSERT_LE(0, clients[i]);
		}
		EXPECT_EQ(HALF_OPEN, half_open(file, listener));
		close(listener);
		EXPECT_EQ(0, run("rmmod signet"));
		/* Until TCP's timer has looked at each of them. */
		while (half_open(file, clients[0]))
			usleep(100000);
		for (int i = 0; i < HALF_OPEN; i++)
			close(clients[i]);
	}
	close(file);
}

/* Kernels have a module that makes any algorithm it is asked for; it never stays loaded. */
static int make_asynchronous_cipher(void)
{
	return run("driver=$(awk '/^name *: gcm\\(aes\\)/ { found = 1 }"
		   "		 found && /^driver/ { print $3; exit }' /proc/crypto);"
		   "modprobe tcrypt alg=\"pcrypt($driver)\" type=3 2>/dev/null;"
		   "grep -q '^driver *: pcrypt(.*gcm' /proc/crypto");
}

/*
 * An asynchronous cipher of higher priority appears: the module must not use
 * it, or nothing of what it does under the socket's lock holds.
 */
TEST_F(module, asynchronous_ciphers_are_not_used)
{
	struct link link;
	char *log, *last;

	ASSERT_EQ(0, run("modprobe signet && rmmod signet"));
	if (make_asynchronous_cipher())
		SKIP(return, "this kernel has no tcrypt or pcrypt to make one");
	ASSERT_EQ(0, run("modprobe signet"));
	ASSERT_EQ(0, link_up(&link, LINK_IPV4, SIGNET_AES_128_GCM_SHA256));
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(0, send_pattern(link.fd, 0, 50000));
		EXPECT_EQ(0, peer_recv_pattern(&link, 0, 50000));
		ASSERT_EQ(0, peer_send_pattern(&link, 0, 50000, 9000));
		EXPECT_EQ(0, recv_pattern(link.fd, 0, 50000));
	}
	link_close(&link);
	log = kernel_log();
	last = NULL;
	for (char *at = log; (at = strstr(at, "signet: TLS_AES_128_GCM_SHA256: ")); at++)
		last = at;
	ASSERT_NE(NULL, last);
	last[strcspn(last, "\n")] = 0;
	EXPECT_EQ(NULL, strstr(last, "pcrypt"))
	{
		TH_LOG("%s", last);
	}
	free(log);
}

TEST_HARNESS_MAIN
