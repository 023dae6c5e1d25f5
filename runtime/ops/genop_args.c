/*
 * genop_args.c - the checks of genop_args.h. Any thread.
 */
#include "genop_args.h"
#include <string.h>

/* How the operation is called in reasons. */
static char *name_of(const struct genop *op, char name[VACCEL_ENUM_STR_MAX])
{
	return vaccel_op_type_name(op->type, name, VACCEL_ENUM_STR_MAX);
}

int genop_check_lists(const struct genop *op)
{
	char name[VACCEL_ENUM_STR_MAX];

	if (op->nr_read >= 0 && op->nr_write >= 0 && (op->read || !op->nr_read) &&
	    (op->write || !op->nr_write))
		return VACCEL_OK;
	return fail(VACCEL_EINVAL,
		    "Failed to parse args for %s: %d to read and %d to write are said to be at %s "
		    "and %s",
		    name_of(op, name), op->nr_read, op->nr_write, op->read ? "an address" : "NULL",
		    op->write ? "an address" : "NULL");
}

static int check_count(const struct genop *op, const char *kind, int count, int expected)
{
	char name[VACCEL_ENUM_STR_MAX];

	if (count == expected)
		return VACCEL_OK;
	return fail(VACCEL_EINVAL, "Wrong number of %s arguments for %s: %d (expected %d)", kind,
		    name_of(op, name), count, expected);
}

int genop_check_counts(const struct genop *op, int nr_read, int nr_write)
{
	const int ret = check_count(op, "read", op->nr_read, nr_read);

	return ret ? ret : check_count(op, "write", op->nr_write, nr_write);
}

static int bad_arg(const struct genop *op, const char *what, const char *wanted,
		   vaccel_arg_type_t type)
{
	char name[VACCEL_ENUM_STR_MAX];

	return fail(VACCEL_EINVAL, "Failed to unpack %s arg for %s: it must be %s %s", what,
		    name_of(op, name), wanted, vaccel_arg_type_to_str(type));
}

int genop_check_type(const struct genop *op, const char *what, const struct vaccel_arg *arg,
		     vaccel_arg_type_t type)
{
	if (arg->type == type && arg->buf && arg->size)
		return VACCEL_OK;
	return bad_arg(op, what, "a non-empty", type);
}

int genop_get_value(const struct genop *op, const char *what, const struct vaccel_arg *arg,
		    vaccel_arg_type_t type, void *value, size_t size)
{
	if (arg->type != type || !arg->buf || arg->size != size)
		return bad_arg(op, what, "one", type);
	memcpy(value, arg->buf, size);
	return VACCEL_OK;
}

int genop_get_string(const struct genop *op, const char *what, const struct vaccel_arg *arg,
		     const char **string)
{
	const int ret = genop_check_type(op, what, arg, VACCEL_ARG_STRING);

	if (ret)
		return ret;
	*string = arg->buf;
	if ((*string)[arg->size - 1] == '\0')
		return VACCEL_OK;
	return bad_arg(op, what, "a NUL-terminated", VACCEL_ARG_STRING);
}

int genop_check_values(const struct genop *op, const char *what, const struct vaccel_arg *arg,
		       vaccel_arg_type_t one, size_t size, size_t count)
{
	const vaccel_arg_type_t many = one + 1;
	char name[VACCEL_ENUM_STR_MAX];

	if (arg->type != VACCEL_ARG_RAW && arg->type != VACCEL_ARG_BUFFER && arg->type != one &&
	    arg->type != many)
		return bad_arg(op, what, "VACCEL_ARG_RAW or", many);
	if (arg->size / size >= count && (arg->buf || !count))
		return VACCEL_OK;
	return fail(VACCEL_EINVAL,
		    "Failed to unpack %s arg for %s: %zu bytes at %s are fewer than %zu values of "
		    "%zu",
		    what, name_of(op, name), arg->size, arg->buf ? "an address" : "NULL", count,
		    size);
}
