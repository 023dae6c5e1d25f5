/*
 * pool_internal.h - what pool.c (workers, queues) and helm.c (who runs the loop) share.
 */
#ifndef AGENT_POOL_INTERNAL_H
#define AGENT_POOL_INTERNAL_H

#include "pool.h"
#include <pthread.h>
#include <stdbool.h>

/* A thread of the pool. Which of the roles it has is said by where the pool names it. */
struct worker {
	struct pool *pool;
	struct worker *below; /* on the stack of idle workers */
	pthread_cond_t wake;
	bool idle;
};

struct queue {
	struct job *first, **last;
};

/* Under the pool's lock. */
struct helm {
	struct worker *helmsman; /* runs the loop; NULL: a thread that is not of the pool does */
	struct worker *lookout;	 /* sees to it that the loop goes on; NULL: all are at work */
	unsigned long runs;	 /* short jobs that a helmsman has begun */
	bool busy;		 /* the helmsman is in one of them */
	bool asleep;		 /* the lookout waits for the next of them */
	bool over;		 /* the loop has been left */
	pthread_cond_t ended;
};

struct pool {
	struct ev_loop *loop;
	ev_async arrived; /* the mailbox has something */
	unsigned max, keep;

	/* whose who runs the loop */
	struct queue shorts; /* that he runs himself, after this round of the loop */
	ev_idle shorts_wait; /* active while there are any: the loop does not wait then */
	size_t pending;

	pthread_mutex_t lock;
	pthread_cond_t empty; /* the last worker has left */
	struct queue jobs;    /* for workers */
	struct queue mailbox; /* for the loop */
	struct worker *idle;  /* most recent on top */
	unsigned workers;     /* all threads but the helmsman */
	unsigned claimed;     /* jobs that wait for workers, or run */
	bool stopping;
	bool left;	     /* a worker has left, */
	pthread_t last_left; /* this one last: nobody has waited for it yet */
	struct helm helm;
};

void queue_init(struct queue *queue);
void queue_push(struct queue *queue, struct job *job);
struct job *queue_pop(struct queue *queue); /* NULL: empty */

/* All with the lock held. */

/* NULL: out of memory, or of threads. */
struct worker *pool_add_worker(struct pool *pool);
/* The most recent of the idle, if there is one, looks for something to do. */
bool pool_wake_idle(struct pool *pool);
void pool_hand_over(struct pool *pool, struct job *job);
/* A job has run elsewhere than with the helmsman: its done() is for the loop. */
void pool_post(struct pool *pool, struct job *job);
/* Wait on the worker's condition; true when the time is over. */
bool worker_wait(struct worker *worker, long ns);

void helm_init(struct pool *pool);
void helm_release(struct pool *pool);
/* Run the loop until another has taken it over, or it is left. */
void helm_steer(struct pool *pool, struct worker *worker);
/* Be the lookout until there is something else to do. */
void helm_look_out(struct pool *pool, struct worker *worker);
/* The lookout, if there is one, is needed as a worker. */
void helm_recall(struct pool *pool);

#endif
