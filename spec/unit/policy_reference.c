/*
 * policy_reference.c - the page that `luaccel policy reference` prints: it is the one in docs,
 * every hook, object, option, field and function of the engine is in it, and none without a word
 * about it.
 */
#include "policy_support.h"
#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *page;

/* Is there a line that begins with the one text, and ends with the other? */
static void has_row(const char *start, const char *end)
{
	const size_t start_len = strlen(start), end_len = strlen(end);
	const char *stop;

	for (const char *line = page; (stop = strchr(line, '\n')); line = stop + 1)
		if ((size_t)(stop - line) >= start_len + end_len &&
		    memcmp(line, start, start_len) == 0 &&
		    memcmp(stop - end_len, end, end_len) == 0)
			return;
	fail_msg("no row `%s ... %s`", start, end);
}

static void rows_of_objects(void **state)
{
	const struct policy_object_option *o;
	char start[512], end[1024];

	(void)state;
	for (const struct policy_kind *const *kind = policy_kinds; *kind; kind++) {
		assert_non_null((*kind)->doc);
		snprintf(start, sizeof(start), "| `%s {", (*kind)->name);
		snprintf(end, sizeof(end), "` | `%s` | %s |", policy_hooks[(*kind)->hook].name,
			 (*kind)->doc);
		has_row(start, end);
		for (o = (*kind)->options; o->name; o++) {
			assert_non_null(o->doc);
			snprintf(start, sizeof(start), "| `%s` | `%s` | %s |", o->name,
				 (*kind)->name, o->doc);
			has_row(start, " |");
		}
	}
	has_row("| `hash { \"a\", \"b\", …, key = }` | `session_route` | ", " |");
	has_row("| `quota { rate =, burst = }` | `op_admit` | ", " |");
	has_row("| `rate` | `quota` | ", " | 0.001 to 1e9 | required |");
	has_row("| `window` | `canary` | ", " | 1 to 86,400 | 60 |");
	has_row("| `p99_us` | `canary` | ", " | 1 to 1e12 | none |");
	has_row("| `key` | `concurrency` | ", " | `\"none\"` |");
}

static void rows_of_hooks_and_fields(void **state)
{
	char start[256], end[128];

	(void)state;
	for (int i = 0; i < NR_HOOKS; i++) {
		const struct policy_hook_info *hook = &policy_hooks[i];

		snprintf(start, sizeof(start), "| `%s(%s)` | %s ", hook->name, hook->arguments,
			 hook->when);
		snprintf(end, sizeof(end), "| %s |", hook->says ? hook->says : "ignored");
		has_row(start, end);
	}
	for (const struct policy_field *f = policy_fields; f->of; f++)
		assert_true(f->doc && f->doc[0]);
	has_row("| `op_admit`, ", " | 5 ms |");
	has_row("| `s.age` | ", " |");
	has_row("| `supports` | ", " |");
}

/* Each function that scripts have, as a word of the page. */
static void has_word(void *ctx, const char *name, const char *field)
{
	const size_t len = strlen(name);
	const char *at = page;

	(void)ctx;
	while (!field && (at = strstr(at, name))) {
		if (strchr("` ", at[-1]) && strchr("` ({", at[len]))
			return;
		at++;
	}
	if (!field)
		fail_msg("%s is not on the page", name);
}

static void words_of_scripts(void **state)
{
	const struct policy_engine_options options = { .memory_max = 0 };
	struct policy_engine *engine;
	char err[256];

	(void)state;
	assert_int_equal(policy_engine_new(&options, &engine, err, sizeof(err)), 0);
	assert_int_equal(policy_globals(engine, has_word, NULL), 0);
	policy_engine_free(engine);
	assert_null(strstr(page, "\n@"));
}

static void page_of_docs(void **state)
{
	FILE *file = fopen(POLICY_REFERENCE, "r");
	const size_t len = strlen(page);
	char *text = calloc(1, len + 2);

	(void)state;
	assert_non_null(file);
	assert_non_null(text);
	if (fread(text, 1, len + 1, file) != len || memcmp(text, page, len) != 0)
		fail_msg("docs/policies/reference.md is not what the program prints: "
			 "build/bin/luaccel policy reference >docs/policies/reference.md");
	fclose(file);
	free(text);
}

static int print_page(void **state)
{
	size_t size;
	FILE *out = open_memstream(&page, &size);

	(void)state;
	if (!out)
		return -1;
	policy_reference(out);
	return fclose(out);
}

static int free_page(void **state)
{
	(void)state;
	free(page);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_objects),
		cmocka_unit_test(rows_of_hooks_and_fields),
		cmocka_unit_test(words_of_scripts),
		cmocka_unit_test(page_of_docs),
	};

	return cmocka_run_group_tests(tests, print_page, free_page);
}
