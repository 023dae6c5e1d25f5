/*
 * policy_tally.c - what is counted for policies of a backend.
 */
#include "cmocka_all.h"
#include "operation_names.h"
#include "tally.h"
#include "vaccel/op.h"

static void nothing_is_told_of_times_before_something_has_succeeded(void **state)
{
	struct tally tally = { 0 };
	struct policy_backend_view view;

	(void)state;
	tally_view(&tally, &view);
	assert_false(view.has_latency);
	tally_add(&tally, 5, 1);
	tally_view(&tally, &view);
	assert_false(view.has_latency);
	assert_int_equal(view.operations, 1);
	assert_int_equal(view.errors, 1);
}

static void percentiles_are_right_within_an_eighth(void **state)
{
	struct tally tally = { 0 };
	struct policy_backend_view view;

	(void)state;
	for (unsigned us = 1; us <= 1000; us++)
		tally_add(&tally, 0, us);
	tally_view(&tally, &view);
	assert_true(view.has_latency);
	assert_in_range(view.p50_us, 500 - 500 / 8, 500);
	assert_in_range(view.p99_us, 990 - 990 / 8, 990);
	assert_int_equal(view.operations, 1000);
	assert_int_equal(view.errors, 0);
}

static void what_is_long_past_no_longer_counts(void **state)
{
	struct tally tally = { 0 };
	struct policy_backend_view view;

	(void)state;
	for (int i = 0; i < 100000; i++)
		tally_add(&tally, 0, 1000000);
	for (int i = 0; i < 2 * TALLY_RECENT; i++)
		tally_add(&tally, 0, 5);
	tally_view(&tally, &view);
	assert_int_equal(view.p50_us, 5);
	assert_int_equal(view.operations, 100000 + 2 * TALLY_RECENT);
	for (int i = 0; i < 8 * TALLY_RECENT; i++)
		tally_add(&tally, 0, 5);
	tally_view(&tally, &view);
	assert_int_equal(view.p99_us, 5);
}

static void operations_are_found_by_their_whole_name(void **state)
{
	(void)state;
	assert_int_equal(operation_by_name("noop"), VACCEL_OP_NOOP);
	assert_int_equal(operation_by_name("image_classify"), VACCEL_OP_IMAGE_CLASSIFY);
	assert_int_equal(operation_by_name("opencv"), VACCEL_OP_OPENCV);
	assert_int_equal(operation_by_name("exec"), VACCEL_OP_EXEC);
	assert_int_equal(operation_by_name("image_class"), -1);
	assert_int_equal(operation_by_name("image_classify_"), -1);
	assert_int_equal(operation_by_name("NOOP"), -1);
	assert_int_equal(operation_by_name(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_told_of_times_before_something_has_succeeded),
		cmocka_unit_test(percentiles_are_right_within_an_eighth),
		cmocka_unit_test(what_is_long_past_no_longer_counts),
		cmocka_unit_test(operations_are_found_by_their_whole_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
