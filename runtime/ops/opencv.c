/*
 * opencv.c - OpenCV functions, whose arguments are the plugin's to check. Any thread.
 */
#include "dispatch.h"
#include "genop_args.h"

typedef int (*opencv_fn)(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
			 struct vaccel_arg *write, int nr_write);

int genop_opencv(const struct genop *op)
{
	const struct op_call call =
		op_begin(op->sess, VACCEL_OP_OPENCV, op_bytes_of(op->read, (size_t)op->nr_read));
	const opencv_fn opencv = (opencv_fn)call.func;

	return op_end(&call, likely(opencv) ? opencv(op->sess, op->read, op->nr_read, op->write,
						     op->nr_write)
					    : call.code);
}

int vaccel_opencv_unpack(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
			 struct vaccel_arg *write, int nr_write)
{
	const unsigned mark = error_mark();
	const struct genop op = { .type = VACCEL_OP_OPENCV,
				  .sess = sess,
				  .read = read,
				  .nr_read = nr_read,
				  .write = write,
				  .nr_write = nr_write };
	const int ret = genop_check_lists(&op);

	return error_settle(mark, ret ? ret : genop_opencv(&op));
}
