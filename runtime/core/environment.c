/*
 * environment.c - reading environment variables. Any thread that may call getenv().
 */
#include "environment.h"
#include "last_error.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *environment_name(const char *name, const char *const *older)
{
	if (getenv(name) || !older)
		return name;
	for (; *older; older++) {
		if (getenv(*older)) {
			fprintf(stderr, "Warning: %s is deprecated. Use %s instead.\n", *older,
				name);
			return *older;
		}
	}
	return name;
}

int environment_number(const char *name, unsigned long fallback, unsigned long *number)
{
	const char *text = getenv(name);

	*number = fallback;
	if (!text)
		return VACCEL_OK;
	errno = 0;
	*number = strtoul(text, NULL, 10);
	if (errno)
		return fail(VACCEL_EINVAL, "%s=%s is out of range; give a small number", name,
			    text);
	return VACCEL_OK;
}

unsigned long environment_limit(const char *name, unsigned long fallback)
{
	unsigned long limit;

	if (environment_number(name, fallback, &limit) || !limit)
		return fallback;
	return limit;
}

int environment_text(const char *name, char **text)
{
	const char *value = getenv(name);

	*text = NULL;
	if (!value)
		return VACCEL_OK;
	*text = strdup(value);
	return *text ? VACCEL_OK : VACCEL_ENOMEM;
}

bool environment_enabled(const char *name)
{
	const char *value = getenv(name);

	return !value || strcmp(value, "0") != 0;
}
