/*
 * side.c - see side.h.
 */
#include "side.h"
#include "operation.h"
#include "resource.h"

static struct session *side_new(struct session *home, struct backend *backend)
{
	struct session *side = session_new_side(home);

	if (!side)
		return NULL;
	side->plan.backends[0] = backend;
	side->plan.count = 1;
	side->next = home->sides;
	home->sides = side;
	return side;
}

struct session *side_get(struct session *home, struct backend *backend)
{
	struct session *side = home->sides;

	while (side && side->plan.backends[0] != backend)
		side = side->next;
	return side ? side : side_new(home, backend);
}

int side_follow(struct session *side, const struct session *home)
{
	const struct registration *at;
	struct registration *here;

	for (at = home->registrations; at; at = at->next) {
		here = session_registration(side, at->resource);
		if (!here)
			here = session_register(side, at->resource);
		if (!here)
			return VACCEL_ENOMEM;
		here->load |= at->load;
	}
	return VACCEL_OK;
}

void sides_unregister(struct session *home, struct resource *resource,
		      const struct operation_class *class)
{
	struct operation *operation;
	struct session *side;

	for (side = home->sides; side; side = side->next) {
		if (!session_registration(side, resource))
			continue;
		operation = operation_new(class, side, resource);
		if (operation) /* else it stays until the side ends */
			operation_start_own(operation);
	}
}

void sides_end(struct session *home, const char *why, const struct operation_class *class)
{
	struct operation *farewell;
	struct session *side;

	while ((side = home->sides)) {
		home->sides = side->next;
		side->end = why;
		farewell = session_farewell(side, class);
		session_unref(side);
		operation_start_own(farewell);
	}
}
