/*
 * files.c - files and directories. Stateless; any thread.
 */
#include "files.h"
#include "last_error.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 32 }; /* of directories in directories: links may make them endless */

bool file_is_regular(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool file_is_directory(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_name_is_plain(const char *name)
{
	return name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/') &&
	       strlen(name) <= NAME_MAX;
}

const char *file_last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int make_directory(const char *path)
{
	if (mkdir(path, S_IRWXU) == 0 || errno == EEXIST)
		return VACCEL_OK;
	return errno;
}

int file_make_directories(const char *path)
{
	char partial[PATH_MAX];
	const int length = snprintf(partial, sizeof(partial), "%s", path);
	int ret;

	if (length < 0 || (size_t)length >= sizeof(partial))
		return VACCEL_ENAMETOOLONG;
	for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ret = make_directory(partial);
		*slash = '/';
		if (ret)
			return ret;
	}
	ret = make_directory(partial);
	if (!ret && !file_is_directory(partial))
		ret = VACCEL_ENOTDIR;
	return ret;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *position)
{
	(void)st;
	(void)type;
	(void)position;
	return remove(path) ? errno : 0;
}

int file_remove_tree(const char *path)
{
	const int ret = nftw(path, remove_entry, DEPTH_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);

	return ret < 0 ? errno : ret;
}

/* "dir/name" with _XXXXXX before the extension, made by mkostemps(). */
static int create_unique(const char *dir, const char *name, char **path)
{
	const char *dot = strrchr(name, '.');
	const int stem = (int)(dot ? (size_t)(dot - name) : strlen(name));
	const char *extension = dot ? dot : "";

	if (asprintf(path, "%s/%.*s_XXXXXX%s", dir, stem, name, extension) < 0) {
		*path = NULL;
		errno = ENOMEM;
		return -1;
	}
	return mkostemps(*path, (int)strlen(extension), O_CLOEXEC);
}

static int create_named(const char *dir, const char *name, char **path)
{
	if (asprintf(path, "%s/%s", dir, name) < 0) {
		*path = NULL;
		errno = ENOMEM;
		return -1;
	}
	return open(*path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
}

int file_create(const char *dir, const char *name, bool unique, mode_t mode, char **path, int *fd)
{
	int ret;

	*fd = -1;
	if (!unique) {
		*fd = create_named(dir, name, path);
		if (*fd < 0 && errno == EEXIST) {
			free(*path);
			unique = true;
		}
	}
	if (unique)
		*fd = create_unique(dir, name, path);
	if (*fd >= 0 && fchmod(*fd, mode) == 0)
		return VACCEL_OK;

	ret = fail(errno, "Could not create file %s in %s: %m", name, dir);
	if (*fd >= 0) {
		close(*fd);
		unlink(*path);
	}
	free(*path);
	*path = NULL;
	return ret;
}

int file_link(const char *dir, const char *name, const char *target, char **path)
{
	int fd;
	int ret = file_create(dir, name, false, S_IRUSR | S_IWUSR, path, &fd);

	if (ret)
		return ret;
	close(fd);
	/* The name is ours now; nobody else makes files in this directory. */
	if (unlink(*path) == 0 && link(target, *path) == 0)
		return VACCEL_OK;
	ret = fail(errno, "Could not link %s to %s: %m", *path, target);
	free(*path);
	*path = NULL;
	return ret;
}

int file_write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		const ssize_t written = write(fd, data, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno;
		data += written;
		size -= (size_t)written;
	}
	return VACCEL_OK;
}

int file_map(const char *path, uint8_t **data, size_t *size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = VACCEL_OK;
	struct stat st;
	void *mapped;

	if (fd < 0)
		return fail(errno, "Could not open file %s: %m", path);
	if (fstat(fd, &st)) {
		ret = fail(errno, "Could not read file %s: %m", path);
	} else if (!S_ISREG(st.st_mode) || st.st_size <= 0) {
		ret = fail(VACCEL_EINVAL, "File %s is empty or not a regular file", path);
	} else {
		mapped = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
		if (mapped == MAP_FAILED) {
			ret = fail(errno, "Could not map file %s: %m", path);
		} else {
			*data = mapped;
			*size = (size_t)st.st_size;
		}
	}
	close(fd);
	return ret;
}

bool file_mapping_is_whole(const uint8_t *data, size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t last = (size - 1) / page * page;

	/* A kernel before 5.14 does not know: EINVAL. */
	return madvise((void *)(uintptr_t)(data + last), page, MADV_POPULATE_READ) == 0 ||
	       errno != EFAULT;
}

static int walk(const char *dir, unsigned depth, int (*visit)(void *ctx, const char *path),
		void *ctx);

static int walk_entry(const char *path, unsigned depth, int (*visit)(void *ctx, const char *path),
		      void *ctx)
{
	struct stat st;

	if (stat(path, &st))
		return fail(errno, "Could not read %s: %m", path);
	if (S_ISDIR(st.st_mode))
		return walk(path, depth + 1, visit, ctx);
	return S_ISREG(st.st_mode) ? visit(ctx, path) : VACCEL_OK;
}

static int walk(const char *dir, unsigned depth, int (*visit)(void *ctx, const char *path),
		void *ctx)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	int ret = VACCEL_OK;
	DIR *stream;

	if (depth > DEPTH_MAX)
		return fail(VACCEL_ELOOP, "Directory %s is more than %d deep", dir, DEPTH_MAX);
	stream = opendir(dir);
	if (!stream)
		return fail(errno, "Could not open directory %s: %m", dir);
	while (!ret && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >= (int)sizeof(path))
			ret = fail(VACCEL_ENAMETOOLONG, "Path too long in directory %s", dir);
		else
			ret = walk_entry(path, depth, visit, ctx);
	}
	closedir(stream);
	return ret;
}

int file_walk(const char *dir, int (*visit)(void *ctx, const char *path), void *ctx)
{
	return walk(dir, 0, visit, ctx);
}
