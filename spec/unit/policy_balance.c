/*
 * policy_balance.c - the library's objects that choose among backends by what these have to do and
 * how they do it, with backends that are what a test says.
 */
#include "policy_support.h"
#include "registry.h"

#include <stdio.h>
#include <string.h>

static struct policy_backend_view cpu, test;

static bool view_of(void *ctx, const char *name, struct policy_backend_view *view)
{
	(void)ctx;
	if (strcmp(name, "cpu") == 0)
		*view = cpu;
	else if (strcmp(name, "test") == 0)
		*view = test;
	else
		return false;
	return true;
}

static struct fixture *begin(void **state, const char *text)
{
	struct fixture *f = *state;

	cpu = test = (struct policy_backend_view){ .up = true };
	f->engine->options.backend = view_of;
	policy_use(f, text, NULL);
	return f;
}

/* How many of `sessions` begin at the backend. */
static unsigned count_first(struct fixture *f, const char *name, unsigned sessions)
{
	struct policy_decision decision;
	unsigned count = 0;

	for (unsigned i = 0; i < sessions; i++) {
		policy_session_route(f->engine, f->session, &decision);
		assert_int_equal(decision.verdict, POLICY_ROUTE);
		count += strcmp(decision.backends[0], name) == 0;
	}
	return count;
}

static void weighted_divides_evenly(void **state)
{
	struct fixture *f =
		begin(state, POLICY("'reject'",
				    "session_route = weighted { cpu = 3, noop = 1, test = 2 }\n"));

	for (int i = 0; i < 10; i++)
		assert_int_equal(count_first(f, "cpu", 6), 3);
	assert_int_equal(count_first(f, "test", 60), 20);
	assert_int_equal(count_first(f, "noop", 60), 10);
	assert_string_equal(policy_route(f), "route cpu,test,noop @p.lua:6");
}

static void weighted_goes_round_what_is_down(void **state)
{
	struct fixture *f =
		begin(state, POLICY("'reject'",
				    "session_route = weighted { cpu = 3, noop = 1, test = 2 }\n"));

	cpu.up = false;
	assert_int_equal(count_first(f, "test", 30), 20);
	assert_string_equal(policy_route(f), "route test,noop,cpu @p.lua:6");
	cpu.up = true;
	assert_int_equal(count_first(f, "cpu", 60), 30);
}

static void round_robin_tries_what_is_down_last(void **state)
{
	struct fixture *f =
		begin(state, POLICY("'reject'",
				    "session_route = round_robin { 'cpu', 'test', 'noop' }\n"));

	cpu.up = false;
	assert_string_equal(policy_route(f), "route test,noop,cpu @p.lua:6");
	assert_string_equal(policy_route(f), "route test,noop,cpu @p.lua:6");
	assert_string_equal(policy_route(f), "route noop,test,cpu @p.lua:6");
}

static void least_inflight_chooses_the_idlest(void **state)
{
	struct fixture *f =
		begin(state, POLICY("'reject'",
				    "session_route = least_inflight { 'cpu', 'test', 'noop' }\n"));

	cpu.inflight = 3;
	test.inflight = 2;
	assert_string_equal(policy_route(f), "route noop,test,cpu @p.lua:6");
	cpu.inflight = test.inflight = 0;
	assert_int_equal(count_first(f, "cpu", 30), 10);
	assert_int_equal(count_first(f, "test", 30), 10);
	test.inflight = 9;
	assert_int_equal(count_first(f, "test", 30), 0);
	cpu.up = false;
	assert_string_equal(policy_route(f), "route noop,test,cpu @p.lua:6");
}

static const struct policy_value *ask_cid(struct fixture *f, uint32_t cid)
{
	struct policy_object *o = f->engine->active->scripts[0].hooks[HOOK_SESSION_ROUTE].object;
	const struct policy_session session = { .has_cid = true, .cid = cid };
	const struct policy_asked asked = { .engine = f->engine, .session = &session };

	return o->kind->ask(o, &asked);
}

#define HASH "session_route = hash { 'cpu', 'test', key = 'cid' }\n"

static void hash_keeps_a_key_where_it_is(void **state)
{
	struct fixture *f = begin(state, POLICY("'reject'", HASH));
	unsigned at_cpu = 0;

	for (uint32_t cid = 3; cid < 1003; cid++) {
		bool cpu_first = strcmp(ask_cid(f, cid)->names[0], "cpu") == 0;

		at_cpu += cpu_first;
		assert_string_equal(ask_cid(f, cid)->names[0], cpu_first ? "cpu" : "test");
		assert_string_equal(ask_cid(f, cid)->names[1], cpu_first ? "test" : "cpu");
	}
	assert_in_range(at_cpu, 400, 600);
}

