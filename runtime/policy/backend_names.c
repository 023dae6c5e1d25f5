/*
 * backend_names.c - see backend_names.h. Any thread.
 */
#include "backend_names.h"
#include "vaccel/error.h"

#include <stdio.h>
#include <string.h>

void backend_library(const struct policy_backend *declared, char *buf, size_t size)
{
	const char *target = declared->target;
	const size_t length = strlen(target);

	if (strchr(target, '/') || (length > 3 && !strcmp(target + length - 3, ".so")))
		snprintf(buf, size, "%s", target);
	else
		snprintf(buf, size, "libvaccel-%s.so", target);
}

int backend_option_refused(char *err, size_t errsize, const struct policy_backend *declared,
			   const struct policy_option *option, int code, const char *reason)
{
	if (code == VACCEL_ENOTSUP)
		reason = "the plugin takes no options";
	snprintf(err, errsize, "%s: backend %s: option %s = %s refused: %s", declared->where,
		 declared->name, option->key, option->value, *reason ? reason : "unknown option");
	return VACCEL_EINVAL;
}
