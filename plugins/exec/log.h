/*
 * log.h - how the exec plugin logs, and refuses.
 */
#ifndef EXEC_LOG_H
#define EXEC_LOG_H

#include <luaccel.h>
#include <vaccel.h>

#define exec_debug(...) vaccel_debug("[exec] " __VA_ARGS__)
#define exec_warn(...)	vaccel_warn("[exec] " __VA_ARGS__)
#define exec_error(...) vaccel_error("[exec] " __VA_ARGS__)

/*
 * Fail with a code: the log and the caller are told why. Control characters become spaces, as names
 * are a stranger's and the log is a line. Returns the code.
 */
__attribute__((format(printf, 2, 3))) int exec_fail(int code, const char *format, ...);

#endif
