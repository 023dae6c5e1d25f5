/*
 * policy_library.c - objects in place of hooks: what they answer, what is refused when a script
 * is loaded, and what a reload keeps.
 */
#include "policy_support.h"
#include "registry.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

static struct policy_object *object_of(struct fixture *f, enum policy_hook hook)
{
	return f->engine->active->scripts[0].hooks[hook].object;
}

static const struct policy_value *ask(struct policy_object *o, const struct policy_session *session,
				      uint64_t now)
{
	const struct policy_asked asked = { .session = session, .now = now };

	return o->kind->ask(o, &asked);
}

static void round_robin_takes_turns(void **state)
{
	struct fixture *f = *state;

	policy_use(f, POLICY("'reject'", "session_route = round_robin { 'cpu', 'test', 'noop' }\n"),
		   NULL);
	assert_string_equal(policy_route(f), "route cpu,test,noop @p.lua:6");
	assert_string_equal(policy_route(f), "route test,noop,cpu @p.lua:6");
	assert_string_equal(policy_route(f), "route noop,cpu,test @p.lua:6");
	assert_string_equal(policy_route(f), "route cpu,test,noop @p.lua:6");
}

static void quota_refuses_with_its_limit(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'allow'", "op_admit = quota { rate = 0.001, burst = 2, key = 'uid' }\n"),
		   NULL);
	assert_string_equal(policy_admit(f, "noop", 1), "pass");
	assert_string_equal(policy_admit(f, "noop", 1), "pass");
	assert_string_equal(policy_admit(f, "noop", 1),
			    "reject 11 @p.lua:6 refused by policy p (p.lua:6): over quota: at most "
			    "0.001 a second for each uid, 2 at once");
}

/* In virtual time: what comes back in a second, and never more than the burst. */
static void quota_refills(void **state)
{
	struct fixture *f = *state;
	struct policy_session session = { .id = 1 };
	struct policy_object *o;

	policy_use(f, POLICY("'reject'", "op_admit = quota { rate = 2, burst = 3 }\n"), NULL);
	o = object_of(f, HOOK_OP_ADMIT);
	for (int i = 0; i < 3; i++)
		assert_null(ask(o, &session, SECOND));
	assert_non_null(ask(o, &session, SECOND));
	for (int i = 0; i < 2; i++)
		assert_null(ask(o, &session, 2 * SECOND));
	assert_non_null(ask(o, &session, 2 * SECOND));
	for (int i = 0; i < 3; i++)
		assert_null(ask(o, &session, 1000000 * SECOND));
	assert_non_null(ask(o, &session, 1000000 * SECOND));
}

/* Whoever writes down what is asked has told the objects the time that it writes. */
static void quota_lives_by_a_clock_that_is_held(void **state)
{
	struct fixture *f = *state;

	policy_use(f, POLICY("'reject'", "op_admit = quota { rate = 1000, burst = 1 }\n"), NULL);
	policy_hold_clock(f->engine, SECOND);
	assert_string_equal(policy_admit(f, "noop", 1), "pass");
	usleep(2000);
	assert_memory_equal(policy_admit(f, "noop", 1), "reject 11", 9);
	policy_hold_clock(f->engine, SECOND + 999999);
	assert_memory_equal(policy_admit(f, "noop", 1), "reject 11", 9);
	policy_hold_clock(f->engine, SECOND + 1000000);
	assert_string_equal(policy_admit(f, "noop", 1), "pass");
	policy_hold_clock(f->engine, 0);
	assert_string_equal(policy_admit(f, "noop", 1), "pass");
}

static bool ask_cid(struct policy_object *o, bool has_cid, uint32_t cid)
{
	struct policy_session session = { .has_cid = has_cid, .cid = cid };

	return ask(o, &session, SECOND);
}

