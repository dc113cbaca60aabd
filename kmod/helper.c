// SPDX-License-Identifier: GPL-2.0-only
#include "helper.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>

#include "channel.h"
#include "handshake.h"
#include "namespace.h"
#include "preferences.h"
#include "ticket.h"
#include "uapi/linux/signet_helper.h"
#include "upcall.h"

#define REQUEST_SIZE_V1 offsetofend(struct signet_request, pins)
#define TICKET_SIZE_V1 offsetofend(struct signet_ticket_notice, ticket)

/**
 * struct device_file - what an open /dev/signet is
 * @helper:	joined the upcall once @ready
 * @ready:	versions were compared
 * @lock:	one SIGNET_IOC_HELLO at a time
 */
struct device_file {
	struct signet_helper helper;
	bool ready;
	struct mutex lock; /* joins once */
};

/* --- requests ---------------------------------------------------------------------- */

static void fill_preferences(struct signet_request *request,
			     const struct signet_preferences *preferences)
{
	request->client_auth = preferences->client_auth;
	request->min_version = preferences->min_version;
	request->pin_count = preferences->pin_count;
	request->alpn_len = preferences->alpn_len;
	memcpy(request->profile, preferences->profile, sizeof(request->profile));
	memcpy(request->trust, preferences->trust, sizeof(request->trust));
	memcpy(request->alpn, preferences->alpn, preferences->alpn_len);
	memcpy(request->pins, preferences->pins, sizeof(request->pins));
}

static void fill_request(struct signet_request *request, const struct signet_handshake *handshake,
			 const struct file *file)
{
	struct user_namespace *users = file->f_cred->user_ns;
	long left = handshake->deadline - jiffies;

	memset(request, 0, sizeof(*request));
	request->id = handshake->id;
	request->role = handshake->role;
	request->timeout_ms = left > 0 ? jiffies_to_msecs(left) : 0;
	request->uid = from_kuid_munged(users, handshake->uid);
	request->gid = from_kgid_munged(users, handshake->gid);
	request->pid = pid_nr_ns(handshake->pid, task_active_pid_ns(current));
	request->cgroup = handshake->cgroup;
	request->netns = handshake->netns;
	memcpy(request->comm, handshake->comm, sizeof(request->comm));
	memcpy(request->local, &handshake->local, sizeof(request->local));
	memcpy(request->peer, &handshake->peer, sizeof(request->peer));
	memcpy(request->server_name, handshake->server_name, sizeof(request->server_name));
	if (handshake->preferences)
		fill_preferences(request, handshake->preferences);
}

/* Gives as much of a structure as there is room for; its first member is its size. */
static int give_struct(void __user *to, void *from, u32 size, u32 room)
{
	*(u32 *)from = min(size, room);
	return copy_to_user(to, from, min(size, room)) ? -EFAULT : 0;
}

static int get_size(const void __user *from, u32 least, u32 *size)
{
	if (get_user(*size, (const u32 __user *)from))
		return -EFAULT;
	return *size < least ? -EINVAL : 0;
}

/* Makes a channel of it and tells about it. On error it is the caller's again. */
static int hand_out(struct signet_handshake *handshake, const struct file *device,
		    void __user *argument, u32 room)
{
	struct signet_request *request;
	struct file *channel;
	int fd, err;

	request = kmalloc(sizeof(*request), GFP_KERNEL);
	if (!request)
		return -ENOMEM;
	fill_request(request, handshake, device);
	fd = get_unused_fd_flags(O_CLOEXEC);
	err = fd;
	if (fd < 0)
		goto free_request;
	channel = signet_channel_new(handshake);
	err = PTR_ERR_OR_ZERO(channel);
	if (err)
		goto put_fd;
	request->channel = fd;
	err = give_struct(argument, request, sizeof(*request), room);
	if (err)
		goto undo_channel;
	fd_install(fd, channel);
	kfree(request);
	return 0;

undo_channel:
	signet_channel_undo(channel);
put_fd:
	put_unused_fd(fd);
free_request:
	kfree(request);
	return err;
}

static bool has_request(struct signet_upcall *upcall)
{
	return !list_empty_careful(&upcall->queue) || READ_ONCE(upcall->dead);
}

static int wait_for_request(struct signet_helper *helper, const struct file *file)
{
	struct signet_upcall *upcall = helper->upcall;

	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	return wait_event_interruptible_exclusive(helper->wait, has_request(upcall));
}

static int get_request(struct signet_helper *helper, const struct file *file, void __user *argument)
{
	struct signet_upcall *upcall = helper->upcall;
	struct signet_handshake *handshake;
	u32 room;
	int err;

	err = get_size(argument, REQUEST_SIZE_V1, &room);
	if (err)
		return err;
	while (!(handshake = signet_upcall_take(upcall))) {
		if (READ_ONCE(upcall->dead))
			return -ENETDOWN;
		err = wait_for_request(helper, file);
		if (err)
			return err;
	}
	err = hand_out(handshake, file, argument, room);
	if (err)
		signet_upcall_give_back(upcall, handshake);
	return err;
}

