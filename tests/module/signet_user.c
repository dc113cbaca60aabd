// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of sockets inside the kernel, for the tests: reads with read_sock and sends
 * with sendmsg_locked, as filesystems and block devices over TCP do, puts callbacks of its
 * own before a socket's, and looks at connection requests.
 *
 * /proc/signet_user takes commands, one per write():
 *
 *   read FD MAX	read_sock() until MAX bytes were taken, at most STEP at once;
 *			what was taken can then be read from the file
 *   step BYTES		sets STEP, at first unlimited
 *   send FD TEXT	sendmsg_locked()
 *   hook FD		puts callbacks before the socket's that count and go on to those; one
 *			socket at a time
 *   unhook FD		takes them back
 *   calls		how often they were called can then be read from the file
 *   requests FD	EXDEV unless the half-open connections of FD's network namespace have
 *			TCP's own struct proto; how many there are can then be read
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
#include <net/inet_hashtables.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

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

static void tell(struct opening *opening, int number)
{
	opening->len = scnprintf(opening->taken, TAKEN_MAX, "%d\n", number);
}

/* What the hooked socket had before. */
static struct {
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*error_report)(struct sock *sk);
	atomic_t calls;
} hooked;

static void hook_data_ready(struct sock *sk)
{
	atomic_inc(&hooked.calls);
	hooked.data_ready(sk);
}

static void hook_write_space(struct sock *sk)
{
	atomic_inc(&hooked.calls);
	hooked.write_space(sk);
}

static void hook_state_change(struct sock *sk)
{
	atomic_inc(&hooked.calls);
	hooked.state_change(sk);
}

static void hook_error_report(struct sock *sk)
{
	atomic_inc(&hooked.calls);
	hooked.error_report(sk);
}

static void hook(struct sock *sk)
{
	write_lock_bh(&sk->sk_callback_lock);
	hooked.data_ready = sk->sk_data_ready;
	hooked.write_space = sk->sk_write_space;
	hooked.state_change = sk->sk_state_change;
	hooked.error_report = sk->sk_error_report;
	atomic_set(&hooked.calls, 0);
	sk->sk_data_ready = hook_data_ready;
	sk->sk_write_space = hook_write_space;
	sk->sk_state_change = hook_state_change;
	sk->sk_error_report = hook_error_report;
	write_unlock_bh(&sk->sk_callback_lock);
}

static void unhook(struct sock *sk)
{
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = hooked.data_ready;
	sk->sk_write_space = hooked.write_space;
	sk->sk_state_change = hooked.state_change;
	sk->sk_error_report = hooked.error_report;
	write_unlock_bh(&sk->sk_callback_lock);
}

static bool has_tcp_proto(const struct sock *request)
{
	const struct proto *prot = request->sk_prot;

	return prot == &tcp_prot || (IS_ENABLED(CONFIG_IPV6) && prot == &tcpv6_prot);
}

static int look_at_requests(struct opening *opening, const struct net *net)
{
	struct inet_hashinfo *info = net->ipv4.tcp_death_row.hashinfo;
	const struct hlist_nulls_node *node;
	int found = 0, ret = 0;
	struct sock *sk;
	unsigned int i;

	for (i = 0; i <= info->ehash_mask; i++) {
		spinlock_t *lock = inet_ehash_lockp(info, i);

		spin_lock_bh(lock);
		sk_nulls_for_each(sk, node, &info->ehash[i].chain)
		{
			if (sk->sk_state != TCP_NEW_SYN_RECV || !net_eq(sock_net(sk), net))
				continue;
			found++;
			if (!has_tcp_proto(sk))
				ret = -EXDEV;
		}
		spin_unlock_bh(lock);
		cond_resched();
	}
	tell(opening, found);
	return ret;
}

/* Commands that look at a socket. Return: 0, an errno, or 1 for another command. */
static int inspect(struct opening *opening, struct sock *sk, const char *command)
{
	if (strstarts(command, "hook "))
		hook(sk);
	else if (strstarts(command, "unhook "))
		unhook(sk);
	else if (strstarts(command, "requests "))
		return look_at_requests(opening, sock_net(sk));
	else
		return 1;
	return 0;
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
	if (!strcmp(command, "calls")) {
		tell(opening, atomic_read(&hooked.calls));
		return 0;
	}
	at = 0;
	if (sscanf(command, "%*s %d %n", &fd, &at) != 1)
		return -EINVAL;
	sock = sockfd_lookup(fd, &ret);
	if (!sock)
		return ret;
	ret = inspect(opening, sock->sk, command);
	if (ret == 1) {
		if (sscanf(command, "read %*d %zu", &number) == 1)
			ret = read_from(opening, sock, number);
		else if (strstarts(command, "send ") && at)
			ret = send_to(sock, command + at);
		else
			ret = -EINVAL;
	}
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