static void hash_moves_keys_of_what_has_too_much(void **state)
{
	struct fixture *f = begin(state, POLICY("'reject'", HASH));
	unsigned at_cpu = 0;

	cpu.inflight = 2; /* alone: its share is 1 */
	for (uint32_t cid = 3; cid < 103; cid++)
		assert_string_equal(ask_cid(f, cid)->names[0], "test");
	test.inflight = 2;
	for (uint32_t cid = 3; cid < 103; cid++)
		at_cpu += strcmp(ask_cid(f, cid)->names[0], "cpu") == 0;
	assert_in_range(at_cpu, 20, 80);
	test.up = false;
	for (uint32_t cid = 3; cid < 103; cid++)
		assert_string_equal(ask_cid(f, cid)->names[0], "cpu");
}

/* Where a session begins at that second. */
static const char *first_at(struct fixture *f, unsigned second)
{
	struct policy_object *o = f->engine->active->scripts[0].hooks[HOOK_SESSION_ROUTE].object;
	const struct policy_session session = { .id = 1 };
	const struct policy_asked asked = {
		.engine = f->engine,
		.session = &session,
		.now = second * UINT64_C(1000000000),
	};

	return o->kind->ask(o, &asked)->names[0];
}

static void counts(struct policy_backend_view *view, uint64_t operations, uint64_t errors)
{
	view->operations += operations;
	view->errors += errors;
}

#define BREAKER                                                                                    \
	"session_route = breaker { 'cpu', 'test', errors = 0.5, least = 4, window = 10, "          \
	"rest = 30 }\n"

static void breaker_lets_a_failing_backend_rest(void **state)
{
	struct fixture *f = begin(state, POLICY("'reject'", BREAKER));
	const uint64_t epoch = f->engine->epoch; /* of plans that are remembered */

	counts(&cpu, 1000, 1000); /* before it looked */
	assert_string_equal(first_at(f, 0), "cpu");
	counts(&cpu, 3, 3); /* too few to tell */
	assert_string_equal(first_at(f, 1), "cpu");
	assert_int_equal(f->engine->epoch, epoch);
	counts(&cpu, 5, 1); /* 4 of 8 */
	assert_string_equal(first_at(f, 2), "test");
	assert_int_equal(f->engine->epoch, epoch + 1);
	assert_non_null(
		strstr(f->log, "breaker: backend cpu rests for 30 s: 4 of 8 operations failed"));
	counts(&cpu, 50, 50); /* sessions that it still has */
	assert_string_equal(first_at(f, 31), "test");
	assert_int_equal(f->engine->epoch, epoch + 1);
	assert_string_equal(first_at(f, 32), "cpu");
	assert_int_equal(f->engine->epoch, epoch + 2);
	counts(&cpu, 4, 2);
	assert_string_equal(first_at(f, 33), "test");
}

static void breaker_forgets_after_its_window(void **state)
{
	struct fixture *f = begin(state, POLICY("'reject'", BREAKER));

	assert_string_equal(first_at(f, 0), "cpu");
	counts(&cpu, 3, 3);
	assert_string_equal(first_at(f, 10), "cpu");
	counts(&cpu, 3, 3);
	assert_string_equal(first_at(f, 11), "cpu");
	cpu = (struct policy_backend_view){ .up = true }; /* it counts from zero again */
	assert_string_equal(first_at(f, 12), "cpu");
	counts(&cpu, 4, 4);
	assert_string_equal(first_at(f, 13), "test");
}

static void breaker_refuses_nothing(void **state)
{
	struct fixture *f = begin(state, POLICY("'reject'", BREAKER));

	assert_string_equal(policy_route(f), "route cpu,test @p.lua:6");
	counts(&cpu, 4, 4);
	assert_string_equal(policy_route(f), "route test,cpu @p.lua:6");
	counts(&test, 4, 4);
	assert_string_equal(policy_route(f), "route cpu,test @p.lua:6");
	cpu.up = false;
	assert_string_equal(policy_route(f), "route test,cpu @p.lua:6");
}

#define CANARY                                                                                     \
	"session_route = canary { 'test', 'cpu', 'noop', percent = 5, errors = 0.02, "             \
	"p99_us = 900, least = 50 }\n"

