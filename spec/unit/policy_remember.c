/*
 * policy_remember.c - plans that hold for later sessions: for how long, for whom, and what ends
 * them. The scripts count how often they are asked: an odd time they route to cpu, else to test.
 */
#include "engine.h"
#include "policy_support.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CPU  "route cpu @p.lua:9"
#define TEST "route test @p.lua:10"

/* Both plans have these options. */
static void use(struct fixture *f, const char *options, const char *text_q)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 POLICY("'allow'", "session_route = function (s)\n"
				   "asked = (asked or 0) + 1\n"
				   "if asked %% 2 == 1 then\n"
				   "return route { 'cpu', %s } end\n"
				   "return route { 'test', %s }\n"
				   "end\n"),
		 options, options);
	policy_use(f, text, text_q);
}

/* Of a session of its own. */
static const char *route_of(struct fixture *f, uint32_t hint, const struct policy_peer *peer)
{
	struct policy_session *session;
	struct policy_decision decision;

	assert_int_equal(policy_session_new(f->engine, 8, hint, peer, &session), 0);
	policy_session_route(f->engine, session, &decision);
	policy_session_free(f->engine, session);
	return policy_describe(&decision);
}

static void a_plan_without_options_is_for_one_session(void **state)
{
	struct fixture *f = *state;

	use(f, "sticky = false", NULL);
	assert_string_equal(policy_route(f), CPU);
	assert_string_equal(policy_route(f), TEST);
	assert_string_equal(policy_route(f), CPU);
}

static void uses_are_later_sessions(void **state)
{
	struct fixture *f = *state;

	use(f, "uses = 2", NULL);
	for (int i = 0; i < 3; i++)
		assert_string_equal(policy_route(f), CPU);
	for (int i = 0; i < 3; i++)
		assert_string_equal(policy_route(f), TEST);
	assert_string_equal(policy_route(f), CPU);
}

static uint64_t virtual_now;

static uint64_t tell_virtual(void *ctx)
{
	(void)ctx;
	return virtual_now;
}

/* Of a session that begins now. */
static const char *route_now(struct fixture *f)
{
	const struct policy_peer peer = { .transport = "unix" };

	return route_of(f, 0, &peer);
}

static void ttl_is_exact_in_a_simulation(void **state)
{
	struct fixture *f = *state;

	virtual_now = UINT64_C(1000000000);
	f->engine->options.now = tell_virtual;
	use(f, "ttl = 60, uses = 1000", NULL);
	assert_string_equal(route_now(f), CPU);
	virtual_now += UINT64_C(59999999999);
	assert_string_equal(route_now(f), CPU);
	virtual_now += 1;
	assert_string_equal(route_now(f), TEST);
	assert_string_equal(route_now(f), TEST);
}

static void ttl_ends_a_plan(void **state)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct fixture *f = *state;
	int i;

	use(f, "ttl = 1000", NULL);
	for (i = 0; i < 3; i++)
		assert_string_equal(route_now(f), CPU);
	use(f, "ttl = 0.02, sticky = true", NULL);
	assert_string_equal(route_now(f), CPU);
	for (i = 0; i < 2000 && strcmp(route_now(f), TEST) != 0; i++)
		nanosleep(&pause, NULL);
	assert_true(i < 2000);
}

static void the_epoch_ends_all_plans(void **state)
{
	struct fixture *f = *state;

	use(f, "sticky = true, uses = 1000", NULL);
	for (int i = 0; i < 500; i++)
		assert_string_equal(policy_route(f), CPU);
	policy_epoch_advance(f->engine);
	for (int i = 0; i < 500; i++)
		assert_string_equal(policy_route(f), TEST);
	use(f, "sticky = true", NULL); /* a reload, after which it counts anew */
	assert_string_equal(policy_route(f), CPU);
}

/* A plan that was made before backend_state was called: the script did not know yet. */
static void what_a_script_is_told_ends_its_plans(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'allow'",
			  "backend_state = function (b, up) down = not up end,\n"
			  "session_route = function ()\n"
			  "return route { down and 'test' or 'cpu', sticky = true } end\n"),
		   NULL);
	policy_epoch_advance(f->engine);
	assert_string_equal(policy_route(f), "route cpu @p.lua:8");
	policy_backend_state(f->engine, "cpu", false);
	for (int i = 0; i < 2; i++)
		assert_string_equal(policy_route(f), "route test @p.lua:8");
}

