/*
 * arg_array_set.c - writing into the memory of the argument at an array's position. An argument
 * keeps its size; what is longer is refused. The position goes on when that worked.
 */
#include "arg_array.h"
#include <stdlib.h>
#include <string.h>

/* Store bytes in the argument and go on. */
static int store(struct vaccel_arg_array *array, struct vaccel_arg *arg, const void *buf,
		 size_t size)
{
	if (size && (!buf || !arg->buf || size > arg->size)) {
		luaccel_set_error("argument %zu of %zu has room for %zu bytes, not for %zu",
				  array->position, array->count, arg->buf ? arg->size : 0, size);
		return VACCEL_EINVAL;
	}
	if (size)
		memcpy(arg->buf, buf, size);
	arg_array_advance(array);
	return VACCEL_OK;
}

static int set_bytes(struct vaccel_arg_array *array, vaccel_arg_type_t type, const void *buf,
		     size_t size)
{
	struct vaccel_arg *arg;
	int ret = VACCEL_EINVAL;

	if (buf)
		ret = arg_array_at_position(array, type, &arg);
	if (!ret)
		ret = store(array, arg, buf, size);
	return ret;
}

/* No bytes can be set where there are none. */
static int set_raw(struct vaccel_arg_array *array, const void *buf, size_t size)
{
	struct vaccel_arg *arg;
	const int ret = arg_array_at_position(array, VACCEL_ARG_RAW, &arg);

	if (ret)
		return ret;
	if ((!buf || !size) && arg->buf && arg->size)
		return VACCEL_EINVAL;
	return store(array, arg, buf, buf ? size : 0);
}

int vaccel_arg_array_set_raw(struct vaccel_arg_array *array, void *buf, size_t size)
{
	const unsigned mark = error_mark();

	return error_settle(mark, set_raw(array, buf, size));
}

static int set_string(struct vaccel_arg_array *array, const char *str)
{
	struct vaccel_arg *arg;
	int ret = VACCEL_EINVAL;
	size_t size;

	if (str)
		ret = arg_array_at_position(array, VACCEL_ARG_STRING, &arg);
	if (ret)
		return ret;
	size = strlen(str) + 1;
	ret = store(array, arg, str, size);
	if (!ret)
		memset((char *)arg->buf + size, 0, arg->size - size);
	return ret;
}

int vaccel_arg_array_set_string(struct vaccel_arg_array *array, char *str)
{
	const unsigned mark = error_mark();

	return error_settle(mark, set_string(array, str));
}

int vaccel_arg_array_set_buffer(struct vaccel_arg_array *array, void *buf, size_t size)
{
	const unsigned mark = error_mark();

	return error_settle(mark,
			    size ? set_bytes(array, VACCEL_ARG_BUFFER, buf, size) : VACCEL_EINVAL);
}

/* Like store(), for bytes that have to fill the argument. */
static int store_whole(struct vaccel_arg_array *array, struct vaccel_arg *arg, const void *buf,
		       size_t size)
{
	if (size != arg->size) {
		luaccel_set_error("argument %zu of %zu has %zu bytes, its new value %zu",
				  array->position, array->count, arg->size, size);
		return VACCEL_EINVAL;
	}
	return store(array, arg, buf, size);
}

static int set_custom(struct vaccel_arg_array *array, uint32_t custom_id, const void *buf,
		      size_t size, vaccel_arg_type_validator_fn validator)
{
	struct vaccel_arg *arg;
	int ret = VACCEL_EINVAL;

	if (validator)
		ret = arg_array_converted(array, VACCEL_ARG_CUSTOM, &custom_id, &arg);
	if (!ret && !validator(buf, size, custom_id))
		ret = VACCEL_EINVAL;
	if (!ret)
		ret = store_whole(array, arg, buf, size);
	return ret;
}

int vaccel_arg_array_set_custom(struct vaccel_arg_array *array, uint32_t expected_id, void *buf,
				size_t size, vaccel_arg_type_validator_fn validator)
{
	const unsigned mark = error_mark();

	return error_settle(mark, set_custom(array, expected_id, buf, size, validator));
}

static int set_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
			  uint32_t custom_id, const void *data, size_t data_size,
			  vaccel_arg_serializer_fn serializer)
{
	struct vaccel_arg *arg;
	void *buf = NULL;
	size_t size = 0;
	int ret = VACCEL_EINVAL;

	if (data && serializer)
		ret = arg_array_converted(array, type, &custom_id, &arg);
	if (!ret)
		ret = serializer(data, data_size, custom_id, &buf, &size);
	if (ret)
		return ret;
	ret = store_whole(array, arg, buf, size);
	free(buf);
	return ret;
}

int vaccel_arg_array_set_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t expected_type,
				    uint32_t expected_custom_id, void *data, size_t data_size,
				    vaccel_arg_serializer_fn serializer)
{
	const unsigned mark = error_mark();

	return error_settle(mark, set_serialized(array, expected_type, expected_custom_id, data,
						 data_size, serializer));
}

static int set_numbers(struct vaccel_arg_array *array, vaccel_arg_type_t type, const void *values,
		       size_t count)
{
	const unsigned mark = error_mark();
	int ret = VACCEL_EINVAL;
	size_t size;

	if (!__builtin_mul_overflow(count, arg_element_size(type), &size))
		ret = set_bytes(array, type, values, size);
	return error_settle(mark, ret);
}

#define DEFINE_SET_FUNCS(name, ctype, one, many)                                                   \
	int vaccel_arg_array_set_##name(struct vaccel_arg_array *array, ctype *value)              \
	{                                                                                          \
		return set_numbers(array, one, value, 1);                                          \
	}                                                                                          \
                                                                                                   \
	int vaccel_arg_array_set_##name##_array(struct vaccel_arg_array *array, ctype *values,     \
						size_t count)                                      \
	{                                                                                          \
		return set_numbers(array, many, values, count);                                    \
	}

VACCEL_ARG_NUMERIC_TYPES(DEFINE_SET_FUNCS)
