// SPDX-License-Identifier: GPL-2.0-only
#include "channel.h"

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "cipher.h"
#include "ciphertext.h"
#include "handshake.h"
#include "install.h"
#include "namespace.h"
#include "record.h"
#include "session.h"
#include "suite.h"
#include "tx.h"
#include "upcall.h"

/* One write() takes so much at most: a flight with a long chain. */
#define WRITE_MAX 32768

/* The peer's address of a bound structure's first version. */
#define HANDOVER_SIZE_V1 offsetofend(struct signet_handover, exporter)
#define REFUSAL_SIZE_V1 offsetofend(struct signet_refusal, text)
#define STRUCT_SIZE_MAX 4096

/* Highest errno of uapi/asm-generic/errno.h. */
#define ERRNO_MAX EHWPOISON

/* --- the socket ------------------------------------------------------------------ */

/*
 * Takes the socket's lock. Return: the socket, which still waits for this channel, or
 * NULL and an errno.
 */
static struct sock *lock_waiting(struct signet_handshake *handshake, int *error)
{
	struct sock *sk = signet_handshake_socket(handshake, error);

	if (!sk)
		return NULL;
	lock_sock(sk);
	/* It may have gone while the lock was waited for. */
	if (handshake->sk)
		return sk;
	*error = -READ_ONCE(handshake->error);
	release_sock(sk);
	sock_put(sk);
	return NULL;
}

static void unlock_socket(struct sock *sk)
{
	release_sock(sk);
	sock_put(sk);
}

/* As that; the TCP connection has not ended, or there is still something to read. */
static struct sock *lock_socket(struct signet_handshake *handshake, int *error)
{
	struct sock *sk = lock_waiting(handshake, error);

	if (!sk)
		return NULL;
	*error = signet_handshake_check(sk, signet_context(sk));
	if (!*error)
		return sk;
	unlock_socket(sk);
	return NULL;
}

static bool is_connecting(const struct sock *sk)
{
	return (1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV);
}

static bool is_connected(const struct sock *sk)
{
	return (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT);
}

/* --- records --------------------------------------------------------------------- */

/*
 * How many of @len bytes that follow belong to the part of a record that the cursor
 * is in: its header, or its body.
 */
static size_t part_left(const struct signet_record_cursor *cursor, size_t len)
{
	if (cursor->have < SIGNET_HEADER_LEN)
		return min_t(size_t, len, SIGNET_HEADER_LEN - cursor->have);
	return min_t(size_t, len, cursor->left);
}

/* Moves on over bytes of one part. */
static void advance_in_part(struct signet_record_cursor *cursor, const u8 *bytes, size_t len)
{
	if (cursor->have < SIGNET_HEADER_LEN) {
		memcpy(cursor->header + cursor->have, bytes, len);
		cursor->have += len;
		if (cursor->have == SIGNET_HEADER_LEN)
			cursor->left = signet_header_length(cursor->header);
	} else {
		cursor->left -= len;
	}
	if (cursor->have == SIGNET_HEADER_LEN && !cursor->left)
		cursor->have = 0;
}

static void advance(struct signet_record_cursor *cursor, const u8 *bytes, size_t len)
{
	size_t n;

	for (; len; bytes += n, len -= n) {
		n = part_left(cursor, len);
		advance_in_part(cursor, bytes, n);
	}
}

/* RFC 8446 5.1 and 5.2; before TLS 1.3 is agreed upon, type 23 cannot be right. */
static bool is_header(const u8 *header)
{
	unsigned int len = signet_header_length(header);

	return header[0] >= SIGNET_CONTENT_CHANGE_CIPHER_SPEC &&
	       header[0] <= SIGNET_CONTENT_APPLICATION_DATA && header[1] == 3 && header[2] <= 4 &&
	       len && len <= SIGNET_BODY_MAX;
}

/*
 * How many of these bytes are records, in whole or in part: where something else
 * begins, it ends, and before a header that is not there in whole.
 */
