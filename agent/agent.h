/*
 * agent.h - the agent as a whole: what there is one of.
 *
 *   connection  one peer on one socket; owns the ids that it made
 *   session     a peer's vaccel_session; has a plan (ordered backends) and a leg on one of them
 *   resource    a peer's model, library or data; has one replica for each backend that uses it
 *   operation   one call of a peer, or the agent's own clearing up, from receipt to reply
 *   backend     a named place where operations run
 *
 * Threads: everything runs on loop 0's thread, the Lua state included, except what a backend
 * gives to the pool: there a worker has one struct work to itself, and its leg and replica, whose
 * strands are held for it. No object of the agent has a lock.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "aftermath.h"
#include "agent_limits.h"
#include "luaccel_core.h"
#include "policy.h"
#include "pool.h"
#include "server.h"
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backend;
struct connection;

struct agent {
	struct ev_loop *loop;
	const struct luaccel_core *core;
	struct pool *pool;
	struct ttrpc_server *server;
	struct policy_engine *policy; /* NULL: no script was given */
	struct limits limits;
	struct aftermath aftermath;

	struct backend *backends; /* in the order in which hints see them */
	struct connection *connections;

	int64_t next_operation;
	size_t nr_sessions, nr_resources;
	size_t nr_operations; /* not yet replied, and clearing up not yet done */
	bool draining;	      /* no new session */
};

/* Microseconds of the monotonic clock. Any thread. */
uint64_t agent_now_us(void);

#endif
