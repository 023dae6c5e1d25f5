/*
 * log.c - see log.h. A line is built in a buffer on the stack and leaves in one write(), so lines
 * of different threads never mix and nothing is lost when the process is killed.
 */
#include "log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

static enum log_level max_level = LOG_LEVEL_INFO;
static bool colour, journal;

static const struct {
	const char *name, *colour;
	int priority; /* syslog's */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "ERROR", "\033[31m", 3 },
	[LOG_LEVEL_WARN] = { "WARN ", "\033[33m", 4 },
	[LOG_LEVEL_INFO] = { "INFO ", "\033[32m", 6 },
	[LOG_LEVEL_DEBUG] = { "DEBUG", "\033[34m", 7 },
};

/* systemd names the device and inode of the journal's stream; another stderr is not it. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == device && st.st_ino == inode;
}

void log_open(enum log_level level)
{
	max_level = level;
	colour = isatty(STDERR_FILENO);
	journal = stderr_is_journal();
}

bool log_enabled(enum log_level level)
{
	return level <= max_level;
}

static size_t prefix(char *line, size_t size, enum log_level level)
{
	struct timespec now;
	struct tm tm;
	char stamp[32];
	int n;

	if (journal)
		return (size_t)snprintf(line, size, "<%d>", levels[level].priority);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	n = snprintf(line, size, "[%s.%03ldZ %s%s%s] ", stamp, now.tv_nsec / 1000000,
		     colour ? levels[level].colour : "", levels[level].name,
		     colour ? "\033[0m" : "");
	return (size_t)n;
}

/* Append text with every control character escaped; returns the new length. */
static size_t append_escaped(char *line, size_t length, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";

	for (; *text && length + 5 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != 0x7f) {
			line[length++] = *text;
			continue;
		}
		line[length++] = '\\';
		line[length++] = 'x';
		line[length++] = hex[c >> 4];
		line[length++] = hex[c & 15];
	}
	return length;
}

void log_line(enum log_level level, const char *format, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 64];
	size_t length, done = 0;
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	length = append_escaped(line, prefix(line, sizeof(line), level), sizeof(line) - 1, text);
	line[length++] = '\n';
	while (done < length) {
		ssize_t n = write(STDERR_FILENO, line + done, length - done);

		if (n <= 0)
			return; /* nobody reads our log: nothing better to do */
		done += (size_t)n;
	}
}
