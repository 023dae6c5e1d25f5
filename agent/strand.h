/*
 * strand.h - who may use a session, or a model, now: a queue instead of a lock.
 *
 * A turn is taken exclusively, or shared with others that are shared. Turns are granted in the
 * order in which they were asked for, so a shared turn does not overtake an exclusive one.
 * Nobody waits: granted() is called when it is the caller's turn, at once or later. Everything
 * happens on the loop's thread; the strand's owner outlives its turns.
 */
#ifndef AGENT_STRAND_H
#define AGENT_STRAND_H

#include <stdbool.h>

struct turn {
	void (*granted)(struct turn *turn);
	bool exclusive;
	struct turn *next;
};

struct strand {
	struct turn *first, **last; /* waiting */
	unsigned shared;	    /* turns running */
	bool exclusive;		    /* one turn running alone */
	bool granting;		    /* granted() is being called; it will be looked again */
};

void strand_init(struct strand *strand);
/* Ask for a turn: at the end, or (for one who must go on before all others) at the front. */
void strand_take(struct strand *strand, struct turn *turn);
void strand_take_first(struct strand *strand, struct turn *turn);
/* The turn is over. Grants what can be granted now. */
void strand_release(struct strand *strand, struct turn *turn);
bool strand_idle(const struct strand *strand);

#endif
