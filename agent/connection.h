/*
 * connection.h - a peer on one socket, and the ids that are its own.
 *
 * Session and resource ids are looked up in the connection's tables and nowhere else, so an id of
 * another connection is unknown here. When the peer goes, its sessions are ended and its resources
 * let go of; what still runs for it ends first. The loop's thread.
 */
#ifndef AGENT_CONNECTION_H
#define AGENT_CONNECTION_H

#include "agent.h"
#include "idmap.h"
#include "resource.h"
#include "session.h"

struct connection {
	struct agent *agent;
	struct ttrpc_conn *conn;
	struct gate *gate;
	struct idmap sessions, resources; /* each entry is a count of its object */
	struct connection *next, **at;	  /* in agent->connections */
};

/* Handlers of the server, with the agent as ctx. */
int connection_opened(void *ctx, struct ttrpc_conn *conn, void **user);
void connection_closed(void *ctx, struct ttrpc_conn *conn, const char *reason);

struct session *connection_session(const struct connection *connection, int64_t id);
struct resource *connection_resource(const struct connection *connection, int64_t id);

/* Takes over the caller's count of the session. 0 or -ENOMEM. */
int connection_keep_session(struct connection *connection, struct session *session);
/* The session ends: no request finds it any more. Gives the table's count back. */
void connection_drop_session(struct session *session, const char *why);

/* Counts the resource, once. A connection that has gone (NULL) keeps nothing. 0 or -ENOMEM. */
int connection_keep_resource(struct connection *connection, struct resource *resource);
void connection_drop_resource(struct resource *resource);

/* End every session of every connection, and close them. */
void connections_shutdown(struct agent *agent);

#endif
