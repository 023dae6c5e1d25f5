/*
 * text.c - the text of scripts and of settings: read from a file, compiled as text.
 */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20, LABEL_MAX = 50 };

struct reading {
	const char *what, *path;
	char *text;
	size_t len;
	char *err;
	size_t errsize;
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct reading *reading,
							const char *format, ...)
{
	int used = snprintf(reading->err, reading->errsize, "cannot read %s %s: ", reading->what,
			    reading->path);
	va_list args;

	va_start(args, format);
	if (used > 0 && (size_t)used < reading->errsize)
		vsnprintf(reading->err + used, reading->errsize - (size_t)used, format, args);
	va_end(args);
	return -1;
}

static int read_all(struct reading *reading, int fd)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return refuse(reading, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return refuse(reading, "it is a directory");
	if (!S_ISREG(st.st_mode))
		return refuse(reading, "it is not a regular file");
	if (st.st_size > TEXT_MAX)
		return refuse(reading, "it is larger than 1 MiB");
	reading->text = malloc((size_t)st.st_size + 1);
	if (!reading->text)
		return refuse(reading, "no memory");
	while (reading->len < (size_t)st.st_size) {
		n = read(fd, reading->text + reading->len, (size_t)st.st_size - reading->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(reading, "%s", strerror(errno));
		if (n == 0)
			break;
		reading->len += (size_t)n;
	}
	if (reading->len > 0 && reading->text[0] == '\x1b')
		return refuse(reading, "it is compiled; only text is taken");
	return 0;
}

int policy_read_text(const char *path, const char *what, char **text, size_t *len, char *err,
		     size_t errsize)
{
	struct reading reading = { .what = what, .path = path, .err = err, .errsize = errsize };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return refuse(&reading, "%s", strerror(errno));
	rc = read_all(&reading, fd);
	close(fd);
	if (rc) {
		free(reading.text);
		return rc;
	}
	*text = reading.text;
	*len = reading.len;
	return 0;
}

void policy_script_file(struct script *script, const char *path)
{
	const char *slash = strrchr(path, '/');

	snprintf(script->file, sizeof(script->file), "%.*s", LABEL_MAX,
		 slash && slash[1] ? slash + 1 : path);
}

void policy_compile(lua_State *L, const struct script *script, const char *text, size_t len)
{
	char chunk[POLICY_NAME_MAX + 1];

	snprintf(chunk, sizeof(chunk), "@%s", script->file);
	if (luaL_loadbufferx(L, text, len, chunk, "t"))
		lua_error(L);
}
