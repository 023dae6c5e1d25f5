/*
 * core_fake_ops.h - the table of operations of the fake plugin that has all.
 */
#ifndef CORE_FAKE_OPS_H
#define CORE_FAKE_OPS_H

#include "core_fake.h"

extern struct fake fake;
extern struct vaccel_op fake_ops[VACCEL_OP_MAX];

#endif