static void quota_counts_each_key(void **state)
{
	struct fixture *f = *state;
	struct policy_object *o;

	policy_use(f, POLICY("'reject'", "op_admit = quota { rate = 1, burst = 1, key = 'cid' }\n"),
		   NULL);
	o = object_of(f, HOOK_OP_ADMIT);
	assert_false(ask_cid(o, true, 3));
	assert_true(ask_cid(o, true, 3));
	assert_false(ask_cid(o, true, 4));
	assert_false(ask_cid(o, false, 0)); /* who has none: one bucket for all of them */
	assert_true(ask_cid(o, false, 4));
}

/* A million keys: no more memory, and the least recently used one goes first. */
static void quota_keeps_so_many_keys(void **state)
{
	struct fixture *f = *state;
	struct policy_object *o;
	size_t memory;

	policy_use(f,
		   POLICY("'reject'", "op_admit = quota { rate = 0.001, burst = 1, key = 'cid', "
				      "keys = 3 }\n"),
		   NULL);
	o = object_of(f, HOOK_OP_ADMIT);
	memory = policy_engine_memory(f->engine);
	for (uint32_t cid = 0; cid < 1000000; cid++)
		assert_false(ask_cid(o, true, cid));
	assert_int_equal(policy_engine_memory(f->engine), memory);
	assert_true(ask_cid(o, true, 999997)); /* now the most recently used */
	assert_false(ask_cid(o, true, 5));     /* 999998 goes */
	assert_true(ask_cid(o, true, 999997));
	assert_true(ask_cid(o, true, 999999));
	assert_false(ask_cid(o, true, 999998));
}

static void a_reload_keeps_what_agrees(void **state)
{
	static const char two[] =
		POLICY("'reject'", "op_admit = quota { rate = 0.001, burst = 1 },"
				   "session_route = round_robin { 'cpu', 'test' }\n");
	static const char other[] =
		POLICY("'reject'", "op_admit = quota { rate = 0.001, burst = 2 },"
				   "session_route = round_robin { 'test', 'cpu' }\n");
	struct policy_generation *generation;
	struct fixture *f = *state;

	policy_use(f, two, NULL);
	assert_string_equal(policy_admit(f, "noop", 1), "pass");
	assert_string_equal(policy_route(f), "route cpu,test @p.lua:6");
	assert_int_equal(policy_try(f, "nonsense", NULL, &generation), -1);
	policy_use(f, two, NULL);
	assert_non_null(strstr(policy_admit(f, "noop", 1), "over quota"));
	assert_string_equal(policy_route(f), "route test,cpu @p.lua:6");
	policy_use(f, other, NULL); /* other options: it begins anew */
	assert_string_equal(policy_admit(f, "noop", 1), "pass");
	assert_string_equal(policy_route(f), "route test,cpu @p.lua:6");
}

static void another_script_may_still_refuse(void **state)
{
	struct fixture *f = *state;

	policy_use(f, POLICY("'reject'", "session_route = round_robin { 'cpu', 'test' }\n"),
		   "policy { name = 'q', api = 1, on_error = 'reject',\n"
		   "session_route = function() return reject 'no' end }\n");
	assert_string_equal(policy_route(f), "reject 1 @q.lua:2 refused by policy q (q.lua:2): no");
}

