/*
 * crowds.c - how many operations run for all sessions that have a cid, a uid, ... in common.
 *
 * A crowd is the sessions of one key; it lives as long as one of them. Each session is in one crowd
 * for each kind of key, whether or not a policy asks, so that a policy that is loaded later, or
 * anew, finds the truth; and in one for each tag that objects look at (tags.c). On the engine's
 * thread, but for the counts, which any thread adds to.
 *
 * A tag can change while operations run: then they leave one crowd for the other with the session,
 * so that a crowd's count is what runs in its sessions. Whoever counts must not meet that half-way,
 * so both hold the session's flag for as long; it is held for a dozen instructions.
 */
#include "registry.h"

#include <errno.h>
#include <sched.h>
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

static void hold(struct policy_session *session)
{
	while (atomic_flag_test_and_set_explicit(&session->counting, memory_order_acquire))
		sched_yield();
}

static void release(struct policy_session *session)
{
	atomic_flag_clear_explicit(&session->counting, memory_order_release);
}

static void count(struct policy_crowd *crowd, long operations)
{
	atomic_fetch_add_explicit(&crowd->inflight, operations, memory_order_relaxed);
}

int policy_crowds_move(struct policy_engine *engine, struct policy_session *session, unsigned slot,
		       uint64_t key)
{
	const enum policy_key by = KEY_TAGS + slot;
	struct policy_crowd *before = session->crowds[by], *next;
	long running;

	if (before && session->tags[slot] == key)
		return 0;
	next = join(engine, by, key);
	if (!next)
		return -ENOMEM;
	hold(session);
	running = session->life ? (long)session->life->inflight : 0;
	if (before)
		count(before, -running);
	count(next, running);
	session->crowds[by] = next;
	session->tagged |= 1U << slot;
	release(session);
	session->tags[slot] = key;
	if (before)
		leave(engine, before);
	return 0;
}

int policy_crowds_join(struct policy_engine *engine, struct policy_session *session)
{
	for (unsigned slot = 0; slot < TAG_SLOTS; slot++)
		if (engine->tags[slot].uses && policy_crowds_move(engine, session, slot, 0))
			return -ENOMEM;
	for (int by = 0; by < KEY_TAGS; by++) {
		const uint64_t key = policy_key_of(session, (enum policy_key)by);

		session->crowds[by] = join(engine, (enum policy_key)by, key);
		if (!session->crowds[by])
			return -ENOMEM;
	}
	return 0;
}

void policy_crowds_leave(struct policy_engine *engine, struct policy_session *session)
{
	for (int by = 0; by < NR_KEYS; by++)
		if (session->crowds[by])
			leave(engine, session->crowds[by]);
}

void policy_crowds_count(struct policy_session *session, long operations)
{
	hold(session);
	session->life->inflight += (size_t)operations;
	for (unsigned left = session->tagged; left; left &= left - 1)
		count(session->crowds[KEY_TAGS + __builtin_ctz(left)], operations);
	release(session);
	for (int by = 0; by < KEY_TAGS; by++)
		count(session->crowds[by], operations);
	/* A session can leave a tag's crowd while an operation waits, so nothing waits in those. */
	for (int by = 0; by < KEY_TAGS && operations < 0; by++)
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
	for (struct policy_session *session = engine->sessions; session; session = session->next) {
		session->life->inflight = 0;
		release(session); /* another thread of the parent may have held it */
	}
}