static size_t records_len(struct signet_record_cursor cursor, const u8 *bytes, size_t len)
{
	size_t at = 0, n;

	while (at < len) {
		/* A header that began to pass was checked then. */
		if (!cursor.have && (len - at < SIGNET_HEADER_LEN || !is_header(bytes + at)))
			break;
		n = part_left(&cursor, len - at);
		advance_in_part(&cursor, bytes + at, n);
		at += n;
	}
	return at;
}

/* --- reading and writing --------------------------------------------------------- */

/* Context: under the socket lock. Return: bytes, 0 at the peer's FIN, or an errno. */
static ssize_t read_locked(struct sock *sk, struct signet_handshake *handshake, u8 *buffer,
			   size_t len)
{
	struct signet_rx *rx = &signet_context(sk)->rx;
	unsigned int there;
	int err;

	if (is_connecting(sk))
		return -EAGAIN;
	if (!rx->tracked)
		signet_context_track_rx(sk, signet_context(sk));
	err = signet_context_check(sk, signet_context(sk));
	if (err)
		return err;
	there = signet_ciphertext_len(sk, rx);
	if (!there)
		return sock_flag(sk, SOCK_DONE) || (sk->sk_shutdown & RCV_SHUTDOWN) ? 0 : -EAGAIN;
	len = min_t(size_t, len, there);
	len = part_left(&handshake->read, len);
	err = signet_ciphertext_copy(sk, rx, 0, buffer, len);
	if (err)
		return err;
	signet_ciphertext_consume(sk, rx, len);
	advance(&handshake->read, buffer, len);
	return len;
}

static ssize_t channel_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct signet_handshake *handshake = iocb->ki_filp->private_data;
	size_t len = min_t(size_t, iov_iter_count(to), SIGNET_RECORD_LEN_MAX);
	struct sock *sk;
	u8 *buffer;
	ssize_t ret;
	int err;

	if (!len)
		return 0;
	buffer = kvmalloc(len, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	/* Before anything is taken: what cannot be handed out would be lost. */
	ret = -EFAULT;
	if (fault_in_iov_iter_writeable(to, len))
		goto free_buffer;
	sk = lock_socket(handshake, &err);
	ret = err;
	if (!sk)
		goto free_buffer;
	ret = read_locked(sk, handshake, buffer, len);
	unlock_socket(sk);
	if (ret > 0 && copy_to_iter(buffer, ret, to) != ret)
		ret = -EFAULT;
free_buffer:
	kvfree(buffer);
	return ret;
}

/* Context: under the socket lock. Return: bytes that TCP took, or an errno. */
static ssize_t write_locked(struct sock *sk, struct signet_handshake *handshake, u8 *buffer,
			    size_t len)
{
	struct signet_context *ctx = signet_context(sk);
	struct kvec vec = { .iov_base = buffer };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	ssize_t ret;
	int err;

	if (is_connecting(sk))
		return -EAGAIN;
	if (!signet_tx_tcp_can_send(sk))
		return -EPIPE;
	if (!ctx->tx.tracked)
		signet_context_track_tx(sk, ctx);
	err = signet_context_check(sk, ctx);
	if (err)
		return err;
	len = records_len(handshake->written, buffer, len);
	if (!len)
		return -EINVAL;
	vec.iov_len = len;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, len);
	ret = tcp_sendmsg_locked(sk, &msg, len);
	signet_context_track_tx(sk, ctx);
	if (ret > 0)
		advance(&handshake->written, buffer, ret);
	return ret;
}

static ssize_t channel_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct signet_handshake *handshake = iocb->ki_filp->private_data;
	size_t len = min_t(size_t, iov_iter_count(from), WRITE_MAX);
	struct sock *sk;
	u8 *buffer;
	ssize_t ret;
	int err;

	if (!len)
		return 0;
	buffer = kvmalloc(len, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	ret = -EFAULT;
	if (!copy_from_iter_full(buffer, len, from))
		goto free_buffer;
	sk = lock_socket(handshake, &err);
	ret = err;
	if (!sk)
		goto free_buffer;
	ret = write_locked(sk, handshake, buffer, len);
	unlock_socket(sk);
	if (ret >= 0)
		iov_iter_revert(from, len - ret);
	else
		iov_iter_revert(from, len);
free_buffer:
	kvfree(buffer);
	return ret;
}

