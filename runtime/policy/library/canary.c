/*
 * canary.c - canary { "new", "old", percent = 5, errors = 0.02 }: a few sessions begin at the
 * first backend, until it does badly; all others at the rest, in order.
 *
 * A canary that is given up stays so, also over reloads that do not change the object: what is
 * tried again is for the operator to say.
 */
#include "registry.h"

#include <inttypes.h>
#include <stdio.h>

enum { PERCENT, ERRORS, P99_US, LEAST, WINDOW };

static const struct policy_object_option options[] = {
	[PERCENT] = { "percent", true, 0.001, 100, 0, NULL,
		      "of sessions that begin at the first backend" },
	[ERRORS] = { "errors", true, 0.0001, 1, 0, NULL,
		     "the share of its operations that must fail for it to be given up" },
	[P99_US] = { "p99_us", false, 1, 1e12, 0, NULL,
		     "it is given up as well when, after `least` operations, the slowest hundredth "
		     "of its last thousand or two took longer than so many microseconds" },
	[LEAST] = { "least", false, 1, 1e6, 20, NULL,
		    "how many operations it must have had for either" },
	[WINDOW] = { "window", false, 1, 86400, 60, NULL,
		     "seconds after which the count begins anew, as of `breaker`" },
	{ .name = NULL },
};

struct trial {
	struct policy_watch watch;
	double credit; /* a session begins there for each 100 */
	bool given_up;
};

static size_t state_size(const struct policy_object *object)
{
	(void)object;
	return sizeof(struct trial);
}

static void give_up(struct trial *trial, const char *backend, const char *why,
		    const struct policy_asked *asked)
{
	trial->given_up = true;
	policy_log(asked->engine, "canary: backend %s is given up: %s", backend, why);
}

static void judge(struct policy_object *object, const struct policy_backend_view *view,
		  const struct policy_asked *asked)
{
	const double *o = object->options;
	const struct policy_watch_bounds bounds = { o[ERRORS], o[LEAST], o[WINDOW] };
	struct trial *trial = (void *)object->state;
	char why[80];

	if (policy_watch_fails(&trial->watch, view, asked->now, &bounds)) {
		snprintf(why, sizeof(why), "%" PRIu64 " of %" PRIu64 " operations failed",
			 trial->watch.failed, trial->watch.seen);
		give_up(trial, object->answer.names[0], why, asked);
	} else if (o[P99_US] > 0 && (double)trial->watch.seen >= o[LEAST] && view->has_latency &&
		   (double)view->p99_us > o[P99_US]) {
		snprintf(why, sizeof(why), "p99 is %" PRIu64 " us", view->p99_us);
		give_up(trial, object->answer.names[0], why, asked);
	}
}

static const struct policy_value *ask(struct policy_object *object,
				      const struct policy_asked *asked)
{
	struct policy_backend_view views[POLICY_PLAN_MAX];
	struct trial *trial = (void *)object->state;
	const size_t nr = object->answer.nr;
	double rank[POLICY_PLAN_MAX];

	policy_views(object, asked->engine, views);
	if (!trial->given_up)
		judge(object, &views[0], asked);
	for (size_t i = 0; i < nr; i++)
		rank[i] = (double)i;
	rank[0] = (double)nr;
	if (!trial->given_up && views[0].up)
		trial->credit += object->options[PERCENT];
	if (!trial->given_up && trial->credit >= 100) {
		trial->credit -= 100;
		rank[0] = -1;
	}
	return policy_order(object, rank, views);
}

const struct policy_kind policy_canary = {
	.name = "canary",
	.doc = "of 100 sessions `percent` begin at the first backend, as evenly as that can be; "
	       "all others at the rest, in order. When it does badly it is given up: the log says "
	       "why, and no session begins there until the object is another, by its options or by "
	       "its `name`",
	.hook = HOOK_SESSION_ROUTE,
	.takes = TAKES_BACKENDS,
	.options = options,
	.state_size = state_size,
	.ask = ask,
};
