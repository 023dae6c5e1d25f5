/*
 * module.c - see policy_module.h: one engine for a process, lent to one thread at a time.
 *
 *     backend   a name that scripts route to: module_backends.h
 *     view      a session's objects in Lua, and the backend that it is on
 */
#include "module_backends.h"
#include "vaccel.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SCRIPTS_MAX = 16 };

struct policy_view {
	struct policy_session *session;
	struct backend *backend; /* NULL: on none yet, or on one without a name */
	char where[POLICY_NAME_MAX];
};

static struct {
	pthread_mutex_t lock;
	struct policy_engine *engine;
	bool forked; /* the watchdog's thread stayed in the parent */
} policy = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- the engine, for one thread at a time */

/*
 * Waits for as long as others are in hooks, each of which is bounded. A wait with a bound of its
 * own would refuse calls on a busy machine, when who has the engine does not get to run.
 */
static void enter_engine(void)
{
	pthread_mutex_lock(&policy.lock);
	if (policy.forked && !policy_engine_forked(policy.engine))
		policy.forked = false;
}

static void leave_engine(void)
{
	pthread_mutex_unlock(&policy.lock);
}

/* ---- opening and closing */

static void drop_engine(void)
{
	policy_engine_free(policy.engine);
	policy.engine = NULL;
	module_backends_drop();
}

static int load(const struct luaccel_core *core, const char *const *paths, size_t nr_paths,
		char *why, size_t size)
{
	const char **known = calloc(module_backends_count() + 1, sizeof(*known));
	struct policy_generation *generation;
	int ret;

	if (!known)
		return module_fail(why, size, VACCEL_ENOMEM, "out of memory");
	module_backends_names(known);
	ret = policy_load(policy.engine, paths, nr_paths, known, module_backends_count(),
			  &generation, why, size);
	free(known);
	if (ret)
		return VACCEL_EINVAL;
	ret = module_backends_declare(core, generation, why, size);
	if (ret)
		policy_generation_free(policy.engine, generation);
	else
		policy_activate(policy.engine, generation);
	return ret;
}

static int load_listed(const struct luaccel_core *core, const char *scripts, char *why, size_t size)
{
	char *copy = strdup(scripts), *rest = copy, *path;
	const char *paths[SCRIPTS_MAX];
	size_t count = 0;
	int ret = VACCEL_OK;

	if (!copy)
		return module_fail(why, size, VACCEL_ENOMEM, "out of memory");
	while (!ret && (path = strsep(&rest, ":"))) {
		if (count == SCRIPTS_MAX)
			ret = module_fail(why, size, VACCEL_EINVAL, "more than %d scripts",
					  SCRIPTS_MAX);
		else if (*path)
			paths[count++] = path;
	}
	if (!ret)
		ret = load(core, paths, count, why, size);
	free(copy);
	return ret;
}

static int module_open(const struct luaccel_core *core, const char *scripts,
		       void (*log)(void *ctx, const char *line), char *why, size_t size)
{
	const struct policy_engine_options options = {
		.log = log,
		.application = true,
		.backend = module_backend_view,
		.supports = module_backend_supports,
	};
	int ret;

	pthread_mutex_lock(&policy.lock);
	ret = policy_engine_new(&options, &policy.engine, why, size);
	if (ret) {
		pthread_mutex_unlock(&policy.lock);
		return -ret;
	}
	ret = module_backends_loaded(core);
	ret = ret ? module_fail(why, size, ret, "out of memory")
		  : load_listed(core, scripts, why, size);
	if (ret)
		drop_engine();
	pthread_mutex_unlock(&policy.lock);
	return ret;
}

static void module_close(void)
{
	enter_engine();
	drop_engine();
	leave_engine();
}

/* ---- sessions */

/* The process itself is the peer, and nothing carries its calls. */
static struct policy_peer ourselves(void)
{
	return (struct policy_peer){
		.has_credentials = true,
		.uid = (uint32_t)geteuid(),
		.gid = (uint32_t)getegid(),
		.pid = (uint32_t)getpid(),
	};
}

static int follow(const struct policy_decision *decision, struct policy_route *route, char *why,
		  size_t size)
{
	const struct backend *backend = NULL;
	size_t i;

	for (i = 0; i < decision->nr_backends; i++) {
		backend = module_backend(decision->backends[i]);
		if (backend->place.plugin)
			route->places[route->count++] = backend->place;
	}
	if (route->count)
		return VACCEL_OK;
	return module_fail(why, size, VACCEL_ENODEV,
			   "no backend can serve the session: %s:down: %s", backend->name,
			   backend->why);
}

static int ask_route(struct policy_view *view, struct policy_route *route, char *why, size_t size)
{
	struct policy_decision decision = { .verdict = POLICY_PASS };

	policy_session_route(policy.engine, view->session, &decision);
	snprintf(view->where, sizeof(view->where), "%s",
		 decision.verdict == POLICY_ROUTE ? decision.where : "hint");
	if (decision.verdict == POLICY_ROUTE)
		return follow(&decision, route, why, size);
	if (decision.verdict == POLICY_REJECT)
		return module_fail(why, size, decision.code, "%s", decision.text);
	return VACCEL_OK;
}

static int module_route(int64_t id, uint32_t hint, struct policy_view **out,
			struct policy_route *route, char *why, size_t size)
{
	const struct policy_peer peer = ourselves();
	struct policy_view *view = calloc(1, sizeof(*view));
	int ret;

