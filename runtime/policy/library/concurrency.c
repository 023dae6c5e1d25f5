/*
 * concurrency.c - concurrency { limit = 4, key = "uid" }: so many operations at once for each key.
 *
 * It counts nothing itself: what runs is known of every session (crowds.c), so a reload, also one
 * that changes the limit, finds it. What is over is refused; nothing waits here.
 */
#include "registry.h"

#include "vaccel/error.h"

#include <stdio.h>

enum { LIMIT, KEY };

static const struct policy_object_option options[] = {
	[LIMIT] = { "limit", true, 1, 1e6, 0, NULL,
		    "operations at once. They count from when they are admitted until they have "
		    "ended, so those that wait for a turn are among them, and those that a "
		    "function let through without asking" },
	[KEY] = { "key", false, 0, 0, KEY_NONE, policy_key_words,
		  "what has a limit of its own, as of `quota`" },
	{ .name = NULL },
};

static size_t state_size(const struct policy_object *object)
{
	(void)object;
	return 0;
}

static void start(struct policy_object *object)
{
	struct policy_value *refusal = &object->answer;

	refusal->kind = VALUE_REJECT;
	refusal->code = VACCEL_EAGAIN;
	snprintf(refusal->text, sizeof(refusal->text), "busy: at most %g at once%s",
		 object->options[LIMIT], object->each);
}

static const struct policy_value *ask(struct policy_object *object,
				      const struct policy_asked *asked)
{
	const enum policy_key by = (enum policy_key)object->options[KEY];
	const double inflight = (double)policy_crowd_inflight(asked->session, by);

	return inflight + 1 > object->options[LIMIT] ? &object->answer : NULL;
}

const struct policy_kind policy_concurrency = {
	.name = "concurrency",
	.doc = "so many operations at once for each key; what is over is refused with EAGAIN, "
	       "nothing waits. A reload that changes the limit finds what runs",
	.hook = HOOK_OP_ADMIT,
	.options = options,
	.state_size = state_size,
	.start = start,
	.ask = ask,
};
