/*
 * quota.c - quota { rate = 200, burst = 50, key = "cid" }: a token bucket for each key.
 *
 * A bucket starts full with `burst` tokens and gains `rate` a second; an operation takes one or is
 * refused. At most `keys` buckets are kept, in a hash table with a list from the most recently
 * used to the least: the last one goes when another is needed.
 */
#include "registry.h"

#include "vaccel/error.h"

#include <stdio.h>
#include <string.h>

enum { RATE, BURST, KEY, KEYS };

static const struct policy_object_option options[] = {
	[RATE] = { "rate", true, 0.001, 1e9, 0, NULL, "operations a second" },
	[BURST] = { "burst", true, 1, 1e9, 0, NULL, "how many may come at once after a pause" },
	[KEY] = { "key", false, 0, 0, KEY_NONE, policy_key_words,
		  "what has an allowance of its own (`\"none\"`: one for all); peers without such "
		  "a thing share one. With hybrid vsock a listener is a guest" },
	[KEYS] = { "keys", false, 1, 50000, 10000, NULL,
		   "how many keys are remembered. The least recently used is forgotten, and begins "
		   "with a full burst when it comes back. Each takes 44 bytes of the policies' "
		   "memory" },
	{ .name = NULL },
};

/* Buckets are named by index + 1; 0 is none. */
struct bucket {
	uint64_t key, at;
	double tokens;
	uint32_t chain, newer, older;
};

struct quota {
	uint32_t nr, max, newest, oldest;
	struct bucket buckets[]; /* max of them, then as many heads of chains */
};

static uint32_t *head_of(struct quota *quota, uint64_t key)
{
	uint32_t *heads = (void *)(quota->buckets + quota->max);

	return &heads[((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % quota->max];
}

static struct bucket *bucket_at(struct quota *quota, uint32_t name)
{
	return &quota->buckets[name - 1];
}

static void unlink_used(struct quota *quota, const struct bucket *b)
{
	*(b->newer ? &bucket_at(quota, b->newer)->older : &quota->newest) = b->older;
	*(b->older ? &bucket_at(quota, b->older)->newer : &quota->oldest) = b->newer;
}

static void link_newest(struct quota *quota, uint32_t name)
{
	struct bucket *b = bucket_at(quota, name);

	b->newer = 0;
	b->older = quota->newest;
	*(quota->newest ? &bucket_at(quota, quota->newest)->newer : &quota->oldest) = name;
	quota->newest = name;
}

/* A bucket that nobody has: a new one, or the one that was used least recently. */
static uint32_t vacate(struct quota *quota)
{
	uint32_t name = quota->oldest, *link;

	if (quota->nr < quota->max)
		return ++quota->nr;
	link = head_of(quota, bucket_at(quota, name)->key);
	while (*link != name)
		link = &bucket_at(quota, *link)->chain;
	*link = bucket_at(quota, name)->chain;
	unlink_used(quota, bucket_at(quota, name));
	return name;
}

static struct bucket *find(struct quota *quota, uint64_t key, uint64_t now, double burst)
{
	uint32_t *head = head_of(quota, key), name = *head;

	while (name && bucket_at(quota, name)->key != key)
		name = bucket_at(quota, name)->chain;
	if (name) {
		unlink_used(quota, bucket_at(quota, name));
	} else {
		name = vacate(quota);
		*bucket_at(quota, name) =
			(struct bucket){ .key = key, .at = now, .tokens = burst, .chain = *head };
		*head = name;
	}
	link_newest(quota, name);
	return bucket_at(quota, name);
}

static size_t state_size(const struct policy_object *object)
{
	size_t max = (size_t)object->options[KEYS];

	return sizeof(struct quota) + max * (sizeof(struct bucket) + sizeof(uint32_t));
}

static void start(struct policy_object *object)
{
	struct quota *quota = (void *)object->state;
	struct policy_value *refusal = &object->answer;

	quota->max = (uint32_t)object->options[KEYS];
	refusal->kind = VALUE_REJECT;
	refusal->code = VACCEL_EAGAIN;
	snprintf(refusal->text, sizeof(refusal->text),
		 "over quota: at most %g a second%s, %g at once", object->options[RATE],
		 object->each, object->options[BURST]);
}

static const struct policy_value *ask(struct policy_object *object,
				      const struct policy_asked *asked)
{
	const double rate = object->options[RATE], burst = object->options[BURST];
	const uint64_t key = policy_key_of(asked->session, (enum policy_key)object->options[KEY]);
	struct bucket *b = find((void *)object->state, key, asked->now, burst);
	double tokens = b->tokens + (double)(asked->now - b->at) * rate / 1e9;

	b->tokens = tokens < burst ? tokens : burst;
	b->at = asked->now;
	if (b->tokens >= 1) {
		b->tokens -= 1;
		return NULL;
	}
	return &object->answer;
}

const struct policy_kind policy_quota = {
	.name = "quota",
	.doc = "each key may have `rate` operations a second; what is over is refused with EAGAIN "
	       "and a reason that names the limit",
	.hook = HOOK_OP_ADMIT,
	.options = options,
	.state_size = state_size,
	.start = start,
	.ask = ask,
};
