/*
 * connection.c - see connection.h.
 */
#include "connection.h"
#include "decide.h"
#include "log.h"
#include "operation.h"
#include "pressure.h"
#include "reply.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A session that its peer does not end itself ends like any other, without anybody to answer. */
static const struct operation_class abandoned = {
	.method = "Destroy session",
	.kind = OPERATION_DESTROY,
};

/* Its account, unless the agent or the peer has enough of connections; a line says so then. */
static struct account *open_account(struct agent *agent, const struct ttrpc_conn *conn)
{
	const struct ttrpc_peer *peer = ttrpc_conn_peer(conn);
	struct account *account =
		account_open(&agent->accounts, ttrpc_conn_listener_name(conn), peer);
	char name[80], why[160];
	int ret;

	if (!account)
		return NULL;
	ret = pressure_refuses_connections(agent, why, sizeof(why));
	if (!ret)
		ret = account_take(account, ACCOUNT_CONNECTIONS, 1, why, sizeof(why));
	if (!ret)
		return account;
	metrics_limit(agent, why);
	if (account_may_log(account, loop_now()))
		log_warn("connection from %s on %s refused: %s",
			 ttrpc_peer_str(peer, name, sizeof(name)), ttrpc_conn_listener_name(conn),
			 why);
	account_unref(account);
	return NULL;
}

static const char *const transports[] = {
	[TTRPC_UNIX] = "unix",
	[TTRPC_VSOCK] = "vsock",
	[TTRPC_TCP] = "tcp",
};

struct policy_peer connection_peer(const struct connection *connection)
{
	const struct ttrpc_peer *peer = ttrpc_conn_peer(connection->conn);

	return (struct policy_peer){
		.transport = transports[peer->transport],
		.has_credentials = peer->has_credentials,
		.has_cid = peer->has_cid,
		.uid = (uint32_t)peer->uid,
		.gid = (uint32_t)peer->gid,
		.pid = (uint32_t)peer->pid,
		.cid = peer->cid,
		.addr = peer->addr[0] ? peer->addr : NULL,
		.listener = ttrpc_conn_listener_name(connection->conn),
	};
}

static void ask_policy(struct connection *connection)
{
	struct refusal *refusal = &connection->refusal;
	struct policy_decision decision;
	char name[80];

	refusal->generation = 0;
	if (decide_connection(connection, &decision))
		return;
	refusal->generation = connection->agent->generation;
	refusal->code = decision.code;
	snprintf(refusal->text, sizeof(refusal->text), "%s", decision.text);
	if (account_may_log(connection->account, loop_now()))
		log_info("connection from %s on %s %s: code %d",
			 ttrpc_peer_str(ttrpc_conn_peer(connection->conn), name, sizeof(name)),
			 ttrpc_conn_listener_name(connection->conn), refusal->text, refusal->code);
}

/* Others are in force since, or none. */
static bool is_outdated(const struct refusal *refusal, const struct agent *agent)
{
	return refusal->generation != agent->generation || !policy_active(agent->policy);
}

bool connection_refuses(struct connection *connection, struct ttrpc_request *request)
{
	const struct refusal *refusal = &connection->refusal;

	if (refusal->generation && is_outdated(refusal, connection->agent))
		ask_policy(connection);
	if (!refusal->generation)
		return false;
	if (!strcmp(request->method, "CreateSession"))
		metrics_session(connection->agent, ttrpc_conn_listener_name(connection->conn),
				SESSION_REFUSED);
	reply_refused(request, refusal->code, refusal->text);
	return true;
}

static void close_it(struct job *job)
{
	struct connection *connection =
		(struct connection *)((char *)job - offsetof(struct connection, closing));

	if (connection->conn)
		ttrpc_conn_close(connection->conn, connection->leaving);
	else
		free(connection);
}

void connection_close(struct connection *connection, const char *reason)
{
	if (connection->leaving)
		return;
	connection->leaving = reason;
	connection->agent->nr_leaving++;
	loop_do(connection->loop, &connection->closing);
}

int connection_opened(void *ctx, struct ttrpc_conn *conn, void **user)
{
	struct agent *agent = ctx;
	struct connection *connection = calloc(1, sizeof(*connection));
	char peer[80];

	if (!connection)
		return -ENOMEM;
	connection->account = open_account(agent, conn);
	if (!connection->account) {
		free(connection);
		return -EBUSY;
	}
	ttrpc_conn_set_account(conn, account_ref(connection->account));
	connection->agent = agent;
	connection->id = ++agent->next_connection;
	connection->conn = conn;
	connection->loop = loop_current();
	connection->closing.done = close_it;
	connection->opened = connection->active = loop_now();
	connection->next = agent->connections;
	connection->at = &agent->connections;
	if (connection->next)
		connection->next->at = &connection->next;
	agent->connections = connection;
	*user = connection;
	pressure_watch(agent);
	log_debug("connection from %s on %s",
		  ttrpc_peer_str(ttrpc_conn_peer(conn), peer, sizeof(peer)),
		  ttrpc_conn_listener_name(conn));
	ask_policy(connection);
	return 0;
}

