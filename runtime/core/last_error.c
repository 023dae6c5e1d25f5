/*
 * last_error.c - one sentence for each thread: why its last failing call failed.
 *
 * The text lives in the thread and goes with it. Any thread.
 */
#include "last_error.h"
#include "logging.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { REASON_MAX = 1024 };

_Thread_local unsigned last_error_count;
static _Thread_local char reason[REASON_MAX];

void last_error_clear(void)
{
	reason[0] = '\0';
}

/*
 * Formatted beside the old reason, which may be among the arguments. Names in it may be anybody's,
 * and it goes to logs: one line, and nothing that a terminal obeys.
 */
static void set_reason(const char *format, va_list args)
{
	char text[REASON_MAX];

	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	memcpy(reason, text, strlen(text) + 1);
	last_error_count++;
}

void luaccel_set_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_reason(format, args);
	va_end(args);
}

size_t luaccel_last_error(char *buf, size_t size)
{
	const size_t length = strlen(reason);

	if (buf && size) {
		const size_t copied = length < size ? length : size - 1;

		memcpy(buf, reason, copied);
		buf[copied] = '\0';
	}
	return length;
}

int fail(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_reason(format, args);
	va_end(args);
	log_error("%s", reason);
	return code;
}
