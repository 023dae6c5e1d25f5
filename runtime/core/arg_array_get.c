/*
 * arg_array_get.c - reading the argument at an array's position. Numbers are copied out; arrays,
 * strings and buffers are the argument's own memory. The position goes on when that worked.
 */
#include "arg_array.h"
#include <string.h>

/* Where the bytes of an argument of this type are. */
static int get_bytes(struct vaccel_arg_array *array, vaccel_arg_type_t type, void **buf,
		     size_t *size)
{
	struct vaccel_arg *arg;
	int ret = VACCEL_EINVAL;

	if (buf && size)
		ret = arg_array_at_position(array, type, &arg);
	if (ret)
		return ret;
	*buf = arg->buf;
	*size = arg->size;
	arg_array_advance(array);
	return VACCEL_OK;
}

int vaccel_arg_array_get_raw(struct vaccel_arg_array *array, void **buf, size_t *size)
{
	const unsigned mark = error_mark();

	return error_settle(mark, get_bytes(array, VACCEL_ARG_RAW, buf, size));
}

int vaccel_arg_array_get_buffer(struct vaccel_arg_array *array, void **buf, size_t *size)
{
	const unsigned mark = error_mark();

	return error_settle(mark, get_bytes(array, VACCEL_ARG_BUFFER, buf, size));
}

static int get_string(struct vaccel_arg_array *array, char **str)
{
	struct vaccel_arg *arg;
	int ret = VACCEL_EINVAL;

	if (str)
		ret = arg_array_at_position(array, VACCEL_ARG_STRING, &arg);
	if (ret)
		return ret;
	if (!arg_valid(arg->type, arg->buf, arg->size)) {
		luaccel_set_error("argument %zu of %zu is a string without an end", array->position,
				  array->count);
		return VACCEL_EINVAL;
	}
	*str = arg->buf;
	arg_array_advance(array);
	return VACCEL_OK;
}

int vaccel_arg_array_get_string(struct vaccel_arg_array *array, char **str)
{
	const unsigned mark = error_mark();

	return error_settle(mark, get_string(array, str));
}

static int get_custom(struct vaccel_arg_array *array, uint32_t custom_id, void **buf, size_t *size,
		      vaccel_arg_type_validator_fn validator)
{
	struct vaccel_arg *arg;
	int ret = VACCEL_EINVAL;

	if (buf && validator)
		ret = arg_array_converted(array, VACCEL_ARG_CUSTOM, &custom_id, &arg);
	if (ret)
		return ret;
	if (!validator(arg->buf, arg->size, custom_id))
		return VACCEL_EINVAL;
	*buf = arg->buf;
	if (size)
		*size = arg->size;
	arg_array_advance(array);
	return VACCEL_OK;
}

int vaccel_arg_array_get_custom(struct vaccel_arg_array *array, uint32_t expected_id, void **buf,
				size_t *size, vaccel_arg_type_validator_fn validator)
{
	const unsigned mark = error_mark();

	return error_settle(mark, get_custom(array, expected_id, buf, size, validator));
}

static int get_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
			  uint32_t custom_id, void *data, size_t size,
			  vaccel_arg_deserializer_fn deserializer)
{
	struct vaccel_arg *arg;
	int ret = VACCEL_EINVAL;

	if (data && deserializer)
		ret = arg_array_converted(array, type, &custom_id, &arg);
	if (!ret)
		ret = deserializer(arg->buf, arg->size, custom_id, size, data);
	if (!ret)
		arg_array_advance(array);
	return ret;
}

int vaccel_arg_array_get_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t expected_type,
				    uint32_t expected_custom_id, void *data, size_t expected_size,
				    vaccel_arg_deserializer_fn deserializer)
{
	const unsigned mark = error_mark();

	return error_settle(mark, get_serialized(array, expected_type, expected_custom_id, data,
						 expected_size, deserializer));
}

/* Copied as bytes: an argument may lie anywhere. */
static int get_number(struct vaccel_arg_array *array, vaccel_arg_type_t type, void *value)
{
	const unsigned mark = error_mark();
	struct vaccel_arg *arg;
	int ret = VACCEL_EINVAL;

	if (value)
		ret = arg_array_at_position(array, type, &arg);
	if (!ret) {
		memcpy(value, arg->buf, arg->size);
		arg_array_advance(array);
	}
	return error_settle(mark, ret);
}

static int get_numbers(struct vaccel_arg_array *array, vaccel_arg_type_t type, void **values,
		       size_t *count)
{
	const unsigned mark = error_mark();
	size_t size;
	const int ret = get_bytes(array, type, values, &size);

	if (!ret && count)
		*count = size / arg_element_size(type);
	return error_settle(mark, ret);
}

#define DEFINE_GET_FUNCS(name, ctype, one, many)                                                   \
	int vaccel_arg_array_get_##name(struct vaccel_arg_array *array, ctype *value)              \
	{                                                                                          \
		return get_number(array, one, value);                                              \
	}                                                                                          \
                                                                                                   \
	int vaccel_arg_array_get_##name##_array(struct vaccel_arg_array *array, ctype **values,    \
						size_t *count)                                     \
	{                                                                                          \
		void *found;                                                                       \
		const int ret = get_numbers(array, many, values ? &found : NULL, count);           \
                                                                                                   \
		if (!ret)                                                                          \
			*values = found;                                                           \
		return ret;                                                                        \
	}

VACCEL_ARG_NUMERIC_TYPES(DEFINE_GET_FUNCS)
