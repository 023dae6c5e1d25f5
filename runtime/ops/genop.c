/*
 * genop.c - operations through typed arguments, the first of which is the operation's number.
 * Families check and unpack the rest and call the operation's own function. Any thread.
 */
#include "genop_args.h"

/* Those that are not here have no generic form. */
static int (*const operations[VACCEL_OP_MAX])(const struct genop *op) = {
	[VACCEL_OP_EXEC] = genop_exec,
	[VACCEL_OP_EXEC_WITH_RESOURCE] = genop_exec_with_resource,
	[VACCEL_OP_IMAGE_CLASSIFY] = genop_image,
	[VACCEL_OP_IMAGE_DETECT] = genop_image,
	[VACCEL_OP_IMAGE_SEGMENT] = genop_image,
	[VACCEL_OP_IMAGE_POSE] = genop_image,
	[VACCEL_OP_IMAGE_DEPTH] = genop_image,
	[VACCEL_OP_BLAS_SGEMM] = genop_sgemm,
	[VACCEL_OP_FPGA_ARRAYCOPY] = genop_arraycopy,
	[VACCEL_OP_FPGA_MMULT] = genop_mmult,
	[VACCEL_OP_FPGA_PARALLEL] = genop_parallel,
	[VACCEL_OP_FPGA_VECTORADD] = genop_vadd,
	[VACCEL_OP_MINMAX] = genop_minmax,
	[VACCEL_OP_OPENCV] = genop_opencv,
};

static int run(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
	       struct vaccel_arg *write, int nr_write)
{
	struct genop op = { .sess = sess, .write = write, .nr_write = nr_write };
	const uint8_t *number;
	int ret;

	if (nr_read < 1 || !read)
		return fail(VACCEL_EINVAL, "Missing operation type");
	if (read[0].type != VACCEL_ARG_UINT8 || read[0].size != sizeof(uint8_t) || !read[0].buf)
		return fail(VACCEL_EINVAL, "Failed to unpack operation type for genop: it must be "
					   "a VACCEL_ARG_UINT8");
	number = read[0].buf;
	op.type = (vaccel_op_type_t)*number;
	if (op.type == VACCEL_OP_NOOP || op.type >= VACCEL_OP_MAX)
		return fail(VACCEL_EINVAL, "Invalid operation type %d", (int)op.type);
	if (!operations[op.type])
		return fail(VACCEL_ENOTSUP, "Operation not implemented for %s",
			    vaccel_op_type_to_str(op.type));
	op.read = &read[1];
	op.nr_read = nr_read - 1;
	ret = genop_check_lists(&op);
	return ret ? ret : operations[op.type](&op);
}

int vaccel_genop(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
		 struct vaccel_arg *write, int nr_write)
{
	const unsigned mark = error_mark();

	return error_settle(mark, run(sess, read, nr_read, write, nr_write));
}
