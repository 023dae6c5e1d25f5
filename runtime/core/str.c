/*
 * str.c - help with strings. Any thread.
 */
#include "last_error.h"
#include <stdlib.h>
#include <string.h>

static void copy_lower(char *lower, const char *str, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		const char c = str[i];

		lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	lower[length] = '\0';
}

int vaccel_str_to_lower(const char *str, char *lower, size_t size, char **alloc_lower)
{
	const unsigned mark = error_mark();
	size_t length;

	if (!str || (!alloc_lower && (!lower || !size)))
		return error_settle(mark, VACCEL_EINVAL);
	length = strlen(str);
	if (alloc_lower) {
		lower = malloc(length + 1);
		if (!lower)
			return error_settle(mark, VACCEL_ENOMEM);
		*alloc_lower = lower;
	} else if (length >= size) {
		length = size - 1;
	}
	copy_lower(lower, str, length);
	return VACCEL_OK;
}
