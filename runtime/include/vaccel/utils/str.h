/*
 * str.h - help with strings.
 */
#ifndef VACCEL_UTILS_STR_H
#define VACCEL_UTILS_STR_H

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Lower-case an ASCII string into lower, cut at size - 1 characters, or into new memory of the
 * caller's if alloc_lower is given.
 */
int vaccel_str_to_lower(const char *str, char *lower, size_t size, char **alloc_lower);

#ifdef __cplusplus
}
#endif

#endif
