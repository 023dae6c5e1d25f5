/*
 * policy_jit.c - the JIT is on only where a compiled loop can be stopped. These hold with
 * any LuaJIT, as those of policy_hostile.c do; docs/policies/reference.md says how to get one that
 * compiles.
 */
#include "policy_support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Hot for a long time, then without end: a compiled loop, if anything is compiled. */
static void a_loop_that_was_hot_before_is_stopped(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'reject'", "session_route = function(s)\n"
				      " calls = (calls or 0) + 1\n"
				      " local x, n = 0, calls > 500 and 1e15 or 200\n"
				      " for i = 1, n do x = x + i end\n"
				      " return route 'cpu' end\n"),
		   NULL);
	for (int i = 0; i < 500; i++)
		assert_string_equal(policy_route(f), "route cpu @p.lua:10");
	for (int i = 0; i < 2; i++)
		assert_non_null(strstr(policy_route(f), "session_route failed: ran longer than "));
	policy_use(f, POLICY("'reject'", "session_route = function(s) return route 'cpu' end\n"),
		   NULL);
	assert_string_equal(policy_route(f), "route cpu @p.lua:6");
}

static const char *described(int stop_signal)
{
	static char text[160];
	struct policy_engine_options options = { .stop_signal = stop_signal };
	struct policy_engine *engine;

	assert_int_equal(policy_engine_new(&options, &engine, text, sizeof(text)), 0);
	snprintf(text, sizeof(text), "%s", policy_engine_describe(engine));
	policy_engine_free(engine);
	return text;
}

static void nothing_is_compiled_without_a_signal_or_beside_an_engine_that_has_it(void **state)
{
	struct fixture *f = *state;
	const bool compiles =
		strstr(policy_engine_describe(f->engine), "policies compiled (JIT on");

	assert_non_null(strstr(described(0), "policies interpreted (JIT off"));
	if (compiles)
		assert_non_null(strstr(described(SIGRTMIN), "policies interpreted (JIT off"));
}

/* One that was sent by anybody else does nothing. */
static void a_stray_signal_changes_nothing(void **state)
{
	struct fixture *f = *state;

	policy_use(f, POLICY("'reject'", "session_route = function(s) return route 'cpu' end\n"),
		   NULL);
	assert_string_equal(policy_route(f), "route cpu @p.lua:6");
	assert_int_equal(raise(SIGRTMIN), 0);
	assert_string_equal(policy_route(f), "route cpu @p.lua:6");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, policy_setup, policy_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_loop_that_was_hot_before_is_stopped),
		TEST(nothing_is_compiled_without_a_signal_or_beside_an_engine_that_has_it),
		TEST(a_stray_signal_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
