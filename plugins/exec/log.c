/*
 * log.c - one sentence for the log and for the caller. Any thread.
 */
#include "log.h"
#include <stdarg.h>
#include <string.h>

enum { REASON_MAX = 1024 };

int exec_fail(int code, const char *format, ...)
{
	char reason[REASON_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	luaccel_set_error("exec: %s", reason);
	luaccel_last_error(reason, sizeof(reason)); /* as one line, whoever's names are in it */
	exec_error("%s", reason + strlen("exec: "));
	return code;
}
