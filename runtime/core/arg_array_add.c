/*
 * arg_array_add.c - appending arguments. A value is checked before there is room made for it; what
 * is refused leaves the array as it was.
 */
#include "arg_array.h"
#include <stdlib.h>
#include <string.h>

static int append(struct vaccel_arg_array *array, const struct vaccel_arg *arg)
{
	int ret;

	if (!array)
		return VACCEL_EINVAL;
	if (!arg_valid(arg->type, arg->buf, arg->size)) {
		luaccel_set_error("%zu bytes%s are no %s", arg->size, arg->buf ? "" : " at NULL",
				  vaccel_arg_type_to_base_str(arg->type));
		return VACCEL_EINVAL;
	}
	ret = arg_array_reserve(array, 1);
	if (!ret)
		array->args[array->count++] = *arg;
	return ret;
}

/* An argument that refers to the caller's bytes. */
static int append_bytes(struct vaccel_arg_array *array, vaccel_arg_type_t type, uint32_t custom_id,
			void *buf, size_t size)
{
	const struct vaccel_arg arg = {
		.buf = buf, .size = size, .type = type, .custom_type_id = custom_id
	};

	return append(array, &arg);
}

int vaccel_arg_array_add_raw(struct vaccel_arg_array *array, void *buf, size_t size)
{
	const unsigned mark = error_mark();
	int ret = VACCEL_EINVAL;

	if (!buf == !size)
		ret = append_bytes(array, VACCEL_ARG_RAW, 0, buf, size);
	return error_settle(mark, ret);
}

int vaccel_arg_array_add_string(struct vaccel_arg_array *array, char *str)
{
	const unsigned mark = error_mark();

	return error_settle(
		mark, append_bytes(array, VACCEL_ARG_STRING, 0, str, str ? strlen(str) + 1 : 0));
}

int vaccel_arg_array_add_buffer(struct vaccel_arg_array *array, void *buf, size_t size)
{
	const unsigned mark = error_mark();

	return error_settle(mark, append_bytes(array, VACCEL_ARG_BUFFER, 0, buf, size));
}

int vaccel_arg_array_add_custom(struct vaccel_arg_array *array, uint32_t custom_id, void *buf,
				size_t size, vaccel_arg_type_validator_fn validator)
{
	const unsigned mark = error_mark();
	int ret = VACCEL_EINVAL;

	if (array && validator && validator(buf, size, custom_id))
		ret = append_bytes(array, VACCEL_ARG_CUSTOM, custom_id, buf, size);
	return error_settle(mark, ret);
}

static int add_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
			  uint32_t custom_id, const void *data, size_t data_size,
			  vaccel_arg_serializer_fn serializer)
{
	struct vaccel_arg arg = { .type = type, .custom_type_id = custom_id, .owned = true };
	int ret;

	if (!array || !serializer)
		return VACCEL_EINVAL;
	ret = serializer(data, data_size, custom_id, &arg.buf, &arg.size);
	if (ret)
		return ret;
	ret = append(array, &arg);
	if (ret)
		vaccel_arg_release(&arg);
	return ret;
}

int vaccel_arg_array_add_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
				    uint32_t custom_id, const void *data, size_t data_size,
				    vaccel_arg_serializer_fn serializer)
{
	const unsigned mark = error_mark();

	return error_settle(mark,
			    add_serialized(array, type, custom_id, data, data_size, serializer));
}

static int add_numbers(struct vaccel_arg_array *array, vaccel_arg_type_t type, void *values,
		       size_t count)
{
	const unsigned mark = error_mark();
	int ret = VACCEL_EINVAL;
	size_t size;

	if (!__builtin_mul_overflow(count, arg_element_size(type), &size))
		ret = append_bytes(array, type, 0, values, size);
	return error_settle(mark, ret);
}

#define DEFINE_ADD_FUNCS(name, ctype, one, many)                                                   \
	int vaccel_arg_array_add_##name(struct vaccel_arg_array *array, ctype *value)              \
	{                                                                                          \
		return add_numbers(array, one, value, 1);                                          \
	}                                                                                          \
                                                                                                   \
	int vaccel_arg_array_add_##name##_array(struct vaccel_arg_array *array, ctype *values,     \
						size_t count)                                      \
	{                                                                                          \
		return add_numbers(array, many, values, count);                                    \
	}

VACCEL_ARG_NUMERIC_TYPES(DEFINE_ADD_FUNCS)

/* The argument itself, or one with a copy of its bytes; without bytes there is nothing to own. */
static int duplicate(struct vaccel_arg *dest, const struct vaccel_arg *src, bool copy)
{
	struct vaccel_arg made = *src;

	made.owned = copy && src->buf && src->size;
	if (made.owned) {
		made.buf = malloc(src->size);
		if (!made.buf)
			return VACCEL_ENOMEM;
		memcpy(made.buf, src->buf, src->size);
	}
	*dest = made;
	return VACCEL_OK;
}

static int add_range(struct vaccel_arg_array *dest, const struct vaccel_arg_array *src,
		     size_t start, size_t count, bool copy)
{
	size_t i;
	int ret;

	if (start >= src->count || count > src->count - start) {
		luaccel_set_error("%zu arguments from %zu on asked for, there are %zu", count,
				  start, src->count);
		return VACCEL_ERANGE;
	}
	ret = arg_array_reserve(dest, count);
	if (ret)
		return ret;
	for (i = 0; i < count; i++) {
		ret = duplicate(&dest->args[dest->count + i], &src->args[start + i], copy);
		if (ret)
			goto undo;
	}
	dest->count += count;
	return VACCEL_OK;
undo:
	while (i--)
		vaccel_arg_release(&dest->args[dest->count + i]);
	return ret;
}

int vaccel_arg_array_add_range(struct vaccel_arg_array *dest, const struct vaccel_arg_array *src,
			       size_t start_idx, size_t count, bool copy)
{
	const unsigned mark = error_mark();

	return error_settle(mark, dest && src ? add_range(dest, src, start_idx, count, copy)
					      : VACCEL_EINVAL);
}

/* From an index on; none there is nothing to do. */
static int add_rest(struct vaccel_arg_array *dest, const struct vaccel_arg_array *src, size_t start,
		    bool copy)
{
	return start < src->count ? add_range(dest, src, start, src->count - start, copy)
				  : VACCEL_OK;
}

int vaccel_arg_array_add_remaining(struct vaccel_arg_array *dest,
				   const struct vaccel_arg_array *src, bool copy)
{
	const unsigned mark = error_mark();

	return error_settle(mark,
			    dest && src ? add_rest(dest, src, src->position, copy) : VACCEL_EINVAL);
}

int vaccel_arg_array_add_all(struct vaccel_arg_array *dest, const struct vaccel_arg_array *src,
			     bool copy)
{
	const unsigned mark = error_mark();

	return error_settle(mark, dest && src ? add_rest(dest, src, 0, copy) : VACCEL_EINVAL);
}
