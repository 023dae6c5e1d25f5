/*
 * last_error.h - the reason that luaccel_last_error() gives.
 *
 * A public function notes error_mark() when it starts and returns through error_settle(): when
 * it fails and nobody has set a reason since, an older reason is cleared. A call that succeeds
 * costs one load.
 */
#ifndef LAST_ERROR_H
#define LAST_ERROR_H

#include "core.h"

/* How many reasons the calling thread has seen. */
extern _Thread_local unsigned last_error_count __attribute__((tls_model("initial-exec")));

void last_error_clear(void);

static inline unsigned error_mark(void)
{
	return last_error_count;
}

static inline int error_settle(unsigned mark, int code)
{
	if (unlikely(code) && mark == last_error_count)
		last_error_clear();
	return code;
}

/* Set the reason, log it as an error, return code. */
__attribute__((format(printf, 2, 3))) int fail(int code, const char *format, ...);

#endif
