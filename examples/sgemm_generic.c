/*
 * sgemm_generic.c - multiply two matrices of 512 by 512 and write the result to a file, as 32-bit
 * floats, through vaccel_genop().
 *
 *     sgemm_generic [ITERATIONS [OUT_FILE]]
 */
#include "common/sgemm.h"

static uint8_t op = VACCEL_OP_BLAS_SGEMM;

/* The operation, m, n, k, alpha, A, lda, B, ldb, beta, ldc; C is written. */
static int add_args(struct example_args *args, struct sgemm_call *call)
{
	struct vaccel_arg_array *read = &args->read;
	int ret = vaccel_arg_array_add_uint8(read, &op);

	for (int i = 0; i < 3 && !ret; i++)
		ret = vaccel_arg_array_add_int64(read, &call->side);
	if (!ret)
		ret = vaccel_arg_array_add_float(read, &call->alpha);
	if (!ret)
		ret = vaccel_arg_array_add_float_array(read, call->a, SGEMM_ELEMENTS);
	if (!ret)
		ret = vaccel_arg_array_add_int64(read, &call->side);
	if (!ret)
		ret = vaccel_arg_array_add_float_array(read, call->b, SGEMM_ELEMENTS);
	if (!ret)
		ret = vaccel_arg_array_add_int64(read, &call->side);
	if (!ret)
		ret = vaccel_arg_array_add_float(read, &call->beta);
	if (!ret)
		ret = vaccel_arg_array_add_int64(read, &call->side);
	if (!ret)
		ret = vaccel_arg_array_add_float_array(&args->write, call->c, SGEMM_ELEMENTS);
	return ret ? example_report("Could not pack the arguments", ret) : VACCEL_OK;
}

static int run(void *context)
{
	struct sgemm_call *call = context;
	struct example_args args;
	int ret = example_args_init(&args);

	if (ret)
		return ret;
	ret = add_args(&args, call);
	if (!ret)
		ret = example_genop(&call->sess, &args);
	return example_args_end(ret, &args);
}

int main(int argc, char **argv)
{
	return sgemm_main(argc, argv, run);
}
