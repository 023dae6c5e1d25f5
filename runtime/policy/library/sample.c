/*
 * sample.c - sample { "new", percent = 5 }: of a hundred operations five run on another backend as
 * well, as evenly spread as that can be; see mirror in docs/policies.
 */
#include "registry.h"

#include <string.h>

enum { PERCENT };

static const struct policy_object_option options[] = {
	[PERCENT] = { "percent", true, 0.001, 100, 0, NULL,
		      "of operations that `mirror` is said of" },
	{ .name = NULL },
};

static size_t state_size(const struct policy_object *object)
{
	(void)object;
	return sizeof(double);
}

static const struct policy_value *ask(struct policy_object *object,
				      const struct policy_asked *asked)
{
	double *credit = (void *)object->state; /* an operation for each 100 */
	struct policy_value *mirror = &object->plan;
	struct policy_backend_view views[POLICY_PLAN_MAX];
	const struct policy_value *all = &object->answer;

	*credit += object->options[PERCENT];
	if (*credit < 100)
		return NULL;
	*credit -= 100;
	policy_views(object, asked->engine, views);
	for (size_t i = 0; i < all->nr; i++) {
		if (!views[i].up)
			continue;
		*mirror = (struct policy_value){ .kind = VALUE_MIRROR, .line = all->line, .nr = 1 };
		memcpy(mirror->names[0], all->names[i], POLICY_NAME_MAX);
		return mirror;
	}
	return NULL;
}

const struct policy_kind policy_sample_of = {
	.name = "sample",
	.doc = "`mirror` for so many of a hundred operations, as evenly as that can be, on the "
	       "first "
	       "of the backends that is up",
	.hook = HOOK_OP_ROUTE,
	.takes = TAKES_BACKENDS,
	.options = options,
	.state_size = state_size,
	.ask = ask,
};
