/*
 * core_str.c - help with strings.
 */
#include "core_test.h"

static void strings_are_lowered_and_cut(void **state)
{
	char *allocated;
	char four[5];

	(void)state;
	assert_int_equal(vaccel_str_to_lower("VACCEL", four, sizeof(four), NULL), 0);
	assert_string_equal(four, "vacc");
	assert_int_equal(vaccel_str_to_lower("Mixed 1", NULL, 0, &allocated), 0);
	assert_string_equal(allocated, "mixed 1");
	free(allocated);
	assert_int_equal(vaccel_str_to_lower(NULL, four, sizeof(four), NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_str_to_lower("A", four, 0, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_str_to_lower("A", NULL, 5, NULL), VACCEL_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_lowered_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
