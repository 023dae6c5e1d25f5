/*
 * round_robin.c - round_robin { "a", "b", ... }: each session begins at the next backend, and the
 * others follow in order.
 */
#include "registry.h"

static const struct policy_object_option options[] = {
	{ .name = NULL },
};

static size_t state_size(const struct policy_object *object)
{
	(void)object;
	return sizeof(size_t);
}

static const struct policy_value *ask(struct policy_object *object,
				      const struct policy_asked *asked)
{
	struct policy_backend_view views[POLICY_PLAN_MAX];
	const size_t nr = object->answer.nr;
	double rank[POLICY_PLAN_MAX];
	size_t *next = (void *)object->state, at = *next < nr ? *next : 0;

	*next = at + 1;
	for (size_t i = 0; i < nr; i++) {
		rank[at] = (double)i;
		at = at + 1 < nr ? at + 1 : 0;
	}
	policy_views(object, asked->engine, views);
	return policy_order(object, rank, views);
}

const struct policy_kind policy_round_robin = {
	.name = "round_robin",
	.doc = "each session begins at the next backend, and the others follow in order as "
	       "fallbacks",
	.hook = HOOK_SESSION_ROUTE,
	.takes = TAKES_BACKENDS,
	.options = options,
	.state_size = state_size,
	.ask = ask,
};
