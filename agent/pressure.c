/*
 * pressure.c - see pressure.h. A timer runs only while something may have to go.
 */
#include "pressure.h"
#include "connection.h"
#include "log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { NO_SESSIONS = 80, NO_REQUESTS = 90, NO_CONNECTIONS = 95, GO_AT_ONCE = 16 };

static const double PERIOD = 0.25, IDLE_MIN = 1.0;

struct pressure {
	struct agent *agent;
	ev_timer timer;
	struct job watch; /* to start it, by the first loop's thread */
};

static bool is_crowded(const struct agent *agent)
{
	const struct account *total = &agent->accounts.total;
	const size_t max = total->max[ACCOUNT_CONNECTIONS];

	return total->used[ACCOUNT_CONNECTIONS] - agent->nr_leaving >
	       max / 100 * NO_CONNECTIONS + max % 100 * NO_CONNECTIONS / 100;
}

static unsigned pressure(const struct agent *agent, bool transient, const char **name)
{
	return account_pressure(&agent->accounts.total, transient, name);
}

static bool is_short(const struct agent *agent)
{
	const char *name;

	return pressure(agent, false, &name) >= NO_CONNECTIONS;
}

/* Who waits for an answer, or is in the middle of a frame, is not idle. */
static void note_busy(const struct agent *agent, double now)
{
	struct connection *at;

	for (at = agent->connections; at; at = at->next)
		if (at->account->used[ACCOUNT_STREAMS] || at->account->used[ACCOUNT_HELD])
			at->active = now;
}

static bool is_idle(const struct connection *connection, double now)
{
	return !connection->leaving && now - connection->active >= IDLE_MIN;
}

/* Whoever has no session goes before those who have, and the longest idle first. */
static bool goes_before(const struct connection *a, const struct connection *b)
{
	if (!b || (a->sessions.count == 0) != (b->sessions.count == 0))
		return !b || a->sessions.count == 0;
	return a->active < b->active;
}

static struct connection *find_victim(const struct agent *agent, bool with_session, double now)
{
	struct connection *at, *victim = NULL;

	for (at = agent->connections; at; at = at->next)
		if (is_idle(at, now) && (with_session || !at->sessions.count) &&
		    goes_before(at, victim))
			victim = at;
	return victim;
}

static void close_one(struct connection *connection, const char *why, double now)
{
	char peer[80];

	metrics_limit(connection->agent, why);
	if (account_may_log(connection->account, now))
		log_warn("connection from %s closed: %s, and it has asked for nothing in %.0f s",
			 ttrpc_peer_str(ttrpc_conn_peer(connection->conn), peer, sizeof(peer)), why,
			 now - connection->active);
	connection_close(connection, "idle");
}

static void relieve(struct agent *agent, double now)
{
	struct connection *victim;
	const char *name;
	char why[80];
	int i;

	for (i = 0; i < GO_AT_ONCE && is_crowded(agent); i++) {
		victim = find_victim(agent, false, now);
		if (!victim)
			break;
		close_one(victim, "limit connections: nearly all of it is in use", now);
	}
	/* What it held is given back a little later: one at a time. */
	if (pressure(agent, false, &name) < NO_CONNECTIONS)
		return;
	victim = find_victim(agent, true, now);
	snprintf(why, sizeof(why), "limit %s: nearly all of it is in use", name);
	if (victim)
		close_one(victim, why, now);
}

static void close_silent(struct agent *agent, double now)
{
	const double idle = (double)agent->limits.idle, first = (double)agent->limits.first_frame;
	struct connection *at, *next;

	for (at = agent->connections; at; at = next) {
		next = at->next;
		if (first > 0 && !at->asked && !at->leaving && now - at->opened >= first)
			close_one(at, "limit first-frame", now);
		else if (idle > 0 && is_idle(at, now) && now - at->active >= idle)
			close_one(at, "limit idle", now);
	}
}

static bool has_to_watch(const struct agent *agent)
{
	if (!agent->connections)
		return false;
	return agent->limits.idle || agent->limits.first_frame || is_crowded(agent) ||
	       is_short(agent);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct pressure *pressure = timer->data;
	struct agent *agent = pressure->agent;

	(void)events;
	note_busy(agent, ev_now(loop));
	if (agent->limits.idle || agent->limits.first_frame)
		close_silent(agent, ev_now(loop));
	relieve(agent, ev_now(loop));
	if (!has_to_watch(agent))
		ev_timer_stop(loop, timer);
}

static void watch(struct job *job)
{
	struct pressure *pressure =
		(struct pressure *)((char *)job - offsetof(struct pressure, watch));
	struct agent *agent = pressure->agent;

	if (!ev_is_active(&pressure->timer) && has_to_watch(agent))
		ev_timer_again(agent->loop, &pressure->timer);
}

int pressure_new(struct agent *agent)
{
	struct pressure *pressure = calloc(1, sizeof(*pressure));

	if (!pressure)
		return -ENOMEM;
	pressure->agent = agent;
	pressure->watch.done = watch;
	ev_timer_init(&pressure->timer, on_timer, 0., PERIOD);
	pressure->timer.data = pressure;
	agent->pressure = pressure;
	return 0;
}

void pressure_free(struct agent *agent)
{
	if (agent->pressure)
		ev_timer_stop(agent->loop, &agent->pressure->timer);
	free(agent->pressure);
}

void pressure_watch(struct agent *agent)
{
	if (!ev_is_active(&agent->pressure->timer) && has_to_watch(agent))
		loop_do(agent->loops.loop[0], &agent->pressure->watch);
}

static int refuses(const struct agent *agent, bool transient, unsigned from, const char *what,
		   char *why, size_t size)
{
	const char *name = "";
	const unsigned percent = pressure(agent, transient, &name);

	if (percent < from)
		return VACCEL_OK;
	snprintf(why, size, "limit %s: %u %% of it is in use; no %s until it is less than %u %%",
		 name, percent, what, from);
	return VACCEL_ENOMEM;
}

int pressure_refuses_sessions(const struct agent *agent, char *why, size_t size)
{
	return refuses(agent, false, NO_SESSIONS, "new session", why, size);
}

int pressure_refuses_requests(const struct agent *agent, char *why, size_t size)
{
	return refuses(agent, true, NO_REQUESTS, "new request", why, size);
}

int pressure_refuses_resources(const struct agent *agent, char *why, size_t size)
{
	return refuses(agent, false, NO_REQUESTS, "new resource", why, size);
}

int pressure_refuses_connections(struct agent *agent, char *why, size_t size)
{
	int ret = refuses(agent, false, NO_CONNECTIONS, "new connection", why, size);

	if (ret)
		pressure_watch(agent);
	return ret;
}
