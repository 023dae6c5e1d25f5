/*
 * genop_exec.c - generic calls of a library's function. To read: the library, by path or as a
 * resource's id, and the function; what follows, and what there is to write, is the function's and
 * goes to it unchecked. Any thread.
 */
#include "genop_args.h"
#include <inttypes.h>

enum { OWN_ARGS = 2 };

static int check_count(const struct genop *op)
{
	if (op->nr_read >= OWN_ARGS)
		return VACCEL_OK;
	return genop_check_counts(op, OWN_ARGS, op->nr_write);
}

/* The function's arguments; none are NULL. */
static struct vaccel_arg *function_args(const struct genop *op)
{
	return op->nr_read > OWN_ARGS ? &op->read[OWN_ARGS] : NULL;
}

int genop_exec(const struct genop *op)
{
	const char *library, *symbol;
	int ret = check_count(op);

	if (!ret)
		ret = genop_get_string(op, "library", &op->read[0], &library);
	if (!ret)
		ret = genop_get_string(op, "fn_symbol", &op->read[1], &symbol);
	if (ret)
		return ret;
	return vaccel_exec(op->sess, library, symbol, function_args(op),
			   (size_t)(op->nr_read - OWN_ARGS), op->write, (size_t)op->nr_write);
}

int genop_exec_with_resource(const struct genop *op)
{
	struct vaccel_resource *resource;
	const char *symbol;
	vaccel_id_t id;
	int ret = check_count(op);

	if (!ret)
		ret = genop_get_value(op, "resource id", &op->read[0], VACCEL_ARG_INT64, &id,
				      sizeof(id));
	if (!ret)
		ret = genop_get_string(op, "fn_symbol", &op->read[1], &symbol);
	if (ret)
		return ret;
	ret = vaccel_resource_get_by_id(&resource, id);
	if (ret == VACCEL_ENOENT)
		return fail(ret,
			    "Could not find exec_with_resource library resource %" PRId64
			    "; it was never made, or is released",
			    id);
	if (ret)
		return ret;
	return vaccel_exec_with_resource(op->sess, resource, symbol, function_args(op),
					 (size_t)(op->nr_read - OWN_ARGS), op->write,
					 (size_t)op->nr_write);
}
