/*
 * allow.c - see allow.h.
 */
#include "allow.h"
#include "host_files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 4, 5))) static int say(int code, char *buf, size_t size,
						     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(buf, size, format, args);
	va_end(args);
	return code;
}

static int add_dir(struct allow *allow, const char *path, char *err, size_t errsize)
{
	struct allow_dir *dir = &allow->dirs[allow->nr_dirs];
	size_t length = strlen(path);

	if (path[0] != '/')
		return say(-EINVAL, err, errsize,
			   "--allow path takes a directory by its whole path, not \"%s\"", path);
	if (allow->nr_dirs == ALLOW_DIRS_MAX)
		return say(-EINVAL, err, errsize, "more than %d --allow path", ALLOW_DIRS_MAX);
	while (length && path[length - 1] == '/')
		length--;
	dir->fd = -1;
	dir->path = strndup(path, length);
	if (!dir->path)
		return say(-EINVAL, err, errsize, "out of memory");
	allow->nr_dirs++;
	return 0;
}

static int allow_one(struct allow *allow, const char *what, char *err, size_t errsize)
{
	static const char path[] = "path=";

	if (!strncmp(what, path, strlen(path)))
		return add_dir(allow, what + strlen(path), err, errsize);
	if (!strcmp(what, "exec"))
		allow->exec = true;
	else if (!strcmp(what, "lib"))
		allow->lib = true;
	else if (!strcmp(what, "url"))
		allow->url = true;
	else if (!strcmp(what, "plaintext"))
		allow->plaintext = true;
	else
		return say(-EINVAL, err, errsize,
			   "--allow knows exec, lib, url, path=DIR and plaintext, not \"%s\"",
			   what);
	return 0;
}

int allow_parse(struct allow *allow, const char *text, char *err, size_t errsize)
{
	char *copy = strdup(text), *rest = copy;
	const char *what;
	int ret = 0;

	if (!copy)
		return say(-EINVAL, err, errsize, "out of memory");
	while (!ret && (what = strsep(&rest, ",")))
		ret = allow_one(allow, what, err, errsize);
	free(copy);
	return ret;
}

int allow_open(struct allow *allow, char *err, size_t errsize)
{
	size_t i;
	int fd;

	for (i = 0; i < allow->nr_dirs; i++) {
		struct allow_dir *dir = &allow->dirs[i];

		dir->fd = open(dir->path[0] ? dir->path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir->fd < 0)
			return say(-1, err, errsize, "--allow path=%s: %s", dir->path,
				   strerror(errno));
		fd = host_files_open_beneath(dir->fd, ".");
		if (fd < 0)
			return say(-1, err, errsize,
				   "--allow path=%s: paths cannot be confined to a directory here, "
				   "which takes openat2 of Linux 5.6: %s",
				   dir->path, strerror(errno));
		close(fd);
	}
	return 0;
}

void allow_release(struct allow *allow)
{
	while (allow->nr_dirs) {
		struct allow_dir *dir = &allow->dirs[--allow->nr_dirs];

		if (dir->fd >= 0)
			close(dir->fd);
		free(dir->path);
	}
}

void allow_describe(const struct allow *allow, char *buf, size_t size)
{
	const struct {
		bool is;
		const char *name;
	} flags[] = {
		{ allow->exec, "exec" },
		{ allow->lib, "lib" },
		{ allow->url, "url" },
		{ allow->plaintext, "plaintext" },
	};
	size_t i, length = 0;

	buf[0] = '\0';
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].is && length < size)
			length += (size_t)snprintf(buf + length, size - length, "%s%s",
						   length ? ", " : "", flags[i].name);
	for (i = 0; i < allow->nr_dirs && length < size; i++)
		length += (size_t)snprintf(buf + length, size - length, "%spath=%s",
					   length ? ", " : "",
					   allow->dirs[i].path[0] ? allow->dirs[i].path : "/");
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static int allow_url(const struct allow *allow, const char *uri, char *reason, size_t size)
{
	if (!allow->url)
		return say(VACCEL_EPERM, reason, size,
			   "this agent downloads no URLs for its peers; its operator permits it "
			   "with --allow url");
	if (!starts_with(uri, "http://") && !starts_with(uri, "https://"))
		return say(VACCEL_EPERM, reason, size,
			   "this agent downloads http and https URLs alone");
	return VACCEL_OK;
}

/* What is left of the path below the directory; NULL when it is not beneath it. */
static const char *below(const struct allow_dir *dir, const char *path)
{
	size_t length = strlen(dir->path);

	if (strncmp(path, dir->path, length) != 0 || (path[length] && path[length] != '/'))
		return NULL;
	path += length;
	while (*path == '/')
		path++;
	return *path ? path : ".";
}

/* What begins with the directory is beneath it only without "..". */
static bool has_parent(const char *path)
{
	const char *at;

	for (at = strstr(path, ".."); at; at = strstr(at + 1, ".."))
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
	return false;
}

/* The directory of which it is beneath most closely. */
static int allow_path(const struct allow *allow, const char *path, const struct allow_dir **dir,
		      const char **beneath, char *reason, size_t size)
{
	const char *rest;
	size_t i;

	*dir = NULL;
	for (i = 0; i < allow->nr_dirs; i++) {
		rest = below(&allow->dirs[i], path);
		if (!rest || (*dir && strlen((*dir)->path) >= strlen(allow->dirs[i].path)))
			continue;
		*dir = &allow->dirs[i];
		*beneath = rest;
	}
	if (!allow->nr_dirs)
		return say(VACCEL_EPERM, reason, size,
			   "this agent opens no paths of its host for its peers; its operator "
			   "permits it with --allow path=DIR, or send the resource's bytes");
	if (!*dir || has_parent(path))
		return say(VACCEL_EPERM, reason, size,
			   "\"%.160s\" is not beneath a directory that this agent's operator "
			   "permits with --allow path=DIR",
			   path);
	return VACCEL_OK;
}

int allow_uri(const struct allow *allow, const char *uri, const struct allow_dir **dir,
	      const char **beneath, char *reason, size_t size)
{
	const char *separator = strstr(uri, "://");

	*dir = NULL;
	if (separator && (starts_with(uri, "http") || starts_with(uri, "ftp")))
		return allow_url(allow, uri, reason, size);
	if (separator && !starts_with(uri, "file"))
		return say(VACCEL_EINVAL, reason, size,
			   "\"%.160s\" is no path, and no URL that is known here", uri);
	return allow_path(allow, separator ? separator + strlen("://") : uri, dir, beneath, reason,
			  size);
}
