/*
 * pool_by_hand.c - see pool_by_hand.h. It has the names that services use of agent/pool.h, so the
 * linker takes this one.
 */
#include "pool_by_hand.h"
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>

struct pool {
	struct job *waiting, *returning;
	size_t pending;
};

static void append(struct job **link, struct job *job)
{
	while (*link)
		link = &(*link)->next;
	job->next = NULL;
	*link = job;
}

static struct job *take(struct job **link, unsigned skip)
{
	struct job *job;

	while (skip-- > 0 && *link && (*link)->next)
		link = &(*link)->next;
	job = *link;
	if (job)
		*link = job->next;
	return job;
}

int pool_new(struct loops *loops, unsigned threads, struct pool **pool)
{
	(void)loops;
	(void)threads;
	*pool = calloc(1, sizeof(**pool));
	return *pool ? 0 : -ENOMEM;
}

void pool_submit(struct pool *pool, struct job *job)
{
	pool->pending++;
	append(&pool->waiting, job);
}

/* A job that is short may be overtaken by the loop like any other, so it is none apart. */
void pool_submit_short(struct pool *pool, struct job *job)
{
	pool_submit(pool, job);
}

bool pool_run_one(struct pool *pool, unsigned skip)
{
	struct job *job = take(&pool->waiting, skip);

	if (!job)
		return false;
	job->run(job);
	append(&pool->returning, job);
	return true;
}

bool pool_return_one(struct pool *pool, unsigned skip)
{
	struct job *job = take(&pool->returning, skip);

	if (!job)
		return false;
	pool->pending--;
	job->done(job);
	return true;
}

size_t pool_pending(const struct pool *pool)
{
	return pool->pending;
}

/* Nobody serves: the target's loop ends when it has nothing more to do. */
void pool_leave(struct pool *pool)
{
	(void)pool;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	fuzz_check(pool->pending == 0);
	free(pool);
}
