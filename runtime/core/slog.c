/*
 * slog.c - the logger behind slog.h: dated lines with a coloured tag, to stdout or to a file.
 *
 * One line is one write under one lock, so lines of several threads do not mix. Which kinds are
 * enabled is also kept in an atomic, so that a line that is not wanted is dropped without the
 * lock. Any thread.
 */
#include "logging.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_SIZE = SLOG_MESSAGE_MAX + SLOG_DATE_MAX + 2 * SLOG_TAG_MAX + 64 };

atomic_uint log_enabled_flags;

static struct {
	pthread_mutex_t lock;
	SLogConfig config;
	bool colour;	      /* stdout is a terminal */
	bool file_complained; /* said once that the file cannot be written */
} logger = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct tag {
	SLOG_FLAGS_E flag;
	const char *text;
	const char *colour;
};

static const struct tag tags[] = {
	{ SLOG_NOTE, "<note>", SLOG_CLR_NORMAL },    { SLOG_INFO, "<info>", SLOG_CLR_GREEN },
	{ SLOG_WARN, "<warn>", SLOG_CLR_YELLOW },    { SLOG_DEBUG, "<debug>", SLOG_CLR_BLUE },
	{ SLOG_ERROR, "<error>", SLOG_CLR_RED },     { SLOG_TRACE, "<trace>", SLOG_CLR_CYAN },
	{ SLOG_FATAL, "<fatal>", SLOG_CLR_MAGENTA },
};

void log_lock(void)
{
	pthread_mutex_lock(&logger.lock);
}

void log_unlock(void)
{
	pthread_mutex_unlock(&logger.lock);
}

static void publish_flags(void)
{
	atomic_store_explicit(&log_enabled_flags, logger.config.nFlags, memory_order_relaxed);
}

const char *slog_version(uint8_t min)
{
	return min ? "1.8.22" : "slog 1.8.22 interface of luaccel";
}

void slog_config_get(SLogConfig *cfg)
{
	if (!cfg)
		return;
	log_lock();
	*cfg = logger.config;
	log_unlock();
}

void slog_config_set(SLogConfig *cfg)
{
	if (!cfg)
		return;
	log_lock();
	logger.config = *cfg;
	logger.config.sFileName[SLOG_NAME_MAX - 1] = '\0';
	logger.config.sFilePath[SLOG_PATH_MAX - 1] = '\0';
	logger.colour = isatty(STDOUT_FILENO);
	logger.file_complained = false;
	publish_flags();
	log_unlock();
}

void slog_enable(SLOG_FLAGS_E flag)
{
	log_lock();
	logger.config.nFlags = (uint16_t)(logger.config.nFlags | flag);
	publish_flags();
	log_unlock();
}

void slog_disable(SLOG_FLAGS_E flag)
{
	log_lock();
	logger.config.nFlags = (uint16_t)(logger.config.nFlags & ~(unsigned)flag);
	publish_flags();
	log_unlock();
}

void slog_init(const char *name, uint16_t flags, uint8_t thread_safe)
{
	SLogConfig config = {
		.sFilePath = "./",
		.eColorFormat = SLOG_COLOR_TAG,
		.nToScreen = 1,
		.nFlags = flags,
	};

	(void)thread_safe;
	snprintf(config.sFileName, sizeof(config.sFileName), "%s", name ? name : "");
	slog_config_set(&config);
}

void slog_destroy(void)
{
	slog_init(NULL, 0, 1);
}

static const struct tag *find_tag(SLOG_FLAGS_E flag)
{
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (tags[i].flag == flag)
			return &tags[i];
	}
	return NULL;
}

/* "date - <tag> message"; what does not fit is cut. Returns the length. */
static size_t format_line(char *line, size_t size, SLOG_FLAGS_E flag, const char *date,
			  const char *message, SLOG_COLOR_FMT_E colour)
{
	const struct tag *tag = find_tag(flag);
	const bool whole = tag && colour == SLOG_COLOR_FULL;
	const bool part = tag && colour == SLOG_COLOR_TAG;
	char tid[32] = "";
	int length;

	if (logger.config.nTraceTid)
		snprintf(tid, sizeof(tid), "(%ld) ", syscall(SYS_gettid));
	length = snprintf(line, size, "%s%s%s - %s%s%s%s%s%s", whole ? tag->colour : "", tid, date,
			  part ? tag->colour : "", tag ? tag->text : "", part ? SLOG_CLR_RESET : "",
			  tag ? " " : "", message, whole ? SLOG_CLR_RESET : "");
	if (length < 0)
		return 0;
	return (size_t)length < size ? (size_t)length : size - 1;
}

/* An absolute name is the file's own place; the day is part of the name. */
static void write_file(const char *line, const struct tm *now)
{
	const SLogConfig *config = &logger.config;
	char path[SLOG_PATH_MAX + SLOG_NAME_MAX + 32];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s-%04d-%02d-%02d.log",
		 config->sFileName[0] == '/' ? "" : config->sFilePath, config->sFileName,
		 now->tm_year + 1900, now->tm_mon + 1, now->tm_mday);
	file = fopen(path, "ae");
	if (file) {
		fputs(line, file);
		fclose(file);
	} else if (!logger.file_complained) {
		logger.file_complained = true;
		fprintf(stderr, "vaccel: cannot write the log file %s: %m; its lines are lost\n",
			path);
	}
}

static void print(SLOG_FLAGS_E flag, bool newline, const char *format, va_list args)
{
	char message[SLOG_MESSAGE_MAX];
	char line[LINE_MAX_SIZE];
	char date[SLOG_DATE_MAX];
	struct timespec clock;
	struct tm now;
	size_t length;

	if (vsnprintf(message, sizeof(message), format, args) < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &clock);
	localtime_r(&clock.tv_sec, &now);
	snprintf(date, sizeof(date), "%04d.%02d.%02d-%02d:%02d:%02d.%02ld", now.tm_year + 1900,
		 now.tm_mon + 1, now.tm_mday, now.tm_hour, now.tm_min, now.tm_sec,
		 clock.tv_nsec / 10000000);

	log_lock();
	length = format_line(line, sizeof(line) - 1, flag, date, message,
			     logger.colour ? logger.config.eColorFormat : SLOG_COLOR_DISABLE);
	if (newline)
		line[length++] = '\n';
	line[length] = '\0';
	if (logger.config.nToScreen) {
		fwrite(line, 1, length, stdout);
		if (logger.config.nFlush)
			fflush(stdout);
	}
	if (logger.config.nToFile)
		write_file(line, &now);
	log_unlock();
}

void slog_print(SLOG_FLAGS_E flag, uint8_t newline, const char *fmt, ...)
{
	va_list args;

	if (likely(!log_enabled(flag)) || !fmt)
		return;
	va_start(args, fmt);
	print(flag, newline, fmt, args);
	va_end(args);
}

void log_write(SLOG_FLAGS_E flag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(flag, true, format, args);
	va_end(args);
}
