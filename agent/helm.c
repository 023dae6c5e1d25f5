/*
 * helm.c - who runs a loop: the thread that has its helm. It runs short jobs too, between two
 * rounds of the loop, which spares them the way to a worker and back: two threads to be woken.
 *
 *     helmsman   ev_run(), short jobs, ev_run(), ...
 *     lookout    sleeps; looks at the clock while there are short jobs
 *
 * A short job that turns out to be long must not hold up the loop. Then the lookout takes the helm
 * and the loop goes on; the old helmsman finds that out when his job ends, posts it as any worker
 * does, and is a worker from then on. One that is idle becomes the next lookout; while there is
 * none, short jobs go to workers like all others.
 *
 * The helm changes hands only while the helmsman is in a job, outside ev_run() and with no frame of
 * the loop's or of Lua's on his stack, and under the lock: what belongs to the loop has one user
 * at a time, and each sees what the one before him did. Each loop has a helm of its own.
 */
#include "log.h"
#include "pool_internal.h"
#include <errno.h>
#include <stdlib.h>

/*
 * A job may hold up the loop for one to two times PATIENCE. A shorter one would wake the lookout
 * more often: this costs half a percent of a processor while there are short jobs, and nothing
 * otherwise. After BATCH jobs the loop has its turn, so that a flood of them does not starve it.
 */
enum { PATIENCE_NS = 2000000, BATCH = 16 };

static void keep_going(struct ev_loop *loop, ev_idle *watcher, int events)
{
	(void)loop;
	(void)watcher;
	(void)events;
}

static unsigned count(const struct pool *pool)
{
	return pool->loops ? pool->loops->count : 0;
}

int helms_init(struct pool *pool)
{
	struct helm *helm;
	unsigned i;

	pthread_cond_init(&pool->ended, NULL);
	if (!pool->loops)
		return 0;
	pool->helms = calloc(count(pool), sizeof(*pool->helms));
	if (!pool->helms) {
		pool->loops = NULL;
		return -ENOMEM;
	}
	for (i = 0; i < count(pool); i++) {
		helm = &pool->helms[i];
		helm->loop = pool->loops->loop[i];
		queue_init(&helm->shorts);
		ev_idle_init(&helm->shorts_wait, keep_going);
	}
	return 0;
}

void helms_release(struct pool *pool)
{
	unsigned i;

	for (i = 0; pool->helms && i < count(pool); i++)
		ev_idle_stop(pool->helms[i].loop->ev, &pool->helms[i].shorts_wait);
	free(pool->helms);
	pthread_cond_destroy(&pool->ended);
}

/* There is someone to take over, and no more than are allowed will run. */
static bool may_run(const struct pool *pool, const struct helm *helm)
{
	return helm->lookout && pool->claimed < pool->max;
}

static void begin(struct pool *pool, struct helm *helm)
{
	pool->claimed++;
	helm->runs++;
	helm->busy = true;
	if (!helm->asleep)
		return;
	helm->asleep = false;
	pthread_cond_signal(&helm->lookout->wake);
}

static void run_short(struct pool *pool, struct worker *worker, struct job *job)
{
	struct helm *helm = worker->steers;
	struct loop *loop = helm->loop;

	if (!may_run(pool, helm))
		return pool_hand_over(pool, job);
	begin(pool, helm);
	job->stayed = true;
	pthread_mutex_unlock(&pool->lock);
	job->run(job);
	pthread_mutex_lock(&pool->lock);
	pool->claimed--;
	if (!worker->steers)
		return loop_post(loop, job);
	helm->busy = false;
	pthread_mutex_unlock(&pool->lock);
	loop_enter(loop);
	pool->pending--;
	job->done(job);
	loop_leave(loop);
	pthread_mutex_lock(&pool->lock);
}

static void run_shorts(struct pool *pool, struct worker *worker)
{
	struct helm *helm = worker->steers;
	struct job *job;
	int n;

	for (n = 0; n < BATCH && worker->steers; n++) {
		job = queue_pop(&helm->shorts);
		if (!job)
			return ev_idle_stop(helm->loop->ev, &helm->shorts_wait);
		run_short(pool, worker, job);
	}
}

