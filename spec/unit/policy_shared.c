/*
 * policy_shared.c - shared_counter and shared_table: one for all scripts, kept over reloads,
 * bounded, and untouched by a script that is refused.
 */
#include "engine.h"
#include "policy_support.h"

#include <stdio.h>
#include <string.h>

/* What op_admit of p.lua says is the text of its refusal. */
#define SAYS(head, body)                                                                           \
	head "\npolicy { name = 'p', api = 1, on_error = 'reject', op_admit = function (op)\n"     \
	     "return reject(tostring(((function () " body " end)()))) end }\n"

static const char *said(struct fixture *f)
{
	const char *text = policy_admit(f, "noop", 1);
	const char *reason = strstr(text, "): ");

	return reason ? reason + 3 : text;
}

/* What the body says, in a script of its own, with n and t. */
static const char *says(struct fixture *f, const char *body)
{
	char text[2000];

	snprintf(text, sizeof(text),
		 SAYS("local n, t = shared_counter 'jobs', shared_table 'tenants'", "%s"), body);
	policy_use(f, text, NULL);
	return said(f);
}

static void counters_count(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(says(f, "return n:get()"), "0");
	assert_string_equal(says(f, "return n:add()"), "1");
	assert_string_equal(says(f, "return n:add(2.5)"), "3.5");
	assert_string_equal(says(f, "return n:add(-5)"), "-1.5");
	assert_string_equal(says(f, "n:set(7) return n:get()"), "7");
	assert_string_equal(says(f, "return n:set(7)"), "nil");
}

static void tables_keep_what_they_get(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(says(f, "return t:get 'a'"), "nil");
	assert_string_equal(says(f, "t:set('a', 1) t:set('b', 'text') t:set(1, true)\n"
				    "t:set('1', false) return t:size()"),
			    "4");
	assert_string_equal(says(f, "return table.concat({ tostring(t:get 'a'), t:get 'b',\n"
				    "tostring(t:get(1)), tostring(t:get '1') }, ' ')"),
			    "1 text true false");
	assert_string_equal(says(f, "t:set('a') t:set('a', nil) t:set('c', nil) return t:size()"),
			    "3");
	assert_string_equal(says(f, "local n = 0 for k, v in t:each() do n = n + 1\n"
				    "t:set(k, nil) t:set('new' .. n, n) end return n"),
			    "3");
	assert_string_equal(says(f, "local n = 0 for k, v in t:each() do n = n + v end return n"),
			    "6");
}

/* q.lua counts what p.lua reads; its own quota of names begins where p's ends. */
static void scripts_have_them_in_common(void **state)
{
	static const char counts[] =
		"local n = shared_counter 'jobs'\n"
		"local t = shared_table 'jobs'\n" /* of another kind, so another thing */
		"policy { name = 'q', api = 1, on_error = 'reject', session_route = function (s)\n"
		"n:add() t:set(s.id, n:get()) end }\n";
	static const char reads[] = SAYS("local n, t = shared_counter 'jobs', shared_table 'jobs'",
					 "return n:get() .. ' ' .. tostring(t:get(7))");
	struct fixture *f = *state;

	policy_use(f, reads, counts);
	assert_string_equal(said(f), "0 nil");
	policy_route(f);
	policy_route(f);
	assert_string_equal(said(f), "2 2");
	policy_use(f, reads, counts);
	assert_string_equal(said(f), "2 2");
	/* While one script names it, it stays; then it is gone. */
	policy_use(f, reads, NULL);
	assert_string_equal(said(f), "2 2");
	policy_use(f, POLICY("'reject'", ""), NULL);
	policy_use(f, reads, NULL);
	assert_string_equal(said(f), "0 nil");
}

