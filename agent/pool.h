/*
 * pool.h - the threads that may block, and those that run the loops.
 *
 *     loop ── pool_submit(job) ──▶ a worker: job->run(job) ── its mail ──▶ loop: job->done(job)
 *
 * A job belongs to the worker from pool_submit() until done() is called, and to its loop before
 * and after: that is the only way in which objects of the agent get to workers. Workers are made
 * when a job finds none idle, up to the limit, and leave after a while without work, except a few
 * that stay. The most recently idle worker is woken first, since it is the warm one.
 *
 * "The loop's thread" is whichever runs a loop now: one of the pool's own, in pool_serve(). It
 * may change, but only between two callbacks of the loop, and what one of them did, the next sees:
 * objects of the loop need no lock. What belongs to a thread (errno, luaccel_last_error()) does not
 * outlive a callback.
 */
#ifndef AGENT_POOL_H
#define AGENT_POOL_H

#include "loop.h"

struct pool;

/* At most `threads` workers. `loops` is what it runs; NULL: none of them. 0, or -ENOMEM. */
int pool_new(struct loops *loops, unsigned threads, struct pool **pool);

/* Loop's thread. Never blocks; jobs start in order. */
void pool_submit(struct pool *pool, struct job *job);

/*
 * Loop's thread. As pool_submit(), for a job that is expected to take less than its way to a worker
 * and back: the loop's thread runs it itself after this round of the loop. Nothing depends on the
 * expectation: when such a job takes long, another thread goes on with the loop.
 */
void pool_submit_short(struct pool *pool, struct job *job);

/*
 * Run the loops until pool_leave() on threads of the pool. The caller, who made them, waits, and
 * has them back then; it alone takes signals meanwhile. 0, or -ENOMEM: there is no thread.
 */
int pool_serve(struct pool *pool);

/* Thread of loop 0, from within a callback of it; no job is pending. */
void pool_leave(struct pool *pool);

/* Jobs submitted whose done() has not been called yet. */
size_t pool_pending(const struct pool *pool);

/* Waits for the workers; every job must be done. */
void pool_free(struct pool *pool);

#endif
