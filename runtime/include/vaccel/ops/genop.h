/*
 * genop.h - any operation through one function: read[0] is a UINT8 with the operation's number,
 * what follows its arguments.
 */
#ifndef VACCEL_OPS_GENOP_H
#define VACCEL_OPS_GENOP_H

#include "vaccel/arg.h"
#include "vaccel/session.h"

#ifdef __cplusplus
extern "C" {
#endif

int vaccel_genop(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
		 struct vaccel_arg *write, int nr_write);

#ifdef __cplusplus
}
#endif

#endif
