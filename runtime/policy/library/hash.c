/*
 * hash.c - hash { "a", "b", key = "cid", load = 1.25 }: sessions of one key begin at one backend,
 * so that it finds there what it left (a loaded model, say).
 *
 * Each backend has a score for each key, and the highest comes first: with one backend more or
 * less, only the keys that it has or had move. A backend with more than `load` times its share of
 * all operations in flight comes after those that have not.
 */
#include "registry.h"

enum { KEY, LOAD };

static const struct policy_object_option options[] = {
	[KEY] = { "key", true, 0, 0, 0, policy_key_words,
		  "what sessions are told apart by, as of `quota`" },
	[LOAD] = { "load", false, 1, 1000, 1.25, NULL,
		   "a backend with more than so many times its share of all operations in flight "
		   "comes after the others" },
	{ .name = NULL },
};

static size_t state_size(const struct policy_object *object)
{
	return object->answer.nr * sizeof(uint64_t);
}

static void start(struct policy_object *object)
{
	uint64_t *seeds = (void *)object->state;

	for (size_t i = 0; i < object->answer.nr; i++)
		seeds[i] = policy_hash_text(object->answer.names[i]);
}

/* What may be in flight on one of the backends that are up, this session's next included. */
static double bound(const struct policy_object *object, const struct policy_backend_view *views)
{
	double all = 1, up = 0;

	for (size_t i = 0; i < object->answer.nr; i++) {
		if (!views[i].up)
			continue;
		all += (double)views[i].inflight;
		up++;
	}
	return up > 0 ? object->options[LOAD] * all / up : 0;
}

static const struct policy_value *ask(struct policy_object *object,
				      const struct policy_asked *asked)
{
	struct policy_backend_view views[POLICY_PLAN_MAX];
	const uint64_t *seeds = (const void *)object->state;
	const uint64_t key = policy_key_of(asked->session, (enum policy_key)object->options[KEY]);
	double rank[POLICY_PLAN_MAX], most;

	policy_views(object, asked->engine, views);
	most = bound(object, views);
	for (size_t i = 0; i < object->answer.nr; i++) {
		/* From -1 to 0; what has too much from 0 to 1. */
		rank[i] = -(double)(policy_hash_mix(key ^ seeds[i]) >> 11) * 0x1p-53;
		if (views[i].inflight && (double)views[i].inflight >= most)
			rank[i] += 1;
	}
	return policy_order(object, rank, views);
}

const struct policy_kind policy_hash = {
	.name = "hash",
	.doc = "sessions of one key begin at one backend, where a model is loaded already, say, as "
	       "long as it has not too much to do. When a backend is added or taken away only its "
	       "own keys move",
	.hook = HOOK_SESSION_ROUTE,
	.takes = TAKES_BACKENDS,
	.options = options,
	.state_size = state_size,
	.start = start,
	.ask = ask,
};
