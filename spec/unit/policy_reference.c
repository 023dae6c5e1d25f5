/*
 * policy_reference.c - docs/policies/reference.md has a row for each hook, each object of the
 * library and each option that the engine has: what they are called there, and where they belong.
 */
#include "policy_support.h"
#include "registry.h"

#include <stdio.h>
#include <string.h>

static char reference[1 << 17];

/* Is there a line that begins with the one text, and has the other in it? */
static bool has_row(const char *start, const char *more)
{
	const size_t len = strlen(start);
	const char *end;

	for (const char *line = reference; *line; line = end + 1) {
		const char *found = strstr(line, more);

		end = strchr(line, '\n');
		assert_non_null(end);
		if (strncmp(line, start, len) == 0 && found && found < end)
			return true;
	}
	return false;
}

static void each_hook_has_a_row(void **state)
{
	char start[256];

	(void)state;
	for (int i = 0; i < NR_HOOKS; i++) {
		const struct policy_hook_info *hook = &policy_hooks[i];

		snprintf(start, sizeof(start), "| `%s(%s)` | %s | ", hook->name, hook->arguments,
			 hook->when);
		if (!has_row(start, hook->says ? "`" : "ignored |"))
			fail_msg("no row for the hook %s as the engine has it", hook->name);
	}
}

static void each_object_has_a_row(void **state)
{
	char start[POLICY_NAME_MAX], hook[POLICY_NAME_MAX];

	(void)state;
	for (const struct policy_kind *const *kind = policy_kinds; *kind; kind++) {
		snprintf(start, sizeof(start), "| `%s { ", (*kind)->name);
		snprintf(hook, sizeof(hook), "` | `%s` | ", policy_hooks[(*kind)->hook].name);
		if (!has_row(start, hook))
			fail_msg("no row for the object %s and its hook", (*kind)->name);
	}
}

static void each_option_has_a_row(void **state)
{
	char start[POLICY_NAME_MAX], owner[POLICY_NAME_MAX];

	(void)state;
	for (const struct policy_kind *const *kind = policy_kinds; *kind; kind++) {
		for (const struct policy_object_option *o = (*kind)->options; o->name; o++) {
			snprintf(start, sizeof(start), "| `%s` | ", o->name);
			snprintf(owner, sizeof(owner), "`%s`", (*kind)->name);
			if (!has_row(start, owner))
				fail_msg("no row for the option %s of %s", o->name, (*kind)->name);
		}
	}
}

static int read_reference(void **state)
{
	FILE *file = fopen(POLICY_REFERENCE, "r");
	size_t len;

	(void)state;
	assert_non_null(file);
	len = fread(reference, 1, sizeof(reference) - 1, file);
	assert_in_range(len, 1, sizeof(reference) - 2);
	reference[len] = '\0';
	return fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hook_has_a_row),
		cmocka_unit_test(each_object_has_a_row),
		cmocka_unit_test(each_option_has_a_row),
	};

	return cmocka_run_group_tests(tests, read_reference, NULL);
}
