/*
 * genop_args.h - generic operations: what one is called with, checks of its arguments, and the
 * families that unpack them.
 *
 * Checks return VACCEL_OK, or VACCEL_EINVAL with a reason that names operation and argument.
 */
#ifndef GENOP_ARGS_H
#define GENOP_ARGS_H

#include "last_error.h"

/* A call, without the argument that is the operation's number; the caller's memory. */
struct genop {
	vaccel_op_type_t type;
	struct vaccel_session *sess;
	struct vaccel_arg *read;
	struct vaccel_arg *write;
	int nr_read;
	int nr_write;
};

/* There are arguments where there are said to be. */
int genop_check_lists(const struct genop *op);

/* There are as many arguments as this. */
int genop_check_counts(const struct genop *op, int nr_read, int nr_write);

/* The argument has this type, and bytes. `what` is its name, for people. */
int genop_check_type(const struct genop *op, const char *what, const struct vaccel_arg *arg,
		     vaccel_arg_type_t type);

/* It is one value of this type and size, which is copied out. */
int genop_get_value(const struct genop *op, const char *what, const struct vaccel_arg *arg,
		    vaccel_arg_type_t type, void *value, size_t size);

/* It is a string: the argument's own memory. */
int genop_get_string(const struct genop *op, const char *what, const struct vaccel_arg *arg,
		     const char **string);

/*
 * It holds count values of size bytes or more: as plain bytes, which older programs send, or as one
 * or many of type `one`.
 */
int genop_check_values(const struct genop *op, const char *what, const struct vaccel_arg *arg,
		       vaccel_arg_type_t one, size_t size, size_t count);

/* Check the arguments and call the operation's own function: what genop.c calls. */
int genop_exec(const struct genop *op);
int genop_exec_with_resource(const struct genop *op);
int genop_image(const struct genop *op);
int genop_sgemm(const struct genop *op);
int genop_arraycopy(const struct genop *op);
int genop_mmult(const struct genop *op);
int genop_parallel(const struct genop *op);
int genop_vadd(const struct genop *op);
int genop_minmax(const struct genop *op);
int genop_opencv(const struct genop *op);

#endif
