/*
 * noop.c - the operation that does nothing. Any thread.
 */
#include "dispatch.h"

typedef int (*noop_fn)(struct vaccel_session *sess);

int vaccel_noop(struct vaccel_session *sess)
{
	const struct op_call call = op_begin(sess, VACCEL_OP_NOOP, 0);
	const noop_fn noop = (noop_fn)call.func;

	return op_end(&call, likely(noop) ? noop(sess) : call.code);
}
