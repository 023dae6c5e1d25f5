/*
 * arg_array.c - the life of argument arrays, their growth and their position.
 */
#include "arg_array.h"
#include <stdlib.h>

enum { DEFAULT_CAPACITY = 8 };

/* No allocation is longer than a pointer difference can say. */
#define MAX_CAPACITY ((size_t)PTRDIFF_MAX / sizeof(struct vaccel_arg))

static int init(struct vaccel_arg_array *array, size_t capacity)
{
	struct vaccel_arg *args = NULL;

	if (!array)
		return VACCEL_EINVAL;
	if (!capacity)
		capacity = DEFAULT_CAPACITY;
	if (capacity <= MAX_CAPACITY)
		args = calloc(capacity, sizeof(*args));
	*array = (struct vaccel_arg_array){ .args = args,
					    .capacity = args ? capacity : 0,
					    .owned = args != NULL };
	return args ? VACCEL_OK : VACCEL_ENOMEM;
}

int vaccel_arg_array_init(struct vaccel_arg_array *array, size_t initial_capacity)
{
	const unsigned mark = error_mark();

	return error_settle(mark, init(array, initial_capacity));
}

static void release_args(struct vaccel_arg_array *array)
{
	for (size_t i = 0; i < array->count; i++)
		vaccel_arg_release(&array->args[i]);
}

static int release(struct vaccel_arg_array *array)
{
	if (!array || !array->args)
		return VACCEL_EINVAL;
	if (array->owned) {
		release_args(array);
		free(array->args);
	}
	*array = (struct vaccel_arg_array){ 0 };
	return VACCEL_OK;
}

int vaccel_arg_array_release(struct vaccel_arg_array *array)
{
	const unsigned mark = error_mark();

	return error_settle(mark, release(array));
}

static int create(struct vaccel_arg_array **array, size_t capacity)
{
	struct vaccel_arg_array *created;
	int ret;

	if (!array)
		return VACCEL_EINVAL;
	created = malloc(sizeof(*created));
	if (!created)
		return VACCEL_ENOMEM;
	ret = init(created, capacity);
	if (ret)
		free(created);
	else
		*array = created;
	return ret;
}

int vaccel_arg_array_new(struct vaccel_arg_array **array, size_t initial_capacity)
{
	const unsigned mark = error_mark();

	return error_settle(mark, create(array, initial_capacity));
}

int vaccel_arg_array_delete(struct vaccel_arg_array *array)
{
	const int ret = vaccel_arg_array_release(array);

	if (!ret)
		free(array);
	return ret;
}

int vaccel_arg_array_wrap(struct vaccel_arg_array *array, struct vaccel_arg *args, size_t count)
{
	const unsigned mark = error_mark();

	if (!array || (!args && count))
		return error_settle(mark, VACCEL_EINVAL);
	*array = (struct vaccel_arg_array){ .args = args, .count = count, .capacity = count };
	return VACCEL_OK;
}

void vaccel_arg_array_clear(struct vaccel_arg_array *array)
{
	if (!array || !array->args)
		return;
	release_args(array);
	array->count = 0;
	array->position = 0;
}

static int grow(struct vaccel_arg_array *array, size_t needed)
{
	size_t capacity = array->capacity ? array->capacity : DEFAULT_CAPACITY;
	struct vaccel_arg *args;

	if (!array->owned) {
		luaccel_set_error("the array has room for %zu arguments and cannot grow: it was "
				  "wrapped or released; vaccel_arg_array_init() makes one that can",
				  array->capacity);
		return VACCEL_ERANGE;
	}
	if (needed > MAX_CAPACITY)
		return VACCEL_ENOMEM;
	while (capacity < needed)
		capacity = capacity > MAX_CAPACITY / 2 ? MAX_CAPACITY : capacity * 2;
	args = realloc(array->args, capacity * sizeof(*args));
	if (!args)
		return VACCEL_ENOMEM;
	array->args = args;
	array->capacity = capacity;
	return VACCEL_OK;
}

int arg_array_reserve(struct vaccel_arg_array *array, size_t more)
{
	size_t needed;

	if (__builtin_add_overflow(array->count, more, &needed))
		return VACCEL_ENOMEM;
	return needed <= array->capacity ? VACCEL_OK : grow(array, needed);
}

int vaccel_arg_array_get_remaining(struct vaccel_arg_array *array, struct vaccel_arg **args,
				   size_t *count)
{
	const unsigned mark = error_mark();

	if (!array || !args || !count)
		return error_settle(mark, VACCEL_EINVAL);
	*count = vaccel_arg_array_remaining_count(array);
	*args = *count ? &array->args[array->position] : NULL;
	return VACCEL_OK;
}

size_t vaccel_arg_array_remaining_count(const struct vaccel_arg_array *array)
{
	return array && array->position < array->count ? array->count - array->position : 0;
}

size_t vaccel_arg_array_position(const struct vaccel_arg_array *array)
{
	return array ? array->position : 0;
}

void vaccel_arg_array_set_position(struct vaccel_arg_array *array, size_t position)
{
	if (array)
		array->position = position < array->count ? position : array->count;
}

void vaccel_arg_array_reset_position(struct vaccel_arg_array *array)
{
	vaccel_arg_array_set_position(array, 0);
}

size_t vaccel_arg_array_count(const struct vaccel_arg_array *array)
{
	return array ? array->count : 0;
}

struct vaccel_arg *vaccel_arg_array_raw(struct vaccel_arg_array *array)
{
	return array ? array->args : NULL;
}
