/*
 * settings.c - see settings.h. Any thread, as far as getenv() may be called from any.
 */
#include "settings.h"
#include "log.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DLOPEN_MODE	"VACCEL_EXEC_DLOPEN_MODE"
#define DLCLOSE_ENABLED "VACCEL_EXEC_DLCLOSE_ENABLED"
#define DLCLOSE_OLD	"VACCEL_EXEC_DLCLOSE"

static void invalid(const char *value, const char *name, const char *otherwise)
{
	exec_warn("Invalid value '%s' for %s. Using default: %s", value, name, otherwise);
}

int setting_dlopen_mode(void)
{
	const char *mode = getenv(DLOPEN_MODE);

	if (mode && strcasecmp(mode, "lazy") == 0)
		return RTLD_LAZY;
	if (mode && strcasecmp(mode, "now") != 0)
		invalid(mode, DLOPEN_MODE, "now");
	return RTLD_NOW;
}

static const char *dlclose_setting(void)
{
	const char *value = getenv(DLCLOSE_ENABLED);

	if (value)
		return value;
	value = getenv(DLCLOSE_OLD);
	if (value)
		exec_warn("%s is deprecated. Use %s instead.", DLCLOSE_OLD, DLCLOSE_ENABLED);
	return value;
}

bool setting_dlclose_enabled(bool otherwise)
{
	const char *value = dlclose_setting();

	if (!value)
		return otherwise;
	if (strcmp(value, "0") == 0 || strcasecmp(value, "false") == 0)
		return false;
	if (strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0)
		return true;
	invalid(value, DLCLOSE_ENABLED, otherwise ? "true" : "false");
	return otherwise;
}
