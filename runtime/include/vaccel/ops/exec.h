/*
 * exec.h - call a function of a shared library: int fn(read, nr_read, write, nr_write), with
 * arguments that it reads and arguments that it writes.
 */
#ifndef VACCEL_OPS_EXEC_H
#define VACCEL_OPS_EXEC_H

#include "vaccel/arg.h"
#include "vaccel/resource.h"
#include "vaccel/session.h"
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library is a path where the operation runs. */
int vaccel_exec(struct vaccel_session *sess, const char *library, const char *fn_symbol,
		struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write);

/*
 * The library is the last file of a LIB resource that is registered with the session; files before
 * it are libraries that it needs.
 */
int vaccel_exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *resource,
			      const char *fn_symbol, struct vaccel_arg *read, size_t nr_read,
			      struct vaccel_arg *write, size_t nr_write);

#ifdef __cplusplus
}
#endif

#endif