/* A hook, and why the script is not loaded. */
static const struct {
	const char *hook, *error;
} refused[] = {
	{ "op_admit = quota { rat = 1 }", "p.lua:1: quota has no option \"rat\"; it has: rate, "
					  "burst, key, keys, name" },
	{ "op_admit = quota { burst = 1 }", "p.lua:1: quota needs the option rate" },
	{ "op_admit = quota { rate = 1, burst = 0 }",
	  "p.lua:1: quota: burst must be a number from 1 to 1e+09" },
	{ "op_admit = quota { rate = -1, burst = 1 }",
	  "p.lua:1: quota: rate must be a number from 0.001 to 1e+09" },
	{ "op_admit = quota { rate = 0/0, burst = 1 }",
	  "p.lua:1: quota: rate must be a number from 0.001 to 1e+09" },
	{ "op_admit = quota { rate = math.huge, burst = 1 }",
	  "p.lua:1: quota: rate must be a number from 0.001 to 1e+09" },
	{ "op_admit = quota { rate = '5', burst = 1 }",
	  "p.lua:1: quota: rate must be a number from 0.001 to 1e+09" },
	{ "op_admit = quota { rate = 1, burst = 1, keys = 1e6 }",
	  "p.lua:1: quota: keys must be a number from 1 to 50000" },
	{ "op_admit = quota { rate = 1, burst = 1, key = 'pid' }",
	  "p.lua:1: quota: key must be one of \"none\", \"cid\", \"uid\", \"session\", \"addr\", "
	  "\"listener\", \"tag:NAME\"" },
	{ "op_admit = quota { rate = 1, burst = 1, key = 'tag:' }",
	  "p.lua:1: a tag that is a key has a name of 1 to 63 letters, digits, '_', '-' and '.'" },
	{ "op_admit = quota { rate = 1, burst = 1, key = 'tag:a\\0b' }",
	  "p.lua:1: a tag that is a key has a name of 1 to 63 letters, digits, '_', '-' and '.'" },
	{ "op_admit = quota { 5, rate = 1, burst = 1 }",
	  "p.lua:1: quota takes named options only" },
	{ "op_admit = quota(5)", "p.lua:1: quota takes one table: quota { ... }" },
	{ "session_route = quota { rate = 1, burst = 1 }",
	  "p.lua:1: session_route cannot be a quota, which fits op_admit" },
	{ "op_admit = route 'noop'",
	  "p.lua:1: op_admit is a userdata; it must be a function or an object that fits" },
	{ "session_route = round_robin { }", "p.lua:1: round_robin takes 1 to 8 backends" },
	{ "session_route = round_robin { 'noop', 'noop' }",
	  "p.lua:1: round_robin names \"noop\" twice" },
	{ "session_route = round_robin { 7 }",
	  "p.lua:1: round_robin takes names of backends, got a number" },
	{ "session_route = round_robin { 'noop', x = 1 }",
	  "p.lua:1: round_robin has no option \"x\"; it has: name" },
	{ "session_route = round_robin { 'gpu' }",
	  "p.lua:1: round_robin names \"gpu\"; declared: noop" },
};

static void a_wrong_object_is_not_loaded(void **state)
{
	struct policy_generation *generation;
	struct fixture *f = *state;
	char text[256];

	for (size_t i = 0; i < COUNT(refused); i++) {
		snprintf(text, sizeof(text),
			 "policy { name = 'p', api = 1, on_error = 'reject', %s }\n",
			 refused[i].hook);
		assert_int_equal(policy_try(f, text, NULL, &generation), -1);
		assert_string_equal(f->err, refused[i].error);
	}
}

static void scripts_cannot_change_or_make_one_later(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   "local q = quota { rate = 1, burst = 1 }\n"
		   "assert(getmetatable(q) == false)\n"
		   "assert(not pcall(setmetatable, q, {}))\n"
		   "assert(not pcall(function() q.rate = 5 end))\n"
		   "assert(not pcall(function() return q.rate end))\n"
		   "policy { name = 'p', api = 1, on_error = 'reject',\n"
		   "session_route = function() quota { rate = 1, burst = 1 } end }\n",
		   NULL);
	assert_string_equal(
		policy_route(f),
		"reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: "
		"quota can only be made while the script is loaded");
}

/* scripts/policies/quotas.lua: 50 at once, and sessions in turn. */
static void quotas_does_what_it_says(void **state)
{
	const char *paths[] = { POLICY_SCRIPTS "/quotas.lua" };
	struct policy_generation *generation;
	struct fixture *f = *state;
	struct policy_object *o;

	if (policy_load(f->engine, paths, 1, NULL, 0, &generation, f->err, sizeof(f->err)))
		fail_msg("%s", f->err);
	policy_activate(f->engine, generation);
	o = object_of(f, HOOK_OP_ADMIT);
	for (int i = 0; i < 50; i++)
		assert_false(ask_cid(o, true, 3));
	assert_true(ask_cid(o, true, 3));
	assert_false(ask_cid(o, true, 4));
	assert_string_equal(policy_route(f), "route first,second @quotas.lua:20");
	assert_string_equal(policy_route(f), "route second,first @quotas.lua:20");
}

