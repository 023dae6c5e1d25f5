/*
 * sgemm.c - multiply two matrices of 512 by 512 and write the result to a file, as 32-bit floats.
 *
 *     sgemm [ITERATIONS [OUT_FILE]]
 */
#include "common/sgemm.h"

static int run(void *context)
{
	struct sgemm_call *call = context;

	return vaccel_sgemm(&call->sess, call->side, call->side, call->side, call->alpha, call->a,
			    call->side, call->b, call->side, call->beta, call->c, call->side);
}

int main(int argc, char **argv)
{
	return sgemm_main(argc, argv, run);
}