static void what_is_refused_changes_nothing(void **state)
{
	static const char before[] = "local n, t = shared_counter 'jobs', shared_table 'tenants'\n"
				     "local other = shared_table 'other'\n";
	static const char *const wrong[] = {
		"n:add(1)",
		"n:set(5)",
		"n:get()",
		"t:set('a', 2)",
		"t:get 'a'",
		"for k in t:each() do end",
		"other:set(1, 1)",
		"pcall(n.add, n, 1) error 'no'",
		"pcall(t.set, t, 'a', 2) error 'no'",
	};
	struct policy_generation *generation;
	struct fixture *f = *state;
	size_t memory;
	char text[500];

	assert_string_equal(says(f, "n:set(3) t:set('a', 1)"), "nil");
	policy_use(f,
		   SAYS("local n, t = shared_counter 'jobs', shared_table 'tenants'",
			"return n:get() .. t:get 'a' .. t:size()"),
		   NULL);
	policy_collect(f->engine);
	memory = policy_engine_memory(f->engine);
	for (int round = 0; round < 50; round++)
		for (size_t i = 0; i < COUNT(wrong); i++) {
			snprintf(text, sizeof(text), "%s%s\n%s", before, wrong[i],
				 POLICY("'reject'", ""));
			assert_int_equal(policy_try(f, text, NULL, &generation), -1);
		}
	assert_string_equal(said(f), "311");
	policy_collect(f->engine);
	assert_in_range(policy_engine_memory(f->engine), 0, memory + 4096);
	policy_fails_to_load(f, "shared_counter('jobs'):add(1)",
			     "p.lua:1: shared_counter jobs can be used in hooks and timers only: a "
			     "script that is loaded may yet be refused");
}

/* What is written between a load and its being in force is there afterwards. */
static void a_generation_that_waits_has_the_same(void **state)
{
	static const char counts[] = SAYS("local n = shared_counter 'jobs'", "return n:add()");
	struct policy_generation *generation;
	struct fixture *f = *state;

	policy_use(f, counts, NULL);
	assert_string_equal(said(f), "1");
	assert_int_equal(policy_try(f, counts, NULL, &generation), 0);
	assert_string_equal(said(f), "2");
	policy_activate(f->engine, generation);
	assert_string_equal(said(f), "3");
}

/* A body, and what becomes of the hook. */
static const struct {
	const char *body, *error;
} wrong[] = {
	{ "return n:add 'x'", "shared_counter jobs takes numbers that are finite" },
	{ "return n:add(0/0)", "shared_counter jobs takes numbers that are finite" },
	{ "return n:set(math.huge)", "shared_counter jobs takes numbers that are finite" },
	{ "n:set(1.7e308) n:add(1.7e308)", "shared_counter jobs would not be finite any more" },
	{ "return n.add(1)", "a method of a shared_counter is called with it: x:get()" },
	{ "return n.add(t, 1)", "a method of a shared_counter is called with it: x:get()" },
	{ "return t.get(n, 1)", "a method of a shared_table is called with it: x:get()" },
	{ "return t.get(route 'cpu', 1)", "a method of a shared_table is called with it: x:get()" },
	{ "return n:inc()", "a shared_counter has no field \"inc\"; it has: add, get, set" },
	{ "return t.x", "a shared_table has no field \"x\"; it has: each, get, set, size" },
	{ "t.x = 1", "attempt to index upvalue 't' (a userdata value)" },
	{ "t:set({}, 1)", "shared_table tenants: a key is a string or a number, not a table" },
	{ "t:set(0/0, 1)", "shared_table tenants: a key is a string or a number, not a nan" },
	{ "t:set(nil, 1)", "shared_table tenants: a key is a string or a number, not a nil" },
	{ "t:set(1, {})", "shared_table tenants: a value is a string, a number, a boolean or nil, "
			  "not a table" },
	{ "t:set(('x'):rep(257), 1)", "shared_table tenants: a key has at most 256 bytes" },
	{ "t:get(('x'):rep(257))", "shared_table tenants: a key has at most 256 bytes" },
	{ "t:set(1, ('x'):rep(257))", "shared_table tenants: a text has at most 256 bytes" },
	{ "for i = 1, 1025 do t:set(i, i) end",
	  "shared_table tenants has 1024 entries, and may have no more" },
	{ "for i = 1001, 1513 do local x = i .. ('x'):rep(252) t:set(x, x) end",
	  "shared_table tenants may have 262144 bytes of keys and texts" },
	{ "return getmetatable(t).__index", "attempt to index a boolean value" },
	{ "return shared_counter 'more'",
	  "shared_counter can only be made while the script is loaded" },
};

