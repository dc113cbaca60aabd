// SPDX-License-Identifier: GPL-2.0-only
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "uring.h"

/* Closes, and keeps the errno of what was done before. */
static void close_quietly(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
}

/* --- sending -------------------- */

static ssize_t call_send(int fd, const void *from, size_t len)
{
	return send(fd, from, len, MSG_NOSIGNAL);
}

static ssize_t call_send_dontwait(int fd, const void *from, size_t len)
{
	return send(fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t call_sendto(int fd, const void *from, size_t len)
{
	return sendto(fd, from, len, MSG_NOSIGNAL, NULL, 0);
}

static ssize_t call_write(int fd, const void *from, size_t len)
{
	return write(fd, from, len);
}

static ssize_t call_writev(int fd, const void *from, size_t len)
{
	struct iovec vec[2] = {
		{ (void *)from, len / 2 },
		{ (char *)from + len / 2, len - len / 2 },
	};

	return writev(fd, vec, 2);
}

static ssize_t call_sendmsg(int fd, const void *from, size_t len)
{
	struct iovec vec = { (void *)from, len };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1 };

	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static ssize_t call_sendmmsg(int fd, const void *from, size_t len)
{
	struct iovec vec[2] = {
		{ (void *)from, len / 2 },
		{ (char *)from + len / 2, len - len / 2 },
	};
	struct mmsghdr messages[2] = {
		{ .msg_hdr = { .msg_iov = &vec[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &vec[1], .msg_iovlen = 1 } },
	};
	int n = sendmmsg(fd, messages, 2, MSG_NOSIGNAL);

	if (n < 0)
		return n;
	return messages[0].msg_len + (n > 1 ? messages[1].msg_len : 0);
}

static ssize_t call_sendfile(int fd, const void *from, size_t len)
{
	int file = memfd_create("send", MFD_CLOEXEC);
	ssize_t ret = -1;
	off_t offset = 0;

	if (file >= 0 && write(file, from, len) == (ssize_t)len)
		ret = sendfile(fd, file, &offset, len);
	close_quietly(file);
	return ret;
}

static ssize_t call_splice(int fd, const void *from, size_t len)
{
	int ends[2];
	ssize_t ret = -1;

	if (pipe(ends))
		return -1;
	if (write(ends[1], from, len) == (ssize_t)len)
		ret = splice(ends[0], NULL, fd, NULL, len, 0);
	close_quietly(ends[0]);
	close_quietly(ends[1]);
	return ret;
}

static ssize_t call_vmsplice(int fd, const void *from, size_t len)
{
	struct iovec vec = { (void *)from, len };
	int ends[2];
	ssize_t ret = -1;

	if (pipe(ends))
		return -1;
	if (vmsplice(ends[1], &vec, 1, 0) == (ssize_t)len)
		ret = splice(ends[0], NULL, fd, NULL, len, 0);
	close_quietly(ends[0]);
	close_quietly(ends[1]);
	return ret;
}

static ssize_t call_uring_send(int fd, const void *from, size_t len)
{
	return uring_send(fd, from, len, MSG_NOSIGNAL);
}

static ssize_t call_uring_send_waitall(int fd, const void *from, size_t len)
{
	return uring_send(fd, from, len, MSG_NOSIGNAL | MSG_WAITALL);
}

static ssize_t call_uring_send_zc(int fd, const void *from, size_t len)
{
	return uring_send_zc(fd, from, len, MSG_NOSIGNAL);
}

const struct send_call send_calls[] = {
	{ "send", call_send },
	{ "send MSG_DONTWAIT", call_send_dontwait },
	{ "sendto", call_sendto },
	{ "write", call_write },
	{ "writev", call_writev },
	{ "sendmsg", call_sendmsg },
	{ "sendmmsg", call_sendmmsg },
	{ "sendfile", call_sendfile },
	{ "splice", call_splice },
	{ "vmsplice and splice", call_vmsplice },
	{ "io_uring SEND", call_uring_send },
	{ "io_uring SEND MSG_WAITALL", call_uring_send_waitall },
	{ "io_uring SEND_ZC", call_uring_send_zc },
	{ "io_uring WRITE", uring_write },
	{ NULL, NULL },
};

/* --- receiving -------------------- */

static ssize_t call_recv(int fd, void *to, size_t len)
{
	return recv(fd, to, len, 0);
}

static ssize_t call_recv_dontwait(int fd, void *to, size_t len)
{
	return recv(fd, to, len, MSG_DONTWAIT);
}

static ssize_t call_recv_waitall(int fd, void *to, size_t len)
{
	return recv(fd, to, len, MSG_WAITALL);
}

static ssize_t call_read(int fd, void *to, size_t len)
{
	return read(fd, to, len);
}

static ssize_t call_readv(int fd, void *to, size_t len)
{
	struct iovec vec[2] = {
		{ to, len / 2 },
		{ (char *)to + len / 2, len - len / 2 },
	};

	return readv(fd, vec, 2);
}

static ssize_t call_recvmsg(int fd, void *to, size_t len)
{
	struct iovec vec = { to, len };
	char control[128];
	struct msghdr msg = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	return recvmsg(fd, &msg, 0);
}

static ssize_t call_recvmmsg(int fd, void *to, size_t len)
{
	struct iovec vec = { to, len };
	struct mmsghdr message = { .msg_hdr = { .msg_iov = &vec, .msg_iovlen = 1 } };
	int n = recvmmsg(fd, &message, 1, 0, NULL);

	return n < 0 ? n : (ssize_t)message.msg_len;
}

static ssize_t call_splice_out(int fd, void *to, size_t len)
{
	int ends[2];
	ssize_t ret;

	if (pipe(ends))
		return -1;
	ret = splice(fd, NULL, ends[1], NULL, len, 0);
	if (ret > 0)
		ret = read(ends[0], to, ret);
	close_quietly(ends[0]);
	close_quietly(ends[1]);
	return ret;
}

static ssize_t call_uring_recv(int fd, void *to, size_t len)
{
	return uring_recv(fd, to, len, 0);
}

const struct recv_call recv_calls[] = {
	{ "recv", call_recv },
	{ "recv MSG_DONTWAIT", call_recv_dontwait },
	{ "recv MSG_WAITALL", call_recv_waitall },
	{ "read", call_read },
	{ "readv", call_readv },
	{ "recvmsg", call_recvmsg },
	{ "recvmmsg", call_recvmmsg },
	{ "splice", call_splice_out },
	{ "io_uring RECV", call_uring_recv },
	{ "io_uring READ", uring_read },
	{ NULL, NULL },
};
