/*
 * share.c - what several kinds of objects need: keys of peers, and the order of a plan.
 */
#include "registry.h"

#include <string.h>

const char *const policy_key_words[] = {
	[KEY_NONE] = "none",
	[KEY_CID] = "cid",
	[KEY_UID] = "uid",
	[KEY_SESSION] = "session",
	[KEY_ADDR] = "addr",
	[KEY_LISTENER] = "listener",
	NULL,
};

uint64_t policy_key_of(const struct policy_session *session, enum policy_key by)
{
	switch (by) {
	case KEY_CID:
		return session->has_cid ? session->cid : UINT64_MAX;
	case KEY_UID:
		return session->has_uid ? session->uid : UINT64_MAX;
	case KEY_SESSION:
		return (uint64_t)session->id;
	case KEY_ADDR:
		return session->addr;
	case KEY_LISTENER:
		return session->listener;
	case KEY_NONE:
		return 0;
	default:
		return session->tags[by - KEY_TAGS];
	}
}

uint64_t policy_hash_mix(uint64_t number)
{
	number = (number ^ number >> 32) * UINT64_C(0xd6e8feb86659fd93);
	number = (number ^ number >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return number ^ number >> 32;
}

uint64_t policy_hash_bytes(const char *bytes, size_t len)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < len; i++)
		hash = policy_hash_mix(hash + (unsigned char)bytes[i] + 1);
	return hash;
}

uint64_t policy_hash_text(const char *text)
{
	return policy_hash_bytes(text, strlen(text));
}

void policy_views(const struct policy_object *object, const struct policy_engine *engine,
		  struct policy_backend_view *views)
{
	for (size_t i = 0; i < object->answer.nr; i++)
		if (!policy_view(engine, object->answer.names[i], &views[i]))
			views[i] = (struct policy_backend_view){ .up = true };
}

static bool goes_before(size_t a, size_t b, const double *rank,
			const struct policy_backend_view *views)
{
	if (views[a].up != views[b].up)
		return views[a].up;
	return rank[a] < rank[b];
}

const struct policy_value *policy_order(struct policy_object *object, const double *rank,
					const struct policy_backend_view *views)
{
	const struct policy_value *all = &object->answer;
	struct policy_value *plan = &object->plan;
	size_t order[POLICY_PLAN_MAX];

	for (size_t i = 0; i < all->nr; i++) {
		size_t at = i;

		for (; at > 0 && goes_before(i, order[at - 1], rank, views); at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	plan->kind = VALUE_PLAN;
	plan->line = all->line;
	plan->nr = all->nr;
	for (size_t i = 0; i < all->nr; i++)
		memcpy(plan->names[i], all->names[order[i]], POLICY_NAME_MAX);
	return plan;
}
