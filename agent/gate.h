/*
 * gate.h - how many operations of one connection run at once: the rest wait their turn without a
 * thread, so that one peer cannot take all of the pool. Counted by the connection and its
 * sessions, since operations outlive a connection. The loop's thread.
 */
#ifndef AGENT_GATE_H
#define AGENT_GATE_H

struct gate;

struct pass {
	void (*admitted)(struct pass *pass); /* may run now; gate_leave() afterwards */
	struct pass *next;
};

/* Counted once. NULL: out of memory. */
struct gate *gate_new(unsigned max);
struct gate *gate_ref(struct gate *gate);
void gate_unref(struct gate *gate);

/* In the order of asking: at once, or when another has left. */
void gate_enter(struct gate *gate, struct pass *pass);
void gate_leave(struct gate *gate);

#endif
