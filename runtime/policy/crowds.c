/*
 * crowds.c - how many operations run for all sessions that have a cid, a uid, ... in common.
 *
 * A crowd is the sessions of one key; it lives as long as one of them. Each session is in one crowd
 * for each kind of key, whether or not a policy asks, so that a policy that is loaded later, or
 * anew, finds the truth. On the engine's thread, but for the counts, which any thread adds to.
 */
#include "registry.h"

#include <errno.h>
#include <stdlib.h>

static struct policy_crowd **place_of(struct policy_engine *engine, enum policy_key by,
				      uint64_t key)
{
	const uint64_t hash = policy_hash_mix(key + (uint64_t)by);
	struct policy_crowd **place = &engine->crowds[hash % CROWD_CHAINS];

	while (*place && ((*place)->by != by || (*place)->key != key))
		place = &(*place)->next;
	return place;
}

static struct policy_crowd *join(struct policy_engine *engine, enum policy_key by, uint64_t key)
{
	struct policy_crowd **place = place_of(engine, by, key);

	if (!*place) {
		*place = calloc(1, sizeof(**place));
		if (!*place)
			return NULL;
		(*place)->by = by;
		(*place)->key = key;
	}
	(*place)->sessions++;
	return *place;
}

static void leave(struct policy_engine *engine, struct policy_crowd *crowd)
{
	if (--crowd->sessions)
		return;
	*place_of(engine, crowd->by, crowd->key) = crowd->next;
	free(crowd);
}

int policy_crowds_join(struct policy_engine *engine, struct policy_session *session)
{
	for (int by = 0; by < NR_KEYS; by++) {
		const uint64_t key = policy_key_of(session, (enum policy_key)by);

		session->crowds[by] = join(engine, (enum policy_key)by, key);
		if (!session->crowds[by])
			return -ENOMEM;
	}
	return 0;
}

void policy_crowds_leave(struct policy_engine *engine, struct policy_session *session)
{
	for (int by = 0; by < NR_KEYS && session->crowds[by]; by++)
		leave(engine, session->crowds[by]);
}

void policy_crowds_count(struct policy_session *session, long operations)
{
	for (int by = 0; by < NR_KEYS; by++)
		atomic_fetch_add_explicit(&session->crowds[by]->inflight, operations,
					  memory_order_relaxed);
	for (int by = 0; by < NR_KEYS && operations < 0; by++)
		if (session->crowds[by]->lanes)
			policy_lanes_let_in(session->crowds[by]);
}

void policy_crowds_forked(struct policy_engine *engine)
{
	for (size_t i = 0; i < CROWD_CHAINS; i++)
		for (struct policy_crowd *crowd = engine->crowds[i]; crowd; crowd = crowd->next) {
			policy_lanes_forked(crowd);
			atomic_store(&crowd->inflight, 0);
		}
}
