/*
 * policy_timers.c - every and after: what they take, when they run, what becomes of those that mean
 * harm, and that none outlives its script.
 */
#include "policy_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLAIN "policy { name = 'p', api = 1, on_error = 'reject' }\n"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

/* What a loop does: wait for the nearest, and run it. False: there is none. */
static bool run_next(struct fixture *f)
{
	const uint64_t due = policy_next_timer(f->engine);
	const struct timespec ts = {
		.tv_sec = (time_t)(due / UINT64_C(1000000000)),
		.tv_nsec = (long)(due % UINT64_C(1000000000)),
	};

	if (due == UINT64_MAX)
		return false;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	policy_run_timer(f->engine);
	return true;
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} wrong[] = {
		{ "every(0, print)",
		  "p.lua:2: every takes a number of seconds from 0.01 to 1e+07" },
		{ "after(-1, print)", "p.lua:2: after takes a number of seconds" },
		{ "after(0/0, print)", "p.lua:2: after takes a number of seconds" },
		{ "every(1e8, print)", "p.lua:2: every takes a number of seconds" },
		{ "every('1', print)", "p.lua:2: every takes a number of seconds" },
		{ "every()", "p.lua:2: every takes a number of seconds" },
		{ "after(1)", "p.lua:2: after takes a function to call; it got a no value" },
		{ "after(1, 'x')", "p.lua:2: after takes a function to call; it got a string" },
		{ "for i = 1, 65 do after(i, print) end",
		  "p.lua:2: a script has 64 timers at most" },
	};
	struct fixture *f = *state;
	struct policy_generation *generation;
	char text[256];

	for (size_t i = 0; i < COUNT(wrong); i++) {
		snprintf(text, sizeof(text), PLAIN "%s\n", wrong[i].text);
		assert_int_equal(policy_try(f, text, NULL, &generation), -1);
		if (strncmp(f->err, wrong[i].error, strlen(wrong[i].error)) != 0)
			fail_msg("%s\ngave: %s", wrong[i].text, f->err);
	}
	assert_false(run_next(f));
	/* Each script has its own. */
	policy_use(f, PLAIN "for i = 1, 64 do after(i, print) end",
		   "policy { name = 'q', api = 1, on_error = 'reject' }\n"
		   "for i = 1, 64 do after(i, print) end");
}

/* However long the machine stops in between. */
static void test_order(void **state)
{
	struct fixture *f = *state;
	const uint64_t start = now_ns();

	policy_use(f,
		   PLAIN "after(0.02, function(...) log('second', select('#', ...)) end)\n"
			 "after(0.01, function() log 'first' end)\n",
		   NULL);
	assert_true(policy_next_timer(f->engine) >= start + 10000000);
	while (run_next(f))
		;
	assert_string_equal(f->log, "policy p: first\npolicy p: second 0\n");
	assert_true(now_ns() - start >= 20000000);
}

static void test_chain(void **state)
{
	struct fixture *f = *state;
	const uint64_t start = now_ns();

	policy_use(f,
		   PLAIN "after(0.01, function()\n"
			 "  log 'first' after(0.01, function() log 'second' end) end)\n",
		   NULL);
	while (run_next(f))
		;
	assert_string_equal(f->log, "policy p: first\npolicy p: second\n");
	assert_true(now_ns() - start >= 20000000);
	policy_run_timer(f->engine);
}

/* It goes on, and one that a hook sets counts from then on. */
static void test_every(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'reject'", "session_route = function(s)\n"
				      "  every(0.01, function() log('tick', s.id) end) end\n"),
		   NULL);
	assert_int_equal(policy_next_timer(f->engine), UINT64_MAX);
	assert_string_equal(policy_route(f), "pass");
	for (int i = 0; i < 3; i++)
		assert_true(run_next(f));
	assert_string_equal(f->log, "policy p: tick 7\npolicy p: tick 7\npolicy p: tick 7\n");
}

