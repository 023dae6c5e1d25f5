/*
 * arg_array.h - what the files of argument arrays share.
 *
 * An array is the caller's struct: its arguments are `args[0]` to `args[count - 1]`, get and set
 * functions work at `position`. The array owns the memory of `args` unless it was wrapped, and each
 * argument owns its bytes when its `owned` says so. Any thread, one at a time for each array.
 */
#ifndef ARG_ARRAY_H
#define ARG_ARRAY_H

#include "last_error.h"

/* How many bytes one number of a type has, alone or in an array; 0 for what is no number. */
size_t arg_element_size(vaccel_arg_type_t type);

/* Whether so many bytes can be a value of a type; what they are does not matter. */
bool arg_sized(vaccel_arg_type_t type, const void *buf, size_t size);

/* Whether the bytes are a value of a type: strings end, booleans are 0 or 1. */
bool arg_valid(vaccel_arg_type_t type, const void *buf, size_t size);

/* Make room for `more` arguments. VACCEL_ERANGE: the array cannot grow; VACCEL_ENOMEM. */
int arg_array_reserve(struct vaccel_arg_array *array, size_t more);

/*
 * The argument at the position, which has to be of this type and have bytes for it. The position
 * stays: who has used the argument calls arg_array_advance().
 */
int arg_array_at_position(const struct vaccel_arg_array *array, vaccel_arg_type_t type,
			  struct vaccel_arg **arg);

/*
 * The same for what a program's own functions check and convert. VACCEL_ARG_CUSTOM has to have this
 * id; with another type *custom_id becomes 0.
 */
int arg_array_converted(const struct vaccel_arg_array *array, vaccel_arg_type_t type,
			uint32_t *custom_id, struct vaccel_arg **arg);

static inline void arg_array_advance(struct vaccel_arg_array *array)
{
	array->position++;
}

#endif
