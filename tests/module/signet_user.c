// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of sockets inside the kernel, for the tests: reads with read_sock and sends
 * with sendmsg_locked, as filesystems and block devices over TCP do.
 *
 * /proc/signet_user takes commands, one per write():
 *
 *   read FD MAX	read_sock() until MAX bytes were taken, at most STEP at once;
 *			what was taken can then be read from the file
 *   step BYTES		sets STEP, at first unlimited
 *   send FD TEXT	sendmsg_locked()
 *
 * write() gives the call's errno, or succeeds.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/tcp.h>

#define COMMAND_MAX 256
#define TAKEN_MAX (1 << 20)

/**
 * struct opening - one opening of the file
 * @taken:	bytes that were read
 * @len:	how many
 * @step:	how many the actor takes at once
 */
struct opening {
	u8 *taken;
	size_t len;
	size_t step;
};

static int take(read_descriptor_t *desc, struct sk_buff *skb, unsigned int offset, size_t len)
{
	struct opening *opening = desc->arg.data;
	size_t n = min3(len, desc->count, min_t(size_t, opening->step, TAKEN_MAX - opening->len));
	int err;

	if (!n)
		return 0;
	err = skb_copy_bits(skb, offset, opening->taken + opening->len, n);
	if (err)
		return err;
	opening->len += n;
	desc->count -= n;
	return n;
}

static int read_from(struct opening *opening, struct socket *sock, size_t max)
{
	read_descriptor_t desc = { .arg.data = opening, .count = max };
	struct sock *sk = sock->sk;
	int ret;

	opening->len = 0;
	if (!sock->ops->read_sock)
		return -EOPNOTSUPP;
	lock_sock(sk);
	ret = sock->ops->read_sock(sk, &desc, take);
	release_sock(sk);
	return ret;
}

static int send_to(struct socket *sock, char *text)
{
	struct kvec vec = { .iov_base = text, .iov_len = strlen(text) };
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };
	struct sock *sk = sock->sk;
	int ret;

	if (!sock->ops->sendmsg_locked)
		return -EOPNOTSUPP;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, vec.iov_len);
	lock_sock(sk);
	ret = sock->ops->sendmsg_locked(sk, &msg, vec.iov_len);
	release_sock(sk);
	return ret;
}

static int run(struct opening *opening, char *command)
{
	struct socket *sock;
	int fd, at, ret;
	size_t number;

	if (sscanf(command, "step %zu", &number) == 1) {
		opening->step = number;
		return 0;
	}
	at = 0;
	if (sscanf(command, "read %d %zu", &fd, &number) != 2 &&
	    (sscanf(command, "send %d %n", &fd, &at) != 1 || !at))
		return -EINVAL;
	sock = sockfd_lookup(fd, &ret);
	if (!sock)
		return ret;
	ret = at ? send_to(sock, command + at) : read_from(opening, sock, number);
	sockfd_put(sock);
	return ret;
}

static int user_open(struct inode *inode, struct file *file)
{
	struct opening *opening = kzalloc(sizeof(*opening), GFP_KERNEL);

	if (!opening)
		return -ENOMEM;
	opening->step = SIZE_MAX;
	opening->taken = kvmalloc(TAKEN_MAX, GFP_KERNEL);
	if (!opening->taken) {
		kfree(opening);
		return -ENOMEM;
	}
	file->private_data = opening;
	return 0;
}

static int user_release(struct inode *inode, struct file *file)
{
	struct opening *opening = file->private_data;

	kvfree(opening->taken);
	kfree(opening);
	return 0;
}

static ssize_t user_write(struct file *file, const char __user *from, size_t len, loff_t *position)
{
	char command[COMMAND_MAX];
	int ret;

	if (len >= sizeof(command))
		return -EMSGSIZE;
	if (copy_from_user(command, from, len))
		return -EFAULT;
	command[len] = '\0';
	ret = run(file->private_data, command);
	return ret < 0 ? ret : len;
}

static ssize_t user_read(struct file *file, char __user *to, size_t len, loff_t *position)
{
	struct opening *opening = file->private_data;

	return simple_read_from_buffer(to, len, position, opening->taken, opening->len);
}

static const struct proc_ops user_ops = {
	.proc_open = user_open,
	.proc_release = user_release,
	.proc_write = user_write,
	.proc_read = user_read,
	.proc_lseek = default_llseek,
};

static int __init signet_user_init(void)
{
	return proc_create("signet_user", 0600, NULL, &user_ops) ? 0 : -ENOMEM;
}

static void __exit signet_user_exit(void)
{
	remove_proc_entry("signet_user", NULL);
}

module_init(signet_user_init);
module_exit(signet_user_exit);

MODULE_DESCRIPTION("Reads and writes sockets from inside the kernel, for Signet's tests");
MODULE_LICENSE("GPL");
