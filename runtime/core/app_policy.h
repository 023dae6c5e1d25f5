/*
 * app_policy.h - the hooks of an application's own policy: called here and nowhere else.
 *
 * With VACCEL_POLICY set the process asks its own scripts which plugin serves a session and whether
 * an operation may run, as an agent asks its operator's. libvaccel-policy.so, which has the engine,
 * is loaded by the bootstrap then; when it or a script cannot be, the library stays uninitialised,
 * so that a broken policy never lets anything through. An agent decides for its peers instead: a
 * program that exports the symbol luaccel_own_policy is left alone, and hidden sessions are never
 * asked about.
 *
 * Any thread; a hook runs on its caller's, and the module lets in one at a time. Without a policy
 * all of this costs one load where an operation begins.
 */
#ifndef APP_POLICY_H
#define APP_POLICY_H

#include "core.h"
#include "policy_module.h"
#include "registry.h"
#include <stdatomic.h>

/* Scripts are loaded; from bootstrap to cleanup. */
extern atomic_bool app_policy_loaded;

static inline bool app_policy_asks(void)
{
	return unlikely(atomic_load_explicit(&app_policy_loaded, memory_order_relaxed));
}

/* What VACCEL_POLICY wants, or nothing. The codes of luaccel_policy.open(), ENOENT. */
int app_policy_start(void);
void app_policy_stop(void);
/* In a forked child: the engine is left as it is. */
void app_policy_abandon(void);

/*
 * session_route, for a session that is being made: a refusal's code, with its reason; or the
 * places to try, of which there are none when the hint chooses. record->policy is set.
 */
int app_policy_route(struct session_record *record, uint32_t hint, struct policy_route *route);
/* The session is on its plugin, at `uri` if that is set; it has ended, or did not come to be. */
void app_policy_entered(struct session_record *record, const char *uri);
void app_policy_leave(struct session_record *record);

/* resource_admit: VACCEL_OK, or a refusal's code, with its reason. */
int app_policy_resource(const struct session_record *record, const struct vaccel_resource *res);

/* An operation that was admitted, to be told of its end. */
struct app_policy_call;

/*
 * op_admit: NULL with VACCEL_OK in *code when nobody wants to hear of the operation's end, NULL
 * with a refusal's code and its reason; else app_policy_end() follows, which frees what this
 * returns.
 */
struct app_policy_call *app_policy_begin(const struct vaccel_session *sess, vaccel_op_type_t type,
					 size_t bytes_in, int *code);
/* op_done, for one that has returned `code`. */
void app_policy_end(struct app_policy_call *call, int code);

/* Around fork(). */
void app_policy_lock(void);
void app_policy_unlock(void);
void app_policy_unlock_in_child(void);

#endif