/* Each of these is asked about once, and has its own answer from then on. */
static void others_are_asked_about(void **state)
{
	static const struct policy_peer peers[] = {
		{ .has_credentials = true, .uid = 1, .gid = 1, .listener = "main" },
		{ .has_credentials = true, .uid = 2, .gid = 1, .listener = "main" },
		{ .has_credentials = true, .uid = 1, .gid = 2, .listener = "main" },
		{ .has_credentials = true, .uid = 1, .gid = 1, .listener = "other" },
		{ .has_credentials = true, .uid = 0, .gid = 0, .listener = "main" },
		{ .listener = "main" },
		{ .has_cid = true, .cid = 1, .listener = "main" },
		{ .has_cid = true, .cid = 2, .listener = "main" },
		{ .addr = "10.0.0.1", .listener = "main" },
		{ .addr = "10.0.0.2", .listener = "main" },
	};
	struct fixture *f = *state;

	use(f, "sticky = true", NULL);
	for (int again = 0; again < 3; again++)
		for (uint32_t hint = 0; hint < 3; hint++)
			for (size_t i = 0; i < COUNT(peers); i++)
				assert_string_equal(route_of(f, hint, &peers[i]),
						    (hint * COUNT(peers) + i) % 2 ? TEST : CPU);
}

static void a_process_is_not_told_apart(void **state)
{
	struct policy_peer peer = { .has_credentials = true, .uid = 1, .pid = 10 };
	struct fixture *f = *state;

	use(f, "sticky = true", NULL);
	for (; peer.pid < 20; peer.pid++)
		assert_string_equal(route_of(f, 0, &peer), CPU);
}

/* Remembered or not; and the first plan's, since that is the one that wins. */
static void a_deadline_comes_with_the_plan(void **state)
{
	struct policy_decision decision;
	struct fixture *f = *state;

	use(f, "deadline = 2.5, uses = 1",
	    "policy { name = 'q', api = 1, on_error = 'allow', session_route = function ()\n"
	    "return route { 'test', deadline = 1 } end }");
	for (int i = 0; i < 3; i++) {
		policy_session_route(f->engine, f->session, &decision);
		assert_true(decision.deadline == 2.5);
	}
	policy_use(f, POLICY("'allow'", "session_route = function () return route 'cpu' end\n"),
		   NULL);
	policy_session_route(f->engine, f->session, &decision);
	assert_true(decision.deadline == 0);
}

static void other_scripts_are_asked_each_time(void **state)
{
	struct fixture *f = *state;

	use(f, "sticky = true",
	    "policy { name = 'q', api = 1, on_error = 'allow', session_route = function ()\n"
	    "n = (n or 0) + 1 if n == 3 then return reject 'enough' end end }");
	assert_string_equal(policy_route(f), CPU);
	assert_string_equal(policy_route(f), CPU);
	assert_string_equal(policy_route(f), "reject 1 @q.lua:2 refused by policy q (q.lua:2): "
					     "enough");
	assert_string_equal(policy_route(f), CPU);
}

static void each_script_has_its_own(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'allow'", "session_route = function (s)\n"
				     "if s.hint == 0 then return route { 'cpu', sticky = true } "
				     "end end\n"),
		   "policy { name = 'q', api = 1, on_error = 'allow', session_route = function ()\n"
		   "return route { 'test', sticky = true } end }");
	for (int i = 0; i < 3; i++) {
		const struct policy_peer peer = { .listener = "main" };

		assert_string_equal(route_of(f, 0, &peer), "route cpu @p.lua:7");
		assert_string_equal(route_of(f, 1, &peer), "route test @q.lua:2");
	}
}

