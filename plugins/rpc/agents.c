/*
 * agents.c - which connection a new session gets: one for each agent, by its address; and what is
 * asked about an agent rather than for a session (luaccel_plugin_targets).
 *
 * `current` is the connection that new sessions of an agent get. It is held by one count of its own
 * and one of each session; a lost one is let go when the next session comes, and lives until its
 * last session has been released. An agent's lock is held while connecting to it, so that threads
 * that start together share what the first of them makes, or why it could not. An entry of the
 * table stays until the plugin's fini: there are as many as addresses that were ever used.
 */
#include "rpc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 1024 };

struct rpc_agent {
	struct rpc_agent *next;
	pthread_mutex_t lock;
	struct rpc_connection *current;
	atomic_uint failures;	 /* to connect, so far; and of the last one: */
	int code;		 /* ... what it came to */
	char reason[REASON_MAX]; /* ... and why */
	char uri[];
};

static pthread_mutex_t agents_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct rpc_agent *) agents; /* added to at its head, under the lock */

/*
 * In a forked child: the parent's connections are not ours to use or to close in the peers' eyes,
 * and another thread of the parent may have held any lock. Their structures stay for the copies of
 * the parent's sessions, which name them.
 */
static void forked_child(void)
{
	rpc_connection_forked();
	agents_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	for (struct rpc_agent *agent = atomic_load(&agents); agent; agent = agent->next) {
		struct rpc_connection *inherited = agent->current;

		agent->current = NULL;
		agent->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
		if (!inherited)
			continue;
		ttrpc_client_abandon(inherited->client);
		rpc_connection_unref(inherited); /* it is nobody's current one */
	}
}

/* At the plugin's init, before any session. */
int rpc_agents_setup(void)
{
	static bool done;
	int error;

	rpc_connection_setup();
	if (done)
		return VACCEL_OK;
	error = pthread_atfork(NULL, NULL, forked_child);
	if (error)
		return rpc_fail(VACCEL_ENOMEM, "the rpc plugin cannot prepare for fork: %s",
				strerror(error));
	done = true;
	return VACCEL_OK;
}

static struct rpc_agent *find(const char *uri)
{
	struct rpc_agent *agent = atomic_load(&agents);

	while (agent && strcmp(agent->uri, uri) != 0)
		agent = agent->next;
	return agent;
}

static struct rpc_agent *add(const char *uri)
{
	const size_t size = strlen(uri) + 1;
	struct rpc_agent *agent = calloc(1, sizeof(*agent) + size);

	if (!agent)
		return NULL;
	memcpy(agent->uri, uri, size);
	pthread_mutex_init(&agent->lock, NULL);
	atomic_init(&agent->failures, 0);
	agent->next = atomic_load(&agents);
	atomic_store(&agents, agent);
	return agent;
}

/* Find or add it. NULL: no memory. */
static struct rpc_agent *agent_at(const char *uri)
{
	struct rpc_agent *agent;

	pthread_mutex_lock(&agents_lock);
	agent = find(uri);
	if (!agent)
		agent = add(uri);
	pthread_mutex_unlock(&agents_lock);
	return agent;
}

/* With the agent's lock held. */
static void let_go(struct rpc_agent *agent)
{
	struct rpc_connection *conn = agent->current;

	agent->current = NULL;
	if (conn)
		rpc_connection_unref(conn);
}

/* With the agent's lock held. */
static int connect_to(struct rpc_agent *agent, bool remote)
{
	int ret = rpc_connection_make(agent->uri, remote, &agent->current);

	if (ret == VACCEL_OK)
		return ret;
	agent->code = ret;
	luaccel_last_error(agent->reason, sizeof(agent->reason));
	atomic_fetch_add(&agent->failures, 1);
	return ret;
}

/*
 * The connection for a new session, counted for the caller: to the target, or without one where the
 * environment says. *fresh: it was made by this call. Who has waited for an attempt that failed
 * shares its failure, rather than wait for one of his own.
 */
int rpc_connection_get(const struct luaccel_target *target, struct rpc_connection **conn,
		       bool *fresh)
{
	struct rpc_agent *agent = agent_at(target ? target->uri : rpc_address_uri());
	unsigned failures;
	int ret = VACCEL_OK;

	if (!agent)
		return rpc_fail(VACCEL_ENOMEM, "no memory for a connection to the agent");
	failures = atomic_load(&agent->failures);
	pthread_mutex_lock(&agent->lock);
	if (agent->current && rpc_connection_lost(agent->current))
		let_go(agent);
	*fresh = !agent->current;
	if (!agent->current && atomic_load(&agent->failures) != failures)
		ret = rpc_fail(agent->code, "%s", agent->reason);
	else if (!agent->current)
		ret = connect_to(agent, target != NULL);
	if (ret == VACCEL_OK) {
		atomic_fetch_add(&agent->current->refs, 1);
		*conn = agent->current;
	}
	pthread_mutex_unlock(&agent->lock);
	return ret;
}

/* At the plugin's fini, after the last session. */
void rpc_agents_close(void)
{
	struct rpc_agent *agent;

	while ((agent = atomic_load(&agents))) {
		atomic_store(&agents, agent->next);
		let_go(agent);
		pthread_mutex_destroy(&agent->lock);
		free(agent);
	}
}

static int target_connected(const char *uri)
{
	struct rpc_agent *agent = find(uri);
	bool connected;

	if (!agent)
		return 0;
	pthread_mutex_lock(&agent->lock);
	connected = agent->current && !rpc_connection_lost(agent->current);
	pthread_mutex_unlock(&agent->lock);
	return connected;
}

static void target_close(const char *uri, int now)
{
	struct rpc_agent *agent = find(uri);

	if (!agent)
		return;
	pthread_mutex_lock(&agent->lock);
	if (agent->current && now)
		rpc_connection_sever(agent->current);
	let_go(agent);
	pthread_mutex_unlock(&agent->lock);
}

__attribute__((visibility("default"))) const struct luaccel_targets luaccel_plugin_targets = {
	.session_init = rpc_session_init_at,
	.probe = rpc_connection_probe,
	.connected = target_connected,
	.close = target_close,
};
