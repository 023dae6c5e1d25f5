/*
 * policy_watchdog.c - who is stopped by the watchdog: a call that has used its budget of processor
 * time, and not one that only lasted; and when ten budgets have passed, one that goes on then.
 */
#include "cmocka_all.h"
#include "watchdog.h"

#include <time.h>

enum { MS = 1000000 };

static uint64_t read_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

/* In one piece, which takes next to no processor time. */
static void sleep_ns(uint64_t ns)
{
	const struct timespec ts = {
		.tv_sec = (time_t)(ns / UINT64_C(1000000000)),
		.tv_nsec = (long)(ns % UINT64_C(1000000000)),
	};

	nanosleep(&ts, NULL);
}

/* Goes on until it is stopped; the processor time that this took. */
static uint64_t go_on(struct watchdog *dog)
{
	const uint64_t start = read_ns(CLOCK_THREAD_CPUTIME_ID);

	while (!watchdog_fired(dog))
		;
	return read_ns(CLOCK_THREAD_CPUTIME_ID) - start;
}

static void count(void *ctx)
{
	++*(_Atomic int *)ctx;
}

struct fixture {
	struct watchdog dog;
	_Atomic int fired;
};

static struct fixture fixture;

static int setup(void **state)
{
	fixture.fired = 0;
	*state = &fixture;
	return watchdog_start(&fixture.dog, 5 * MS, count, &fixture.fired);
}

static int teardown(void **state)
{
	(void)state;
	watchdog_stop(&fixture.dog);
	return 0;
}

static void test_loop(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i <= 5; i++) {
		watchdog_arm(&f->dog, 20 * MS);
		assert_true(go_on(&f->dog) >= 19 * MS);
		assert_true(watchdog_disarm(&f->dog));
		assert_int_equal(f->fired, i);
	}
}

/* It has lasted, but its thread has hardly run: five budgets long, and twelve. */
static void test_rest(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		watchdog_arm(&f->dog, 20 * MS);
		sleep_ns(i == 0 ? 100 * MS : 240 * MS);
		assert_false(watchdog_disarm(&f->dog));
		assert_int_equal(f->fired, 0);
	}
}

/* One that goes on after ten budgets has a moment left, and not the rest of its budget. */
static void test_wall_limit(void **state)
{
	struct fixture *f = *state;

	watchdog_arm(&f->dog, 300 * MS);
	sleep_ns(UINT64_C(3010) * MS);
	assert_true(go_on(&f->dog) < 200 * MS);
	assert_true(watchdog_disarm(&f->dog));
	assert_int_equal(f->fired, 1);
}

/* The next call has a budget of its own. */
static void test_next(void **state)
{
	struct fixture *f = *state;

	watchdog_arm(&f->dog, 5 * MS);
	go_on(&f->dog);
	assert_true(watchdog_disarm(&f->dog));
	watchdog_arm(&f->dog, 20 * MS);
	sleep_ns(30 * MS);
	assert_false(watchdog_disarm(&f->dog));
	sleep_ns(100 * MS); /* it sleeps for good */
	watchdog_arm(&f->dog, 20 * MS);
	assert_true(go_on(&f->dog) >= 19 * MS);
	assert_true(watchdog_disarm(&f->dog));
	assert_int_equal(f->fired, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wall_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_next, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
