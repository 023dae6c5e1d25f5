/*
 * agent_pool.c - jobs run on workers and end on the loop; workers come when they are needed, leave
 * when they are not, and are never more than allowed.
 */
#include "cmocka_all.h"
#include "pool.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct counted {
	struct job job;
	unsigned sleep_us;
};

static pthread_t loop_thread;
static unsigned ended;
static atomic_uint running, most;

static void run(struct job *job)
{
	unsigned now = atomic_fetch_add(&running, 1) + 1, seen = atomic_load(&most);

	assert_false(pthread_equal(pthread_self(), loop_thread));
	while (seen < now && !atomic_compare_exchange_weak(&most, &seen, now))
		;
	if (((struct counted *)job)->sleep_us)
		usleep(((struct counted *)job)->sleep_us);
	atomic_fetch_sub(&running, 1);
}

static void done(struct job *job)
{
	(void)job;
	assert_true(pthread_equal(pthread_self(), loop_thread));
	ended++;
}

/* Submit `count` jobs and run the loop until all have ended. */
static void drive(unsigned threads, unsigned count, unsigned sleep_us)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct counted *jobs = calloc(count, sizeof(*jobs));
	struct loops loops;
	struct pool *pool;
	unsigned i;

	loop_thread = pthread_self();
	ended = 0;
	most = 0;
	assert_non_null(jobs);
	assert_int_equal(loops_open(&loops, loop, 1), 0);
	assert_int_equal(pool_new(&loops, threads, &pool), 0);
	for (i = 0; i < count; i++) {
		jobs[i] = (struct counted){ .job = { .run = run, .done = done },
					    .sleep_us = sleep_us };
		pool_submit(pool, &jobs[i].job);
	}
	assert_int_equal(pool_pending(pool), count);
	while (ended < count)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(pool_pending(pool), 0);
	pool_free(pool);
	loops_close(&loops);
	ev_loop_destroy(loop);
	free(jobs);
}

static void every_job_runs_and_ends_once(void **state)
{
	(void)state;
	drive(8, 20000, 0);
	assert_int_equal(ended, 20000);
}

static void workers_come_as_needed_up_to_the_limit(void **state)
{
	(void)state;
	drive(5, 20, 20000);
	assert_int_equal(most, 5);
}

static void one_worker_is_enough(void **state)
{
	(void)state;
	drive(1, 100, 0);
	assert_int_equal(most, 1);
}

static pthread_key_t at_exit;
static atomic_uint exits;

static void exit_slowly(void *value)
{
	(void)value;
	usleep(30000);
	atomic_fetch_add(&exits, 1);
}

static void mark_thread(struct job *job)
{
	usleep(((struct counted *)job)->sleep_us);
	pthread_setspecific(at_exit, job);
}

/* A thread's own clearing up is part of it: a leak was reported for one that was still at it. */
static void pool_free_waits_until_threads_have_ended(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct counted jobs[4];
	struct loops loops;
	struct pool *pool;
	unsigned i;

	(void)state;
	assert_int_equal(pthread_key_create(&at_exit, exit_slowly), 0);
	loop_thread = pthread_self();
	ended = 0;
	assert_int_equal(loops_open(&loops, loop, 1), 0);
	assert_int_equal(pool_new(&loops, 4, &pool), 0);
	for (i = 0; i < 4; i++) {
		jobs[i] = (struct counted){ .job = { .run = mark_thread, .done = done },
					    .sleep_us = 20000 };
		pool_submit(pool, &jobs[i].job);
	}
	while (ended < 4)
		ev_run(loop, EVRUN_ONCE);
	pool_free(pool);
	assert_int_equal(exits, 4);
	loops_close(&loops);
	ev_loop_destroy(loop);
	pthread_key_delete(at_exit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_runs_and_ends_once),
		cmocka_unit_test(workers_come_as_needed_up_to_the_limit),
		cmocka_unit_test(one_worker_is_enough),
		cmocka_unit_test(pool_free_waits_until_threads_have_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
