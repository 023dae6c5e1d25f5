/*
 * pool_internal.h - what pool.c (workers, queues) and helm.c (who runs the loops) share.
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
	struct helm *steers;  /* it is helmsman there; NULL: nowhere */
	pthread_cond_t wake;
	bool idle;
};

struct queue {
	struct job *first, **last;
};

/* Who runs one loop. */
struct helm {
	struct loop *loop;

	/* his who runs it */
	struct queue shorts; /* that he runs himself, after this round of the loop */
	ev_idle shorts_wait; /* active while there are any: the loop does not wait then */

	/* under the pool's lock */
	struct worker *helmsman; /* NULL: a thread that is not of the pool */
	struct worker *lookout;	 /* sees to it that the loop goes on; NULL: all are at work */
	unsigned long runs;	 /* short jobs that a helmsman has begun */
	bool busy;		 /* the helmsman is in one of them */
	bool asleep;		 /* the lookout waits for the next of them */
};

struct pool {
	unsigned max, keep;
	size_t pending; /* whose who has the lock of the loops */

	pthread_mutex_t lock; /* may be taken by who has the lock of the loops, not the reverse */
	pthread_cond_t empty; /* the last worker has left */
	struct queue jobs;    /* for workers */
	struct worker *idle;  /* most recent on top */
	unsigned workers;     /* all threads but helmsmen */
	unsigned claimed;     /* jobs that wait for workers, or run */
	bool stopping;
	bool left;	      /* a worker has left, */
	pthread_t last_left;  /* this one last: nobody has waited for it yet */
	struct loops *loops;  /* that it runs; NULL: none */
	struct helm *helms;   /* one for each */
	unsigned nr_steering; /* of the helms: those that have a helmsman */
	bool over;	      /* the loops have been left */
	pthread_cond_t ended; /* the last helmsman has left his */
};

void queue_init(struct queue *queue);
void queue_push(struct queue *queue, struct job *job);
struct job *queue_pop(struct queue *queue); /* NULL: empty */

/* It is this loop's, and counts, until done() is called. With the lock of the loops. */
void pool_count(struct pool *pool, struct job *job);

/* All with the lock held. */

/* NULL: out of memory, or of threads. */
struct worker *pool_add_worker(struct pool *pool);
/* The most recent of the idle, if there is one, looks for something to do. */
bool pool_wake_idle(struct pool *pool);
void pool_hand_over(struct pool *pool, struct job *job);
/* Wait on the worker's condition; true when the time is over. */
bool worker_wait(struct worker *worker, long ns);

/* 0 or -ENOMEM. */
int helms_init(struct pool *pool);
void helms_release(struct pool *pool);
/* Run the loop that the worker steers until another has taken it over, or it is left. */
void helm_steer(struct pool *pool, struct worker *worker);
/* Be a lookout until there is something else to do. False: none is needed. */
bool helm_look_out(struct pool *pool, struct worker *worker);
/* A lookout is needed as a worker. False: there is none. */
bool helm_recall(struct pool *pool);

#endif
