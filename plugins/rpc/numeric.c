/*
 * numeric.c - operations on arrays of numbers: sgemm, the four FPGA kernels, minmax.
 *
 * Their C signatures give an array as a pointer; how long it is follows from other arguments. What
 * is sent is exactly what the operation may touch, and what was to be written must come back whole.
 * An array of nothing has no form on the wire: agents refuse an empty argument.
 */
#include "rpc.h"
#include <inttypes.h>

static int run(struct vaccel_session *sess, vaccel_op_type_t op, const struct vaccel_arg *read,
	       size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	return rpc_genop(sess, &(struct rpc_genop){
				       .op = op,
				       .head = read,
				       .nr_head = nr_read,
				       .write = write,
				       .nr_write = nr_write,
				       .exact = true,
			       });
}

/* An array of `count` numbers of `width` bytes. */
static int array_arg(struct vaccel_arg *arg, const char *name, vaccel_arg_type_t type,
		     const void *data, size_t count, size_t width)
{
	size_t size;

	if (!data || count == 0)
		return rpc_fail(VACCEL_EINVAL, "array \"%s\" is missing or has no elements", name);
	if (__builtin_mul_overflow(count, width, &size))
		return rpc_fail(VACCEL_EINVAL, "array \"%s\" cannot have %zu elements", name,
				count);
	*arg = rpc_arg(type, data, size);
	return VACCEL_OK;
}

static int float_array(struct vaccel_arg *arg, const char *name, const float *data, size_t count)
{
	return array_arg(arg, name, VACCEL_ARG_FLOAT32_ARRAY, data, count, sizeof(*data));
}

/*
 * A row-major matrix, its rows `stride` elements apart. The last row ends with its last element:
 * what may follow up to the stride is not the caller's to lend.
 */
static int matrix_arg(struct vaccel_arg *arg, const char *name, const float *data, int64_t rows,
		      int64_t columns, int64_t stride)
{
	size_t count;

	if (rows < 1 || columns < 1 || stride < columns)
		return rpc_fail(VACCEL_EINVAL,
				"matrix \"%s\" cannot have %" PRId64 " rows of %" PRId64
				" elements, %" PRId64 " from one to the next",
				name, rows, columns, stride);
	if (__builtin_mul_overflow(rows - 1, stride, &count) ||
	    __builtin_add_overflow(count, columns, &count))
		return rpc_fail(VACCEL_EINVAL,
				"matrix \"%s\" of %" PRId64 " rows, %" PRId64
				" elements from one to the next, is larger than any memory",
				name, rows, stride);
	return float_array(arg, name, data, count);
}

int rpc_sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha, float *a,
	      int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
	struct vaccel_arg read[] = {
		rpc_arg(VACCEL_ARG_INT64, &m, sizeof(m)),
		rpc_arg(VACCEL_ARG_INT64, &n, sizeof(n)),
		rpc_arg(VACCEL_ARG_INT64, &k, sizeof(k)),
		rpc_arg(VACCEL_ARG_FLOAT32, &alpha, sizeof(alpha)),
		{ 0 }, /* a */
		rpc_arg(VACCEL_ARG_INT64, &lda, sizeof(lda)),
		{ 0 }, /* b */
		rpc_arg(VACCEL_ARG_INT64, &ldb, sizeof(ldb)),
		rpc_arg(VACCEL_ARG_FLOAT32, &beta, sizeof(beta)),
		rpc_arg(VACCEL_ARG_INT64, &ldc, sizeof(ldc)),
	};
	struct vaccel_arg write;
	int ret = matrix_arg(&read[4], "a", a, m, k, lda);

	if (ret == VACCEL_OK)
		ret = matrix_arg(&read[6], "b", b, k, n, ldb);
	if (ret == VACCEL_OK)
		ret = matrix_arg(&write, "c", c, m, n, ldc);
	if (ret != VACCEL_OK)
		return ret;
	return run(sess, VACCEL_OP_BLAS_SGEMM, read, sizeof(read) / sizeof(read[0]), &write, 1);
}

