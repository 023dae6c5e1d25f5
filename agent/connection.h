/*
 * connection.h - a peer on one socket, and the ids that are its own.
 *
 * Session and resource ids are looked up in the connection's tables and nowhere else, so an id of
 * another connection is unknown here. When the peer goes, its sessions are ended and its resources
 * let go of; what still runs for it ends first. The thread of its loop, but for what says
 * otherwise.
 */
#ifndef AGENT_CONNECTION_H
#define AGENT_CONNECTION_H

#include "agent.h"
#include "idmap.h"
#include "resource.h"
#include "session.h"

/* What a refused peer is told, whatever it asks for. */
struct refusal {
	unsigned generation; /* of the policies that said so; 0: nobody did */
	int code;
	char text[POLICY_TEXT_MAX];
};

struct connection {
	struct agent *agent;
	uint64_t id;
	struct ttrpc_conn *conn; /* NULL: it has gone, and is waited for by `closing` */
	struct loop *loop;
	struct account *account; /* counted */
	double opened, active;	 /* when it came, and asked for something last; loop_now() */
	bool asked;		 /* for anything yet */
	const char *leaving;	 /* it is to be closed, and why; NULL: not so */
	struct job closing;
	struct refusal refusal; /* by a policy */
	bool ours;		/* it said Hello: it knows what we do beyond vAccel's protocol */
	uint8_t nonce[DIGEST_SIZE];	  /* for its proofs, once it is ours */
	struct idmap sessions, resources; /* each entry is a count of its object */
	struct connection *next, **at;	  /* in agent->connections */
};

/* Handlers of the server, with the agent as ctx; of what a connection holds, with its account. */
int connection_opened(void *ctx, struct ttrpc_conn *conn, void **user);
void connection_closed(void *ctx, struct ttrpc_conn *conn, const char *reason);
const char *connection_usage(void *account, const struct ttrpc_usage *before,
			     const struct ttrpc_usage *now);
bool connection_share(void *account, size_t size);
void connection_unshare(void *account, size_t size);
void connection_forget(void *account);

/* What policies may know of its peer; good as long as the connection is. */
struct policy_peer connection_peer(const struct connection *connection);

/*
 * Is the peer of this connection refused? The request has been answered then. Existing clients die
 * of SIGPIPE when an agent hangs up, and their programs would not see why they are refused, so
 * the connection stays. Policies that are loaded later are asked anew.
 */
bool connection_refuses(struct connection *connection, struct ttrpc_request *request);

struct session *connection_session(const struct connection *connection, int64_t id);
struct resource *connection_resource(const struct connection *connection, int64_t id);

/* Takes over the caller's count of the session. 0 or -ENOMEM. */
int connection_keep_session(struct connection *connection, struct session *session);
/* The session ends: no request finds it any more. Gives the table's count back. */
void connection_drop_session(struct session *session, const char *why);

/* Counts the resource, once. A connection that has gone (NULL) keeps nothing. 0 or -ENOMEM. */
int connection_keep_resource(struct connection *connection, struct resource *resource);
void connection_drop_resource(struct resource *resource);

/* Its loop's thread closes it, at once or soon. Any loop's thread. */
void connection_close(struct connection *connection, const char *reason);

/*
 * End a session for the operator, whoever's it is, at once or soon. 0, -ENOENT: there is none of
 * that id, or -ENOMEM. Any loop's thread.
 */
int connections_end_session(struct agent *agent, int64_t id);

/* End every session of every connection, and close them. Any loop's thread. */
void connections_shutdown(struct agent *agent);

#endif
