/*
 * agent.h - the agent as a whole: what there is one of.
 *
 *   connection  one peer on one socket; owns the ids that it made
 *   session     a peer's vaccel_session; has a plan (ordered backends) and a leg on one of them
 *   resource    a peer's model, library or data; has one replica for each backend that uses it
 *   operation   one call of a peer, or the agent's own clearing up, from receipt to reply
 *   backend     a named place where operations run
 *
 * Threads: everything runs on the threads that run the loops, a connection's things on its own
 * loop's, one at a time (loop.h), the Lua state included, except what a backend gives to the pool:
 * there a worker has one struct work to itself, and its leg and replica, whose strands are held for
 * it. No object of the agent has a lock.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "account.h"
#include "agent_limits.h"
#include "content.h"
#include "listeners.h"
#include "luaccel_core.h"
#include "metrics.h"
#include "policy.h"
#include "pool.h"
#include "record.h"
#include "server.h"
#include "timers.h"
#include "waiting.h"
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct allow;
struct backend;
struct connection;
struct pressure;

struct agent {
	struct ev_loop *loop; /* the first of: */
	struct loops loops;
	const struct luaccel_core *core;
	unsigned threads; /* of a pool, at most */
	struct pool *pool;
	struct pool *probes; /* tries what is down (revive.h); NULL until there is something */
	struct ttrpc_server *server;
	struct listeners listeners;
	struct policy_engine *engine;
	struct policy_engine *policy; /* the same; NULL: no script was ever given */
	unsigned generation;	      /* of policies: how often scripts were loaded */
	uint64_t started_us;
	struct limits limits;
	struct accounts accounts;
	struct pressure *pressure;
	const struct allow *allow; /* what peers may do beyond the default */
	struct timers timers;	   /* of policies */
	struct record record;
	struct waitings waitings;
	struct answers *answers; /* stores of policies */
	size_t answers_bytes;	 /* of memory, in all of them and on their way */
	struct contents contents;
	struct metrics metrics;

	struct backend *backends; /* in the order in which hints see them */
	unsigned long comings;	  /* how often any has come up */
	struct connection *connections;
	size_t nr_leaving; /* of them: to be closed by the threads of their loops */

	uint64_t instance; /* among all agents, for sessions that go through several */
	int64_t next_operation;
	uint64_t next_connection;
	size_t nr_operations; /* not yet replied, and clearing up not yet done */
	bool draining;	      /* no new session */
};

/* Microseconds of the monotonic clock. Any thread. */
uint64_t agent_now_us(void);

static inline bool record_is_on(const struct agent *agent)
{
	return agent->record.first;
}

/* A question begins. True: somebody records, so it is to end with a line about it. */
static inline bool record_asks(struct agent *agent)
{
	if (!record_is_on(agent))
		return false;
	record_ask(agent);
	return true;
}

#endif
