/*
 * policy_settings.c - a file of settings: what comes out of it, with which line, and what is
 * refused with which sentence.
 */
#include "policy_support.h"

#include <stdio.h>
#include <string.h>

static int load(struct fixture *f, const char *text, struct policy_settings **settings)
{
	policy_write(f, SCRIPT_P, text);
	return policy_settings_load(f->engine, policy_path(f, SCRIPT_P), "agent", settings, f->err,
				    sizeof(f->err));
}

/* The n-th setting of that key (and name), from 0 on. */
static const struct policy_setting *find(const struct policy_settings *settings, const char *key,
					 const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < settings->count; i++) {
		const struct policy_setting *item = &settings->items[i];

		if (!strcmp(item->key, key) && !item->name == !name &&
		    (!name || !strcmp(item->name, name)) && n-- == 0)
			return item;
	}
	return NULL;
}

static void check(const struct policy_settings *settings, const char *key, const char *name,
		  size_t n, const char *value, int line)
{
	const struct policy_setting *item = find(settings, key, name, n);

	assert_non_null(item);
	assert_string_equal(item->value, value);
	assert_int_equal(item->line, line);
}

static void values_have_their_lines(void **state)
{
	struct fixture *f = *state;
	struct policy_settings *settings;

	assert_int_equal(load(f,
			      "-- threads = 1\n"
			      "local many = { 'c' }\n"
			      "agent {\n"
			      "  threads = 8, --[[ ratio = 2\n"
			      "  ]] ratio = 0.5,\n"
			      "  list = {\n"
			      "    'b',\n"
			      "    \"a\",\n"
			      "    3 },\n"
			      "  made = many, on = true,\n"
			      "  named = { ['x-y'] = '4M',\n"
			      "    z = false },\n"
			      "}\n",
			      &settings),
			 0);
	assert_string_equal(settings->file, "p.lua");
	assert_int_equal(settings->count, 9);
	check(settings, "threads", NULL, 0, "8", 4);
	check(settings, "ratio", NULL, 0, "0.5", 5);
	check(settings, "list", NULL, 0, "b", 7);
	check(settings, "list", NULL, 1, "a", 8);
	check(settings, "list", NULL, 2, "3", 6); /* a number is not looked for */
	check(settings, "made", NULL, 0, "c", 2);
	check(settings, "on", NULL, 0, "true", 10);
	check(settings, "named", "x-y", 0, "4M", 11);
	check(settings, "named", "z", 0, "false", 12);
	assert_true(find(settings, "list", NULL, 0)->in_table);
	assert_false(find(settings, "threads", NULL, 0)->in_table);
	policy_settings_free(settings);
}

static void an_empty_table_is_there(void **state)
{
	struct fixture *f = *state;
	struct policy_settings *settings;

	assert_int_equal(load(f, "agent { list = {} }", &settings), 0);
	assert_int_equal(settings->count, 1);
	assert_null(settings->items[0].value);
	assert_true(settings->items[0].in_table);
	policy_settings_free(settings);
	assert_int_equal(load(f, "agent {}", &settings), 0);
	assert_int_equal(settings->count, 0);
	policy_settings_free(settings);
}

static const struct {
	const char *text, *error;
} refused[] = {
	{ "", "p.lua: no agent { } in this file: nothing would be set" },
	{ "agent {", "p.lua:1: unexpected symbol near '<eof>'" },
	{ "agent()", "p.lua:1: agent takes one table: agent { ... }" },
	{ "agent { 3 }", "p.lua:1: agent takes named settings only: threads = 8" },
	{ "agent {}\nagent {}", "p.lua:2: agent { } is used twice" },
	{ "agent {\n x = print }",
	  "p.lua:2: x is a function; it must be a string, a number or a boolean" },
	{ "agent {\n x = { y = {} } }",
	  "p.lua:2: y is a table; it must be a string, a number or a boolean" },
	{ "agent {\n x = 'a\\0b' }", "p.lua:2: x has a zero byte in it" },
	{ "agent {\n x = { [2] = 'a' } }", "p.lua:2: x is neither a list nor a table of names" },
	{ "error('no good')", "p.lua:1: no good" },
	{ "agent { x = io.open }", "p.lua:1: attempt to index global 'io' (a nil value)" },
	{ "policy {}", "p.lua:1: attempt to call global 'policy' (a nil value)" },
	{ "while true do end", "p.lua:1: ran longer than 1000 ms" },
	{ "local t = {}\nfor i = 1, 600 do t[i] = 'x' end agent { x = t }",
	  "p.lua:2: more than 512 settings" },
	{ "\033Lua", "cannot read settings %s: it is compiled; only text is taken" },
};

static void what_is_wrong_is_said(void **state)
{
	struct fixture *f = *state;
	struct policy_settings *settings;
	char expected[512];
	size_t i;

	for (i = 0; i < COUNT(refused); i++) {
		const char *path = strstr(refused[i].error, "%s");

		assert_int_equal(load(f, refused[i].text, &settings), -1);
		if (path)
			snprintf(expected, sizeof(expected), "%.*s%s%s",
				 (int)(path - refused[i].error), refused[i].error,
				 policy_path(f, SCRIPT_P), path + 2);
		else
			snprintf(expected, sizeof(expected), "%s", refused[i].error);
		assert_string_equal(f->err, expected);
	}
}

/* A policy that is in force does not see it, and its memory comes back. */
static void the_engine_is_as_before(void **state)
{
	struct fixture *f = *state;
	struct policy_settings *settings;
	size_t before;

	policy_use(f, POLICY("'reject'", "session_route = function () return route 'cpu' end"),
		   NULL);
	assert_int_equal(load(f, "agent { x = 1 }", &settings), 0);
	policy_settings_free(settings);
	before = policy_engine_memory(f->engine);
	assert_int_equal(load(f,
			      "t = {} for i = 1, 1e5 do t[i] = 'x' .. i end\n"
			      "string.x = 1",
			      &settings),
			 -1);
	assert_int_equal(load(f, "agent { x = t and 1 or 2 }", &settings), 0);
	check(settings, "x", NULL, 0, "2", 1);
	policy_settings_free(settings);
	/* A hundred thousand strings and their table took 6 MiB; tables of strings shrink late. */
	assert_true(policy_engine_memory(f->engine) < before + (2 << 20));
	assert_non_null(strstr(policy_route(f), "route cpu"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_have_their_lines, policy_setup,
						policy_teardown),
		cmocka_unit_test_setup_teardown(an_empty_table_is_there, policy_setup,
						policy_teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_said, policy_setup,
						policy_teardown),
		cmocka_unit_test_setup_teardown(the_engine_is_as_before, policy_setup,
						policy_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