/* One round of the loop. */
static void go_round(struct pool *pool, struct loop *loop)
{
	pthread_mutex_unlock(&pool->lock);
	loop_enter(loop);
	ev_run(loop->ev, EVRUN_ONCE);
	loop_leave(loop);
	pthread_mutex_lock(&pool->lock);
}

void helm_steer(struct pool *pool, struct worker *worker)
{
	struct helm *helm = worker->steers;

	while (worker->steers && !pool->over) {
		go_round(pool, helm->loop);
		run_shorts(pool, worker);
	}
	if (!worker->steers) {
		pthread_mutex_unlock(&pool->lock);
		log_debug("an operation that used to be short was not: another thread took over");
		pthread_mutex_lock(&pool->lock);
		return;
	}
	worker->steers = NULL;
	helm->helmsman = NULL;
	pool->workers++;
	if (!--pool->nr_steering)
		pthread_cond_signal(&pool->ended);
}

static void take_helm(struct helm *helm, struct worker *worker)
{
	helm->helmsman = worker;
	worker->steers = helm;
}

/* They change places: there are as many workers as before. */
static void take_over(struct pool *pool, struct helm *helm, struct worker *worker)
{
	helm->helmsman->steers = NULL;
	take_helm(helm, worker);
	helm->lookout = NULL;
	helm->busy = false;
	pool_wake_idle(pool);
}

static void look_out(struct pool *pool, struct helm *helm, struct worker *worker)
{
	unsigned long seen = helm->runs;

	helm->lookout = worker;
	while (helm->lookout == worker && !pool->stopping) {
		if (helm->runs == seen && !helm->busy) {
			helm->asleep = true;
			pthread_cond_wait(&worker->wake, &pool->lock);
			continue; /* whoever woke it says that it is not asleep */
		}
		seen = helm->runs;
		if (worker_wait(worker, PATIENCE_NS) && helm->lookout == worker && helm->busy &&
		    helm->runs == seen)
			take_over(pool, helm, worker);
	}
}

bool helm_look_out(struct pool *pool, struct worker *worker)
{
	unsigned i;

	for (i = 0; i < count(pool); i++) {
		if (!pool->helms[i].helmsman || pool->helms[i].lookout)
			continue;
		look_out(pool, &pool->helms[i], worker);
		return true;
	}
	return false;
}

bool helm_recall(struct pool *pool)
{
	struct helm *helm;
	unsigned i;

	for (i = 0; i < count(pool); i++) {
		helm = &pool->helms[i];
		if (!helm->lookout)
			continue;
		pthread_cond_signal(&helm->lookout->wake);
		helm->lookout = NULL;
		helm->asleep = false;
		return true;
	}
	return false;
}

void pool_submit_short(struct pool *pool, struct job *job)
{
	struct loop *loop = loop_current();
	struct helm *helm = &pool->helms[loop->number];

	pool_count(pool, job);
	queue_push(&helm->shorts, job);
	ev_idle_start(loop->ev, &helm->shorts_wait);
}

/* A thread for each loop, or for none. With the lock held. */
static int man(struct pool *pool)
{
	struct worker *worker;
	unsigned i;

	for (i = 0; i < count(pool); i++) {
		worker = pool_add_worker(pool);
		if (!worker) {
			pool->over = true;
			return -ENOMEM;
		}
		take_helm(&pool->helms[i], worker);
		pool->workers--;
		pool->nr_steering++;
	}
	/* One that was idle has a role to play now. */
	pool_wake_idle(pool);
	return 0;
}

int pool_serve(struct pool *pool)
{
	int ret;

	loops_begin(pool->loops);
	pthread_mutex_lock(&pool->lock);
	ret = man(pool);
	while (pool->nr_steering)
		pthread_cond_wait(&pool->ended, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	loops_end(pool->loops);
	return ret;
}

void pool_leave(struct pool *pool)
{
	unsigned i;

	pthread_mutex_lock(&pool->lock);
	pool->over = true;
	pthread_mutex_unlock(&pool->lock);
	ev_break(pool->loops->loop[0]->ev, EVBREAK_ALL);
	for (i = 1; i < count(pool); i++)
		loop_wake(pool->loops->loop[i]);
}
