/*
 * dispatch.h - from a session and an operation to the plugin's function.
 *
 * With debug lines off this is a load, a check and a load; what is rare is in dispatch.c.
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "core.h"
#include "last_error.h"
#include "logging.h"

/* With debug lines, or when there is no such function: NULL then, with a reason. */
void *op_find(const struct vaccel_session *sess, vaccel_op_type_t type);

/* The session's plugin's function for this operation, or NULL. */
static inline void *op_func(const struct vaccel_session *sess, vaccel_op_type_t type)
{
	const struct vaccel_plugin *plugin = sess->plugin;
	const struct vaccel_op *op = likely(plugin) ? plugin->ops[type] : NULL;

	if (unlikely(!op) || unlikely(log_enabled(SLOG_DEBUG)))
		return op_find(sess, type);
	return op->func;
}

#endif
