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
	[LIMIT] = { "limit", true, 1, 1e6, 0, NULL, "operations at once" },
	[KEY] = { "key", false, 0, 0, KEY_NONE, policy_key_words,
		  "what has a limit of its own; peers without such a thing share one" },
	[QUEUE] = { "queue", false, 0, 1e5, 0, NULL, "how many more may wait, for each key" },
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
	const int by = (int)object->options[KEY];
	const size_t queue = (size_t)object->options[QUEUE];

	place->kind = VALUE_WAIT;
	place->code = VACCEL_EAGAIN;
	place->line = refusal->line;
	policy_format(place->text, sizeof(place->text), "busy: at most %g at once%s%s",
		      object->options[LIMIT], by == KEY_NONE ? "" : " for each ",
		      by == KEY_NONE ? "" : policy_key_words[by]);
	place->wait = (struct policy_wait){
		.by = by,
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

const struct policy_kind policy_concurrency = {
	.name = "concurrency",
	.doc = "so many operations at once; what is over waits, or is refused with EAGAIN",
	.hook = HOOK_OP_ADMIT,
	.options = options,
	.state_size = state_size,
	.start = start,
	.ask = ask,
};
