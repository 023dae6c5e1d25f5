/*
 * arg_value.c - what bytes make a value of which type, and the look-up of the next argument that is
 * one. Every add, get and set function of argument arrays checks here. Any thread.
 */
#include "arg_array.h"

/* Numbers alone; of every other type the element is 0. */
struct shape {
	uint8_t element;
	bool many;
};

#define SHAPES(name, ctype, one, array)                                                            \
	[one] = { sizeof(ctype), false }, [array] = { sizeof(ctype), true },

static const struct shape shapes[VACCEL_ARG_MAX] = { VACCEL_ARG_NUMERIC_TYPES(SHAPES) };

size_t arg_element_size(vaccel_arg_type_t type)
{
	return (unsigned)type < VACCEL_ARG_MAX ? shapes[type].element : 0;
}

bool arg_sized(vaccel_arg_type_t type, const void *buf, size_t size)
{
	const size_t element = arg_element_size(type);

	if (type == VACCEL_ARG_RAW || type == VACCEL_ARG_CUSTOM)
		return true;
	if (!buf || !size)
		return false;
	if (type == VACCEL_ARG_STRING || type == VACCEL_ARG_BUFFER)
		return true;
	if (!element)
		return false;
	return shapes[type].many ? size % element == 0 : size == element;
}

/* Looked at as bytes: a bool that is neither must not be read as one. */
static bool are_booleans(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] > 1)
			return false;
	return true;
}

bool arg_valid(vaccel_arg_type_t type, const void *buf, size_t size)
{
	if (!arg_sized(type, buf, size))
		return false;
	switch (type) {
	case VACCEL_ARG_STRING:
		return !((const char *)buf)[size - 1];
	case VACCEL_ARG_BOOL:
	case VACCEL_ARG_BOOL_ARRAY:
		return are_booleans(buf, size);
	default:
		return true;
	}
}

int arg_array_at_position(const struct vaccel_arg_array *array, vaccel_arg_type_t type,
			  struct vaccel_arg **arg)
{
	struct vaccel_arg *found;

	if (!array)
		return VACCEL_EINVAL;
	if (array->position >= array->count)
		return VACCEL_ERANGE;
	found = &array->args[array->position];
	if (found->type != type || !arg_sized(type, found->buf, found->size)) {
		luaccel_set_error("argument %zu of %zu is %s of %zu bytes%s, asked for as %s",
				  array->position, array->count,
				  vaccel_arg_type_to_base_str(found->type), found->size,
				  found->buf ? "" : " at NULL", vaccel_arg_type_to_base_str(type));
		return VACCEL_EINVAL;
	}
	*arg = found;
	return VACCEL_OK;
}

int arg_array_converted(const struct vaccel_arg_array *array, vaccel_arg_type_t type,
			uint32_t *custom_id, struct vaccel_arg **arg)
{
	const int ret = arg_array_at_position(array, type, arg);

	if (ret)
		return ret;
	if (type != VACCEL_ARG_CUSTOM)
		*custom_id = 0;
	else if ((*arg)->custom_type_id != *custom_id) {
		luaccel_set_error("argument %zu of %zu has the custom type %u, asked for as %u",
				  array->position, array->count, (*arg)->custom_type_id,
				  *custom_id);
		return VACCEL_EINVAL;
	}
	return arg_valid(type, (*arg)->buf, (*arg)->size) ? VACCEL_OK : VACCEL_EINVAL;
}
