/*
 * strand.c - see strand.h.
 */
#include "strand.h"
#include <stddef.h>

void strand_init(struct strand *strand)
{
	*strand = (struct strand){ 0 };
	strand->last = &strand->first;
}

/*
 * granted() may take and release turns of this very strand: the state is complete before each call
 * and read afresh after it, by the outermost call alone, so that a long queue of turns that end at
 * once takes no stack.
 */
static void grant(struct strand *strand)
{
	struct turn *turn;

	if (strand->granting)
		return;
	strand->granting = true;
	while ((turn = strand->first) && !strand->exclusive &&
	       !(turn->exclusive && strand->shared)) {
		strand->first = turn->next;
		if (!strand->first)
			strand->last = &strand->first;
		if (turn->exclusive)
			strand->exclusive = true;
		else
			strand->shared++;
		turn->granted(turn);
	}
	strand->granting = false;
}

void strand_take(struct strand *strand, struct turn *turn)
{
	turn->next = NULL;
	*strand->last = turn;
	strand->last = &turn->next;
	grant(strand);
}

void strand_take_first(struct strand *strand, struct turn *turn)
{
	turn->next = strand->first;
	if (!strand->first)
		strand->last = &turn->next;
	strand->first = turn;
	grant(strand);
}

void strand_release(struct strand *strand, struct turn *turn)
{
	if (turn->exclusive)
		strand->exclusive = false;
	else
		strand->shared--;
	grant(strand);
}

bool strand_idle(const struct strand *strand)
{
	return !strand->first && !strand->shared && !strand->exclusive;
}
