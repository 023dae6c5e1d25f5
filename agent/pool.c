/*
 * pool.c - see pool.h. One mutex guards the queue, the stack of idle workers and the helms; it is
 * held for a few pointer moves at a time.
 */
#include "pool_internal.h"
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_NS = 2000000000, NANO = 1000000000 };

void queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

void queue_push(struct queue *queue, struct job *job)
{
	job->next = NULL;
	*queue->last = job;
	queue->last = &job->next;
}

struct job *queue_pop(struct queue *queue)
{
	struct job *job = queue->first;

	if (!job)
		return NULL;
	queue->first = job->next;
	if (!queue->first)
		queue->last = &queue->first;
	return job;
}

static void idle_remove(struct pool *pool, struct worker *worker)
{
	struct worker **at = &pool->idle;

	while (*at != worker)
		at = &(*at)->below;
	*at = worker->below;
	worker->idle = false;
}

bool pool_wake_idle(struct pool *pool)
{
	struct worker *worker = pool->idle;

	if (!worker)
		return false;
	idle_remove(pool, worker);
	pthread_cond_signal(&worker->wake);
	return true;
}

bool worker_wait(struct worker *worker, long ns)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ns;
	until.tv_sec += until.tv_nsec / NANO;
	until.tv_nsec %= NANO;
	return pthread_cond_timedwait(&worker->wake, &worker->pool->lock, &until) == ETIMEDOUT;
}
/* Sleep until there may be something to do. False: time to leave. */
static bool rest(struct pool *pool, struct worker *worker)
{
	bool late = false;

	if (helm_look_out(pool, worker))
		return true;
	worker->below = pool->idle;
	worker->idle = true;
	pool->idle = worker;
	while (worker->idle && !pool->stopping && !late)
		late = worker_wait(worker, IDLE_NS);
	if (!worker->idle)
		return true;
	idle_remove(pool, worker);
	return pool->workers <= pool->keep;
}

static void run_job(struct pool *pool, struct job *job)
{
	pthread_mutex_unlock(&pool->lock);
	job->run(job);
	pthread_mutex_lock(&pool->lock);
	pool->claimed--;
	loop_post(job->loop, job);
}

/* Whatever role is there to be played. */
static void live(struct pool *pool, struct worker *worker)
{
	struct job *job;

	for (;;) {
		if (worker->steers)
			helm_steer(pool, worker);
		else if ((job = queue_pop(&pool->jobs)))
			run_job(pool, job);
		else if (pool->stopping || !rest(pool, worker))
			return;
	}
}

/*
 * Each that leaves waits for the one that left before it, and pool_free() for the last: when that
 * returns no thread is still busy ending, and what threads keep until then has been freed.
 */
static void leave(struct pool *pool)
{
	const bool follows = pool->left;
	const pthread_t before = pool->last_left;

	pool->left = true;
	pool->last_left = pthread_self();
	if (!--pool->workers)
		pthread_cond_signal(&pool->empty);
	pthread_mutex_unlock(&pool->lock);
	if (follows)
		pthread_join(before, NULL);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	live(pool, worker);
	leave(pool);
	pthread_cond_destroy(&worker->wake);
	free(worker);
	return NULL;
}

/* Signals are for the thread that waits in pool_serve(): no code of a plugin is interrupted. */
static int start_thread(struct worker *worker)
{
	sigset_t all, before;
	pthread_t thread;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&thread, NULL, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

struct worker *pool_add_worker(struct pool *pool)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	pthread_condattr_t attr;

	if (!worker)
		return NULL;
	worker->pool = pool;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->wake, &attr);
	pthread_condattr_destroy(&attr);

	if (start_thread(worker)) {
		pthread_cond_destroy(&worker->wake);
		free(worker);
		return NULL;
	}
	pool->workers++;
	return worker;
}

int pool_new(struct loops *loops, unsigned threads, struct pool **out)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	bool good;

	if (!pool)
		return -ENOMEM;
	pool->loops = loops;
	pool->max = threads;
	pool->keep = cpus > 0 && (unsigned)cpus < threads ? (unsigned)cpus : threads;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->empty, NULL);
	queue_init(&pool->jobs);
	good = !helms_init(pool);

	/* One worker is there from the start, so that a job never waits for memory. */
	pthread_mutex_lock(&pool->lock);
	good = good && pool_add_worker(pool);
	pthread_mutex_unlock(&pool->lock);
	if (!good) {
		pool_free(pool);
		return -ENOMEM;
	}
	*out = pool;
	return 0;
}

/* If no thread is to be had, the job waits for one of those that there are. */
void pool_hand_over(struct pool *pool, struct job *job)
{
	pool->claimed++;
	queue_push(&pool->jobs, job);
	if (pool_wake_idle(pool))
		return;
	if (pool->workers >= pool->max || !pool_add_worker(pool))
		helm_recall(pool);
}

void pool_count(struct pool *pool, struct job *job)
{
	pool->pending++;
	job->pending = &pool->pending;
	job->loop = loop_current();
}

void pool_submit(struct pool *pool, struct job *job)
{
	pool_count(pool, job);
	pthread_mutex_lock(&pool->lock);
	pool_hand_over(pool, job);
	pthread_mutex_unlock(&pool->lock);
}

size_t pool_pending(const struct pool *pool)
{
	return pool->pending;
}

void pool_free(struct pool *pool)
{
	struct worker *worker;

	if (!pool)
		return;
	assert(!pool->pending);
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	for (worker = pool->idle; worker; worker = worker->below)
		pthread_cond_signal(&worker->wake);
	while (helm_recall(pool))
		;
	while (pool->workers)
		pthread_cond_wait(&pool->empty, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	if (pool->left)
		pthread_join(pool->last_left, NULL);
	helms_release(pool);
	pthread_cond_destroy(&pool->empty);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
