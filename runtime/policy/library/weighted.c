/*
 * weighted.c - weighted { gpu = 3, cpu = 1 }: of four sessions three begin at gpu.
 *
 * No chance is involved: each backend gains its weight with every session, the one that has most
 * is chosen and pays the sum of all. So any run of sessions is divided as evenly as it can be. What
 * a backend that is down would have had is divided among the others.
 */
#include "registry.h"

static const struct policy_object_option options[] = {
	{ .name = NULL },
};

static size_t state_size(const struct policy_object *object)
{
	(void)object;
	return POLICY_PLAN_MAX * sizeof(double);
}

static const struct policy_value *ask(struct policy_object *object,
				      const struct policy_asked *asked)
{
	struct policy_backend_view views[POLICY_PLAN_MAX];
	double *credit = (void *)object->state, rank[POLICY_PLAN_MAX], sum = 0;
	const size_t nr = object->answer.nr;
	size_t best = nr;

	policy_views(object, asked->engine, views);
	for (size_t i = 0; i < nr; i++) {
		rank[i] = -object->weights[i];
		if (!views[i].up)
			continue;
		credit[i] += object->weights[i];
		sum += object->weights[i];
		if (best == nr || credit[i] > credit[best])
			best = i;
	}
	if (best < nr) {
		credit[best] -= sum;
		rank[best] = -sum - 1; /* before all others, which follow by weight */
	}
	return policy_order(object, rank, views);
}

const struct policy_kind policy_weighted = {
	.name = "weighted",
	.doc = "of four sessions three begin at `a`, as evenly as that can be: a a b a; the others "
	       "follow, the heaviest first. What one that is down would have had is divided among "
	       "the others",
	.hook = HOOK_SESSION_ROUTE,
	.takes = TAKES_WEIGHTS,
	.options = options,
	.state_size = state_size,
	.ask = ask,
};
