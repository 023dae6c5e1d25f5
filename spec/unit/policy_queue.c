/*
 * policy_queue.c - operations that wait until others have ended: concurrency { queue = }.
 */
#include "policy_support.h"
#include "registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BUSY "refused by policy p (p.lua:6): busy: at most 1 at once"

/* One that waits, and which in the order of admissions it was; 0: not yet. */
struct one {
	struct policy_waiter waiter;
	unsigned turn;
};

static unsigned turns;

static void admitted(struct policy_waiter *waiter)
{
	((struct one *)waiter)->turn = ++turns;
}

static struct policy_session *session_of(struct fixture *f, int64_t id, uint32_t uid)
{
	const struct policy_peer peer = { .transport = "unix",
					  .has_credentials = true,
					  .uid = uid };
	struct policy_session *session;

	assert_int_equal(policy_session_new(f->engine, id, 0, &peer, &session), 0);
	return session;
}

/* As an agent does: what is admitted runs, and what is to wait does. */
static enum policy_verdict begins(struct fixture *f, struct policy_session *session,
				  struct one *one)
{
	const struct policy_op op = { .name = "noop", .id = 1 };
	struct policy_decision decision;

	*one = (struct one){ .waiter.admitted = admitted };
	policy_op_admit(f->engine, session, &op, &decision);
	if (decision.verdict == POLICY_PASS)
		policy_session_begins(session);
	else if (decision.verdict == POLICY_WAIT)
		assert_int_equal(policy_wait(&one->waiter, session, &decision.wait), 0);
	return decision.verdict;
}

static void use(struct fixture *f, const char *options)
{
	char text[512];

	turns = 0;
	snprintf(text, sizeof(text), POLICY("'allow'", "op_admit = concurrency { %s }\n"), options);
	policy_use(f, text, NULL);
}

static void each_has_its_turn_in_the_order_of_coming(void **state)
{
	struct fixture *f = *state;
	struct one ones[9];

	use(f, "limit = 1, queue = 8");
	for (int i = 0; i < 9; i++)
		assert_int_equal(begins(f, f->session, &ones[i]), i ? POLICY_WAIT : POLICY_PASS);
	assert_string_equal(policy_admit(f, "noop", 1), "reject 11 @p.lua:6 " BUSY ", and 8 wait");
	for (unsigned i = 1; i < 9; i++) {
		assert_int_equal(ones[i].turn, 0);
		policy_session_ended(f->session);
		assert_int_equal(ones[i].turn, i);
	}
	policy_session_ended(f->session);
	assert_int_equal(begins(f, f->session, &ones[0]), POLICY_PASS);
}

static void the_decision_says_how_long_and_what_else(void **state)
{
	struct fixture *f = *state;
	struct policy_decision decision = { .verdict = POLICY_WAIT,
					    .text = BUSY,
					    .wait = { .seconds = 0.25 } };
	struct one one;

	use(f, "limit = 1, queue = 8");
	begins(f, f->session, &one);
	assert_string_equal(policy_admit(f, "noop", 1), "wait 10 s, or 11 @p.lua:6 " BUSY);
	use(f, "limit = 1, queue = 8, wait = 0.5");
	assert_string_equal(policy_admit(f, "noop", 1), "wait 0.5 s, or 11 @p.lua:6 " BUSY);
	policy_waited(&decision);
	assert_int_equal(decision.verdict, POLICY_REJECT);
	assert_string_equal(decision.text, BUSY "; waited 0.25 s");
}

static void who_leaves_holds_nobody_up(void **state)
{
	struct fixture *f = *state;
	struct one ones[5];

	use(f, "limit = 1, queue = 4");
	for (int i = 0; i < 5; i++)
		begins(f, f->session, &ones[i]);
	policy_wait_leave(&ones[1].waiter);
	policy_wait_leave(&ones[4].waiter);
	policy_wait_leave(&ones[4].waiter); /* it has left already */
	assert_int_equal(begins(f, f->session, &ones[1]), POLICY_WAIT);
	for (int i = 0; i < 4; i++)
		policy_session_ended(f->session);
	assert_int_equal(ones[2].turn, 1);
	assert_int_equal(ones[3].turn, 2);
	assert_int_equal(ones[1].turn, 3);
	assert_int_equal(ones[4].turn, 0);
}

