/*
 * math.c - kernels over arrays: sgemm, the FPGA four, minmax. What they answer is fixed. Any
 * thread.
 */
#include "noop.h"
#include <string.h>

int noop_torch_sgemm(struct vaccel_session *sess, struct vaccel_torch_tensor **in_a,
		     struct vaccel_torch_tensor **in_b, struct vaccel_torch_tensor **in_c, int m,
		     int n, int k, struct vaccel_torch_tensor **out)
{
	(void)in_a;
	(void)in_b;
	(void)in_c;
	(void)out;
	if (!sess)
		return noop_invalid("Invalid session");
	noop_debug("Calling torch_sgemm for session %" PRId64, sess->id);
	noop_debug("Dumping arguments for torch_sgemm:");
	noop_debug("m: %d n: %d k: %d", m, n, k);
	return VACCEL_OK;
}

int noop_sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha, float *a,
	       int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
	if (!sess)
		return noop_invalid("Invalid session");
	noop_debug("Calling sgemm for session %" PRId64, sess->id);
	noop_debug("Dumping arguments for sgemm:");
	noop_debug("m: %" PRId64 " n: %" PRId64 " k: %" PRId64, m, n, k);
	noop_debug("alpha: %f", (double)alpha);
	noop_debug("A: %p lda: %" PRId64, (void *)a, lda);
	noop_debug("B: %p ldb: %" PRId64, (void *)b, ldb);
	noop_debug("beta: %f", (double)beta);
	noop_debug("C: %p ldc: %" PRId64, (void *)c, ldc);
	return VACCEL_OK;
}

/* What the FPGA operations begin with; missing is true if one of the arrays is not there. */
static int begin_fpga(const char *name, const struct vaccel_session *sess, bool missing)
{
	if (!sess)
		return noop_invalid("Invalid session");
	if (missing)
		return noop_invalid("Invalid input arguments");
	noop_debug("Calling fpga_%s for session %" PRId64, name, sess->id);
	noop_debug("Dumping arguments for fpga_%s:", name);
	return VACCEL_OK;
}

int noop_arraycopy(struct vaccel_session *sess, int a[], int out_a[], size_t len_a)
{
	const int ret = begin_fpga("arraycopy", sess, len_a && (!a || !out_a));

	if (ret)
		return ret;
	noop_debug("len_a: %zu ", len_a);
	for (size_t i = 0; i < len_a; i++)
		out_a[i] = a[i];
	return VACCEL_OK;
}

int noop_mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a)
{
	const int ret = begin_fpga("mmult", sess, len_a && (!a || !b || !c));

	if (ret)
		return ret;
	noop_debug("len_a: %zu", len_a);
	for (size_t i = 0; i < len_a; i++)
		c[i] = 9.1F;
	return VACCEL_OK;
}

int noop_parallel(struct vaccel_session *sess, float a[], float b[], float add_output[],
		  float mult_output[], size_t len_a)
{
	const int ret =
		begin_fpga("parallel", sess, len_a && (!a || !b || !add_output || !mult_output));

	if (ret)
		return ret;
	noop_debug("len_a: %zu", len_a);
	for (size_t i = 0; i < len_a; i++) {
		add_output[i] = a[i] + b[i];
		mult_output[i] = 1;
	}
	return VACCEL_OK;
}

/* The sum is as long as a, so b must be. */
int noop_vectoradd(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a,
		   size_t len_b)
{
	const int ret = begin_fpga("vadd", sess, (len_a && (!a || !b || !c)) || len_b < len_a);

	if (ret)
		return ret;
	noop_debug("len_a: %zu len_b: %zu ", len_a, len_b);
	for (size_t i = 0; i < len_a; i++)
		c[i] = a[i] + b[i];
	return VACCEL_OK;
}

int noop_minmax(struct vaccel_session *sess, const double *indata, int ndata, int low_threshold,
		int high_threshold, double *outdata, double *min, double *max)
{
	if (!sess)
		return noop_invalid("Invalid session");
	if (ndata < 0 || (ndata && (!indata || !outdata)) || !min || !max)
		return noop_invalid("Invalid input arguments");
	noop_debug("Calling minmax for session %" PRId64, sess->id);
	noop_debug("Dumping arguments for minmax: ndata:%d", ndata);
	noop_debug("low: %d high: %d ", low_threshold, high_threshold);
	noop_debug("will return dummy min and max values");
	if (ndata)
		memmove(outdata, indata, (size_t)ndata * sizeof(*indata));
	*max = 10000;
	*min = -1;
	return VACCEL_OK;
}
