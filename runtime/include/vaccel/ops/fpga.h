/*
 * fpga.h - four kernels that FPGA boards come with. Deprecated: use vaccel_exec(). Lengths are
 * elements.
 */
#ifndef VACCEL_OPS_FPGA_H
#define VACCEL_OPS_FPGA_H

#include "vaccel/session.h"
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* out_a = a */
__attribute__((deprecated("use vaccel_exec()"))) int
vaccel_fpga_arraycopy(struct vaccel_session *sess, int a[], int out_a[], size_t len_a);

/* c = a * b, square matrices of len_a elements */
__attribute__((deprecated("use vaccel_exec()"))) int
vaccel_fpga_mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a);

/* add_output = a + b and mult_output = a * b, element by element */
__attribute__((deprecated("use vaccel_exec()"))) int
vaccel_fpga_parallel(struct vaccel_session *sess, float a[], float b[], float add_output[],
		     float mult_output[], size_t len_a);

/* c = a + b */
__attribute__((deprecated("use vaccel_exec()"))) int vaccel_fpga_vadd(struct vaccel_session *sess,
								      float a[], float b[],
								      float c[], size_t len_a,
								      size_t len_b);

#ifdef __cplusplus
}
#endif

#endif
