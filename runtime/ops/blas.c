/*
 * blas.c - a matrix product. Any thread.
 */
#include "dispatch.h"

typedef int (*sgemm_fn)(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha,
			float *a, int64_t lda, float *b, int64_t ldb, float beta, float *c,
			int64_t ldc);

int vaccel_sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha,
		 float *a, int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
	const struct op_call call = op_begin(sess, VACCEL_OP_BLAS_SGEMM,
					     ((size_t)m + (size_t)n) * (size_t)k * sizeof(*a));
	const sgemm_fn sgemm = (sgemm_fn)call.func;

	return op_end(&call, likely(sgemm)
				     ? sgemm(sess, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
				     : call.code);
}
