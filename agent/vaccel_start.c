/*
 * vaccel_start.c - see vaccel_start.h.
 */
#include "vaccel_start.h"
#include "luaccel.h"
#include "options.h"
#include "vaccel.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vaccel_settings {
	const char *plugins, *log_file;
	unsigned log_level;
	bool profiling_enabled, version_ignore;
};

struct error {
	char *text;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int wrong(const struct error *err, const char *format,
						       ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, err->size, format, args);
	va_end(args);
	return EXIT_USAGE;
}

static int set_bool(bool *setting, const char *key, const char *value, const struct error *err)
{
	*setting = !strcmp(value, "true");
	return *setting || !strcmp(value, "false")
		       ? -1
		       : wrong(err, "--vaccel-config %s takes true or false, not \"%s\"", key,
			       value);
}

static int set_level(unsigned *level, const char *value, const struct error *err)
{
	char *end;
	unsigned long number = strtoul(value, &end, 10);

	*level = (unsigned)number;
	return end > value && !*end && number <= 255
		       ? -1
		       : wrong(err, "--vaccel-config log_level takes a number, not \"%s\"", value);
}

static int set(struct vaccel_settings *settings, char *item, const struct error *err)
{
	char *value = strchr(item, '=');

	if (!value)
		return wrong(err, "--vaccel-config takes KEY=VALUE, not \"%s\"", item);
	*value++ = '\0';
	if (!strcmp(item, "plugins"))
		settings->plugins = value;
	else if (!strcmp(item, "log_file"))
		settings->log_file = value;
	else if (!strcmp(item, "log_level"))
		return set_level(&settings->log_level, value, err);
	else if (!strcmp(item, "profiling_enabled"))
		return set_bool(&settings->profiling_enabled, item, value, err);
	else if (!strcmp(item, "version_ignore"))
		return set_bool(&settings->version_ignore, item, value, err);
	else
		return wrong(err, "--vaccel-config knows no key \"%s\"", item);
	return -1;
}

/* Apply "plugins=...,log_level=4" as the original's agent does: -1, or an exit status. */
static int configure(const char *text, const struct error *err)
{
	char *copy = strdup(text), *rest = copy, *item;
	struct vaccel_settings settings = { 0 };
	struct vaccel_config config;
	int ret = copy ? -1 : EXIT_FAILED;

	while (ret < 0 && (item = strsep(&rest, ",")))
		ret = set(&settings, item, err);
	if (ret < 0 && vaccel_config_init(&config, settings.plugins,
					  (vaccel_log_level_t)settings.log_level, settings.log_file,
					  settings.profiling_enabled, settings.version_ignore))
		ret = EXIT_FAILED;
	if (ret < 0) {
		vaccel_bootstrap_with_config(&config);
		vaccel_config_release(&config);
	}
	free(copy);
	return ret;
}

/* As guides for --vaccel-config have it; what would be bootstrapped twice is then bootstrapped
 * once. */
static bool constructor_is_off(void)
{
	const char *enabled = getenv("VACCEL_BOOTSTRAP_ENABLED");

	return enabled && !strcmp(enabled, "0");
}

int vaccel_start(const char *config, char *err, size_t errsize)
{
	char reason[256] = "";
	int status;

	if (config) {
		status = configure(config, &(struct error){ err, errsize });
		if (status >= 0)
			return status;
	} else if (constructor_is_off()) {
		vaccel_bootstrap();
	}
	if (vaccel_is_initialized())
		return -1;
	luaccel_last_error(reason, sizeof(reason));
	snprintf(err, errsize, "libvaccel did not start%s%s", reason[0] ? ": " : "", reason);
	return EXIT_FAILED;
}
