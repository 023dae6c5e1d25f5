/*
 * environment.h - settings from the environment, under their current and their older names.
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stdbool.h>

/*
 * The variable that is set: `name`, or else the first of the older names, with a warning on
 * stderr. older may be NULL, and ends with a NULL. Returns the name to read.
 */
const char *environment_name(const char *name, const char *const *older);

/* A decimal number, whatever follows it; fallback when unset. EINVAL when it is out of range. */
int environment_number(const char *name, unsigned long fallback, unsigned long *number);

/* A limit: as environment_number(), but what is out of range or 0 gives the fallback. */
unsigned long environment_limit(const char *name, unsigned long fallback);

/* A copy of the text, NULL when unset. ENOMEM. */
int environment_text(const char *name, char **text);

/* Whether a switch is on: everything but exactly "0" is. */
bool environment_enabled(const char *name);

#endif
