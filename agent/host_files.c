/*
 * host_files.c - see host_files.h.
 */
#include "host_files.h"
#include "luaccel.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH_MAX = 32, TRIES = 16 };

/* Something of ours in the run directory: a directory, or a link and the file that it leads to. */
struct entry {
	char *path;
	int fd; /* -1: a directory */
};

struct host_files {
	struct entry *entries; /* a directory before what is in it */
	size_t nr_entries;
	char **asked; /* as they were named */
	size_t nr_asked;
	char **uris;
	size_t nr_uris;
};

static atomic_size_t total;

int host_files_open_beneath(int dir, const char *path)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -1, i;

	/* EAGAIN: something was renamed meanwhile. */
	for (i = 0; i < TRIES; i++) {
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

/* The entry takes over what was made there, its path and the descriptor, whatever comes. */
static int add_entry(struct host_files *files, char *path, int fd)
{
	struct entry *grown =
		realloc(files->entries, (files->nr_entries + 1) * sizeof(*files->entries));

	if (grown)
		files->entries = grown;
	if (grown && path) {
		files->entries[files->nr_entries++] = (struct entry){ path, fd };
		return VACCEL_OK;
	}
	if (path)
		remove(path);
	free(path);
	if (fd >= 0)
		close(fd);
	return VACCEL_ENOMEM;
}

static int failed(int code, const char *what, const char *path)
{
	luaccel_set_error("%s %.200s: %s", what, path, strerror(code));
	return code;
}

static char *join(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* A directory of ours; *path is the entry's. */
static int make_directory(struct host_files *files, const char *parent, const char *name,
			  const char **path)
{
	char *made = join(parent, name);

	if (made && mkdir(made, S_IRWXU)) {
		free(made);
		return failed(errno, "cannot make a directory for", name);
	}
	*path = made;
	return add_entry(files, made, -1);
}

/* Peers that name files leave descriptors for others that connect. */
static size_t total_max(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur / 8 >= HOST_FILES_TOTAL)
		return HOST_FILES_TOTAL;
	return (size_t)files.rlim_cur / 8;
}

/* Takes the descriptor over. */
static int link_file(struct host_files *files, int fd, const char *parent, const char *name)
{
	char target[64], *path;
	int ret;

	if (files->nr_entries >= HOST_FILES_MAX) {
		close(fd);
		luaccel_set_error("a resource may name %d files and directories, and has more",
				  HOST_FILES_MAX);
		return VACCEL_EINVAL;
	}
	if (atomic_fetch_add(&total, 1) >= total_max()) {
		atomic_fetch_sub(&total, 1);
		close(fd);
		luaccel_set_error(
			"the agent has as many files of its host open for peers as it may "
			"(%zu)",
			total_max());
		return VACCEL_EUSERS;
	}
	snprintf(target, sizeof(target), "/proc/%d/fd/%d", (int)getpid(), fd);
	path = join(parent, name);
	ret = path && symlink(target, path) ? failed(errno, "cannot make a link for", name)
					    : VACCEL_OK;
	if (ret) {
		free(path);
		close(fd);
	} else {
		ret = add_entry(files, path, fd);
	}
	if (ret)
		atomic_fetch_sub(&total, 1);
	return ret;
}

static int cannot_open(const char *name)
{
	switch (errno) {
	case EXDEV:
		luaccel_set_error("\"%.200s\" leads out of the directory that is permitted", name);
		return VACCEL_EPERM;
	case ELOOP:
		luaccel_set_error("\"%.200s\" is or passes a symbolic link, which this agent does "
				  "not follow for its peers",
				  name);
		return VACCEL_EPERM;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return failed(errno, "cannot open", name);
	default:
		failed(errno, "cannot open", name);
		return VACCEL_EINVAL; /* as for any path that is none */
	}
}

static int take(struct host_files *files, int dir, const char *path, const char *parent,
		const char *name, unsigned depth);

/* As libvaccel does with a directory: what is no file and no directory is passed over. */
static int take_entries(struct host_files *files, DIR *stream, const char *ours, unsigned depth)
{
	const struct dirent *entry;
	int ret = VACCEL_OK;

	while (!ret && (entry = readdir(stream))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		ret = take(files, dirfd(stream), entry->d_name, ours, entry->d_name, depth + 1);
	}
	return ret;
}

/* Takes the descriptor over. */
static int link_directory(struct host_files *files, int fd, const char *parent, const char *name,
			  unsigned depth)
{
	int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = readable < 0 ? NULL : fdopendir(readable);
	const char *ours;
	int ret;

	close(fd);
	if (!stream) {
		if (readable >= 0)
			close(readable);
		return cannot_open(name);
	}
	if (depth == DEPTH_MAX || files->nr_entries >= HOST_FILES_MAX) {
		luaccel_set_error("\"%.200s\" is too deep, or has more than %d files", name,
				  HOST_FILES_MAX);
		ret = VACCEL_EINVAL;
	} else {
		ret = make_directory(files, parent, name, &ours);
	}
	if (!ret)
		ret = take_entries(files, stream, ours, depth);
	closedir(stream);
	return ret;
}

/* A file, or a directory with what is in it, as parent/name. */
static int take(struct host_files *files, int dir, const char *path, const char *parent,
		const char *name, unsigned depth)
{
	int fd = host_files_open_beneath(dir, path);
	struct stat st;

	if (fd < 0)
		return cannot_open(path);
	if (fstat(fd, &st)) {
		close(fd);
		return cannot_open(path);
	}
	if (S_ISREG(st.st_mode))
		return link_file(files, fd, parent, name);
	if (S_ISDIR(st.st_mode))
		return link_directory(files, fd, parent, name, depth);
	close(fd);
	if (depth)
		return VACCEL_OK;
	luaccel_set_error("\"%.200s\" is neither a file nor a directory", path);
	return VACCEL_EINVAL;
}

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "models/net/" has the name net, "." that of the directory itself. */
static void name_of(const struct allow_dir *dir, const char *beneath, char *name, size_t size)
{
	size_t length;

	snprintf(name, size, "%s", strcmp(beneath, ".") ? beneath : last_component(dir->path));
	for (length = strlen(name); length && name[length - 1] == '/'; length--)
		name[length - 1] = '\0';
	memmove(name, last_component(name), strlen(last_component(name)) + 1);
	if (!name[0] || !strcmp(name, "."))
		snprintf(name, size, "root");
}

/* Each in a directory of its own: two may have one name. */
static int add_path(struct host_files *files, const char *top, const struct allow_dir *dir,
		    const char *beneath)
{
	char name[PATH_MAX], number[32];
	const char *own;
	int ret;

	name_of(dir, beneath, name, sizeof(name));
	snprintf(number, sizeof(number), "%zu", files->nr_uris);
	ret = make_directory(files, top, number, &own);
	if (!ret)
		ret = take(files, dir->fd, beneath, own, name, 0);
	if (ret)
		return ret;
	if (asprintf(&files->uris[files->nr_uris], "file://%s/%s", own, name) < 0)
		return VACCEL_ENOMEM;
	files->nr_uris++;
	return VACCEL_OK;
}

static int add_uri(struct host_files *files, const char *top, const struct allow *allow,
		   const char *uri)
{
	const struct allow_dir *dir;
	const char *beneath;
	char reason[256];
	int ret = allow_uri(allow, uri, &dir, &beneath, reason, sizeof(reason));

	if (ret) {
		luaccel_set_error("%s", reason);
		return ret;
	}
	if (dir)
		return add_path(files, top, dir, beneath);
	files->uris[files->nr_uris] = strdup(uri);
	if (!files->uris[files->nr_uris])
		return VACCEL_ENOMEM;
	files->nr_uris++;
	return VACCEL_OK;
}

static int add_asked(struct host_files *files, const char *top, const struct allow *allow,
		     const char *uri)
{
	files->asked[files->nr_asked] = strdup(uri);
	if (!files->asked[files->nr_asked])
		return VACCEL_ENOMEM;
	files->nr_asked++;
	return add_uri(files, top, allow, uri);
}

static int make_top(struct host_files *files, const char **top)
{
	char *path = join(vaccel_rundir(), "host.XXXXXX");

	if (path && !mkdtemp(path)) {
		free(path);
		return failed(errno, "cannot make a directory in", vaccel_rundir());
	}
	*top = path;
	return add_entry(files, path, -1);
}

int host_files_open(const struct allow *allow, char *const *uris, size_t count,
		    struct host_files **files)
{
	struct host_files *opened = calloc(1, sizeof(*opened));
	const char *top = NULL;
	size_t i;
	int ret = VACCEL_ENOMEM;

	if (!opened)
		return VACCEL_ENOMEM;
	opened->uris = calloc(count, sizeof(char *));
	opened->asked = calloc(count, sizeof(char *));
	if (opened->uris && opened->asked)
		ret = make_top(opened, &top);
	for (i = 0; !ret && i < count; i++)
		ret = add_asked(opened, top, allow, uris[i]);
	if (ret)
		host_files_free(opened);
	else
		*files = opened;
	return ret;
}

const char **host_files_uris(const struct host_files *files)
{
	return (const char **)files->uris;
}

const char *host_files_asked(const struct host_files *files, size_t i)
{
	return files->asked[i];
}

void host_files_free(struct host_files *files)
{
	size_t i;

	while (files->nr_entries) {
		struct entry *entry = &files->entries[--files->nr_entries];

		remove(entry->path);
		free(entry->path);
		if (entry->fd < 0)
			continue;
		close(entry->fd);
		atomic_fetch_sub(&total, 1);
	}
	for (i = 0; i < files->nr_uris; i++)
		free(files->uris[i]);
	for (i = 0; i < files->nr_asked; i++)
		free(files->asked[i]);
	free(files->entries);
	free(files->uris);
	free(files->asked);
	free(files);
}
