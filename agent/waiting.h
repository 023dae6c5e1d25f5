/*
 * waiting.h - operations that a policy has wait until others have ended: concurrency { queue = }.
 *
 * One that waits has no thread, no turn and no place at a gate; it stands in the policy's queue of
 * its key, and here, with all others, in the order of their coming. It leaves when its turn comes,
 * its time is over, its session ends or its deadline passes. When scripts are loaded anew all that
 * wait are asked about anew. On the thread of its connection's loop an operation comes and goes on;
 * whoever has the lock (loop.h) may make room for it.
 */
#ifndef AGENT_WAITING_H
#define AGENT_WAITING_H

#include <stddef.h>

struct agent;
struct operation;
struct policy_decision;
struct session;
struct waiting;

struct waiting_list {
	struct waiting *first, **last;
	size_t count;
};

struct waitings {
	struct waiting_list waiting;
	struct waiting_list
		going; /* they wait no more; the threads of their loops go on with them */
	struct waiting_list again; /* they are about to be asked about anew */
	struct waiting *asking;	   /* the one on whose loop that goes on */
};

void waiting_init(struct agent *agent);

/* The decision is to wait. The operation may be gone afterwards. */
void waiting_begin(struct operation *operation, struct policy_decision *decision);
/* The session has: what waits in it fails. */
void waiting_session_ended(struct session *session);
/* Other scripts are in force, or none. */
void waiting_ask_again(struct agent *agent);

#endif
