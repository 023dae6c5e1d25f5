/*
 * older.h - operations whose public functions are deprecated, under names that the library itself
 * can call without being told so.
 */
#ifndef OLDER_H
#define OLDER_H

#include "core.h"

int fpga_arraycopy(struct vaccel_session *sess, int a[], int out_a[], size_t len_a);
int fpga_mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a);
int fpga_parallel(struct vaccel_session *sess, float a[], float b[], float add_output[],
		  float mult_output[], size_t len_a);
int fpga_vadd(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a,
	      size_t len_b);
int minmax(struct vaccel_session *sess, const double *indata, int ndata, int low_threshold,
	   int high_threshold, double *outdata, double *min, double *max);

#endif