static void keys_wait_apart(void **state)
{
	struct fixture *f = *state;
	struct policy_session *same = session_of(f, 8, 1000), *other = session_of(f, 9, 1001);
	struct one ones[5];

	use(f, "limit = 1, queue = 1, key = 'uid'");
	assert_int_equal(begins(f, f->session, &ones[0]), POLICY_PASS);
	assert_int_equal(begins(f, same, &ones[1]), POLICY_WAIT);
	assert_int_equal(begins(f, other, &ones[2]), POLICY_PASS);
	assert_int_equal(begins(f, other, &ones[3]), POLICY_WAIT);
	assert_int_equal(begins(f, same, &ones[4]), POLICY_REJECT);
	policy_session_ended(other);
	assert_int_equal(ones[3].turn, 1);
	assert_int_equal(ones[1].turn, 0);
	policy_session_ended(f->session);
	assert_int_equal(ones[1].turn, 2);
	policy_session_free(f->engine, same);
	policy_session_free(f->engine, other);
}

static void a_session_that_goes_makes_room(void **state)
{
	struct fixture *f = *state;
	struct policy_session *gone = session_of(f, 8, 1000);
	struct one ones[2];

	use(f, "limit = 1, queue = 1");
	assert_int_equal(begins(f, gone, &ones[0]), POLICY_PASS);
	assert_int_equal(begins(f, f->session, &ones[1]), POLICY_WAIT);
	policy_session_free(f->engine, gone);
	assert_int_equal(ones[1].turn, 1);
}

static void other_limits_of_the_key_have_queues_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct one few, many[4];

	turns = 0;
	policy_use(f,
		   "local few = concurrency { limit = 1, queue = 1 }\n"
		   "local many = concurrency { limit = 3, queue = 1 }\n"
		   "local which = few\n"
		   "policy { name = 'p', api = 1, on_error = 'reject', op_admit = function (op)\n"
		   "  if op.name == 'exec' then which = many end return which:ask() end }\n",
		   NULL);
	assert_int_equal(begins(f, f->session, &many[0]), POLICY_PASS);
	assert_int_equal(begins(f, f->session, &few), POLICY_WAIT);
	assert_string_equal(policy_admit(f, "exec", 1), "pass"); /* and from now on */
	for (int i = 1; i < 4; i++)
		assert_int_equal(begins(f, f->session, &many[i]),
				 i < 3 ? POLICY_PASS : POLICY_WAIT);
	policy_session_ended(f->session);
	assert_int_equal(many[3].turn, 1);
	policy_session_ended(f->session);
	policy_session_ended(f->session);
	assert_int_equal(few.turn, 0);
	policy_session_ended(f->session);
	assert_int_equal(few.turn, 2);
}

static void it_waits_for_one_thing_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct one one;

	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 1, queue = 4 }\n"),
		   "policy { name = 'q', api = 1, on_error = 'allow',\n"
		   "op_admit = concurrency { limit = 1, queue = 4, key = 'uid' } }\n");
	assert_int_equal(begins(f, f->session, &one), POLICY_PASS);
	assert_string_equal(policy_admit(f, "noop", 1),
			    "reject 11 @q.lua:2 refused by policy q (q.lua:2): busy: at most 1 at "
			    "once for each uid");
}

static void a_refusal_of_another_comes_first(void **state)
{
	struct fixture *f = *state;
	struct one one;

	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 1, queue = 4 }\n"),
		   "policy { name = 'q', api = 1, on_error = 'allow',\n"
		   "op_admit = function (op) if op.name == 'exec' then return reject 'no' end end "
		   "}\n");
	begins(f, f->session, &one);
	assert_string_equal(policy_admit(f, "exec", 1),
			    "reject 1 @q.lua:2 refused by policy q (q.lua:2): no");
	assert_string_equal(policy_admit(f, "noop", 1), "wait 10 s, or 11 @p.lua:6 " BUSY);
}

static void what_is_kept_of_it_holds_nobody_for_nothing(void **state)
{
	struct fixture *f = *state;
	struct one ones[3];

	turns = 0;
	policy_use(f,
		   "local busy, said = concurrency { limit = 1, queue = 1 }, nil\n"
		   "policy { name = 'p', api = 1, on_error = 'reject',\n"
		   "session_route = function () return said end,\n"
		   "op_admit = function () said = said or busy:ask() return said end }\n",
		   NULL);
	assert_int_equal(begins(f, f->session, &ones[0]), POLICY_PASS);
	assert_int_equal(begins(f, f->session, &ones[1]), POLICY_WAIT);
	policy_session_ended(f->session);
	policy_session_ended(f->session);
	assert_int_equal(begins(f, f->session, &ones[2]), POLICY_WAIT);
	assert_int_equal(ones[2].turn, 2); /* at once */
	assert_non_null(strstr(policy_route(f),
			       "session_route returned what concurrency said of an "
			       "operation; it may return"));
}

