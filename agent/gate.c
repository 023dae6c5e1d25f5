/*
 * gate.c - see gate.h.
 */
#include "gate.h"
#include <stdbool.h>
#include <stdlib.h>

struct gate {
	struct gate *outer;
	unsigned refs, max, inside;
	bool letting_in;
	struct pass *first, **last; /* waiting */
};

struct gate *gate_new(unsigned max, struct gate *outer)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return NULL;
	gate->refs = 1;
	gate->max = max;
	gate->outer = outer ? gate_ref(outer) : NULL;
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
	if (--gate->refs)
		return;
	if (gate->outer)
		gate_unref(gate->outer);
	free(gate);
}

static void enter(struct gate *gate, struct pass *pass);

static void tell(struct job *job)
{
	struct pass *pass = (struct pass *)((char *)job - offsetof(struct pass, telling));

	pass->admitted(pass);
}

/*
 * admitted() may leave at once, and come here again: the outermost call alone lets in, so that a
 * long queue of those takes no stack.
 */
static void let_in(struct gate *gate)
{
	struct pass *pass;

	if (gate->letting_in)
		return;
	gate->letting_in = true;
	while ((pass = gate->first) && gate->inside < gate->max) {
		gate->first = pass->next;
		if (!gate->first)
			gate->last = &gate->first;
		gate->inside++;
		if (gate->outer)
			enter(gate->outer, pass);
		else
			loop_do(pass->loop, &pass->telling);
	}
	gate->letting_in = false;
}

static void enter(struct gate *gate, struct pass *pass)
{
	pass->next = NULL;
	*gate->last = pass;
	gate->last = &pass->next;
	let_in(gate);
}

void gate_enter(struct gate *gate, struct pass *pass)
{
	pass->loop = loop_current();
	pass->telling = (struct job){ .done = tell };
	enter(gate, pass);
}

void gate_leave(struct gate *gate)
{
	gate->inside--;
	if (gate->outer)
		gate_leave(gate->outer);
	let_in(gate);
}
