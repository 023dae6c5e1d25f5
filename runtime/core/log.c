/*
 * log.c - the settings' level and file, told to the logger. Called by bootstrap and cleanup.
 */
#include "logging.h"
#include <stdio.h>
#include <string.h>

/* Each level shows what the one before shows; a number that is no level shows nothing. */
static uint16_t level_flags(vaccel_log_level_t level)
{
	switch (level) {
	case VACCEL_LOG_ERROR:
		return SLOG_ERROR;
	case VACCEL_LOG_WARN:
		return SLOG_ERROR | SLOG_WARN;
	case VACCEL_LOG_INFO:
		return SLOG_ERROR | SLOG_WARN | SLOG_INFO;
	case VACCEL_LOG_DEBUG:
		return SLOG_ERROR | SLOG_WARN | SLOG_INFO | SLOG_DEBUG;
	default:
		return 0;
	}
}

int vaccel_log_init(void)
{
	const struct vaccel_config *settings = vaccel_config();
	const char *file = settings->log_file;
	SLogConfig config;

	slog_init("/dev/stdout", 0, 1);
	slog_config_get(&config);
	if (file) {
		snprintf(config.sFileName, sizeof(config.sFileName), "%s", file);
		if (strcmp(file, "/dev/stdout") != 0 && strcmp(file, "/dev/stderr") != 0) {
			config.nToFile = 1;
			config.nToScreen = 0;
		}
	}
	config.nFlags = level_flags(settings->log_level);
	slog_config_set(&config);
	return VACCEL_OK;
}

int vaccel_log_shutdown(void)
{
	slog_destroy();
	return VACCEL_OK;
}
