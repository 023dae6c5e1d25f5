/*
 * logging.h - how the library itself logs: a line that is not wanted costs one load and a branch.
 */
#ifndef LOGGING_H
#define LOGGING_H

#include "core.h"
#include <stdatomic.h>

/* Enabled SLOG_FLAGS_E; slog.c sets it. */
extern atomic_uint log_enabled_flags;

static inline bool log_enabled(SLOG_FLAGS_E flag)
{
	return atomic_load_explicit(&log_enabled_flags, memory_order_relaxed) & flag;
}

#define log_at(flag, ...)                                                                          \
	do {                                                                                       \
		if (unlikely(log_enabled(flag)))                                                   \
			log_write((flag), __VA_ARGS__);                                            \
	} while (0)

#define log_error(...) log_at(SLOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(SLOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(SLOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(SLOG_DEBUG, __VA_ARGS__)

/* slog_print() with the compiler's eye on the format. */
__attribute__((format(printf, 2, 3))) void log_write(SLOG_FLAGS_E flag, const char *format, ...);

/* Around fork(): no line is half written in the child. */
void log_lock(void);
void log_unlock(void);

#endif