/* However many a peer asks for, the table does not grow, and the newest stay. */
static void so_many_are_remembered(void **state)
{
	const struct policy_peer peer = { .listener = "main" };
	struct fixture *f = *state;
	char first[64];

	use(f, "sticky = true", NULL);
	for (uint32_t hint = 0; hint < 10001; hint++)
		snprintf(first, sizeof(first), "%s", route_of(f, hint, &peer));
	assert_string_equal(first, CPU);
	for (int i = 0; i < 3; i++)
		assert_string_equal(route_of(f, 10000, &peer), CPU);
	/* The 10,002nd time that it is asked: about one that it was asked about first of all. */
	assert_string_equal(route_of(f, 0, &peer), TEST);
}

/* What overran is set aside, and what it said before holds: nothing of it has to run. */
static void a_plan_outlives_overruns(void **state)
{
	const struct policy_peer peer = { .listener = "main" };
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'reject'", "session_route = function (s)\n"
				      "while s.hint > 0 do end\n"
				      "return route { 'cpu', ttl = 1000 }\nend\n"),
		   NULL);
	assert_string_equal(route_of(f, 0, &peer), "route cpu @p.lua:8");
	for (uint32_t hint = 1; hint < 5; hint++)
		assert_int_equal(strncmp(route_of(f, hint, &peer), "reject 1 ", 9), 0);
	assert_non_null(strstr(f->log, "set aside"));
	assert_string_equal(route_of(f, 0, &peer), "route cpu @p.lua:8");
}

static void a_failure_is_not_remembered(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("{ default = 'test' }", "session_route = function (s)\n"
						  "n = (n or 0) + 1\n"
						  "if n == 1 then error 'not yet' end\n"
						  "return route { 'cpu', sticky = true }\nend\n"),
		   NULL);
	assert_string_equal(policy_route(f), "route test @p.lua:5");
	for (int i = 0; i < 3; i++)
		assert_string_equal(policy_route(f), "route cpu @p.lua:9");
}

static void options_are_checked(void **state)
{
	static const char *const wrong[][2] = {
		{ "ttl = 0", "route: ttl is a number from 0.001 to 2592000" },
		{ "ttl = '5'", "route: ttl is a number from 0.001 to 2592000" },
		{ "ttl = 0/0", "route: ttl is a number from 0.001 to 2592000" },
		{ "ttl = 1e300", "route: ttl is a number from 0.001 to 2592000" },
		{ "uses = 0", "route: uses is a number from 1 to 1000000000" },
		{ "uses = 1.5", "route: uses is a whole number" },
		{ "uses = true", "route: uses is a number from 1 to 1000000000" },
		{ "deadline = 0", "route: deadline is a number from 0.001 to 86400" },
		{ "deadline = 1e6", "route: deadline is a number from 0.001 to 86400" },
		{ "sticky = 1", "route: sticky is true or false" },
		{ "stiky = true", "route has no option \"stiky\"; it takes backends in order and: "
				  "sticky, ttl, uses, deadline, per_op, cache" },
		{ "[true] = 1", "route takes a list without holes" },
	};
	struct policy_generation *generation;
	struct fixture *f = *state;
	char text[512], said[256];

	for (size_t i = 0; i < COUNT(wrong); i++) {
		snprintf(text, sizeof(text),
			 "local plan = route { 'cpu', %s }\n" POLICY("'allow'", ""), wrong[i][0]);
		snprintf(said, sizeof(said), "p.lua:1: %s", wrong[i][1]);
		assert_int_equal(policy_try(f, text, NULL, &generation), -1);
		assert_string_equal(f->err, said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(a_plan_without_options_is_for_one_session),
		POLICY_TEST(uses_are_later_sessions),
		POLICY_TEST(ttl_is_exact_in_a_simulation),
		POLICY_TEST(ttl_ends_a_plan),
		POLICY_TEST(the_epoch_ends_all_plans),
		POLICY_TEST(what_a_script_is_told_ends_its_plans),
		POLICY_TEST(others_are_asked_about),
		POLICY_TEST(a_process_is_not_told_apart),
		POLICY_TEST(a_deadline_comes_with_the_plan),
		POLICY_TEST(other_scripts_are_asked_each_time),
		POLICY_TEST(each_script_has_its_own),
		POLICY_TEST(so_many_are_remembered),
		POLICY_TEST(a_plan_outlives_overruns),
		POLICY_TEST(a_failure_is_not_remembered),
		POLICY_TEST(options_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
