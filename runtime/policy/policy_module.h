/*
 * policy_module.h - the policy of an application: what libvaccel.so asks of libvaccel-policy.so.
 *
 * A program with VACCEL_POLICY set is its own operator: the scripts decide about its sessions and
 * operations as an agent's decide about those of its peers. The core loads the module then, and
 * only then, since LuaJIT comes with it; the module is this table, on top of policy.h. There is
 * one policy for a process.
 *
 * All of it may be called from any thread: one call at a time has the engine, on its caller's
 * thread, and the others wait. Codes are VACCEL_*, the reason is then in `why`.
 */
#ifndef LUACCEL_POLICY_MODULE_H
#define LUACCEL_POLICY_MODULE_H

#include "luaccel_core.h"
#include "policy.h"

#define LUACCEL_POLICY_FILE   "libvaccel-policy.so"
#define LUACCEL_POLICY_SYMBOL "luaccel_policy"

enum { LUACCEL_POLICY_VERSION = 2 };

/* A session as the policy knows it. */
struct policy_view;

/* Where a session can be served: by a plugin, at another agent's address if there is one. */
struct policy_place {
	struct vaccel_plugin *plugin;
	const char *uri; /* the module's; NULL: in the plugin itself, or where its settings lead */
};

/* The places that are to serve a session, in order; none: its hint chooses. */
struct policy_route {
	struct policy_place places[POLICY_PLAN_MAX];
	size_t count;
};

struct luaccel_policy {
	int version;

	/*
	 * Load the scripts, whose paths a ':' separates, and the plugins that they declare. `log`
	 * gets one line at a time. EINVAL, ENOMEM, ENOTSUP; nothing is open then.
	 */
	int (*open)(const struct luaccel_core *core, const char *scripts,
		    void (*log)(void *ctx, const char *line), char *why, size_t size);
	/* After the last view. */
	void (*close)(void);

	/* Ask session_route. The view is the caller's until leave(); with an error there is none.
	 */
	int (*route)(int64_t id, uint32_t hint, struct policy_view **view,
		     struct policy_route *route, char *why, size_t size);
	/* The session is there now. */
	void (*entered)(struct policy_view *view, const struct policy_place *place);
	/* The session has ended: tells session_close, frees the view. */
	void (*leave)(struct policy_view *view);

	/* Ask resource_admit. */
	int (*take)(struct policy_view *view, const struct policy_resource *resource, char *why,
		    size_t size);

	/* Ask op_admit. */
	int (*admit)(struct policy_view *view, const struct policy_op *op, char *why, size_t size);
	/* Tell op_done. */
	void (*done)(struct policy_view *view, const struct policy_op *op,
		     const struct policy_result *result);

	/* Around fork(). */
	void (*lock)(void);
	void (*unlock)(void);
	void (*unlock_in_child)(void);
};

#endif
