/*
 * dispatch.h - from a session and an operation to the plugin's function.
 *
 * Each operation is three lines: op_begin() or op_begin_with() finds the function or the code why
 * there is none, or the policy wants none, the function is called, op_end() ends the call. With
 * debug lines, profiling and policy off that is a load, a check and a load; what is rare is in
 * dispatch.c, regions.c and app_policy.c.
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "app_policy.h"
#include "core.h"
#include "last_error.h"
#include "logging.h"
#include "regions.h"

/* One call of one operation, on its caller's stack. */
struct op_call {
	void *func;			   /* the plugin's function, or NULL */
	int code;			   /* what to return without it */
	unsigned mark;			   /* of last_error.h */
	struct vaccel_prof_region *region; /* that measures it, or NULL */
	struct app_policy_call *judged;	   /* by a policy, which is told the end; or NULL */
};

/* With debug lines, or when there is no such function: NULL then, with a reason. */
void *op_find(const struct vaccel_session *sess, vaccel_op_type_t type);

/*
 * Whether an operation may use this resource: EINVAL when there is none or it has another type,
 * EPERM when it is not registered with the session.
 */
int op_check_resource(struct vaccel_session *sess, struct vaccel_resource *resource,
		      vaccel_resource_type_t type);

/* The session's plugin's function for this operation, or NULL. */
static inline void *op_func(const struct vaccel_session *sess, vaccel_op_type_t type)
{
	const struct vaccel_plugin *plugin = sess->plugin;
	const struct vaccel_op *op = likely(plugin) ? plugin->ops[type] : NULL;

	if (unlikely(!op) || unlikely(log_enabled(SLOG_DEBUG)))
		return op_find(sess, type);
	return op->func;
}

/* Bytes of the arguments that an operation reads, for a policy. */
size_t op_bytes_of(const struct vaccel_arg *args, size_t count);

/* The same of tensors of any family. */
#define op_bytes_of_tensors(tensors, count)                                                        \
	({                                                                                         \
		size_t op_bytes = 0;                                                               \
                                                                                                   \
		for (int op_at = 0; app_policy_asks() && (tensors) && op_at < (count); op_at++)    \
			op_bytes += (tensors)[op_at] ? (tensors)[op_at]->size : 0;                 \
		op_bytes;                                                                          \
	})

/* Begin an operation that takes no resource, and reads so many bytes. */
static inline struct op_call op_begin(const struct vaccel_session *sess, vaccel_op_type_t type,
				      size_t bytes_in)
{
	struct op_call call = { .mark = error_mark() };

	if (unlikely(!sess)) {
		call.code = VACCEL_EINVAL;
		return call;
	}
	if (unlikely(prof_enabled()))
		call.region = regions_begin(type);
	call.func = op_func(sess, type);
	call.code = VACCEL_ENOTSUP;
	if (app_policy_asks()) {
		int refused;

		call.judged = app_policy_begin(sess, type, bytes_in, &refused);
		call.func = refused ? NULL : call.func;
		call.code = refused ? refused : call.code;
	}
	return call;
}

/* Begin one that takes a resource of this type. */
static inline struct op_call op_begin_with(struct vaccel_session *sess, vaccel_op_type_t type,
					   struct vaccel_resource *resource,
					   vaccel_resource_type_t resource_type, size_t bytes_in)
{
	struct op_call call = { .mark = error_mark() };

	call.code = op_check_resource(sess, resource, resource_type);
	return unlikely(call.code) ? call : op_begin(sess, type, bytes_in);
}

/* Returns code, which the plugin's function gave or call->code. */
static inline int op_end(const struct op_call *call, int code)
{
	if (unlikely(call->region))
		prof_end(call->region);
	if (unlikely(call->judged))
		app_policy_end(call->judged, code);
	return error_settle(call->mark, code);
}

#endif
