/*
 * watchdog.h - stops a call that has used up its budget, from a thread of its own.
 *
 * The Lua thread arms it before a call and disarms it after: atomic stores and an atomic exchange,
 * no lock and no system call while calls follow each other. The thread looks at the call under way
 * as often as the shortest budget asks, and when nothing has run for a while it sleeps until it is
 * woken, so that an idle engine costs nothing.
 *
 * A budget is processor time of the thread that armed it, so that a call is not stopped for what
 * others do on a busy machine. A call that has taken ten times its budget is stopped all the same.
 */
#ifndef LUACCEL_POLICY_WATCHDOG_H
#define LUACCEL_POLICY_WATCHDOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct watchdog {
	pthread_t thread;
	pthread_mutex_t lock; /* held while firing, so that disarming waits for it */
	pthread_cond_t wake;
	_Atomic uint64_t
		call; /* WATCHDOG_IDLE, WATCHDOG_FIRED, or the number of the one under way */
	_Atomic uint64_t budget; /* ns; that call's */
	uint64_t calls;		 /* the Lua thread's: numbers given */
	atomic_bool asleep;
	bool stop;		 /* under lock */
	uint64_t interval;	 /* half of the shortest budget, ns */
	_Atomic clockid_t clock; /* of the processor time of the thread that armed it last */
	uint64_t seen, since;	 /* the watchdog's: the call that it saw last, from when on, */
	uint64_t until;		 /* and how much that clock may show until it fires */
	void (*fire)(void *ctx);
	void *ctx;
};

/* fire(ctx) runs on the watchdog's thread. 0 or an errno value. */
int watchdog_start(struct watchdog *dog, uint64_t shortest_ns, void (*fire)(void *ctx), void *ctx);
void watchdog_stop(struct watchdog *dog);

/* The caller's thread is the Lua thread until it disarms; the next time it may be another. */
void watchdog_arm(struct watchdog *dog, uint64_t budget_ns);
/* True when it fired; it will not any more once this has returned. */
bool watchdog_disarm(struct watchdog *dog);
bool watchdog_fired(struct watchdog *dog);

#endif