/* --- tickets ----------------------------------------------------------------------- */

static int get_ticket(struct signet_helper *helper, const struct file *file, void __user *argument)
{
	struct signet_ticket_for_helper *ticket;
	struct signet_ticket_notice *notice;
	u32 room;
	int err;

	err = get_size(argument, TICKET_SIZE_V1, &room);
	if (err)
		return err;
	notice = kzalloc(sizeof(*notice), GFP_KERNEL);
	if (!notice)
		return -ENOMEM;
	ticket = signet_upcall_take_ticket(helper->upcall);
	if (!ticket) {
		kfree(notice);
		return -EAGAIN;
	}
	notice->uid = from_kuid_munged(file->f_cred->user_ns, ticket->uid);
	notice->netns = ticket->netns;
	notice->received_ms = ticket->received_ms;
	notice->session_len = ticket->session_len;
	memcpy(notice->session, ticket->session, ticket->session_len);
	notice->ticket_len = ticket->ticket->len;
	memcpy(notice->ticket, ticket->ticket->body, ticket->ticket->len);
	err = give_struct(argument, notice, sizeof(*notice), room);
	kfree_sensitive(notice);
	if (err)
		signet_upcall_give_back_ticket(helper->upcall, ticket);
	else
		signet_ticket_for_helper_free(ticket);
	return err;
}

/* --- other calls ------------------------------------------------------------------- */

static int hello(struct device_file *device, void __user *argument)
{
	struct signet_hello hello;
	bool same;
	int err = 0;

	if (copy_from_user(&hello, argument, sizeof(hello)))
		return -EFAULT;
	if (hello.reserved)
		return -EINVAL;
	same = hello.version == SIGNET_HELPER_VERSION;
	hello.version = SIGNET_HELPER_VERSION;
	if (copy_to_user(argument, &hello, sizeof(hello)))
		return -EFAULT;
	if (!same)
		return -EPROTONOSUPPORT;
	mutex_lock(&device->lock);
	if (!device->ready)
		err = signet_upcall_join(&device->helper);
	if (!err)
		WRITE_ONCE(device->ready, true);
	mutex_unlock(&device->lock);
	return err;
}

static int rekey(struct signet_upcall *upcall, const void __user *argument)
{
	u32 flags;

	if (get_user(flags, (const u32 __user *)argument))
		return -EFAULT;
	if (flags & ~SIGNET_REKEY_REQUEST_UPDATE)
		return -EINVAL;
	spin_lock(&upcall->lock);
	WRITE_ONCE(upcall->rekey_requests, flags & SIGNET_REKEY_REQUEST_UPDATE);
	WRITE_ONCE(upcall->rekey_generation, upcall->rekey_generation + 1);
	spin_unlock(&upcall->lock);
	return 0;
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct device_file *device = file->private_data;
	void __user *pointer = (void __user *)argument;

	if (command == SIGNET_IOC_HELLO)
		return hello(device, pointer);
	if (!READ_ONCE(device->ready))
		return -EPROTO;
	switch (command) {
	case SIGNET_IOC_REQUEST:
		return get_request(&device->helper, file, pointer);
	case SIGNET_IOC_TICKET:
		return get_ticket(&device->helper, file, pointer);
	case SIGNET_IOC_REKEY:
		return rekey(device->helper.upcall, pointer);
	default:
		return -ENOTTY;
	}
}

static __poll_t device_poll(struct file *file, poll_table *wait)
{
	struct device_file *device = file->private_data;
	struct signet_upcall *upcall = device->helper.upcall;
	__poll_t mask = 0;

	poll_wait(file, &device->helper.wait, wait);
	if (!list_empty_careful(&upcall->queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (!list_empty_careful(&upcall->tickets))
		mask |= EPOLLPRI;
	if (READ_ONCE(upcall->dead))
		mask |= EPOLLHUP | EPOLLIN;
	return mask;
}

/* --- the file ---------------------------------------------------------------------- */

static int device_open(struct inode *inode, struct file *file)
{
	struct net *net = current->nsproxy->net_ns;
	struct device_file *device;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	if (!device)
		return -ENOMEM;
	mutex_init(&device->lock);
	INIT_LIST_HEAD(&device->helper.node);
	init_waitqueue_head(&device->helper.wait);
	device->helper.upcall = signet_namespace(net)->upcall;
	refcount_inc(&device->helper.upcall->references);
	file->private_data = device;
	return nonseekable_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	struct device_file *device = file->private_data;

	if (device->ready)
		signet_upcall_leave(&device->helper);
	signet_upcall_put(device->helper.upcall);
	kfree(device);
	return 0;
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.poll = device_poll,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = device_release,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "signet",
	.mode = 0600,
	.fops = &device_operations,
};

int signet_helper_init(void)
{
	return misc_register(&device);
}

void signet_helper_exit(void)
{
	misc_deregister(&device);
}
