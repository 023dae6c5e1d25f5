/*
 * agent_loop.c - several loops: each is run by a thread of its own, jobs end where they were
 * submitted, what is shared has one user at a time, and mail comes in its order, to the last.
 */
#include "cmocka_all.h"
#include "gate.h"
#include "pool.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { LOOPS = 4, ROUNDS = 500, LETTERS = 1000 };

static struct ev_loop *first;
static struct loops loops;
static struct pool *pool;

/* Shared: with the lock alone. */
static unsigned nr_ended, nr_within;

static void begin(unsigned threads)
{
	first = ev_default_loop(0);
	nr_ended = nr_within = 0;
	assert_int_equal(loops_open(&loops, first, LOOPS), 0);
	assert_int_equal(pool_new(&loops, threads, &pool), 0);
}

static void end(void)
{
	pool_free(pool);
	loops_close(&loops);
	ev_loop_destroy(first);
}

/* Nobody else is within; also not while this one dawdles. */
static void have_to_oneself(void)
{
	volatile unsigned i;

	assert_int_equal(nr_within++, 0);
	for (i = 0; i < 200; i++)
		;
	assert_int_equal(nr_within--, 1);
}

static void leave(struct job *job)
{
	(void)job;
	pool_leave(pool);
}

static struct job leaving;

static void one_more_of(unsigned all)
{
	if (++nr_ended != all)
		return;
	leaving = (struct job){ .done = leave };
	loop_do(loops.loop[0], &leaving);
}

/* ---- jobs */

struct runner {
	struct job start, job;
	struct loop *loop;
	pthread_t thread;
	unsigned rounds;
	bool is_short;
};

static struct runner runners[2 * LOOPS];

static void submit(struct runner *runner);

static void run(struct job *job)
{
	(void)job;
	usleep(10);
}

static void done(struct job *job)
{
	struct runner *runner = (struct runner *)((char *)job - offsetof(struct runner, job));

	assert_ptr_equal(loop_current(), runner->loop);
	have_to_oneself();
	if (++runner->rounds < ROUNDS)
		submit(runner);
	else
		one_more_of(2 * LOOPS);
}

static void submit(struct runner *runner)
{
	runner->job = (struct job){ .run = run, .done = done };
	if (runner->is_short)
		pool_submit_short(pool, &runner->job);
	else
		pool_submit(pool, &runner->job);
}

static void start(struct job *job)
{
	struct runner *runner = (struct runner *)((char *)job - offsetof(struct runner, start));

	runner->thread = pthread_self();
	submit(runner);
}

static void jobs_end_with_the_loop_that_they_came_from(void **state)
{
	unsigned i, j;

	(void)state;
	begin(8);
	for (i = 0; i < 2 * LOOPS; i++) {
		runners[i] = (struct runner){ .start.done = start,
					      .loop = loops.loop[i / 2],
					      .is_short = i % 2 };
		loop_post(runners[i].loop, &runners[i].start);
	}
	assert_int_equal(pool_serve(pool), 0);
	assert_int_equal(pool_pending(pool), 0);
	for (i = 0; i < LOOPS; i++) {
		assert_int_equal(runners[2 * i].rounds, ROUNDS);
		for (j = 0; j < i; j++)
			assert_false(pthread_equal(runners[2 * i].thread, runners[2 * j].thread));
	}
	end();
}

/* ---- mail */

static struct letter {
	struct job job;
	unsigned number;
} letters[LETTERS], last;

static unsigned next_letter;

static void read_letter(struct job *job)
{
	const struct letter *letter = (const struct letter *)job;

	assert_ptr_equal(loop_current(), loops.loop[1]);
	assert_int_equal(letter->number, next_letter++);
	have_to_oneself();
	if (letter->number == LETTERS - 1)
		one_more_of(1);
}

static void write_letters(struct job *job)
{
	unsigned i;

	(void)job;
	for (i = 0; i < LETTERS; i++) {
		letters[i] = (struct letter){ .job.done = read_letter, .number = i };
		loop_do(loops.loop[1], &letters[i].job);
		loop_do(loops.loop[1], &letters[i].job); /* it is on its way */
	}
}

static void mail_comes_in_its_order_and_once(void **state)
{
	struct job job = { .done = write_letters };

	(void)state;
	begin(1);
	next_letter = 0;
	loop_post(loops.loop[0], &job);
	assert_int_equal(pool_serve(pool), 0);
	assert_int_equal(next_letter, LETTERS);
	end();
}

/* It is passed on, to loops that have had their mail, too. */
static void read_last(struct job *job)
{
	assert_ptr_equal(loop_current(), loops.loop[(2 + nr_ended) % LOOPS]);
	if (++nr_ended < 2 * LOOPS)
		loop_post(loops.loop[(2 + nr_ended) % LOOPS], job);
}

static void write_last(struct job *job)
{
	(void)job;
	pool_leave(pool);
	last.job = (struct job){ .done = read_last };
	loop_post(loops.loop[2], &last.job);
}

static void mail_of_the_last_moment_is_read(void **state)
{
	struct job job = { .done = write_last };

	(void)state;
	begin(1);
	loop_post(loops.loop[0], &job);
	assert_int_equal(pool_serve(pool), 0);
	assert_int_equal(nr_ended, 2 * LOOPS);
	end();
}

/* ---- gates */

static struct guest {
	struct job start, job;
	struct pass pass;
	struct loop *loop;
} guests[2 * LOOPS];

static struct gate *gate;
static atomic_uint inside;

static void stay(struct job *job)
{
	(void)job;
	assert_int_equal(atomic_fetch_add(&inside, 1), 0);
	usleep(500);
	atomic_fetch_sub(&inside, 1);
}

static void go(struct job *job)
{
	(void)job;
	gate_leave(gate);
	one_more_of(2 * LOOPS);
}

static void admitted(struct pass *pass)
{
	struct guest *guest = (struct guest *)((char *)pass - offsetof(struct guest, pass));

	assert_ptr_equal(loop_current(), guest->loop);
	guest->job = (struct job){ .run = stay, .done = go };
	pool_submit(pool, &guest->job);
}

static void knock(struct job *job)
{
	struct guest *guest = (struct guest *)((char *)job - offsetof(struct guest, start));

	guest->pass.admitted = admitted;
	gate_enter(gate, &guest->pass);
}

static void a_gate_tells_each_with_its_own_loop(void **state)
{
	unsigned i;

	(void)state;
	begin(8);
	gate = gate_new(1, NULL);
	assert_non_null(gate);
	for (i = 0; i < 2 * LOOPS; i++) {
		guests[i] = (struct guest){ .start.done = knock, .loop = loops.loop[i / 2] };
		loop_post(guests[i].loop, &guests[i].start);
	}
	assert_int_equal(pool_serve(pool), 0);
	assert_int_equal(nr_ended, 2 * LOOPS);
	gate_unref(gate);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_end_with_the_loop_that_they_came_from),
		cmocka_unit_test(mail_comes_in_its_order_and_once),
		cmocka_unit_test(mail_of_the_last_moment_is_read),
		cmocka_unit_test(a_gate_tells_each_with_its_own_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
