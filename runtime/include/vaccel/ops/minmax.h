/*
 * minmax.h - smallest and largest of numbers. Deprecated: use vaccel_exec().
 */
#ifndef VACCEL_OPS_MINMAX_H
#define VACCEL_OPS_MINMAX_H

#include "vaccel/session.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Of ndata numbers those between the thresholds go to outdata, which has room for all; min and max
 * receive the smallest and largest.
 */
__attribute__((deprecated("use vaccel_exec()"))) int
vaccel_minmax(struct vaccel_session *sess, const double *indata, int ndata, int low_threshold,
	      int high_threshold, double *outdata, double *min, double *max);

#ifdef __cplusplus
}
#endif

#endif
