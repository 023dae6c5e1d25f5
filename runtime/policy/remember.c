/*
 * remember.c - Lua decides, C remembers: plans that their scripts want kept.
 *
 * What is kept is the answer of one script to one peer with one hint. While it holds, that script
 * is not asked for such a session; the others are, so that what one remembers never takes a
 * refusal away from another. A plan is for the epoch in which it was made: all of them are
 * forgotten when that moves on, without anything being searched for.
 *
 * A table of fixed size, in sets of a few, of which the one least recently used goes. A peer can
 * choose its hint and so fill a set; what that costs the others is that their scripts are asked.
 * Nobody gets another's plan, since the whole key is compared and not its hash alone. Outside of
 * Lua's memory, made with the first plan; on the engine's thread.
 *
 * Time is that of the session's beginning, which is when it is asked about: a look at the clock
 * costs as much as all the rest of a search.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 64, WAYS = 4 };

struct remembered {
	struct policy_who who;
	const struct script *script;
	uint64_t epoch;
	uint64_t until; /* policy_clock(); 0: no end */
	uint64_t left;	/* sessions that it answers yet; unless counted, no matter */
	uint64_t used;	/* by the table's clock */
	struct policy_value plan;
};

struct policy_memory {
	uint64_t clock;
	uint64_t tags[SETS][WAYS]; /* hashes: what a search reads first */
	struct remembered plans[SETS][WAYS];
};

/* FNV-1a. */
static uint64_t hash_of(const void *data, size_t size)
{
	const unsigned char *at = data;
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * UINT64_C(1099511628211);
	return hash;
}

void policy_who_init(struct policy_who *who, uint32_t hint, const struct policy_peer *peer)
{
	memset(who, 0, sizeof(*who));
	who->hint = hint;
	who->has_credentials = peer->has_credentials;
	who->has_cid = peer->has_cid;
	if (peer->has_credentials) {
		who->uid = peer->uid;
		who->gid = peer->gid;
	}
	if (peer->has_cid)
		who->cid = peer->cid;
	snprintf(who->place, sizeof(who->place), "%s %s", peer->addr ? peer->addr : "",
		 peer->listener ? peer->listener : "");
	who->size = (uint32_t)(offsetof(struct policy_who, place) + strlen(who->place));
	who->hash = hash_of(who, who->size);
}

static uint64_t tag_of(const struct policy_engine *engine, const struct script *script,
		       const struct policy_session *session)
{
	return session->who.hash + (uint64_t)(script - engine->active->scripts);
}

static bool is_for(const struct remembered *r, const struct script *script,
		   const struct policy_session *session)
{
	return r->script == script && memcmp(&r->who, &session->who, session->who.size) == 0;
}

const struct policy_value *policy_remembered(struct policy_engine *engine,
					     const struct script *script,
					     const struct policy_session *session)
{
	struct policy_memory *memory = engine->remembered;
	const uint64_t tag = tag_of(engine, script, session);
	struct remembered *r;

	if (!memory)
		return NULL;
	for (size_t way = 0; way < WAYS; way++) {
		r = &memory->plans[tag % SETS][way];
		if (memory->tags[tag % SETS][way] != tag || !is_for(r, script, session))
			continue;
		if (r->epoch != engine->epoch || (r->until && session->life->began >= r->until) ||
		    (r->plan.keep.uses && r->left == 0))
			return NULL;
		r->left--;
		r->used = ++memory->clock;
		return &r->plan;
	}
	return NULL;
}

/* Where it is already, or the place of one that no longer holds or was used least recently. */
static size_t way_for(const struct policy_engine *engine, const struct script *script,
		      const struct policy_session *session, size_t set)
{
	const struct remembered *plans = engine->remembered->plans[set];
	uint64_t age, oldest = UINT64_MAX;
	size_t found = 0;

	for (size_t way = 0; way < WAYS; way++) {
		if (is_for(&plans[way], script, session))
			return way;
		age = plans[way].epoch == engine->epoch ? plans[way].used : 0;
		if (age >= oldest)
			continue;
		oldest = age;
		found = way;
	}
	return found;
}

void policy_remember(struct policy_engine *engine, const struct script *script,
		     const struct policy_session *session, const struct policy_value *plan)
{
	const uint64_t tag = tag_of(engine, script, session);
	const size_t set = tag % SETS;
	struct policy_memory *memory;
	size_t way;

	if (!engine->remembered)
		engine->remembered = calloc(1, sizeof(*engine->remembered));
	memory = engine->remembered;
	if (!memory)
		return; /* then the script is asked each time */
	way = way_for(engine, script, session, set);
	memory->tags[set][way] = tag;
	memory->plans[set][way] = (struct remembered){
		.who = session->who,
		.script = script,
		.epoch = engine->epoch,
		.until = plan->keep.ttl ? session->life->began + plan->keep.ttl : 0,
		.left = plan->keep.uses,
		.used = ++memory->clock,
		.plan = *plan,
	};
}

void policy_epoch_advance(struct policy_engine *engine)
{
	engine->epoch++;
}
