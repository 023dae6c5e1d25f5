/*
 * slog.h - the logging interface that vAccel programs and plugins are compiled against.
 *
 * Names, numbers and layouts are those of slog 1.8.22, which vaccel/log.h expands to; the
 * implementation is our own and lives in libvaccel.so. All functions may be called from any
 * thread.
 */
#ifndef SLOG_H
#define SLOG_H

#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLOG_VERSION_MAJOR 1
#define SLOG_VERSION_MINOR 8
#define SLOG_BUILD_NUM	   22

/* Terminal sequences. */
#define SLOG_CLR_NORMAL	 "\x1B[0m"
#define SLOG_CLR_RED	 "\x1B[31m"
#define SLOG_CLR_GREEN	 "\x1B[32m"
#define SLOG_CLR_YELLOW	 "\x1B[33m"
#define SLOG_CLR_BLUE	 "\x1B[34m"
#define SLOG_CLR_MAGENTA "\x1B[35m"
#define SLOG_CLR_CYAN	 "\x1B[36m"
#define SLOG_CLR_WHITE	 "\x1B[37m"
#define SLOG_CLR_RESET	 "\033[0m"

/* "[file:line] " as one literal. */
#define SLOG_TRACE_LVL1(line) #line
#define SLOG_TRACE_LVL2(line) SLOG_TRACE_LVL1(line)
#define SLOG_THROW_LOCATION   "[" __FILE__ ":" SLOG_TRACE_LVL2(__LINE__) "] "

/* Sizes in bytes, with the final NUL. */
#define SLOG_MESSAGE_MAX 8196
#define SLOG_VERSION_MAX 128
#define SLOG_PATH_MAX	 2048
#define SLOG_NAME_MAX	 256
#define SLOG_DATE_MAX	 64
#define SLOG_TAG_MAX	 32

#define SLOG_FLAGS_CHECK(c, f) (((c) & (f)) == (f))
#define SLOG_FLAGS_ALL	       255

/* Kinds of lines; a configuration enables an OR of them. */
typedef enum {
	SLOG_NOTAG = 1,
	SLOG_NOTE = 2,
	SLOG_INFO = 4,
	SLOG_WARN = 8,
	SLOG_DEBUG = 16,
	SLOG_TRACE = 32,
	SLOG_ERROR = 64,
	SLOG_FATAL = 128
} SLOG_FLAGS_E;

/* How much of a line is coloured. */
typedef enum { SLOG_COLOR_DISABLE = 0, SLOG_COLOR_TAG = 1, SLOG_COLOR_FULL = 2 } SLOG_COLOR_FMT_E;

typedef struct SLogConfig {
	/* base name of the log file */
	char sFileName[SLOG_NAME_MAX];

	/* directory of the log file */
	char sFilePath[SLOG_PATH_MAX];

	/* how lines are coloured on a terminal */
	SLOG_COLOR_FMT_E eColorFormat;

	/* add the thread's id to each line */
	uint8_t nTraceTid : 1;

	/* write to stdout */
	uint8_t nToScreen : 1;

	/* write to the log file */
	uint8_t nToFile : 1;

	/* flush stdout after each line */
	uint8_t nFlush : 1;

	/* enabled SLOG_FLAGS_E */
	uint16_t nFlags;
} SLogConfig;

#define slog(...)	slog_print(SLOG_NOTAG, 1, __VA_ARGS__)
#define slogwn(...)	slog_print(SLOG_NOTAG, 0, __VA_ARGS__)
#define slog_note(...)	slog_print(SLOG_NOTE, 1, __VA_ARGS__)
#define slog_info(...)	slog_print(SLOG_INFO, 1, __VA_ARGS__)
#define slog_warn(...)	slog_print(SLOG_WARN, 1, __VA_ARGS__)
#define slog_debug(...) slog_print(SLOG_DEBUG, 1, __VA_ARGS__)
#define slog_error(...) slog_print(SLOG_ERROR, 1, __VA_ARGS__)
#define slog_trace(...) slog_print(SLOG_TRACE, 1, SLOG_THROW_LOCATION __VA_ARGS__)
#define slog_fatal(...) slog_print(SLOG_FATAL, 1, SLOG_THROW_LOCATION __VA_ARGS__)

/* "1.8.22", or with words when min is 0. */
const char *slog_version(uint8_t min);

/* Copy the configuration out, or replace it. */
void slog_config_get(SLogConfig *cfg);
void slog_config_set(SLogConfig *cfg);

/* Enable or disable one kind of line. */
void slog_enable(SLOG_FLAGS_E flag);
void slog_disable(SLOG_FLAGS_E flag);

/* Start with a file name and enabled kinds; thread_safe is ignored, it always is. */
void slog_init(const char *name, uint16_t flags, uint8_t thread_safe);

/* Write one line if its kind is enabled. */
void slog_print(SLOG_FLAGS_E flag, uint8_t newline, const char *fmt, ...);

/* End of logging: nothing is enabled afterwards. */
void slog_destroy(void);

#ifdef __cplusplus
}
#endif

#endif