static void canary_gets_its_share(void **state)
{
	struct fixture *f = begin(state, POLICY("'reject'", CANARY));

	for (int i = 0; i < 5; i++)
		assert_int_equal(count_first(f, "test", 100), 5);
	assert_string_equal(policy_route(f), "route cpu,noop,test @p.lua:6");
	test.up = false;
	assert_int_equal(count_first(f, "cpu", 100), 100);
}

static void canary_is_given_up_when_it_fails(void **state)
{
	struct fixture *f = begin(state, POLICY("'reject'", CANARY));

	assert_int_equal(count_first(f, "test", 100), 5);
	counts(&test, 49, 49);
	assert_int_equal(count_first(f, "test", 100), 5);
	counts(&test, 1, 0);
	assert_int_equal(count_first(f, "test", 1000), 0);
	assert_non_null(
		strstr(f->log, "canary: backend test is given up: 49 of 50 operations failed"));
	counts(&test, 5000, 0); /* a reload that changes nothing does not forget */
	policy_use(f, POLICY("'reject'", CANARY), NULL);
	assert_int_equal(count_first(f, "test", 1000), 0);
}

static void canary_is_given_up_when_it_is_slow(void **state)
{
	struct fixture *f = begin(state, POLICY("'reject'", CANARY));

	test.has_latency = true;
	test.p99_us = 900;
	assert_int_equal(count_first(f, "test", 100), 5);
	counts(&test, 50, 0);
	assert_int_equal(count_first(f, "test", 100), 5);
	test.p99_us = 901;
	assert_int_equal(count_first(f, "test", 100), 0);
	assert_non_null(strstr(f->log, "canary: backend test is given up: p99 is 901 us"));
}

static void what_is_wrong_is_said(void **state)
{
	struct fixture *f = *state;

	policy_fails_to_load(
		f, "weighted { noop = 0 }",
		"p.lua:1: weighted: the weight of noop must be a number above 0 and at most "
		"1e6");
	policy_fails_to_load(
		f, "weighted { 'noop' }",
		"p.lua:1: weighted takes backends by name, each with its weight: { gpu = 3, "
		"cpu = 1 }");
	policy_fails_to_load(f, "weighted { }", "p.lua:1: weighted takes 1 to 8 backends");
	policy_fails_to_load(
		f,
		"policy { name = 'p', api = 1, on_error = 'reject', session_route = weighted { "
		"gpu = 1 } }",
		"p.lua:1: weighted names \"gpu\"; declared: noop");
	policy_fails_to_load(f, "hash { 'noop' }", "p.lua:1: hash needs the option key");
	policy_fails_to_load(f, "hash { 'noop', key = 'cid', load = 0.5 }",
			     "p.lua:1: hash: load must be a number from 1 to 1000");
	policy_fails_to_load(f, "least_inflight { 'noop', key = 'cid' }",
			     "p.lua:1: least_inflight has no option \"key\"; it has: name");
	policy_fails_to_load(f, "breaker { 'noop', errors = 0 }",
			     "p.lua:1: breaker: errors must be a number from 0.001 to 1");
	policy_fails_to_load(
		f, "breaker { 'noop', open = 3 }",
		"p.lua:1: breaker has no option \"open\"; it has: errors, least, window, rest, "
		"name");
	policy_fails_to_load(f, "canary { 'noop', percent = 5 }",
			     "p.lua:1: canary needs the option errors");
	policy_fails_to_load(f, "canary { 'noop', percent = 101, errors = 0.1 }",
			     "p.lua:1: canary: percent must be a number from 0.001 to 100");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(weighted_divides_evenly),
		POLICY_TEST(weighted_goes_round_what_is_down),
		POLICY_TEST(round_robin_tries_what_is_down_last),
		POLICY_TEST(least_inflight_chooses_the_idlest),
		POLICY_TEST(hash_keeps_a_key_where_it_is),
		POLICY_TEST(hash_moves_keys_of_what_has_too_much),
		POLICY_TEST(breaker_lets_a_failing_backend_rest),
		POLICY_TEST(breaker_forgets_after_its_window),
		POLICY_TEST(breaker_refuses_nothing),
		POLICY_TEST(canary_gets_its_share),
		POLICY_TEST(canary_is_given_up_when_it_fails),
		POLICY_TEST(canary_is_given_up_when_it_is_slow),
		POLICY_TEST(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
