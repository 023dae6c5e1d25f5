/*
 * gate.h - how many operations of one connection run at once, and how many of all connections of
 * a peer: the rest wait their turn without a thread, so that one peer cannot take all of the pool.
 * Counted by accounts and sessions, since operations outlive a connection. Whoever has the
 * lock of the loops; connections of one peer may be on several.
 */
#ifndef AGENT_GATE_H
#define AGENT_GATE_H

#include "loop.h"

struct gate;

struct pass {
	void (*admitted)(struct pass *pass); /* may run now; gate_leave() afterwards */
	struct pass *next;		     /* of those that wait at the same gate */
	/* private */
	struct loop *loop; /* whose thread asked, and is told */
	struct job telling;
};

/* Counted once; whoever passes it passes `outer` as well, if there is one. NULL: out of memory. */
struct gate *gate_new(unsigned max, struct gate *outer);
struct gate *gate_ref(struct gate *gate);
void gate_unref(struct gate *gate);

/* In the order of asking: at once, or when another has left. */
void gate_enter(struct gate *gate, struct pass *pass);
void gate_leave(struct gate *gate);

#endif
