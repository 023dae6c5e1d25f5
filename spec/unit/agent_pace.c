/*
 * agent_pace.c - what has been short for a while is taken for short; who holds up the loop pays.
 */
#include "cmocka_all.h"
#include "pace.h"

enum { SECOND = 1000000, ENOUGH = 16 };

/* So many runs, one after the other, from a time on; returns when the last ended. */
static uint64_t runs(struct pace *pace, unsigned count, uint64_t us, uint64_t now)
{
	while (count--) {
		pace_add(pace, now, now + us, true);
		now += us;
	}
	return now;
}

static void nothing_is_short_at_first(void **state)
{
	struct pace pace = { 0 };
	uint64_t now = SECOND;

	(void)state;
	assert_false(pace_is_short(&pace, now));
	now = runs(&pace, ENOUGH - 1, 1, now);
	assert_false(pace_is_short(&pace, now));
	now = runs(&pace, 1, 1, now);
	assert_true(pace_is_short(&pace, now));
}

static void what_takes_long_is_not_short(void **state)
{
	struct pace pace = { 0 };
	const uint64_t now = runs(&pace, 10000, 100, SECOND);

	(void)state;
	assert_false(pace_is_short(&pace, now));
	assert_false(pace_is_short(&pace, now + 3600ULL * SECOND));
}

/* A run now and then may be longer, as on a busy machine: the average counts. */
static void one_longer_run_changes_nothing(void **state)
{
	struct pace pace = { 0 };
	uint64_t now = runs(&pace, 100, 4, SECOND);

	(void)state;
	now = runs(&pace, 1, 150, now);
	assert_true(pace_is_short(&pace, now));
	now = runs(&pace, 10, 60, now);
	assert_false(pace_is_short(&pace, now));
}

/* 256 times what it held up the loop for: 1 ms, 256 ms. */
static void a_long_run_is_paid_for(void **state)
{
	struct pace pace = { 0 };
	uint64_t ended = runs(&pace, 1000, 1, SECOND);

	(void)state;
	ended = runs(&pace, 1, 1000, ended);
	runs(&pace, 1000, 1, ended);
	assert_false(pace_is_short(&pace, ended + 255999));
	assert_true(pace_is_short(&pace, ended + 256000));
}

/* It did not hold up the loop for all of its time. */
static void no_run_is_paid_for_by_more_than_a_second_or_so(void **state)
{
	struct pace pace = { 0 };
	const uint64_t ended = runs(&pace, 1, 3600ULL * SECOND, SECOND);

	(void)state;
	runs(&pace, 1000, 1, ended);
	assert_false(pace_is_short(&pace, ended + SECOND));
	assert_true(pace_is_short(&pace, ended + 1024000));
}

static void what_was_handed_over_pays_nothing(void **state)
{
	struct pace pace = { 0 };
	const uint64_t ended = SECOND + 1500000;

	(void)state;
	pace_add(&pace, SECOND, ended, false);
	runs(&pace, ENOUGH, 1, ended);
	assert_false(pace_is_short(&pace, ended + 1000));
	runs(&pace, 1000, 1, ended);
	assert_true(pace_is_short(&pace, ended + 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_short_at_first),
		cmocka_unit_test(what_takes_long_is_not_short),
		cmocka_unit_test(one_longer_run_changes_nothing),
		cmocka_unit_test(a_long_run_is_paid_for),
		cmocka_unit_test(what_was_handed_over_pays_nothing),
		cmocka_unit_test(no_run_is_paid_for_by_more_than_a_second_or_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
