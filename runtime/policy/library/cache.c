/*
 * cache.c - cache { bytes = 64e6, ttl = 300 }: answers of earlier operations, for sessions whose
 * route names it: route { "gpu", cache = answers }.
 *
 * The object is a name: who serves operations (the agent: agent/cache.h) keeps the answers, by the
 * object's number, for as long as some script in force has an object of that number. It is in the
 * state, so an object with a `name` has the same one after a reload.
 */
#include "registry.h"

#include <stdio.h>
#include <string.h>

enum { BYTES, TTL, KEY };

static const struct policy_object_option options[] = {
	[BYTES] = { "bytes", true, 1e4, 1e12, 0, NULL,
		    "of memory that answers may take. The table to find them by takes up to 1 % "
		    "more" },
	[TTL] = { "ttl", false, 0.001, 30 * 24 * 3600, 300, NULL, "seconds that an answer holds" },
	[KEY] = { "key", false, 0, 0, KEY_NONE, policy_key_words,
		  "peers that differ in it do not share answers; not a tag" },
	{ .name = NULL },
};

static atomic_uint_fast64_t last_number;

static uint64_t number_of(const struct policy_object *object)
{
	uint64_t number;

	memcpy(&number, object->state, sizeof(number));
	return number;
}

static size_t state_size(const struct policy_object *object)
{
	(void)object;
	return sizeof(uint64_t);
}

static void start(struct policy_object *object)
{
	const uint64_t number = atomic_fetch_add(&last_number, 1) + 1;

	memcpy(object->state, &number, sizeof(number));
}

/* What scripts write into tags is told apart by a hash, which is too little for this. */
static const char *check(const struct policy_object *object)
{
	return object->options[KEY] >= KEY_TAGS ? "answers are not kept apart by a tag" : NULL;
}

const struct policy_kind policy_cache = {
	.name = "cache",
	.doc = "no hook itself: a function gives it to its routes, `route { \"gpu\", cache = "
	       "answers }`. "
	       "[Answers are kept](#answers-that-are-kept) there and given to equal operations",
	.hook = HOOK_SESSION_ROUTE,
	.kept = true,
	.options = options,
	.state_size = state_size,
	.check = check,
	.start = start,
};

struct policy_answers policy_answers_of(const struct policy_object *object)
{
	return (struct policy_answers){
		.id = number_of(object),
		.bytes = (size_t)object->options[BYTES],
		.seconds = object->options[TTL],
		.by = (int)object->options[KEY],
	};
}

bool policy_answers_live(const struct policy_engine *engine, uint64_t id)
{
	const struct policy_generation *gen = engine->active;

	for (size_t i = 0; gen && i < gen->nr_named; i++)
		if (gen->named[i].object->kind == &policy_cache &&
		    number_of(gen->named[i].object) == id)
			return true;
	return false;
}

/* Addresses are a peer's to choose, so they stand there themselves. */
void policy_answers_key(const struct policy_session *session, int by, char *text, size_t size)
{
	snprintf(text, size, "%d %llx %s", by,
		 (unsigned long long)policy_key_of(session, (enum policy_key)by),
		 by == KEY_ADDR ? session->who.place : "");
}