static void a_queue_that_is_full_meanwhile_takes_no_more(void **state)
{
	struct fixture *f = *state;
	struct policy_decision decision;
	struct one ones[3];

	use(f, "limit = 1, queue = 1");
	begins(f, f->session, &ones[0]);
	policy_op_admit(f->engine, f->session, &(struct policy_op){ .name = "noop" }, &decision);
	assert_int_equal(begins(f, f->session, &ones[1]), POLICY_WAIT);
	ones[2].waiter.admitted = admitted;
	assert_int_equal(policy_wait(&ones[2].waiter, f->session, &decision.wait), -EAGAIN);
	policy_wait_leave(&ones[2].waiter);
	policy_session_ended(f->session);
	assert_int_equal(ones[1].turn, 1);
}

static void a_child_has_nobody_waiting(void **state)
{
	struct fixture *f = *state;
	struct one ones[3];

	use(f, "limit = 1, queue = 2");
	for (int i = 0; i < 3; i++)
		begins(f, f->session, &ones[i]);
	policy_crowds_forked(f->engine);
	assert_int_equal(begins(f, f->session, &ones[0]), POLICY_PASS);
	policy_session_ended(f->session);
	assert_int_equal(ones[1].turn, 0);
}

/* Much coming and going of many keys, counted beside it. */
static void nothing_is_lost_and_no_limit_exceeded(void **state)
{
	enum { KEYS = 16, ONES = 400, LIMIT = 3 };
	static struct one ones[ONES];
	static struct policy_session *of[ONES], *sessions[KEYS];
	struct fixture *f = *state;
	long running[KEYS] = { 0 };
	uint64_t random = 1;

	use(f, "limit = 3, queue = 20, key = 'session'");
	for (uint32_t i = 0; i < KEYS; i++)
		sessions[i] = session_of(f, i + 8, i);
	memset(ones, 0, sizeof(ones));
	memset(of, 0, sizeof(of));
	for (int step = 0; step < 200000; step++) {
		const size_t i = (random = policy_hash_mix(random + 1)) % ONES;
		const size_t key = random / ONES % KEYS;

		if (of[i] && ones[i].turn) {
			policy_session_ended(of[i]);
			of[i] = NULL;
		} else if (of[i]) {
			policy_wait_leave(&ones[i].waiter);
			of[i] = NULL;
		} else {
			const enum policy_verdict said = begins(f, sessions[key], &ones[i]);

			of[i] = said == POLICY_REJECT ? NULL : sessions[key];
			if (said == POLICY_PASS)
				ones[i].turn = 1;
		}
	}
	for (size_t i = 0; i < ONES; i++)
		for (size_t key = 0; key < KEYS; key++)
			running[key] += of[i] == sessions[key] && ones[i].turn;
	for (size_t key = 0; key < KEYS; key++)
		assert_in_range(running[key], 0, LIMIT);
	for (size_t i = 0; i < (size_t)ONES * ONES; i++) {
		if (!of[i % ONES] || !ones[i % ONES].turn)
			continue;
		policy_session_ended(of[i % ONES]);
		of[i % ONES] = NULL;
	}
	for (size_t key = 0; key < KEYS; key++) {
		assert_int_equal(sessions[key]->life->inflight, 0);
		policy_session_free(f->engine, sessions[key]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(each_has_its_turn_in_the_order_of_coming),
		POLICY_TEST(the_decision_says_how_long_and_what_else),
		POLICY_TEST(who_leaves_holds_nobody_up),
		POLICY_TEST(keys_wait_apart),
		POLICY_TEST(a_session_that_goes_makes_room),
		POLICY_TEST(other_limits_of_the_key_have_queues_of_their_own),
		POLICY_TEST(it_waits_for_one_thing_at_a_time),
		POLICY_TEST(a_refusal_of_another_comes_first),
		POLICY_TEST(what_is_kept_of_it_holds_nobody_for_nothing),
		POLICY_TEST(a_queue_that_is_full_meanwhile_takes_no_more),
		POLICY_TEST(a_child_has_nobody_waiting),
		POLICY_TEST(nothing_is_lost_and_no_limit_exceeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
