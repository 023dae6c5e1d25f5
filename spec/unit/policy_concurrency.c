/*
 * policy_concurrency.c - what runs for sessions that have a key in common, and the object of the
 * library that limits it.
 */
#include "policy_support.h"
#include "registry.h"

#define BUSY(limit)                                                                                \
	"reject 11 @p.lua:6 refused by policy p (p.lua:6): busy: at most " limit " at once"

static struct policy_session *session_of(struct fixture *f, int64_t id, uint32_t uid)
{
	const struct policy_peer peer = { .transport = "unix",
					  .has_credentials = true,
					  .uid = uid };
	struct policy_session *session;

	assert_int_equal(policy_session_new(f->engine, id, 0, &peer, &session), 0);
	return session;
}

/* As an agent does: what is admitted runs. */
static bool begins(struct fixture *f, struct policy_session *session)
{
	const struct policy_op op = { .name = "noop", .id = 1 };
	struct policy_decision decision;

	policy_op_admit(f->engine, session, &op, &decision);
	if (decision.verdict == POLICY_REJECT)
		return false;
	policy_session_begins(session);
	return true;
}

static void what_is_over_is_refused_until_one_ends(void **state)
{
	struct fixture *f = *state;

	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 2 }\n"), NULL);
	for (int i = 0; i < 1000; i++) {
		assert_true(begins(f, f->session));
		assert_true(begins(f, f->session));
		assert_string_equal(policy_admit(f, "noop", 1), BUSY("2"));
		policy_session_ended(f->session);
		assert_true(begins(f, f->session));
		assert_false(begins(f, f->session));
		policy_session_ended(f->session);
		policy_session_ended(f->session);
	}
}

static void each_key_has_its_limit(void **state)
{
	struct fixture *f = *state;
	struct policy_session *same = session_of(f, 8, 1000), *other = session_of(f, 9, 1001);

	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 1, key = 'uid' }\n"),
		   NULL);
	assert_true(begins(f, f->session));
	assert_false(begins(f, same));
	assert_true(begins(f, other));
	assert_string_equal(policy_admit(f, "noop", 1), BUSY("1") " for each uid");
	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 1, key = 'session' }\n"),
		   NULL);
	assert_false(begins(f, f->session));
	assert_true(begins(f, same));
	/* Nobody has a cid: they share one limit. */
	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 4, key = 'cid' }\n"),
		   NULL);
	assert_true(begins(f, other));
	assert_false(begins(f, same));
	policy_session_free(f->engine, same);
	policy_session_free(f->engine, other);
}

static void a_script_that_comes_later_finds_what_runs(void **state)
{
	struct fixture *f = *state;

	policy_use(f, POLICY("'allow'", ""), NULL);
	for (int i = 0; i < 3; i++)
		assert_true(begins(f, f->session));
	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 4 }\n"), NULL);
	assert_true(begins(f, f->session));
	assert_false(begins(f, f->session));
	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 5 }\n"), NULL);
	assert_true(begins(f, f->session));
	assert_false(begins(f, f->session));
}

static void sessions_that_go_take_what_ran_with_them(void **state)
{
	struct fixture *f = *state;

	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 2, key = 'uid' }\n"),
		   NULL);
	for (int64_t id = 8; id < 2000; id++) {
		struct policy_session *session = session_of(f, id, 1000);

		assert_true(begins(f, session));
		assert_true(begins(f, f->session));
		assert_false(begins(f, f->session));
		policy_session_ended(f->session);
		policy_session_free(f->engine, session);
	}
}

static void sessions_of_many_keys_are_told_apart(void **state)
{
	enum { MANY = 2000 };
	static struct policy_session *sessions[MANY];
	struct fixture *f = *state;

	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 1, key = 'uid' }\n"),
		   NULL);
	for (uint32_t i = 0; i < MANY; i++) {
		sessions[i] = session_of(f, i + 8, i + 2000);
		assert_true(begins(f, sessions[i]));
	}
	for (uint32_t i = 0; i < MANY; i += 2)
		policy_session_free(f->engine, sessions[i]);
	for (uint32_t i = 1; i < MANY; i += 2) {
		assert_false(begins(f, sessions[i]));
		policy_session_free(f->engine, sessions[i]);
	}
}

static void a_child_has_none_of_its_parents_operations(void **state)
{
	struct fixture *f = *state;

	policy_use(f, POLICY("'allow'", "op_admit = concurrency { limit = 1 }\n"), NULL);
	assert_true(begins(f, f->session));
	policy_crowds_forked(f->engine);
	assert_true(begins(f, f->session));
	policy_session_ended(f->session);
	policy_session_ended(f->session); /* the parent's, on the thread that forked */
	assert_true(begins(f, f->session));
}

static void a_function_can_ask_it(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   "local few = concurrency { limit = 1 }\n"
		   "policy { name = 'p', api = 1, on_error = 'reject',\n"
		   "op_admit = function(op) if op.name == 'exec' then return few:ask() end end }\n",
		   NULL);
	assert_true(begins(f, f->session));
	assert_string_equal(policy_admit(f, "noop", 1), "pass");
	assert_string_equal(policy_admit(f, "exec", 1),
			    "reject 11 @p.lua:1 refused by policy p (p.lua:1): busy: at most 1 at "
			    "once");
}

static void what_is_wrong_is_said(void **state)
{
	struct fixture *f = *state;

	policy_fails_to_load(f, "concurrency { }", "p.lua:1: concurrency needs the option limit");
	policy_fails_to_load(f, "concurrency { limit = 0 }",
			     "p.lua:1: concurrency: limit must be a number from 1 to 1e+06");
	policy_fails_to_load(f, "concurrency { limit = 1, row = 16 }",
			     "p.lua:1: concurrency has no option \"row\"; it has: limit, key, "
			     "queue, wait, name");
	policy_fails_to_load(f, "concurrency { limit = 1, queue = -1 }",
			     "p.lua:1: concurrency: queue must be a number from 0 to 100000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(what_is_over_is_refused_until_one_ends),
		POLICY_TEST(each_key_has_its_limit),
		POLICY_TEST(a_script_that_comes_later_finds_what_runs),
		POLICY_TEST(sessions_that_go_take_what_ran_with_them),
		POLICY_TEST(sessions_of_many_keys_are_told_apart),
		POLICY_TEST(a_child_has_none_of_its_parents_operations),
		POLICY_TEST(a_function_can_ask_it),
		POLICY_TEST(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
