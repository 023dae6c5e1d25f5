/*
 * pool.c - see pool.h. One mutex guards the queue, the stack of idle workers and the mailbox; it is
 * held for a few pointer moves at a time.
 */
#include "pool.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_SECONDS = 2 };

struct worker {
	struct pool *pool;
	struct worker *below; /* on the stack of idle workers */
	pthread_cond_t wake;
	bool idle;
};

struct queue {
	struct job *first, **last;
};

struct pool {
	struct ev_loop *loop;
	ev_async arrived; /* the mailbox has something */
	size_t pending;	  /* loop's thread */
	unsigned max, keep;

	pthread_mutex_t lock;
	pthread_cond_t empty; /* the last worker has left */
	struct queue jobs;    /* for workers */
	struct queue mailbox; /* for the loop */
	struct worker *idle;  /* most recent on top */
	unsigned workers, sleeping;
	bool stopping;
};

static void queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

static void queue_push(struct queue *queue, struct job *job)
{
	job->next = NULL;
	*queue->last = job;
	queue->last = &job->next;
}

static struct job *queue_pop(struct queue *queue)
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
	pool->sleeping--;
}

/* Sleep until woken with work. False: time to leave. Called and returns with the lock held. */
static bool worker_sleep(struct pool *pool, struct worker *worker)
{
	struct timespec until;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_SECONDS;
	worker->below = pool->idle;
	worker->idle = true;
	pool->idle = worker;
	pool->sleeping++;
	while (worker->idle && !pool->stopping && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&worker->wake, &pool->lock, &until);
	if (!worker->idle)
		return true;
	idle_remove(pool, worker);
	return !pool->stopping && pool->workers <= pool->keep;
}

static void worker_loop(struct pool *pool, struct worker *worker)
{
	for (;;) {
		struct job *job = queue_pop(&pool->jobs);
		bool wake;

		if (!job) {
			if (pool->stopping || !worker_sleep(pool, worker))
				return;
			continue;
		}
		pthread_mutex_unlock(&pool->lock);
		job->run(job);
		pthread_mutex_lock(&pool->lock);
		wake = !pool->mailbox.first;
		queue_push(&pool->mailbox, job);
		if (wake)
			ev_async_send(pool->loop, &pool->arrived);
	}
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	worker_loop(pool, worker);
	if (!--pool->workers)
		pthread_cond_signal(&pool->empty);
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_destroy(&worker->wake);
	free(worker);
	return NULL;
}

/* Signals are the loop's business: a worker is born with all of them blocked. */
static int start_thread(struct worker *worker)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&thread, &attr, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return ret;
}

/* With the lock held. Failing is no error while another worker lives: the job waits for it. */
static int add_worker(struct pool *pool)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	pthread_condattr_t attr;
	int ret;

	if (!worker)
		return -ENOMEM;
	worker->pool = pool;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->wake, &attr);
	pthread_condattr_destroy(&attr);

	pool->workers++;
	ret = start_thread(worker);
	if (ret) {
		pool->workers--;
		pthread_cond_destroy(&worker->wake);
		free(worker);
		return -ret;
	}
	return 0;
}

static void take_mail(struct ev_loop *loop, ev_async *watcher, int events)
{
	struct pool *pool = watcher->data;
	struct queue mail;
	struct job *job;

	(void)loop;
	(void)events;
	pthread_mutex_lock(&pool->lock);
	mail = pool->mailbox;
	if (!mail.first)
		mail.last = &mail.first;
	queue_init(&pool->mailbox);
	pthread_mutex_unlock(&pool->lock);

	while ((job = queue_pop(&mail))) {
		pool->pending--;
		job->done(job);
	}
}

int pool_new(struct ev_loop *loop, unsigned threads, struct pool **out)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int ret;

	if (!pool)
		return -ENOMEM;
	pool->loop = loop;
	pool->max = threads;
	pool->keep = cpus > 0 && (unsigned)cpus < threads ? (unsigned)cpus : threads;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->empty, NULL);
	queue_init(&pool->jobs);
	queue_init(&pool->mailbox);
	ev_async_init(&pool->arrived, take_mail);
	pool->arrived.data = pool;
	ev_async_start(loop, &pool->arrived);

	/* One worker is there from the start, so that a job never waits for memory. */
	pthread_mutex_lock(&pool->lock);
	ret = add_worker(pool);
	pthread_mutex_unlock(&pool->lock);
	if (ret) {
		pool_free(pool);
		return ret;
	}
	*out = pool;
	return 0;
}

void pool_submit(struct pool *pool, struct job *job)
{
	struct worker *worker;

	pool->pending++;
	pthread_mutex_lock(&pool->lock);
	queue_push(&pool->jobs, job);
	worker = pool->idle;
	if (worker) {
		idle_remove(pool, worker);
		pthread_cond_signal(&worker->wake);
	} else if (pool->workers < pool->max) {
		add_worker(pool);
	}
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
	ev_async_stop(pool->loop, &pool->arrived);
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	for (worker = pool->idle; worker; worker = worker->below)
		pthread_cond_signal(&worker->wake);
	while (pool->workers)
		pthread_cond_wait(&pool->empty, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_destroy(&pool->empty);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
