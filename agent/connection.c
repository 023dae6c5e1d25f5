/*
 * connection.c - see connection.h.
 */
#include "connection.h"
#include "log.h"
#include "operation.h"
#include <errno.h>
#include <stdlib.h>

/* A session whose peer has gone ends like any other, without anybody to answer. */
static const struct operation_class abandoned = {
	.method = "Destroy session",
	.kind = OPERATION_DESTROY,
};

int connection_opened(void *ctx, struct ttrpc_conn *conn, void **user)
{
	struct agent *agent = ctx;
	struct connection *connection = calloc(1, sizeof(*connection));
	char peer[80];

	if (!connection)
		return -ENOMEM;
	connection->gate = gate_new((unsigned)agent->limits.executing);
	if (!connection->gate) {
		free(connection);
		return -ENOMEM;
	}
	connection->agent = agent;
	connection->conn = conn;
	connection->next = agent->connections;
	connection->at = &agent->connections;
	if (connection->next)
		connection->next->at = &connection->next;
	agent->connections = connection;
	*user = connection;
	log_debug("connection from %s on %s",
		  ttrpc_peer_str(ttrpc_conn_peer(conn), peer, sizeof(peer)),
		  ttrpc_conn_listener_name(conn));
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
	gate_unref(connection->gate);
	free(connection);
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

void connections_shutdown(struct agent *agent)
{
	while (agent->connections)
		ttrpc_conn_close(agent->connections->conn, "shutdown");
}