static void release_ids(struct connection *connection, const char *why)
{
	struct resource *resource;
	struct session *session;
	size_t at = 0;

	while ((session = idmap_next(&connection->sessions, &at)))
		operation_end_session(session, why, NULL, &abandoned);
	at = 0;
	while ((resource = idmap_next(&connection->resources, &at)))
		connection_drop_resource(resource);
}

void connection_closed(void *ctx, struct ttrpc_conn *conn, const char *reason)
{
	struct connection *connection = ttrpc_conn_user(conn);
	char peer[80];

	(void)ctx;
	log_debug("connection from %s closed: %s",
		  ttrpc_peer_str(ttrpc_conn_peer(conn), peer, sizeof(peer)), reason);
	release_ids(connection, connection->agent->draining ? "shutdown" : "gone");
	idmap_release(&connection->sessions);
	idmap_release(&connection->resources);
	*connection->at = connection->next;
	if (connection->next)
		connection->next->at = connection->at;
	account_give(connection->account, ACCOUNT_CONNECTIONS, 1);
	account_unref(connection->account);
	connection->agent->nr_leaving -= connection->leaving != NULL;
	connection->conn = NULL;
	if (!connection->closing.posted)
		free(connection);
}

const char *connection_usage(void *account, const struct ttrpc_usage *before,
			     const struct ttrpc_usage *now)
{
	account_set(account, ACCOUNT_STREAMS, before->streams, now->streams);
	account_set(account, ACCOUNT_HELD, before->held, now->held);
	account_set(account, ACCOUNT_DECODED, before->decoded, now->decoded);
	return account_over_shared(account, ACCOUNT_HELD);
}

bool connection_share(void *account, size_t size)
{
	char why[160];

	return account_take(account, ACCOUNT_SHM, size, why, sizeof(why)) == VACCEL_OK;
}

void connection_unshare(void *account, size_t size)
{
	account_give(account, ACCOUNT_SHM, size);
}

void connection_forget(void *account)
{
	account_unref(account);
}

struct session *connection_session(const struct connection *connection, int64_t id)
{
	return idmap_get(&connection->sessions, id);
}

struct resource *connection_resource(const struct connection *connection, int64_t id)
{
	return idmap_get(&connection->resources, id);
}

int connection_keep_session(struct connection *connection, struct session *session)
{
	return idmap_put(&connection->sessions, session->id, session);
}

void connection_drop_session(struct session *session, const char *why)
{
	struct connection *connection = session->connection;

	if (!connection)
		return;
	session->end = why;
	session->connection = NULL;
	idmap_remove(&connection->sessions, session->id);
	session_unref(session);
}

int connection_keep_resource(struct connection *connection, struct resource *resource)
{
	if (!connection || resource->owner)
		return 0;
	if (idmap_put(&connection->resources, resource->id, resource))
		return -ENOMEM;
	resource->owner = connection;
	resource_ref(resource);
	return 0;
}

void connection_drop_resource(struct resource *resource)
{
	if (!resource->owner)
		return;
	idmap_remove(&resource->owner->resources, resource->id);
	resource->owner = NULL;
	resource_unref(resource);
}

static struct session *find_session(const struct agent *agent, int64_t id)
{
	const struct connection *at = agent->connections;
	struct session *session = NULL;

	for (; at && !session; at = at->next)
		session = connection_session(at, id);
	return session;
}

/* An operator's wish, on its way to the session's loop. */
struct ending {
	struct job job;
	const struct agent *agent;
	int64_t id;
};

static void end_session(struct job *job)
{
	struct ending *ending = (struct ending *)((char *)job - offsetof(struct ending, job));
	struct session *session = find_session(ending->agent, ending->id);

	if (session)
		operation_end_session(session, "operator", NULL, &abandoned);
	free(ending);
}

int connections_end_session(struct agent *agent, int64_t id)
{
	const struct session *session = find_session(agent, id);
	struct ending *ending;

	if (!session)
		return -ENOENT;
	ending = calloc(1, sizeof(*ending));
	if (!ending)
		return -ENOMEM;
	*ending = (struct ending){ .job.done = end_session, .agent = agent, .id = id };
	loop_do(session->connection->loop, &ending->job);
	return 0;
}

void connections_shutdown(struct agent *agent)
{
	struct connection *at, *next;

	for (at = agent->connections; at; at = next) {
		next = at->next;
		connection_close(at, "shutdown");
	}
}
