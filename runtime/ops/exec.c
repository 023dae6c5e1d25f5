/*
 * exec.c - a function of a shared library, called where the plugin runs. Any thread.
 */
#include "dispatch.h"

typedef int (*exec_fn)(struct vaccel_session *sess, const char *library, const char *fn_symbol,
		       struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		       size_t nr_write);
typedef int (*exec_with_fn)(struct vaccel_session *sess, struct vaccel_resource *resource,
			    const char *fn_symbol, struct vaccel_arg *read, size_t nr_read,
			    struct vaccel_arg *write, size_t nr_write);

int vaccel_exec(struct vaccel_session *sess, const char *library, const char *fn_symbol,
		struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	const struct op_call call = op_begin(sess, VACCEL_OP_EXEC, op_bytes_of(read, nr_read));
	const exec_fn exec = (exec_fn)call.func;

	return op_end(&call,
		      likely(exec) ? exec(sess, library, fn_symbol, read, nr_read, write, nr_write)
				   : call.code);
}

int vaccel_exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *resource,
			      const char *fn_symbol, struct vaccel_arg *read, size_t nr_read,
			      struct vaccel_arg *write, size_t nr_write)
{
	const struct op_call call = op_begin_with(sess, VACCEL_OP_EXEC_WITH_RESOURCE, resource,
						  VACCEL_RESOURCE_LIB, op_bytes_of(read, nr_read));
	const exec_with_fn exec = (exec_with_fn)call.func;

	return op_end(&call,
		      likely(exec) ? exec(sess, resource, fn_symbol, read, nr_read, write, nr_write)
				   : call.code);
}
