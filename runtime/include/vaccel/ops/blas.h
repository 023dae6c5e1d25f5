/*
 * blas.h - linear algebra.
 */
#ifndef VACCEL_OPS_BLAS_H
#define VACCEL_OPS_BLAS_H

#include "vaccel/session.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * C = alpha * A * B + beta * C, all row-major: A has m rows of k, B k rows of n, C m rows of n;
 * lda, ldb and ldc are the elements from one row to the next.
 */
int vaccel_sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha,
		 float *a, int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc);

#ifdef __cplusplus
}
#endif

#endif
