/*
 * breaker.c - breaker { "gpu", "cpu", errors = 0.5, rest = 30 }: the backends in order, but one
 * whose operations fail too often comes last for a while.
 *
 * It refuses nothing: when all of them rest, they are tried in their order. After its rest a
 * backend has its place again, and `least` operations that fail send it back. Plans that scripts
 * had remembered before either are made anew.
 */
#include "registry.h"

#include <inttypes.h>

enum { ERRORS, LEAST, WINDOW, REST };

static const struct policy_object_option options[] = {
	[ERRORS] = { "errors", false, 0.001, 1, 0.5, NULL,
		     "the share of a backend's operations that must fail for it to rest" },
	[LEAST] = { "least", false, 1, 1e6, 10, NULL,
		    "how many operations it must have had for that" },
	[WINDOW] = { "window", false, 1, 86400, 10, NULL,
		     "seconds after which the count begins anew. It is looked at when a session is "
		     "routed, so a window is longer when sessions are rare" },
	[REST] = { "rest", false, 1, 86400, 30, NULL,
		   "how long a backend comes last, in seconds. Then it has its place again, with a "
		   "new count" },
	{ .name = NULL },
};

struct watched {
	struct policy_watch watch;
	uint64_t resting_until; /* 0: it does not rest */
};

static size_t state_size(const struct policy_object *object)
{
	return object->answer.nr * sizeof(struct watched);
}

static bool rests(struct policy_object *object, size_t i, const struct policy_backend_view *view,
		  const struct policy_asked *asked)
{
	const double *o = object->options;
	const struct policy_watch_bounds bounds = { o[ERRORS], o[LEAST], o[WINDOW] };
	struct watched *w = (struct watched *)(void *)object->state + i;

	if (w->resting_until > asked->now)
		return true;
	if (w->resting_until) { /* what failed meanwhile is not held against it */
		w->resting_until = 0;
		policy_epoch_advance(asked->engine);
		w->watch.begun = false;
	}
	if (!policy_watch_fails(&w->watch, view, asked->now, &bounds))
		return false;
	w->resting_until = asked->now + (uint64_t)(o[REST] * 1e9);
	policy_epoch_advance(asked->engine);
	policy_log(asked->engine,
		   "breaker: backend %s rests for %g s: %" PRIu64 " of %" PRIu64
		   " operations failed",
		   object->answer.names[i], o[REST], w->watch.failed, w->watch.seen);
	return true;
}

static const struct policy_value *ask(struct policy_object *object,
				      const struct policy_asked *asked)
{
	struct policy_backend_view views[POLICY_PLAN_MAX];
	const size_t nr = object->answer.nr;
	double rank[POLICY_PLAN_MAX];

	policy_views(object, asked->engine, views);
	for (size_t i = 0; i < nr; i++)
		rank[i] = (double)(rests(object, i, &views[i], asked) ? i + nr : i);
	return policy_order(object, rank, views);
}

const struct policy_kind policy_breaker = {
	.name = "breaker",
	.doc = "the backends in order; one whose operations fail too often comes last for a while. "
	       "The log says which and why. It refuses nothing: when all rest, they are tried in "
	       "their order",
	.hook = HOOK_SESSION_ROUTE,
	.takes = TAKES_BACKENDS,
	.options = options,
	.state_size = state_size,
	.ask = ask,
};