/* As a method: in a function of the hook that it fits, and by its name across a reload. */
#define ASKED(burst, more)                                                                         \
	"backends { cpu = plugin 'torch' }\n"                                                      \
	"local big = quota { rate = 0.001, burst = " burst ", name = 'big' }\n"                    \
	"policy { name = 'p', api = 1, on_error = 'reject', op_admit = function (op)\n"            \
	"  if op.bytes_in > 10 then return big:ask() end\n" more "end }\n"

static void functions_ask_objects(void **state)
{
	struct fixture *f = *state;
	const char *refused =
		"reject 11 @p.lua:2 refused by policy p (p.lua:2): over quota: at most "
		"0.001 a second, 2 at once";

	policy_use(f, ASKED("2", ""), NULL);
	assert_string_equal(policy_admit(f, "noop", 11), "pass");
	assert_string_equal(policy_admit(f, "noop", 1), "pass");
	assert_string_equal(policy_admit(f, "noop", 11), "pass");
	assert_string_equal(policy_admit(f, "noop", 11), refused);
	assert_string_equal(policy_admit(f, "noop", 1), "pass");
}

static void a_name_keeps_the_counts(void **state)
{
	struct fixture *f = *state;

	policy_use(f, ASKED("1", ""), NULL);
	assert_string_equal(policy_admit(f, "noop", 11), "pass");
	policy_use(f, ASKED("5", "  -- another text\n"), NULL);
	assert_memory_equal(policy_admit(f, "noop", 11), "reject", 6);
	policy_use(f,
		   "policy { name = 'p', api = 1, on_error = 'reject', op_admit = quota { rate = "
		   "0.001, burst = 9, name = 'other' } }\n",
		   NULL);
	assert_string_equal(policy_admit(f, "noop", 11), "pass");
	policy_use(f, ASKED("1", ""), NULL);
	assert_string_equal(policy_admit(f, "noop", 11), "pass"); /* it was away for a while */
}

static void asked_elsewhere_is_a_failure(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   "local q = quota { rate = 1, burst = 1 }\n"
		   "policy { name = 'p', api = 1, on_error = 'reject',\n"
		   "session_route = function (s)\n local a = q:ask()\nend }\n",
		   NULL);
	assert_string_equal(
		policy_route(f),
		"reject 1 @p.lua:4 refused by policy p (p.lua:4): session_route failed: "
		"quota can be asked in op_admit only");
	policy_fails_to_load(f, "local q = quota { rate = 1, burst = 1 }\nlocal a = q:ask()\n",
			     "p.lua:2: quota can be asked in op_admit only");
	policy_fails_to_load(f, "for i = 1, 2 do quota { rate = 1, burst = 1, name = 'a' } end\n",
			     "p.lua:1: there is a quota of the name \"a\" already");
	policy_fails_to_load(
		f, "quota { rate = 1, burst = 1, name = '' }\n",
		"p.lua:1: quota: a name has 1 to 63 letters, digits, '_', '-' and '.'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(round_robin_takes_turns),
		POLICY_TEST(quota_refuses_with_its_limit),
		POLICY_TEST(quota_refills),
		POLICY_TEST(quota_lives_by_a_clock_that_is_held),
		POLICY_TEST(quota_counts_each_key),
		POLICY_TEST(quota_keeps_so_many_keys),
		POLICY_TEST(a_reload_keeps_what_agrees),
		POLICY_TEST(another_script_may_still_refuse),
		POLICY_TEST(a_wrong_object_is_not_loaded),
		POLICY_TEST(scripts_cannot_change_or_make_one_later),
		POLICY_TEST(functions_ask_objects),
		POLICY_TEST(a_name_keeps_the_counts),
		POLICY_TEST(asked_elsewhere_is_a_failure),
		POLICY_TEST(quotas_does_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
