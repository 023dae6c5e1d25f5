/*
 * operation_names.h - operations as policies know them: by name. Any thread.
 */
#ifndef LUACCEL_POLICY_OPERATION_NAMES_H
#define LUACCEL_POLICY_OPERATION_NAMES_H

#include <stdbool.h>

/* The operation that policies call so ("image_classify"): a vaccel_op_type_t, or -1. */
int operation_by_name(const char *name);

/*
 * May it run again with the same arguments, and change nothing by it? False for what runs code of
 * the caller's, for what a plugin gives a meaning of its own, and for what is no operation.
 */
bool operation_is_idempotent(int type);

/* Is it the load of a model, or its end? These are of the session, wherever its operations run. */
bool operation_is_load(int type);

#endif
