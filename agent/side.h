/*
 * side.h - sides: sessions of the agent's own, on backends where single operations of a peer's
 * session run, while the session itself stays where it is.
 *
 * A side follows its session: before each operation what is registered and loaded there is
 * registered and loaded on the side too, by the steps that any session goes through. It belongs to
 * its session and ends with it. The loop's thread.
 */
#ifndef AGENT_SIDE_H
#define AGENT_SIDE_H

#include "session.h"

struct operation_class;

/* The session's side on a backend, made when there is none. NULL: out of memory. */
struct session *side_get(struct session *home, struct backend *backend);

/* When it is an operation's turn: register what home has. VACCEL_OK or VACCEL_ENOMEM. */
int side_follow(struct session *side, const struct session *home);

/* The resource is no longer registered with home. */
void sides_unregister(struct session *home, struct resource *resource,
		      const struct operation_class *class);

/* Home ends: its sides do as well, when what runs on them has ended. */
void sides_end(struct session *home, const char *why, const struct operation_class *class);

#endif
