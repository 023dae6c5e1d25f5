/*
 * least_inflight.c - least_inflight { "a", "b", ... }: a session begins at the backend that has
 * least to do now; among equals at the one that has waited longest.
 */
#include "registry.h"

static const struct policy_object_option options[] = {
	{ .name = NULL },
};

struct turns {
	uint64_t asked;
	uint64_t chosen[POLICY_PLAN_MAX]; /* when, counted in sessions */
};

static size_t state_size(const struct policy_object *object)
{
	(void)object;
	return sizeof(struct turns);
}

static const struct policy_value *ask(struct policy_object *object,
				      const struct policy_asked *asked)
{
	struct policy_backend_view views[POLICY_PLAN_MAX];
	struct turns *turns = (void *)object->state;
	double rank[POLICY_PLAN_MAX];
	const size_t nr = object->answer.nr;
	size_t best = nr;

	policy_views(object, asked->engine, views);
	turns->asked++;
	for (size_t i = 0; i < nr; i++) {
		rank[i] = (double)views[i].inflight +
			  (double)turns->chosen[i] / (double)(turns->asked + 1);
		if (views[i].up && (best == nr || rank[i] < rank[best]))
			best = i;
	}
	if (best < nr)
		turns->chosen[best] = turns->asked;
	return policy_order(object, rank, views);
}

const struct policy_kind policy_least_inflight = {
	.name = "least_inflight",
	.doc = "a session begins at the backend with the fewest operations in flight; among equals "
	       "at the one that was chosen longest ago",
	.hook = HOOK_SESSION_ROUTE,
	.takes = TAKES_BACKENDS,
	.options = options,
	.state_size = state_size,
	.ask = ask,
};
