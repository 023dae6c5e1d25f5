/*
 * config.h - the settings that the library starts with.
 *
 * A config owns its strings. Every function returns VACCEL_EINVAL for a NULL config.
 */
#ifndef VACCEL_CONFIG_H
#define VACCEL_CONFIG_H

#include "log.h"
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vaccel_config {
	/* plugins to load: names or paths with ':' between them, or NULL */
	char *plugins;

	/* what is logged */
	vaccel_log_level_t log_level;

	/* base name of the log file; NULL logs to stdout */
	char *log_file;

	/* measure regions */
	bool profiling_enabled;

	/* load plugins whatever vAccel version they were built for */
	bool version_ignore;
};

/* Fill a config; strings are copied. */
int vaccel_config_init(struct vaccel_config *config, const char *plugins,
		       vaccel_log_level_t log_level, const char *log_file, bool profiling_enabled,
		       bool version_ignore);

/* Fill a config from VACCEL_PLUGINS, VACCEL_LOG_LEVEL and the other variables. */
int vaccel_config_init_from_env(struct vaccel_config *config);

/* Fill a config with a copy of another. */
int vaccel_config_init_from(struct vaccel_config *config, struct vaccel_config *config_src);

/* Free the strings and set every field to its default. */
int vaccel_config_release(struct vaccel_config *config);

/* The same three on a new config, to be given back by vaccel_config_delete(). */
int vaccel_config_new(struct vaccel_config **config, const char *plugins,
		      vaccel_log_level_t log_level, const char *log_file, bool profiling_enabled,
		      bool version_ignore);
int vaccel_config_from_env(struct vaccel_config **config);
int vaccel_config_from(struct vaccel_config **config, struct vaccel_config *config_src);

/* Release and free a config. */
int vaccel_config_delete(struct vaccel_config *config);

/* Log each field at debug level. */
void vaccel_config_print_debug(struct vaccel_config *config);

#ifdef __cplusplus
}
#endif

#endif
