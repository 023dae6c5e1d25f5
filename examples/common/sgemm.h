/*
 * sgemm.h - the program that both sgemm examples are: matrices of 512 by 512, an operation, and
 * its result in a file.
 */
#ifndef EXAMPLE_SGEMM_H
#define EXAMPLE_SGEMM_H

#include "example.h"

enum { SGEMM_SIDE = 512, SGEMM_ELEMENTS = SGEMM_SIDE * SGEMM_SIDE };

/* C = alpha * A * B + beta * C; side is every dimension and leading dimension. */
struct sgemm_call {
	struct vaccel_session sess;
	int64_t side;
	float alpha;
	float beta;
	float a[SGEMM_ELEMENTS];
	float b[SGEMM_ELEMENTS];
	float c[SGEMM_ELEMENTS];
};

/* The program: its exit status. */
int sgemm_main(int argc, char **argv, int (*run)(void *call));

#endif