/* Context: under the socket lock. */
static __poll_t poll_locked(struct sock *sk)
{
	__poll_t mask = 0;

	if (!is_connected(sk))
		return is_connecting(sk) ? 0 : EPOLLIN;
	if (signet_ciphertext_len(sk, &signet_context(sk)->rx) || sock_flag(sk, SOCK_DONE) ||
	    (sk->sk_shutdown & RCV_SHUTDOWN))
		mask |= EPOLLIN | EPOLLRDNORM;
	/* So that TCP tells when there is room. */
	if (!sk_stream_is_writeable(sk))
		signet_tx_set_nospace(sk);
	/* TCP makes room and then looks at the flag: this is the other way round. */
	smp_mb__after_atomic();
	if (sk_stream_is_writeable(sk) || (sk->sk_shutdown & SEND_SHUTDOWN))
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static __poll_t channel_poll(struct file *file, poll_table *wait)
{
	struct signet_handshake *handshake = file->private_data;
	__poll_t mask;
	struct sock *sk;
	int err;

	poll_wait(file, &handshake->wait, wait);
	sk = lock_socket(handshake, &err);
	if (!sk)
		return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP;
	mask = poll_locked(sk);
	unlock_socket(sk);
	return mask;
}

/* --- the result -------------------------------------------------------------------- */

/* Everything that comes with a hand-over, made before it begins. */
struct result {
	struct signet_new_keys keys;
	struct signet_session *session;
};

static void free_result(struct result *result)
{
	signet_new_keys_free(&result->keys);
	signet_session_free(result->session);
}

static int check_exporter(const struct signet_session *session, const struct signet_suite *suite)
{
	if (!session->exporter_len || !signet_suite_is_tls_1_3(suite))
		return 0;
	return session->exporter_len == suite->hash_len ? 0 : -EINVAL;
}

static int make_result(struct result *result, const struct signet_handover *handover,
		       const void __user *more)
{
	int err;

	if (handover->keys.leftover_len || handover->keys.size != sizeof(handover->keys))
		return -EINVAL;
	err = signet_new_keys_fill(&result->keys, &handover->keys);
	if (err)
		return err;
	result->session = signet_session_new(handover, more);
	if (IS_ERR(result->session)) {
		err = PTR_ERR(result->session);
		result->session = NULL;
		return err;
	}
	result->session->suite = result->keys.tx->suite;
	return check_exporter(result->session, result->session->suite);
}

static int hand_over_locked(struct sock *sk, struct signet_handshake *handshake,
			    struct result *result)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_session *session = result->session;
	int err;

	if (result->keys.role != handshake->role)
		return -EINVAL;
	/* Half a record was read, or written: sequence numbers would not fit. */
	if (handshake->read.have || handshake->written.have)
		return -EINVAL;
	err = signet_install(sk, ctx, &result->keys);
	if (err)
		return err;
	session->uid = handshake->uid;
	session->netns = handshake->netns;
	refcount_inc(&handshake->upcall->references);
	session->upcall = handshake->upcall;
	/* Whoever lists connections finds all of it. */
	smp_store_release(&ctx->session, session);
	result->session = NULL;
	signet_handshake_detach(ctx, ENOTCONN);
	signet_count(ctx->ns, SIGNET_COUNT_HANDSHAKES_DONE);
	return 0;
}

