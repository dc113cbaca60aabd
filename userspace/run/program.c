// SPDX-License-Identifier: MIT
#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* --- where it is --------------------------------------------------------------- */

/* Return: 0 or why it cannot be started. */
static int try_path(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return errno;
	return S_ISREG(status.st_mode) && !access(path, X_OK) ? 0 : EACCES;
}

int program_find(const char *name, char path[PATH_MAX])
{
	const char *at = getenv("PATH") ?: "/bin:/usr/bin";
	int error = ENOENT, tried, len;

	if (strlen(name) >= PATH_MAX)
		return ENAMETOOLONG;
	if (strchr(name, '/')) {
		strcpy(path, name);
		return try_path(path);
	}
	for (bool more = true; more; at += len + 1) {
		len = strcspn(at, ":");
		more = at[len];
		/* An empty entry is the current directory. */
		if (snprintf(path, PATH_MAX, "%.*s%s%s", len, at, len ? "/" : "", name) >= PATH_MAX)
			continue;
		tried = try_path(path);
		if (!tried)
			return 0;
		if (tried == EACCES)
			error = EACCES;
	}
	return error;
}

/* --- what it is ---------------------------------------------------------------- */

#define HEAD_MAX 256

/* The dynamic loader ignores LD_PRELOAD when the kernel says that privileges were gained. */
static const char *check_privileges(int fd)
{
	struct stat status;

	if (fstat(fd, &status))
		return NULL;
	if ((status.st_mode & S_ISUID && status.st_uid != geteuid()) ||
	    (status.st_mode & S_ISGID && status.st_gid != getegid()))
		return "it changes its user or group when it starts (setuid, setgid), and takes no "
		       "libraries then";
	if (geteuid() && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return "it has file capabilities, and takes no libraries then";
	return NULL;
}

/* Whether a section of notes begins with one of this owner. */
static bool has_note(int fd, const ElfW(Phdr) * segment, const char *owner)
{
	char bytes[sizeof(ElfW(Nhdr)) + 8];
	ElfW(Nhdr) note;

	if (segment->p_filesz < sizeof(bytes) ||
	    pread(fd, bytes, sizeof(bytes), segment->p_offset) != sizeof(bytes))
		return false;
	memcpy(&note, bytes, sizeof(note));
	return note.n_namesz == strlen(owner) + 1 && note.n_namesz <= 8 &&
	       !memcmp(bytes + sizeof(note), owner, note.n_namesz);
}

static const char *check_segments(int fd, const ElfW(Ehdr) * header)
{
	bool has_interpreter = false, is_go = false;
	ElfW(Phdr) segment;

	for (unsigned int i = 0; i < header->e_phnum; i++) {
		if (pread(fd, &segment, sizeof(segment),
			  header->e_phoff + i * header->e_phentsize) != sizeof(segment))
			return NULL;
		has_interpreter |= segment.p_type == PT_INTERP;
		is_go |= segment.p_type == PT_NOTE && has_note(fd, &segment, "Go");
	}
	if (!has_interpreter)
		return "it is statically linked, and takes no libraries";
	if (is_go)
		return "it is written in Go, and makes system calls without the C library";
	return NULL;
}

static const char *check_elf(int fd, const ElfW(Ehdr) * own, const ElfW(Ehdr) * header)
{
	if (header->e_ident[EI_CLASS] != own->e_ident[EI_CLASS] ||
	    header->e_machine != own->e_machine)
		return "it is made for another architecture than libsignet-run.so";
	return check_segments(fd, header);
}

/* The interpreter in a script's first line. Return: false when there is none. */
static bool find_interpreter(char *head, char *path)
{
	char *word = head + 2 + strspn(head + 2, " \t");

	word[strcspn(word, " \t\n")] = '\0';
	if (*word != '/')
		return false;
	strcpy(path, word);
	return true;
}

static bool read_own_header(ElfW(Ehdr) * header)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && pread(fd, header, sizeof(*header), 0) == sizeof(*header);

	if (fd >= 0)
		close(fd);
	return good;
}

/* A script's interpreter may be a script: Linux follows four. */
static const char *check_file(const char *path, unsigned int depth)
{
	char head[HEAD_MAX + 1] = "", interpreter[HEAD_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *problem = NULL;
	ElfW(Ehdr) header, own;

	if (fd < 0)
		return NULL;
	if (pread(fd, head, HEAD_MAX, 0) < 0) {
		close(fd);
		return NULL;
	}
	if (!memcmp(head, ELFMAG, SELFMAG)) {
		memcpy(&header, head, sizeof(header));
		problem = check_privileges(fd);
		if (!problem && read_own_header(&own))
			problem = check_elf(fd, &own, &header);
	} else if (!memcmp(head, "#!", 2) && depth && find_interpreter(head, interpreter)) {
		problem = check_file(interpreter, depth - 1);
	}
	close(fd);
	return problem;
}

const char *program_check(const char *path)
{
	return check_file(path, 4);
}
