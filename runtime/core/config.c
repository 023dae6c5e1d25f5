/*
 * config.c - struct vaccel_config: from arguments, from the environment, from another one.
 *
 * A config owns its strings. Any thread, one at a time for each config.
 */
#include "environment.h"
#include "last_error.h"
#include "logging.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct vaccel_config defaults = { .log_level = VACCEL_LOG_ERROR };

static int copy_text(char **copy, const char *text)
{
	*copy = text ? strdup(text) : NULL;
	return text && !*copy ? VACCEL_ENOMEM : VACCEL_OK;
}

int vaccel_config_init(struct vaccel_config *config, const char *plugins,
		       vaccel_log_level_t log_level, const char *log_file, bool profiling_enabled,
		       bool version_ignore)
{
	const unsigned mark = error_mark();
	struct vaccel_config filled = {
		.log_level = log_level,
		.profiling_enabled = profiling_enabled,
		.version_ignore = version_ignore,
	};

	if (!config)
		return error_settle(mark, VACCEL_EINVAL);
	if (copy_text(&filled.plugins, plugins) || copy_text(&filled.log_file, log_file)) {
		vaccel_config_release(&filled);
		return error_settle(mark, VACCEL_ENOMEM);
	}
	*config = filled;
	return VACCEL_OK;
}

static int read_flag(const char *name, const char *const *older, bool *flag)
{
	unsigned long number;
	const int ret = environment_number(environment_name(name, older), 0, &number);

	*flag = number != 0;
	return ret;
}

static int read_environment(struct vaccel_config *config)
{
	static const char *const older_level[] = { "VACCEL_DEBUG_LEVEL", "VACCEL_DEBUG", NULL };
	static const char *const older_plugins[] = { "VACCEL_BACKENDS", NULL };
	static const char *const older_ignore[] = { "VACCEL_IGNORE_VERSION", NULL };
	unsigned long level;
	int ret;

	ret = environment_number(environment_name("VACCEL_LOG_LEVEL", older_level),
				 VACCEL_LOG_ERROR, &level);
	if (ret)
		return ret;
	/* A level that no enumerator has logs nothing; one that does not fit becomes one. */
	config->log_level = level <= INT_MAX ? (vaccel_log_level_t)level : VACCEL_LOG_MAX;
	ret = environment_text("VACCEL_LOG_FILE", &config->log_file);
	if (ret)
		return ret;
	ret = environment_text(environment_name("VACCEL_PLUGINS", older_plugins), &config->plugins);
	if (ret)
		return ret;
	ret = read_flag("VACCEL_PROFILING_ENABLED", NULL, &config->profiling_enabled);
	if (ret)
		return ret;
	return read_flag("VACCEL_VERSION_IGNORE", older_ignore, &config->version_ignore);
}

int vaccel_config_init_from_env(struct vaccel_config *config)
{
	const unsigned mark = error_mark();
	struct vaccel_config filled = defaults;
	int ret;

	if (!config)
		return error_settle(mark, VACCEL_EINVAL);
	ret = read_environment(&filled);
	if (ret) {
		vaccel_config_release(&filled);
		return error_settle(mark, ret);
	}
	*config = filled;
	return VACCEL_OK;
}

int vaccel_config_init_from(struct vaccel_config *config, struct vaccel_config *config_src)
{
	const unsigned mark = error_mark();

	if (!config || !config_src)
		return error_settle(mark, VACCEL_EINVAL);
	return vaccel_config_init(config, config_src->plugins, config_src->log_level,
				  config_src->log_file, config_src->profiling_enabled,
				  config_src->version_ignore);
}

int vaccel_config_release(struct vaccel_config *config)
{
	const unsigned mark = error_mark();

	if (!config)
		return error_settle(mark, VACCEL_EINVAL);
	free(config->plugins);
	free(config->log_file);
	*config = defaults;
	return VACCEL_OK;
}

/* Hand `filled` out in new memory, or give it back when there is none. */
static int publish(struct vaccel_config **config, struct vaccel_config *filled)
{
	struct vaccel_config *created = malloc(sizeof(*created));

	if (!created) {
		vaccel_config_release(filled);
		return VACCEL_ENOMEM;
	}
	*created = *filled;
	*config = created;
	return VACCEL_OK;
}

int vaccel_config_new(struct vaccel_config **config, const char *plugins,
		      vaccel_log_level_t log_level, const char *log_file, bool profiling_enabled,
		      bool version_ignore)
{
	const unsigned mark = error_mark();
	struct vaccel_config filled;
	int ret;

	if (!config)
		return error_settle(mark, VACCEL_EINVAL);
	ret = vaccel_config_init(&filled, plugins, log_level, log_file, profiling_enabled,
				 version_ignore);
	if (!ret)
		ret = publish(config, &filled);
	return error_settle(mark, ret);
}

int vaccel_config_from_env(struct vaccel_config **config)
{
	const unsigned mark = error_mark();
	struct vaccel_config filled;
	int ret;

	if (!config)
		return error_settle(mark, VACCEL_EINVAL);
	ret = vaccel_config_init_from_env(&filled);
	if (!ret)
		ret = publish(config, &filled);
	return error_settle(mark, ret);
}

int vaccel_config_from(struct vaccel_config **config, struct vaccel_config *config_src)
{
	const unsigned mark = error_mark();
	struct vaccel_config filled;
	int ret;

	if (!config)
		return error_settle(mark, VACCEL_EINVAL);
	ret = vaccel_config_init_from(&filled, config_src);
	if (!ret)
		ret = publish(config, &filled);
	return error_settle(mark, ret);
}

int vaccel_config_delete(struct vaccel_config *config)
{
	const int ret = vaccel_config_release(config);

	if (!ret)
		free(config);
	return ret;
}

static const char *text_or_null(const char *text)
{
	return text ? text : "(null)";
}

void vaccel_config_print_debug(struct vaccel_config *config)
{
	char level[VACCEL_ENUM_STR_MAX];

	if (!config || !log_enabled(SLOG_DEBUG))
		return;
	vaccel_log_level_name(config->log_level, level, sizeof(level));
	log_debug("Config:");
	log_debug("  plugins = %s", text_or_null(config->plugins));
	log_debug("  log_level = %s", level);
	log_debug("  log_file = %s", text_or_null(config->log_file));
	log_debug("  profiling_enabled = %s", config->profiling_enabled ? "true" : "false");
	log_debug("  version_ignore = %s", config->version_ignore ? "true" : "false");
}
