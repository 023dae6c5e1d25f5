/*
 * minmax.c - smallest and largest of numbers. Any thread.
 */
#include "dispatch.h"
#include "older.h"

typedef int (*minmax_fn)(struct vaccel_session *sess, const double *indata, int ndata,
			 int low_threshold, int high_threshold, double *outdata, double *min,
			 double *max);

int minmax(struct vaccel_session *sess, const double *indata, int ndata, int low_threshold,
	   int high_threshold, double *outdata, double *min, double *max)
{
	const struct op_call call =
		op_begin(sess, VACCEL_OP_MINMAX, ndata > 0 ? (size_t)ndata * sizeof(*indata) : 0);
	const minmax_fn run = (minmax_fn)call.func;

	return op_end(&call, likely(run) ? run(sess, indata, ndata, low_threshold, high_threshold,
					       outdata, min, max)
					 : call.code);
}

int vaccel_minmax(struct vaccel_session *sess, const double *indata, int ndata, int low_threshold,
		  int high_threshold, double *outdata, double *min, double *max)
{
	return minmax(sess, indata, ndata, low_threshold, high_threshold, outdata, min, max);
}