static void what_is_wrong_is_said(void **state)
{
	struct fixture *f = *state;
	char expected[300];

	for (size_t i = 0; i < COUNT(wrong); i++) {
		snprintf(expected, sizeof(expected), "op_admit failed: %s", wrong[i].error);
		assert_string_equal(says(f, wrong[i].body), expected);
		policy_use(f, POLICY("'reject'", ""), NULL);
	}
}

/* In a table that is full, what is there can be changed and taken out; and then there is room. */
static void a_full_table_goes_on(void **state)
{
	struct fixture *f = *state;

	says(f, "for i = 1, 1024 do t:set(i, 'x') end");
	assert_string_equal(says(f, "t:set(7, 'y') t:set(8, nil) t:set('a', 1) return t:size()"),
			    "1024");
	assert_string_equal(says(f, "return pcall(t.set, t, 'b', 1)"), "false");
	assert_string_equal(says(f, "return t:get 'a' .. t:get(7) .. tostring(t:get 'b')"),
			    "1ynil");
}

/* Every table full of the longest texts that there is room for. */
static void all_of_them_have_bounded_memory(void **state)
{
	struct fixture *f = *state;
	size_t memory = policy_engine_memory(f->engine);

	policy_use(f,
		   "local all = {}\n"
		   "for i = 1, 8 do all[i] = shared_table('t' .. i) end\n"
		   "local n = 0\n"
		   "policy { name = 'p', api = 1, on_error = 'reject', op_admit = function ()\n"
		   "for i = n, n + 31 do\n"
		   "local text = ('%04d'):format(i) .. ('x'):rep(123)\n"
		   "all[1 + i % 8]:set(text .. 'k', text .. 'v')\n"
		   "end n = n + 32 end }\n",
		   NULL);
	for (int i = 0; i < 8 * 1024 / 32; i++)
		assert_string_equal(policy_admit(f, "noop", 1), "pass");
	policy_collect(f->engine);
	assert_in_range(policy_engine_memory(f->engine) - memory, 2 << 20, 8 * (400 << 10));
	policy_fails_to_load(f, "for i = 1, 9 do shared_table('t' .. i) shared_table('t' .. i) end",
			     "p.lua:1: shared_table t9: scripts have 8 of them at most");
	policy_activate(f->engine, NULL);
	policy_collect(f->engine);
	assert_in_range(policy_engine_memory(f->engine), 0, memory + (256 << 10));
}

static void names_are_names(void **state)
{
	static const char *const names[] = { "''",    "7",	"nil",		"{}",
					     "'a b'", "'a\\0'", "('x'):rep(64)" };
	struct fixture *f = *state;
	char text[100];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(text, sizeof(text), "shared_table(%s)", names[i]);
		policy_fails_to_load(f, text,
				     "p.lua:1: shared_table takes a name: 1 to 63 letters, digits, "
				     "'_', '-' and '.'");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(counters_count),
		POLICY_TEST(tables_keep_what_they_get),
		POLICY_TEST(scripts_have_them_in_common),
		POLICY_TEST(what_is_refused_changes_nothing),
		POLICY_TEST(a_generation_that_waits_has_the_same),
		POLICY_TEST(what_is_wrong_is_said),
		POLICY_TEST(a_full_table_goes_on),
		POLICY_TEST(all_of_them_have_bounded_memory),
		POLICY_TEST(names_are_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
