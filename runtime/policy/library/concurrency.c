/*
 * concurrency.c - concurrency { limit = 4, key = "uid" }: so many operations at once for each key.
 *
 * It counts nothing itself: what runs, and what waits, is known of every session (crowds.c,
 * lanes.c), so a reload, also one that changes the limit, finds it. What is over waits, if there is
 * room in the queue, and is refused otherwise.
 */
#include "registry.h"

#include "vaccel/error.h"

enum { LIMIT, KEY, QUEUE, WAIT };

static const struct policy_object_option options[] = {
	[LIMIT] = { "limit", true, 1, 1e6, 0, NULL,
		    "operations at once. They count from when they are admitted until they have "
		    "ended, so those that wait for a turn are among them, and those that a "
		    "function let through without asking" },
	[KEY] = { "key", false, 0, 0, KEY_NONE, policy_key_words,
		  "what has a limit of its own, as of `quota`. When a tag changes, what runs in "
		  "the "
		  "session counts for the new value at once" },
	[QUEUE] = { "queue", false, 0, 1e5, 0, NULL,
		    "so many operations of each key may [wait](#waiting); not with a tag" },
	[WAIT] = { "wait", false, 0.001, 3600, 10, NULL, "for so many seconds at most" },
	{ .name = NULL },
};

static size_t state_size(const struct policy_object *object)
{
	(void)object;
	return 0;
}

/* `answer` is the refusal, `plan` the place in the queue. */
static void start(struct policy_object *object)
{
	struct policy_value *refusal = &object->answer, *place = &object->plan;
	const size_t queue = (size_t)object->options[QUEUE];

	place->kind = VALUE_WAIT;
	place->code = VACCEL_EAGAIN;
	place->line = refusal->line;
	policy_format(place->text, sizeof(place->text), "busy: at most %g at once%s",
		      object->options[LIMIT], object->each);
	place->wait = (struct policy_wait){
		.by = (int)object->options[KEY],
		.limit = (long)object->options[LIMIT],
		.queue = queue,
		.seconds = object->options[WAIT],
	};
	*refusal = *place;
	refusal->kind = VALUE_REJECT;
	if (queue)
		policy_format(refusal->text, sizeof(refusal->text), "%s, and %zu wait", place->text,
			      queue);
}

static const struct policy_value *ask(struct policy_object *object,
				      const struct policy_asked *asked)
{
	const struct policy_wait *wait = &object->plan.wait;

	if (!policy_must_wait(asked->session, wait))
		return NULL;
	return policy_nr_waiting(asked->session, wait) < wait->queue ? &object->plan
								     : &object->answer;
}

static const char *check(const struct policy_object *object)
{
	if (object->options[QUEUE] > 0 && object->options[KEY] >= KEY_TAGS)
		return "a tag has no queue, as it may change while operations wait; use another "
		       "key, or no queue";
	return NULL;
}

const struct policy_kind policy_concurrency = {
	.name = "concurrency",
	.doc = "so many operations at once for each key; what is over is refused with EAGAIN, or "
	       "waits with `queue`. A reload that changes the limit finds what runs",
	.hook = HOOK_OP_ADMIT,
	.options = options,
	.state_size = state_size,
	.check = check,
	.start = start,
	.ask = ask,
};
