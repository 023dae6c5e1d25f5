/*
 * log.h - log levels, and the macros that plugins and the library log with.
 */
#ifndef VACCEL_LOG_H
#define VACCEL_LOG_H

#include "utils/enum.h"
#include <slog.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_LOG_LEVEL_ENUM_LIST(ITEM)                                                           \
	ITEM(ERROR, 1, VACCEL_LOG)                                                                 \
	ITEM(WARN, VACCEL_LOG)                                                                     \
	ITEM(INFO, VACCEL_LOG)                                                                     \
	ITEM(DEBUG, VACCEL_LOG)

VACCEL_ENUM_DEF_WITH_STR_FUNCS(vaccel_log_level, VACCEL_LOG, VACCEL_LOG_LEVEL_ENUM_LIST)

#define vaccel_info  slog_info
#define vaccel_warn  slog_warn
#define vaccel_debug slog_debug
#define vaccel_error slog_error
#define vaccel_trace slog_trace
#define vaccel_fatal slog_fatal

/* Apply level and file of the settings in force; bootstrap and cleanup call these. */
int vaccel_log_init(void);
int vaccel_log_shutdown(void);

#ifdef __cplusplus
}
#endif

#endif
