/*
 * opencv.h - OpenCV functions, which exist as a generic operation alone: vaccel_genop() with
 * VACCEL_OP_OPENCV.
 */
#ifndef VACCEL_OPS_OPENCV_H
#define VACCEL_OPS_OPENCV_H

#include "vaccel/arg.h"
#include "vaccel/session.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What vaccel_genop() does with the arguments after the operation's number. */
int vaccel_opencv_unpack(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
			 struct vaccel_arg *write, int nr_write);

#ifdef __cplusplus
}
#endif

#endif
