// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a worker and a signer must not do ends them, and what they need they can do. Each attempt is
 * made by a child that is confined as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/signet_helper.h>

#include "confine.h"
#include "log.h"
#include "ring.h"
#include "tap.h"

static int sockets[2];

/* A descriptor to the other end, as a worker could give the device away. */
static long pass_descriptor(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec data = { "x", 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &sockets[0], sizeof(int));
	return sendmsg(sockets[0], &message, 0);
}

static long pass_descriptors(void)
{
	struct mmsghdr message = {};

	return sendmmsg(sockets[0], &message, 1, 0);
}

static long receive_descriptor(void)
{
	struct msghdr message = {};

	return recvmsg(sockets[0], &message, MSG_DONTWAIT);
}

static long send_to_anybody(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/nonexistent" };

	return sendto(sockets[0], "x", 1, 0, (struct sockaddr *)&address, sizeof(address));
}

static long connect_anew(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	return connect(sockets[0], (struct sockaddr *)&address, sizeof(address));
}

static long send_to_peer(void)
{
	return send(sockets[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -1;
}

static long write_to_peer(void)
{
	return write(sockets[0], "x", 1) == 1 ? 0 : -1;
}

static long make_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static long make_ring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long change_ring(void)
{
	return syscall(SYS_io_uring_register, 0, 0, NULL, 0);
}

static long set_owner(void)
{
	return fcntl(sockets[0], F_SETOWN, getppid());
}

static long duplicate(void)
{
	return fcntl(sockets[0], F_DUPFD, 0);
}

static long look_at_mode(void)
{
	return fcntl(sockets[0], F_GETFL) < 0 ? -1 : 0;
}

static long signal_parent(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), SIGCONT);
}

static long signal_oneself(void)
{
	return syscall(SYS_tgkill, getpid(), gettid(), SIGSTOP);
}

static long abort_oneself(void)
{
	abort();
}

static long make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static long make_memory_code(void)
{
	static char page[4096] __attribute__((aligned(4096)));

	return mprotect(page, sizeof(page), PROT_READ | PROT_EXEC);
}

static long make_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static long rekey_all(void)
{
	__u32 flags = 0;

	return ioctl(sockets[0], SIGNET_IOC_REKEY, &flags);
}

static long ask_terminal(void)
{
	int bytes;

	return ioctl(sockets[0], FIONREAD, &bytes);
}

static long take_request(void)
{
	struct signet_request request = {};

	/* Sockets have none. */
	return ioctl(sockets[0], SIGNET_IOC_REQUEST, &request) && errno == ENOTTY ? 0 : -1;
}

static long open_file(void)
{
	return open("/dev/null", O_RDONLY) < 0 && errno == EACCES ? 0 : -1;
}

static long execute(void)
{
	return execl("/bin/true", "true", NULL);
}

static long fork_again(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long log_a_line(void)
{
	log_text(LOG_DEBUG, "not shown");
	log_set_level(LOG_DEBUG);
	log_text(LOG_DEBUG, "# shown");
	return 0;
}

/**
 * struct attempt - what a confined process does
 * @worker, @signer: the signal that it ends with; 0: it may, and what it does gives 0
 */
static const struct attempt {
	const char *what;
	long (*make)(void);
	int worker, signer;
} attempts[] = {
	{ "sendmsg() with a descriptor", pass_descriptor, SIGSYS, SIGSYS },
	{ "sendmmsg()", pass_descriptors, SIGSYS, SIGSYS },
	{ "recvmsg()", receive_descriptor, SIGSYS, SIGSYS },
	{ "sendto() with an address", send_to_anybody, SIGSYS, SIGSYS },
	{ "connect()", connect_anew, SIGSYS, SIGSYS },
	{ "send() to whom a socket is connected", send_to_peer, 0, 0 },
	{ "write()", write_to_peer, 0, 0 },
	{ "socket()", make_socket, SIGSYS, SIGSYS },
	{ "io_uring_setup()", make_ring, SIGSYS, SIGSYS },
	{ "io_uring_register()", change_ring, SIGSYS, SIGSYS },
	{ "F_SETOWN", set_owner, SIGSYS, SIGSYS },
	{ "F_DUPFD", duplicate, SIGSYS, SIGSYS },
	{ "F_GETFL", look_at_mode, 0, 0 },
	{ "a signal to another process", signal_parent, SIGSYS, SIGSYS },
	{ "another signal than abort()'s to itself", signal_oneself, SIGSYS, SIGSYS },
	{ "abort()", abort_oneself, SIGABRT, SIGABRT },
	{ "memory that is code", make_code, SIGSYS, SIGSYS },
	{ "memory that becomes code", make_memory_code, SIGSYS, SIGSYS },
	{ "memory", make_memory, 0, 0 },
	{ "SIGNET_IOC_REKEY", rekey_all, SIGSYS, SIGSYS },
	{ "another ioctl()", ask_terminal, SIGSYS, SIGSYS },
	{ "SIGNET_IOC_REQUEST", take_request, 0, SIGSYS },
	{ "open(), which is refused", open_file, 0, 0 },
	{ "execve()", execute, SIGSYS, SIGSYS },
	{ "fork()", fork_again, SIGSYS, SIGSYS },
	{ "a line of the log", log_a_line, 0, 0 },
};

static void attempt_one(enum confinement confinement, const char *who,
			const struct attempt *attempt, int wanted)
{
	int status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets))
		bail("no sockets");
	pid = fork();
	if (!pid) {
		if (confine_calls(confinement))
			_exit(99);
		_exit(attempt->make() ? 1 : 0);
	}
	if (waitpid(pid, &status, 0) != pid)
		bail("no child");
	close(sockets[0]);
	close(sockets[1]);
	if (!ok(wanted ? WIFSIGNALED(status) && WTERMSIG(status) == wanted : !status, "%s %s: %s",
		who, wanted ? "must not" : "may", attempt->what))
		note("its status is %#x", status);
}

/* What a ring is told runs beside the filter: the ring itself refuses. */
static int submit(struct io_uring *ring, int opcode)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int result;

	io_uring_prep_rw(opcode, sqe, sockets[0], NULL, 0, 0);
	if (opcode == IORING_OP_POLL_ADD)
		sqe->poll32_events = POLLOUT;
	if (io_uring_submit_and_wait(ring, 1) < 0 || io_uring_peek_cqe(ring, &cqe))
		return -EIO;
	result = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return result;
}

static void ring_only_polls(void)
{
	unsigned int refused = 0, others = 0;
	struct io_uring ring;
	int ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets))
		bail("no sockets");
	ret = ring_begin(&ring);
	if (ret == -ENOSYS || ret == -EPERM) {
		skip("no io_uring here", "a ring only polls");
		return;
	}
	if (ret || io_uring_enable_rings(&ring))
		bail("no ring: %s", strerror(-ret));
	for (int opcode = 0; opcode < IORING_OP_LAST; opcode++) {
		if (opcode == IORING_OP_POLL_ADD || opcode == IORING_OP_POLL_REMOVE)
			continue;
		others++;
		refused += submit(&ring, opcode) == -EACCES;
	}
	ok(refused == others, "a ring refuses %u of %u operations", refused, others);
	ok(submit(&ring, IORING_OP_POLL_ADD) == POLLOUT, "it polls");
	io_uring_queue_exit(&ring);
}

int main(void)
{
	tap_begin();
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		attempt_one(CONFINE_WORKER, "a worker", &attempts[i], attempts[i].worker);
		attempt_one(CONFINE_SIGNER, "a signer", &attempts[i], attempts[i].signer);
	}
	ring_only_polls();
	return tap_end();
}