int rpc_fpga_arraycopy(struct vaccel_session *sess, int a[], int out_a[], size_t len_a)
{
	struct vaccel_arg read, write;
	int ret = array_arg(&read, "a", VACCEL_ARG_INT32_ARRAY, a, len_a, sizeof(*a));

	if (ret == VACCEL_OK)
		ret = array_arg(&write, "out_a", VACCEL_ARG_INT32_ARRAY, out_a, len_a,
				sizeof(*out_a));
	if (ret != VACCEL_OK)
		return ret;
	return run(sess, VACCEL_OP_FPGA_ARRAYCOPY, &read, 1, &write, 1);
}

int rpc_fpga_mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a)
{
	struct vaccel_arg read[2], write;
	int ret = float_array(&read[0], "a", a, len_a);

	if (ret == VACCEL_OK)
		ret = float_array(&read[1], "b", b, len_a);
	if (ret == VACCEL_OK)
		ret = float_array(&write, "c", c, len_a);
	if (ret != VACCEL_OK)
		return ret;
	return run(sess, VACCEL_OP_FPGA_MMULT, read, 2, &write, 1);
}

int rpc_fpga_parallel(struct vaccel_session *sess, float a[], float b[], float add_output[],
		      float mult_output[], size_t len_a)
{
	struct vaccel_arg read[2], write[2];
	int ret = float_array(&read[0], "a", a, len_a);

	if (ret == VACCEL_OK)
		ret = float_array(&read[1], "b", b, len_a);
	if (ret == VACCEL_OK)
		ret = float_array(&write[0], "add_output", add_output, len_a);
	if (ret == VACCEL_OK)
		ret = float_array(&write[1], "mult_output", mult_output, len_a);
	if (ret != VACCEL_OK)
		return ret;
	return run(sess, VACCEL_OP_FPGA_PARALLEL, read, 2, write, 2);
}

/* The sum is as long as both; agents have no form for anything else. */
int rpc_fpga_vadd(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a,
		  size_t len_b)
{
	struct vaccel_arg read[2], write;
	int ret = float_array(&read[0], "a", a, len_a);

	if (ret == VACCEL_OK && len_a != len_b)
		ret = rpc_fail(VACCEL_EINVAL, "cannot add arrays of %zu and %zu elements", len_a,
			       len_b);
	if (ret == VACCEL_OK)
		ret = float_array(&read[1], "b", b, len_b);
	if (ret == VACCEL_OK)
		ret = float_array(&write, "c", c, len_a);
	if (ret != VACCEL_OK)
		return ret;
	return run(sess, VACCEL_OP_FPGA_VECTORADD, read, 2, &write, 1);
}

int rpc_minmax(struct vaccel_session *sess, const double *indata, int ndata, int low_threshold,
	       int high_threshold, double *outdata, double *min, double *max)
{
	size_t count = ndata > 0 ? (size_t)ndata : 0;
	struct vaccel_arg read[] = {
		{ 0 }, /* indata */
		rpc_arg(VACCEL_ARG_INT32, &ndata, sizeof(ndata)),
		rpc_arg(VACCEL_ARG_INT32, &low_threshold, sizeof(low_threshold)),
		rpc_arg(VACCEL_ARG_INT32, &high_threshold, sizeof(high_threshold)),
	};
	struct vaccel_arg write[3];
	int ret = array_arg(&read[0], "indata", VACCEL_ARG_FLOAT64_ARRAY, indata, count,
			    sizeof(*indata));

	if (ret == VACCEL_OK)
		ret = array_arg(&write[0], "outdata", VACCEL_ARG_FLOAT64_ARRAY, outdata, count,
				sizeof(*outdata));
	if (ret == VACCEL_OK)
		ret = array_arg(&write[1], "min", VACCEL_ARG_FLOAT64, min, 1, sizeof(*min));
	if (ret == VACCEL_OK)
		ret = array_arg(&write[2], "max", VACCEL_ARG_FLOAT64, max, 1, sizeof(*max));
	if (ret != VACCEL_OK)
		return ret;
	return run(sess, VACCEL_OP_MINMAX, read, sizeof(read) / sizeof(read[0]), write, 3);
}
