/*
 * noop.c - the operation that does nothing. Any thread.
 */
#include "dispatch.h"

typedef int (*noop_fn)(struct vaccel_session *sess);

int vaccel_noop(struct vaccel_session *sess)
{
	const unsigned mark = error_mark();
	noop_fn noop;

	if (unlikely(!sess))
		return error_settle(mark, VACCEL_EINVAL);
	noop = (noop_fn)op_func(sess, VACCEL_OP_NOOP);
	return error_settle(mark, likely(noop) ? noop(sess) : VACCEL_ENOTSUP);
}
