/*
 * fpga.c - the four kernels of FPGA boards. Any thread.
 */
#include "dispatch.h"
#include "older.h"

typedef int (*arraycopy_fn)(struct vaccel_session *sess, int a[], int out_a[], size_t len_a);
typedef int (*mmult_fn)(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a);
typedef int (*parallel_fn)(struct vaccel_session *sess, float a[], float b[], float add_output[],
			   float mult_output[], size_t len_a);
typedef int (*vadd_fn)(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a,
		       size_t len_b);

int fpga_arraycopy(struct vaccel_session *sess, int a[], int out_a[], size_t len_a)
{
	const struct op_call call = op_begin(sess, VACCEL_OP_FPGA_ARRAYCOPY, len_a * sizeof(*a));
	const arraycopy_fn arraycopy = (arraycopy_fn)call.func;

	return op_end(&call, likely(arraycopy) ? arraycopy(sess, a, out_a, len_a) : call.code);
}

int fpga_mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a)
{
	const struct op_call call = op_begin(sess, VACCEL_OP_FPGA_MMULT, 2 * len_a * sizeof(*a));
	const mmult_fn mmult = (mmult_fn)call.func;

	return op_end(&call, likely(mmult) ? mmult(sess, a, b, c, len_a) : call.code);
}

int fpga_parallel(struct vaccel_session *sess, float a[], float b[], float add_output[],
		  float mult_output[], size_t len_a)
{
	const struct op_call call = op_begin(sess, VACCEL_OP_FPGA_PARALLEL, 2 * len_a * sizeof(*a));
	const parallel_fn parallel = (parallel_fn)call.func;

	return op_end(&call, likely(parallel) ? parallel(sess, a, b, add_output, mult_output, len_a)
					      : call.code);
}

int fpga_vadd(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a,
	      size_t len_b)
{
	const struct op_call call =
		op_begin(sess, VACCEL_OP_FPGA_VECTORADD, (len_a + len_b) * sizeof(*a));
	const vadd_fn vadd = (vadd_fn)call.func;

	return op_end(&call, likely(vadd) ? vadd(sess, a, b, c, len_a, len_b) : call.code);
}

int vaccel_fpga_arraycopy(struct vaccel_session *sess, int a[], int out_a[], size_t len_a)
{
	return fpga_arraycopy(sess, a, out_a, len_a);
}

int vaccel_fpga_mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a)
{
	return fpga_mmult(sess, a, b, c, len_a);
}

int vaccel_fpga_parallel(struct vaccel_session *sess, float a[], float b[], float add_output[],
			 float mult_output[], size_t len_a)
{
	return fpga_parallel(sess, a, b, add_output, mult_output, len_a);
}

int vaccel_fpga_vadd(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a,
		     size_t len_b)
{
	return fpga_vadd(sess, a, b, c, len_a, len_b);
}
