/*
 * agent_helm.c - short jobs run on the loop's thread; one that is not short holds up nobody: the
 * loop goes on, on another thread. The program's own thread waits, and has the signals.
 */
#include "cmocka_all.h"
#include "pool.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

enum { JOBS = 5000, LONG_MS = 300, TICK_MS = 10 };

struct timed {
	struct job job;
	long sleep_ms;
	pthread_t ran_on;
	bool ended, interrupted, same_thread;
	void (*then)(struct timed *job);
};

static struct ev_loop *loop;
static struct loops loops;
static struct pool *pool;
static struct timed jobs[16];
static unsigned ended, with_loop, ticks, signals;
static atomic_uint running, most;

static void run(struct job *job)
{
	struct timed *timed = (struct timed *)job;
	const struct timespec time = { 0, timed->sleep_ms * 1000000 };
	unsigned now = atomic_fetch_add(&running, 1) + 1, seen = atomic_load(&most);

	while (seen < now && !atomic_compare_exchange_weak(&most, &seen, now))
		;
	timed->ran_on = pthread_self();
	timed->interrupted = timed->sleep_ms && nanosleep(&time, NULL);
	atomic_fetch_sub(&running, 1);
}

static void done(struct job *job)
{
	struct timed *timed = (struct timed *)job;

	timed->ended = true;
	timed->same_thread = pthread_equal(timed->ran_on, pthread_self());
	ended++;
	with_loop += timed->same_thread;
	if (timed->then)
		timed->then(timed);
}

static void submit_short(struct timed *timed, long sleep_ms)
{
	timed->job = (struct job){ .run = run, .done = done };
	timed->sleep_ms = sleep_ms;
	timed->ended = false;
	pool_submit_short(pool, &timed->job);
}

static void on_tick(struct ev_loop *ticking, ev_timer *timer, int events)
{
	(void)ticking;
	(void)events;
	ticks++;
	((void (*)(void))timer->data)();
}

/* Serve with `threads`, and call a function of the test every TICK_MS until it says pool_leave().
 */
static void serve(unsigned threads, void (*tick)(void))
{
	ev_timer timer;

	loop = ev_default_loop(0);
	ended = with_loop = ticks = signals = 0;
	atomic_store(&most, 0);
	assert_int_equal(loops_open(&loops, loop, 1), 0);
	assert_int_equal(pool_new(&loops, threads, &pool), 0);
	ev_timer_init(&timer, on_tick, TICK_MS / 1e3, TICK_MS / 1e3);
	timer.data = (void *)tick;
	ev_timer_start(loop, &timer);
	assert_int_equal(pool_serve(pool), 0);
	ev_timer_stop(loop, &timer);
	assert_int_equal(pool_pending(pool), 0);
	pool_free(pool);
	loops_close(&loops);
	ev_loop_destroy(loop);
}

static void again(struct timed *timed)
{
	if (ended < JOBS)
		submit_short(timed, 0);
	else
		pool_leave(pool);
}

static void submit_first(void)
{
	if (ticks > 1)
		return;
	jobs[0].then = again;
	submit_short(&jobs[0], 0);
}

/* Not each of them: on a busy machine one may be taken for long, and needs a worker then. */
static void short_jobs_run_on_the_loops_thread(void **state)
{
	(void)state;
	serve(4, submit_first);
	assert_int_equal(ended, JOBS);
	assert_true(with_loop > JOBS / 2);
}

static void for_ever(struct timed *timed)
{
	submit_short(timed, 0);
}

/* Each has one after it, until the timer has had its turn often enough. */
static void flood(void)
{
	size_t i;

	for (i = 0; ticks == 1 && i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		jobs[i].then = for_ever;
		submit_short(&jobs[i], 0);
	}
	for (i = 0; ticks > 20 && i < sizeof(jobs) / sizeof(jobs[0]); i++)
		jobs[i].then = NULL;
	if (ticks > 20 && !pool_pending(pool))
		pool_leave(pool);
}

static void a_flood_of_them_leaves_the_loop_its_turns(void **state)
{
	(void)state;
	serve(4, flood);
	assert_true(ended > 20 * sizeof(jobs) / sizeof(jobs[0]));
}

static pthread_t helmsman;
static unsigned ticks_at_begin, ticks_at_end;

static void note_ticks(struct timed *timed)
{
	(void)timed;
	ticks_at_end = ticks;
}

/* Once there is a lookout, which is when a job before it was run by the loop's thread. */
static void one_long(void)
{
	if (ticks == 1)
		jobs[0].same_thread = jobs[1].ended = false;
	if (jobs[1].ended) {
		pool_leave(pool);
	} else if (ticks == 1 || (jobs[0].ended && !jobs[0].same_thread)) {
		jobs[0].then = NULL;
		submit_short(&jobs[0], 0);
	} else if (jobs[0].same_thread) {
		jobs[0].same_thread = jobs[0].ended = false;
		jobs[1].then = note_ticks;
		helmsman = pthread_self();
		ticks_at_begin = ticks;
		submit_short(&jobs[1], LONG_MS);
	}
}

static void a_long_one_holds_up_nobody(void **state)
{
	(void)state;
	serve(4, one_long);
	assert_true(pthread_equal(jobs[1].ran_on, helmsman));
	assert_false(jobs[1].same_thread);
	/* 30, if the machine has time for all of them. */
	assert_true(ticks_at_end - ticks_at_begin >= LONG_MS / TICK_MS / 5);
}

static void long_ones(void)
{
	size_t i;

	if (ticks == 1)
		for (i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
			jobs[i].then = NULL;
			submit_short(&jobs[i], 20);
		}
	if (!pool_pending(pool))
		pool_leave(pool);
}

static void no_more_run_at_once_than_are_allowed(void **state)
{
	(void)state;
	serve(1, long_ones);
	assert_int_equal(most, 1);
	serve(3, long_ones);
	assert_int_equal(most, 3);
}

static void on_signal(struct ev_loop *signalled, ev_signal *watcher, int events)
{
	(void)signalled;
	(void)watcher;
	(void)events;
	signals++;
}

static void signal_in_a_job(void)
{
	static ev_signal watcher;

	if (ticks == 1) {
		ev_signal_init(&watcher, on_signal, SIGUSR1);
		ev_signal_start(loop, &watcher);
		jobs[0].then = NULL;
		submit_short(&jobs[0], LONG_MS);
	} else if (ticks == 3) {
		kill(getpid(), SIGUSR1);
	} else if (jobs[0].ended && signals) {
		ev_signal_stop(loop, &watcher);
		pool_leave(pool);
	}
}

static void a_signal_reaches_the_loop_and_no_job(void **state)
{
	(void)state;
	serve(4, signal_in_a_job);
	assert_int_equal(signals, 1);
	assert_false(jobs[0].interrupted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_jobs_run_on_the_loops_thread),
		cmocka_unit_test(a_flood_of_them_leaves_the_loop_its_turns),
		cmocka_unit_test(a_long_one_holds_up_nobody),
		cmocka_unit_test(no_more_run_at_once_than_are_allowed),
		cmocka_unit_test(a_signal_reaches_the_loop_and_no_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
