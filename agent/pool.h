/*
 * pool.h - the threads that may block, and the way back to the loop.
 *
 *     loop 0 ── pool_submit(job) ──▶ a worker: job->run(job) ── mailbox ──▶ loop 0: job->done(job)
 *
 * A job belongs to the worker from pool_submit() until done() is called, and to the loop before
 * and after: that is the only way in which objects of the agent cross threads. Workers are made
 * when a job finds none idle, up to the limit, and leave after a while without work, except a few
 * that stay. The most recently idle worker is woken first, since it is the warm one.
 */
#ifndef AGENT_POOL_H
#define AGENT_POOL_H

#include <ev.h>
#include <stddef.h>

struct pool;

struct job {
	void (*run)(struct job *job);  /* on a worker; may block */
	void (*done)(struct job *job); /* on the loop's thread, after run */
	struct job *next;
};

/* At most `threads` workers. 0, or -ENOMEM. */
int pool_new(struct ev_loop *loop, unsigned threads, struct pool **pool);

/* Loop's thread. Never blocks; jobs start in order. */
void pool_submit(struct pool *pool, struct job *job);

/* Jobs submitted whose done() has not been called yet. */
size_t pool_pending(const struct pool *pool);

/* Waits for the workers; every job must be done. */
void pool_free(struct pool *pool);

#endif