	if (!view)
		return module_fail(why, size, VACCEL_ENOMEM, "out of memory");
	route->count = 0;
	enter_engine();
	if (policy_session_new(policy.engine, id, hint, &peer, &view->session))
		ret = module_fail(why, size, VACCEL_ENOMEM, "out of memory for the policy's view");
	else
		ret = ask_route(view, route, why, size);
	if (ret)
		policy_session_free(policy.engine, view->session);
	leave_engine();
	if (ret)
		free(view);
	else
		*out = view;
	return ret;
}

/* What scripts call the backend that it is on; NULL for none. */
static const char *backend_of(const struct policy_view *view)
{
	return view->backend ? view->backend->name : NULL;
}

static void module_entered(struct policy_view *view, const struct policy_place *place)
{
	enter_engine();
	view->backend = module_backend_at(place);
	policy_session_set_route(policy.engine, view->session, backend_of(view), view->where);
	leave_engine();
}

static void module_leave(struct policy_view *view)
{
	enter_engine();
	policy_session_close(policy.engine, view->session);
	policy_session_free(policy.engine, view->session);
	leave_engine();
	free(view);
}

static int module_take(struct policy_view *view, const struct policy_resource *resource, char *why,
		       size_t size)
{
	struct policy_decision decision;

	enter_engine();
	policy_resource_admit(policy.engine, view->session, resource, &decision);
	leave_engine();
	if (decision.verdict != POLICY_REJECT)
		return VACCEL_OK;
	return module_fail(why, size, decision.code, "%s", decision.text);
}

/* ---- operations */

/* A thread that waits for its operation's turn. */
struct waiting {
	struct policy_waiter waiter;
	pthread_cond_t cond;
	bool admitted;
};

static void admitted(struct policy_waiter *waiter)
{
	struct waiting *waiting =
		(struct waiting *)((char *)waiter - offsetof(struct waiting, waiter));

	waiting->admitted = true;
	pthread_cond_signal(&waiting->cond);
}

static struct timespec after(double seconds)
{
	struct timespec at;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &at);
	ns = (uint64_t)at.tv_nsec + (uint64_t)(seconds * 1e9);
	at.tv_sec += (time_t)(ns / 1000000000);
	at.tv_nsec = (long)(ns % 1000000000);
	return at;
}

/* Others have the engine meanwhile. */
static void wait_for_turn(struct policy_view *view, struct policy_decision *decision)
{
	struct waiting waiting = { .waiter.admitted = admitted };
	const struct timespec until = after(decision->wait.seconds);
	pthread_condattr_t monotonic;
	int ret;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&waiting.cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
	ret = policy_wait(&waiting.waiter, view->session, &decision->wait);
	while (!ret && !waiting.admitted)
		ret = pthread_cond_timedwait(&waiting.cond, &policy.lock, &until);
	policy_wait_leave(&waiting.waiter);
	pthread_cond_destroy(&waiting.cond);
	if (waiting.admitted)
		return;
	decision->verdict = POLICY_REJECT;
	if (ret == ETIMEDOUT)
		policy_waited(decision);
}

/* One that is let through begins here, before another thread asks. */
static void ask_admit(struct policy_view *view, const struct policy_op *op,
		      struct policy_decision *decision)
{
	struct policy_op asked = *op;

	enter_engine();
	asked.backend = backend_of(view);
	policy_op_admit(policy.engine, view->session, &asked, decision);
	if (decision->verdict == POLICY_WAIT)
		wait_for_turn(view, decision);
	else if (decision->verdict != POLICY_REJECT)
		policy_session_begins(view->session);
	leave_engine();
}

static int module_admit(struct policy_view *view, const struct policy_op *op, char *why,
			size_t size)
{
	struct policy_decision decision = { .verdict = POLICY_PASS };

	if (policy_wants_op_admit(policy.engine))
		ask_admit(view, op, &decision);
	else
		policy_session_begins(view->session);
	if (decision.verdict == POLICY_REJECT)
		return module_fail(why, size, decision.code, "%s", decision.text);
	if (view->backend)
		atomic_fetch_add(&view->backend->inflight, 1);
	return VACCEL_OK;
}

static void module_done(struct policy_view *view, const struct policy_op *op,
			const struct policy_result *result)
{
	struct policy_op told = *op;
	struct policy_result what = *result;

	enter_engine();
	policy_session_ended(view->session);
	if (view->backend) {
		atomic_fetch_sub(&view->backend->inflight, 1);
		tally_add(&view->backend->tally, result->code, result->service_us);
	}
	told.backend = what.backend = backend_of(view);
	policy_op_done(policy.engine, view->session, &told, &what);
	leave_engine();
}

/* ---- fork */

static void module_lock(void)
{
	pthread_mutex_lock(&policy.lock);
}

static void module_unlock(void)
{
	pthread_mutex_unlock(&policy.lock);
}

static void module_unlock_in_child(void)
{
	module_backends_forked();
	policy.forked = policy.engine != NULL;
	pthread_mutex_unlock(&policy.lock);
}

__attribute__((visibility("default"))) const struct luaccel_policy luaccel_policy = {
	.version = LUACCEL_POLICY_VERSION,
	.open = module_open,
	.close = module_close,
	.route = module_route,
	.entered = module_entered,
	.leave = module_leave,
	.take = module_take,
	.admit = module_admit,
	.done = module_done,
	.lock = module_lock,
	.unlock = module_unlock,
	.unlock_in_child = module_unlock_in_child,
};