/* With its generation, also when that was never in force. */
static void test_reload(void **state)
{
	struct fixture *f = *state;
	struct policy_generation *generation;

	policy_use(f, PLAIN "every(0.01, print)\n", NULL);
	assert_int_equal(policy_try(f, PLAIN "after(0.01, print) error 'no'", NULL, &generation),
			 -1);
	assert_true(run_next(f));
	policy_use(f, PLAIN, NULL);
	assert_false(run_next(f));
	policy_use(f, PLAIN "every(0.01, print)\n", NULL);
	policy_activate(f->engine, NULL);
	assert_false(run_next(f));
}

/* ... and its memory. */
static void test_reload_memory(void **state)
{
	struct fixture *f = *state;
	size_t first = 0;
	char text[256];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text),
			 PLAIN "local big = ('x'):rep(%d)\nevery(0.01, function() log(#big) end)\n",
			 60000 + i);
		policy_use(f, text, NULL);
		policy_use(f, PLAIN, NULL);
		if (!i)
			first = policy_engine_memory(f->engine);
	}
	assert_true(policy_engine_memory(f->engine) < first + 60000);
}

/* One that has run is gone with all that it held. */
static void test_memory(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   PLAIN "local function again()\n"
			 "  local big = ('x'):rep(60000)\n"
			 "  after(0.01, function() again(big) end)\n"
			 "end again()\n",
		   NULL);
	for (int i = 0; i < 50; i++)
		assert_true(run_next(f));
	assert_true(policy_engine_memory(f->engine) < 1 << 20);
}

static const struct {
	const char *body, *error;
	bool overrun;
} harm[] = {
	{ "while true do end", "ran longer than 20 ms", true },
	{ "while true do pcall(function() while true do end end) end", "ran longer than 20 ms",
	  true },
	{ "local t = {} while true do t[#t + 1] = ('x'):rep(60000) .. #t end", "failed: ", true },
	{ "error(setmetatable({}, { __tostring = function() error 'again' end }))",
	  "the error is a table value", false },
	{ "local function f() return 1 + f() end f()", "stack overflow", false },
	{ "for i = 1, 65 do after(1, print) end", "a script has 64 timers at most", false },
	{ "coroutine.yield()", "attempt to yield", false },
};

static void test_harm(void **state)
{
	struct fixture *f = *state;
	char text[512];

	for (size_t i = 0; i < COUNT(harm); i++) {
		snprintf(
			text, sizeof(text),
			POLICY("'reject'",
			       "session_route = function() return route 'cpu' end,\n") "every(0.01,"
										       " function()"
										       " %s end)\n",
			harm[i].body);
		policy_use(f, text, NULL);
		for (int n = 0; n < 4; n++)
			assert_true(run_next(f));
		assert_non_null(strstr(f->log, "policy p (p.lua:8): every failed: "));
		assert_non_null(strstr(f->log, harm[i].error));
		assert_true(harm[i].overrun ==
			    (strstr(f->log, "policy p: every is set aside for 10 s after three "
					    "overruns\n") != NULL));
		assert_string_equal(policy_route(f), "route cpu @p.lua:6");
	}
	policy_activate(f->engine, NULL);
	assert_true(policy_engine_memory(f->engine) < 1 << 20);
}

static void test_application(void **state)
{
	struct fixture *f = *state;
	struct policy_engine_options options = { .log = policy_take_line,
						 .ctx = f,
						 .application = true };
	const char *paths[] = { policy_path(f, SCRIPT_P) };
	struct policy_engine *agents = f->engine;
	struct policy_generation *generation;

	policy_write(f, SCRIPT_P, PLAIN "every(1, print)");
	assert_int_equal(policy_engine_new(&options, &f->engine, f->err, sizeof(f->err)), 0);
	assert_int_equal(
		policy_load(f->engine, paths, 1, NULL, 0, &generation, f->err, sizeof(f->err)), 0);
	policy_activate(f->engine, generation);
	assert_string_equal(f->log, "policy p: every does nothing in an application: timers are an "
				    "agent's\n");
	assert_false(run_next(f));
	policy_engine_free(f->engine);
	f->engine = agents;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_order, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_chain, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_every, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_reload, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_reload_memory, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_memory, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_harm, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_application, policy_setup, policy_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
