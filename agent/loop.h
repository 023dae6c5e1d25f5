/*
 * loop.h - the agent's event loops, each run by a thread of its own, and the lock between them.
 *
 * What belongs to a connection (its sessions, operations and streams, and their timers) is touched
 * by the thread of that connection's loop alone. What all share (policies, backends, accounts,
 * counts) belongs to whoever holds the lock. A loop's thread holds it while it runs callbacks, and
 * lets go of it where it needs nothing of the agent: while it waits for events, receives, writes,
 * and runs a short job. So no object of the agent has a lock of its own, and hooks run one at a
 * time. With one loop there is no lock.
 *
 * Loop 0 has, besides connections, all that there is one of: listeners, signals, the control
 * socket, metrics, the timers of policies and of backends.
 */
#ifndef AGENT_LOOP_H
#define AGENT_LOOP_H

#include "aftermath.h"
#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { LOOPS_MAX = 64 };

/* Something to be done on a thread of the pool (pool.h), on a loop's thread, or both in turn. */
struct job {
	void (*run)(struct job *job);  /* on a worker; may block */
	void (*done)(struct job *job); /* on the thread of its loop, after run */
	struct job *next;
	struct loop *loop; /* whose thread submitted it */
	size_t *pending;   /* counts it until done() is called; NULL: nothing does */
	bool posted;	   /* to its loop, which has not called done() yet */
	bool stayed;	   /* it was run by the loop's thread, for a while at least */
};

struct loop {
	struct ev_loop *ev;
	unsigned number;
	struct loops *all;
	struct aftermath aftermath; /* of what ended here */
	ev_async arrived;	    /* there is mail */
	_Atomic(struct job *) mail; /* jobs whose done() is to be called, the latest first */
};

struct loops {
	unsigned count;
	bool shared; /* several threads run them */
	pthread_mutex_t lock;
	struct loop *loop[LOOPS_MAX];
};

/*
 * `first` is loop 0 and stays the caller's; the others are made. The caller's thread is that of
 * loop 0 until loops_begin(). 0 or -ENOMEM.
 */
int loops_open(struct loops *loops, struct ev_loop *first, unsigned count);
void loops_close(struct loops *loops);

/* Threads take over, one for each loop; and have ended. What they left in the mail is done then. */
void loops_begin(struct loops *loops);
void loops_end(struct loops *loops);

/* loop_current() says. */
extern _Thread_local struct loop *loop_of_thread;

/* The loop whose thread this is; NULL: a worker's. */
static inline struct loop *loop_current(void)
{
	return loop_of_thread;
}

/* The time of its last wake-up, seconds as ev_now(). A loop's thread. */
double loop_now(void);

/* Let others use what is shared; and go on. Within loop_enter(). */
static inline void loops_release(struct loops *loops)
{
	if (loops->shared)
		pthread_mutex_unlock(&loops->lock);
}

static inline void loops_acquire(struct loops *loops)
{
	if (loops->shared)
		pthread_mutex_lock(&loops->lock);
}

/* This thread runs the loop from now on, and has the lock; it does so no more. */
static inline void loop_enter(struct loop *loop)
{
	loops_acquire(loop->all);
	loop_of_thread = loop;
}

static inline void loop_leave(struct loop *loop)
{
	loop_of_thread = NULL;
	loops_release(loop->all);
}

/* done() is called on the loop's thread, in the order of posting. Any thread; once at a time. */
void loop_post(struct loop *loop, struct job *job);
/* The same at once, if this is that thread; nothing, if the job is on its way already. */
void loop_do(struct loop *loop, struct job *job);
/* It goes round once more. Any thread. */
void loop_wake(struct loop *loop);

#endif
