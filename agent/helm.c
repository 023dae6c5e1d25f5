/*
 * helm.c - who runs the loop: the thread that has the helm. It runs short jobs too, between two
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
 * at a time, and each sees what the one before him did.
 */
#include "log.h"
#include "pool_internal.h"
#include <errno.h>

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

void helm_init(struct pool *pool)
{
	pthread_cond_init(&pool->helm.ended, NULL);
	queue_init(&pool->shorts);
	ev_idle_init(&pool->shorts_wait, keep_going);
}

void helm_release(struct pool *pool)
{
	ev_idle_stop(pool->loop, &pool->shorts_wait);
	pthread_cond_destroy(&pool->helm.ended);
}

/* There is someone to take over, and no more than are allowed will run. */
static bool may_run(const struct pool *pool)
{
	return pool->helm.lookout && pool->claimed < pool->max;
}

static void begin(struct pool *pool)
{
	struct helm *helm = &pool->helm;

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
	struct helm *helm = &pool->helm;

	if (!may_run(pool))
		return pool_hand_over(pool, job);
	begin(pool);
	job->stayed = true;
	pthread_mutex_unlock(&pool->lock);
	job->run(job);
	pthread_mutex_lock(&pool->lock);
	pool->claimed--;
	if (helm->helmsman != worker)
		return pool_post(pool, job);
	helm->busy = false;
	pthread_mutex_unlock(&pool->lock);
	pool->pending--;
	job->done(job);
	pthread_mutex_lock(&pool->lock);
}

static void run_shorts(struct pool *pool, struct worker *worker)
{
	struct job *job;
	int n;

	for (n = 0; n < BATCH && pool->helm.helmsman == worker; n++) {
		job = queue_pop(&pool->shorts);
		if (!job)
			return ev_idle_stop(pool->loop, &pool->shorts_wait);
		run_short(pool, worker, job);
	}
}

void helm_steer(struct pool *pool, struct worker *worker)
{
	struct helm *helm = &pool->helm;

	while (helm->helmsman == worker && !helm->over) {
		pthread_mutex_unlock(&pool->lock);
		ev_run(pool->loop, EVRUN_ONCE);
		pthread_mutex_lock(&pool->lock);
		run_shorts(pool, worker);
	}
	if (helm->helmsman != worker) {
		pthread_mutex_unlock(&pool->lock);
		log_debug("an operation that used to be short was not: another thread took over");
		pthread_mutex_lock(&pool->lock);
		return;
	}
	helm->helmsman = NULL;
	pool->workers++;
	pthread_cond_signal(&helm->ended);
}

/* They change places: there are as many workers as before. */
static void take_over(struct pool *pool, struct worker *worker)
{
	pool->helm.helmsman = worker;
	pool->helm.lookout = NULL;
	pool->helm.busy = false;
	pool_wake_idle(pool);
}

void helm_look_out(struct pool *pool, struct worker *worker)
{
	struct helm *helm = &pool->helm;
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
			take_over(pool, worker);
	}
}

void helm_recall(struct pool *pool)
{
	if (!pool->helm.lookout)
		return;
	pthread_cond_signal(&pool->helm.lookout->wake);
	pool->helm.lookout = NULL;
	pool->helm.asleep = false;
}

void pool_submit_short(struct pool *pool, struct job *job)
{
	pool->pending++;
	queue_push(&pool->shorts, job);
	ev_idle_start(pool->loop, &pool->shorts_wait);
}

int pool_serve(struct pool *pool)
{
	struct helm *helm = &pool->helm;

	pthread_mutex_lock(&pool->lock);
	helm->helmsman = pool_add_worker(pool);
	if (helm->helmsman) {
		pool->workers--;
		/* One that was idle has a role to play now. */
		pool_wake_idle(pool);
		while (helm->helmsman)
			pthread_cond_wait(&helm->ended, &pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return helm->over ? 0 : -ENOMEM;
}

void pool_leave(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->helm.over = true;
	pthread_mutex_unlock(&pool->lock);
	ev_break(pool->loop, EVBREAK_ALL);
}
