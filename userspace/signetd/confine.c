// SPDX-License-Identifier: GPL-3.0-or-later
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/signet_helper.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

/* What the kernel allows by default (fs.nr_open). */
#define DESCRIPTORS_WANTED 1048576

/* What threads of any process need: memory, locks, clocks, randomness, and an end. */
static const int basic_calls[] = {
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(gettid),
	SCMP_SYS(madvise),
	SCMP_SYS(mlock),
	SCMP_SYS(mremap),
	SCMP_SYS(munlock),
	SCMP_SYS(munmap),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(recvfrom),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* The C library's free() looks into /proc/sys/vm/overcommit_memory, and does without. */
static const int refused_calls[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
};

/* The upcall's; and the look at control groups' directories, whose names are not secret. */
static const int worker_calls[] = {
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(newfstatat),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),
};

/* The upcall's. */
static const unsigned int worker_ioctls[] = {
	SIGNET_IOC_REQUEST,
	SIGNET_IOC_TICKET,
	SIGNET_IOC_HANDOVER,
	SIGNET_IOC_REFUSE,
};

/* What would make more of a supervisor that is no longer itself. */
static const int forbidden_calls[] = {
	SCMP_SYS(add_key),	    SCMP_SYS(bpf),
	SCMP_SYS(chroot),	    SCMP_SYS(delete_module),
	SCMP_SYS(execve),	    SCMP_SYS(execveat),
	SCMP_SYS(finit_module),	    SCMP_SYS(init_module),
	SCMP_SYS(kexec_load),	    SCMP_SYS(kexec_file_load),
	SCMP_SYS(keyctl),	    SCMP_SYS(mount),
	SCMP_SYS(move_mount),	    SCMP_SYS(open_by_handle_at),
	SCMP_SYS(perf_event_open),  SCMP_SYS(pivot_root),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(ptrace),	    SCMP_SYS(reboot),
	SCMP_SYS(request_key),	    SCMP_SYS(setns),
	SCMP_SYS(swapon),	    SCMP_SYS(umount2),
	SCMP_SYS(unshare),	    SCMP_SYS(userfaultfd),
};

void confine_memory(bool lock)
{
	const struct rlimit none = {};
	struct rlimit limit;

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	/* With a limit, memory to come could not be had once it is reached. */
	if (lock && (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur != RLIM_INFINITY ||
		     mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
		log_text(LOG_WARNING, "not all memory can be locked: secrets may be swapped "
				      "(LimitMEMLOCK=infinity)");
}

/* Beyond the hard limit, where root may; else up to it. */
static void raise_limit(int which, rlim_t wanted)
{
	struct rlimit limit = { wanted, wanted };

	if (!setrlimit(which, &limit) || getrlimit(which, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(which, &limit);
}

void confine_raise_limits(void)
{
	raise_limit(RLIMIT_NOFILE, DESCRIPTORS_WANTED);
	raise_limit(RLIMIT_MEMLOCK, RLIM_INFINITY);
}

/* The capabilities in @mask, and no others, now and ever. */
static int set_capabilities(uint64_t mask)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = mask, .permitted = mask },
		{ .effective = mask >> 32, .permitted = mask >> 32 },
	};

	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (!(mask >> capability & 1) && prctl(PR_CAPBSET_DROP, capability) &&
		    errno != EPERM)
			return -1;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, data);
}

int confine_supervisor(void)
{
	const uint64_t needed = 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_SETPCAP |
				1ull << CAP_KILL | 1ull << CAP_DAC_READ_SEARCH |
				1ull << CAP_IPC_LOCK;

	if (geteuid())
		return 0;
	return set_capabilities(needed);
}

bool confine_user_exists(const char *name)
{
	return geteuid() || getpwnam(name);
}

int confine_user(const char *name)
{
	const struct passwd *user;

	if (geteuid()) {
		log_text(LOG_NOTICE, "not started by root: the user stays %u, not %s", geteuid(),
			 name);
		return set_capabilities(0);
	}
	errno = 0;
	user = getpwnam(name);
	if (!user) {
		errno = errno ? errno : ENOENT;
		return -1;
	}
	/* The bounding set first: it cannot be emptied without a capability. */
	if (setgroups(0, NULL) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid))
		return -1;
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (prctl(PR_CAPBSET_DROP, capability))
			return -1;
	if (setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return -1;
	/* Changing the user has made the process one that can be traced again. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	return set_capabilities(0);
}

static int add_rules(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < count; i++)
		ret = seccomp_rule_add(filter, action, calls[i], 0);
	return ret;
}

#define ADD_RULES(filter, action, calls) \
	add_rules(filter, action, calls, sizeof(calls) / sizeof((calls)[0]))

/* Calls of any process that may be made with some arguments only. */
static int add_restricted(scmp_filter_ctx filter)
{
	const struct {
		int call;
		unsigned int count;
		struct scmp_arg_cmp arguments[2];
	} rules[] = {
		/* To whom a socket is connected: no descriptor goes to others, nor anything else. */
		{ SCMP_SYS(sendto), 2, { SCMP_A4(SCMP_CMP_EQ, 0), SCMP_A5(SCMP_CMP_EQ, 0) } },
		/* abort(). */
		{ SCMP_SYS(tgkill),
		  2,
		  { SCMP_A0(SCMP_CMP_EQ, getpid()), SCMP_A2(SCMP_CMP_EQ, SIGABRT) } },
		/* The C library looks at descriptors' modes. */
		{ SCMP_SYS(fcntl), 1, { SCMP_A1(SCMP_CMP_EQ, F_GETFL) } },
		/* No new code. */
		{ SCMP_SYS(mmap), 1, { SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) } },
		{ SCMP_SYS(mprotect), 1, { SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) } },
	};
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(rules) / sizeof(rules[0]); i++)
		ret = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rules[i].call, rules[i].count,
					     rules[i].arguments);
	return ret;
}

static int add_worker(scmp_filter_ctx filter)
{
	int ret = ADD_RULES(filter, SCMP_ACT_ALLOW, worker_calls);

	for (size_t i = 0; !ret && i < sizeof(worker_ioctls) / sizeof(worker_ioctls[0]); i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_EQ, worker_ioctls[i]));
	return ret;
}

static int add_all(scmp_filter_ctx filter, enum confinement confinement)
{
	int ret;

	if (confinement == CONFINE_SUPERVISOR)
		return ADD_RULES(filter, SCMP_ACT_ERRNO(EPERM), forbidden_calls);
	ret = ADD_RULES(filter, SCMP_ACT_ALLOW, basic_calls);
	if (!ret)
		ret = ADD_RULES(filter, SCMP_ACT_ERRNO(EACCES), refused_calls);
	if (!ret)
		ret = add_restricted(filter);
	if (ret || confinement != CONFINE_WORKER)
		return ret;
	return add_worker(filter);
}

int confine_calls(enum confinement confinement)
{
	uint32_t others = confinement == CONFINE_SUPERVISOR ? SCMP_ACT_ALLOW :
							      SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx filter;
	int ret;

	filter = seccomp_init(others);
	if (!filter) {
		errno = ENOMEM;
		return -1;
	}
	/* libseccomp sets no_new_privs itself; in threads that exist the filter's flag does. */
	ret = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!ret)
		ret = add_all(filter, confinement);
	if (!ret)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	if (ret)
		errno = -ret;
	return ret ? -1 : 0;
}