static int hand_over(struct signet_handshake *handshake, void __user *argument)
{
	struct signet_handover *handover;
	struct result result = {};
	struct sock *sk;
	__u32 size;
	int err;

	if (get_user(size, (__u32 __user *)argument))
		return -EFAULT;
	if (size < HANDOVER_SIZE_V1)
		return -EINVAL;
	if (size > STRUCT_SIZE_MAX)
		return -E2BIG;
	handover = kzalloc(sizeof(*handover), GFP_KERNEL);
	if (!handover)
		return -ENOMEM;
	err = signet_copy_struct(handover, sizeof(*handover), USER_SOCKPTR(argument), size);
	if (!err)
		err = make_result(&result, handover, argument + size);
	kfree_sensitive(handover);
	if (err)
		goto free_result;
	sk = lock_socket(handshake, &err);
	if (!sk)
		goto free_result;
	err = hand_over_locked(sk, handshake, &result);
	unlock_socket(sk);
free_result:
	free_result(&result);
	return err;
}

/* An errno that a call may end with: the others say that it has not. */
static bool is_final(unsigned int error)
{
	switch (error) {
	case 0:
	case EINTR:
	case EAGAIN:
	case EALREADY:
	case EINPROGRESS:
		return false;
	default:
		return error <= ERRNO_MAX;
	}
}

static void refuse_locked(struct sock *sk, const struct signet_refusal *refusal, char *text)
{
	struct signet_context *ctx = signet_context(sk);

	ctx->alert_sent = refusal->alert_sent;
	ctx->alert_received = refusal->alert_received;
	ctx->text = text;
	signet_handshake_detach(ctx, ENOTCONN);
	signet_context_fail(sk, ctx, refusal->error, SIGNET_REASON_HANDSHAKE, SIGNET_ALERT_NONE);
}

static int refuse(struct signet_handshake *handshake, void __user *argument)
{
	struct signet_refusal refusal;
	struct sock *sk;
	char *text;
	__u32 size;
	int err;

	if (get_user(size, (__u32 __user *)argument))
		return -EFAULT;
	if (size < REFUSAL_SIZE_V1)
		return -EINVAL;
	if (size > STRUCT_SIZE_MAX)
		return -E2BIG;
	err = signet_copy_struct(&refusal, sizeof(refusal), USER_SOCKPTR(argument), size);
	if (err)
		return err;
	if (!is_final(refusal.error))
		return -EINVAL;
	text = kstrndup(refusal.text, sizeof(refusal.text) - 1, GFP_KERNEL_ACCOUNT);
	if (!text)
		return -ENOMEM;
	/* Whatever TCP says meanwhile: this is why. */
	sk = lock_waiting(handshake, &err);
	if (!sk) {
		kfree(text);
		return err;
	}
	refuse_locked(sk, &refusal, text);
	unlock_socket(sk);
	return 0;
}

static long channel_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct signet_handshake *handshake = file->private_data;
	void __user *pointer = (void __user *)argument;

	switch (command) {
	case SIGNET_IOC_HANDOVER:
		return hand_over(handshake, pointer);
	case SIGNET_IOC_REFUSE:
		return refuse(handshake, pointer);
	default:
		return -ENOTTY;
	}
}

/* --- the file ---------------------------------------------------------------------- */

/* The helper is gone, or has forgotten to say how it went. */
static int channel_release(struct inode *inode, struct file *file)
{
	struct signet_handshake *handshake = file->private_data;
	struct sock *sk;
	int err;

	if (!handshake)
		return 0;
	sk = lock_socket(handshake, &err);
	if (sk) {
		signet_context_fail(sk, signet_context(sk), EUNATCH, SIGNET_REASON_HELPER_GONE,
				    SIGNET_ALERT_NONE);
		unlock_socket(sk);
	}
	signet_handshake_put(handshake);
	return 0;
}

static const struct file_operations channel_operations = {
	.owner = THIS_MODULE,
	.read_iter = channel_read,
	.write_iter = channel_write,
	.poll = channel_poll,
	.unlocked_ioctl = channel_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = channel_release,
};

struct file *signet_channel_new(struct signet_handshake *handshake)
{
	return anon_inode_getfile("[signet]", &channel_operations, handshake,
				  O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

void signet_channel_undo(struct file *file)
{
	file->private_data = NULL;
	fput(file);
}
