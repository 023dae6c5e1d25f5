/*
 * gate.c - see gate.h.
 */
#include "gate.h"
#include <stdlib.h>

struct gate {
	unsigned refs, max, inside;
	struct pass *first, **last; /* waiting */
};

struct gate *gate_new(unsigned max)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return NULL;
	gate->refs = 1;
	gate->max = max;
	gate->last = &gate->first;
	return gate;
}

struct gate *gate_ref(struct gate *gate)
{
	gate->refs++;
	return gate;
}

void gate_unref(struct gate *gate)
{
	if (!--gate->refs)
		free(gate);
}

/* admitted() may leave at once, and come here again. */
static void let_in(struct gate *gate)
{
	struct pass *pass;

	while ((pass = gate->first) && gate->inside < gate->max) {
		gate->first = pass->next;
		if (!gate->first)
			gate->last = &gate->first;
		gate->inside++;
		pass->admitted(pass);
	}
}

void gate_enter(struct gate *gate, struct pass *pass)
{
	pass->next = NULL;
	*gate->last = pass;
	gate->last = &pass->next;
	let_in(gate);
}

void gate_leave(struct gate *gate)
{
	gate->inside--;
	let_in(gate);
}
