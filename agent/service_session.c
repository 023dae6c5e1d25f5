/*
 * service_session.c - CreateSession, UpdateSession, DestroySession; and the Hello of our own peers.
 */
#include "decide.h"
#include "empty.pb-c.h"
#include "log.h"
#include "peer.pb-c.h"
#include "pressure.h"
#include "reply.h"
#include "service.h"
#include "session.pb-c.h"
#include <string.h>
#include <sys/random.h>

static void created(struct operation *operation)
{
	Vaccel__Session__CreateResponse response = VACCEL__SESSION__CREATE_RESPONSE__INIT;

	response.session_id = operation->session->id;
	operation_reply(operation, &response.base);
}

static const struct operation_class create_class = {
	.method = "Create session",
	.kind = OPERATION_CREATE,
	.reply = created,
};

static const struct operation_class destroy_class = {
	.method = "Destroy session",
	.kind = OPERATION_DESTROY,
	.reply = service_reply_empty,
};

static void asked(struct connection *connection, enum metrics_outcome outcome)
{
	metrics_session(connection->agent, ttrpc_conn_listener_name(connection->conn), outcome);
}

/* One more session is counted; false: it may not be, and the request has been answered. */
static bool take_session(struct connection *connection, struct ttrpc_request *request)
{
	char why[160];
	int ret = pressure_refuses_sessions(connection->agent, why, sizeof(why));

	if (!ret)
		ret = account_take(connection->account, ACCOUNT_SESSIONS, 1, why, sizeof(why));
	if (!ret)
		return true;
	asked(connection, SESSION_LIMITED);
	reply_limit(request, ret, why);
	return false;
}

/*
 * A session that comes back to an agent that has handed it on would go round for ever. False: so it
 * is, and the request has been answered.
 */
static bool may_come(const struct agent *agent, const Vaccel__Session__CreateRequest *create,
		     struct ttrpc_request *request)
{
	const char *why = NULL;
	size_t i;

	if (create->n_luaccel_via >= SESSION_VIA_MAX)
		why = "the session has gone through too many agents; name one nearer to its "
		      "backend as the remote";
	for (i = 0; i < create->n_luaccel_via && !why; i++)
		if (create->luaccel_via[i] == agent->instance)
			why = "the session has come back to an agent that handed it on: the "
			      "policies' remotes lead round in a circle";
	if (why)
		reply_vaccel(request, VACCEL_ELOOP, why);
	return !why;
}

static void note_via(struct session *session, const Vaccel__Session__CreateRequest *create)
{
	size_t i;

	for (i = 0; i < create->n_luaccel_via; i++)
		session->via[i] = create->luaccel_via[i];
	session->via[i] = session->agent->instance;
	session->nr_via = i + 1;
}

static void create_session(struct connection *connection, struct ttrpc_request *request,
			   const ProtobufCMessage *message)
{
	const Vaccel__Session__CreateRequest *create =
		(const Vaccel__Session__CreateRequest *)message;
	struct agent *agent = connection->agent;
	struct policy_decision decision;
	struct session *session;

	if (agent->draining) {
		asked(connection, SESSION_DRAINING);
		return reply_draining(request);
	}
	if (!may_come(agent, create, request) || !take_session(connection, request))
		return;
	session = session_new(connection, agent->core->session_id(), create->flags);
	if (!session) {
		account_give(connection->account, ACCOUNT_SESSIONS, 1);
		return reply_vaccel(request, VACCEL_ENOMEM, "out of memory");
	}
	note_via(session, create);
	if (!decide_session(session, &decision)) {
		asked(connection, SESSION_REFUSED);
		reply_refused(request, decision.code, decision.text);
		return session_unref(session);
	}
	if (connection_keep_session(connection, session)) {
		reply_vaccel(request, VACCEL_ENOMEM, "out of memory");
		return session_unref(session);
	}
	service_start(&create_class, VACCEL_OP_NOOP, session, NULL, request, message);
}

static void update_session(struct connection *connection, struct ttrpc_request *request,
			   const ProtobufCMessage *message)
{
	const Vaccel__Session__UpdateRequest *update =
		(const Vaccel__Session__UpdateRequest *)message;
	struct session *session = service_session(connection, update->session_id, request);
	Vaccel__Empty empty = VACCEL__EMPTY__INIT;

	if (!session)
		return;
	session->hint = update->flags; /* as the original: no new choice follows */
	ttrpc_request_reply(request, &empty.base, NULL, NULL);
}

static void destroy_session(struct connection *connection, struct ttrpc_request *request,
			    const ProtobufCMessage *message)
{
	const Vaccel__Session__DestroyRequest *destroy =
		(const Vaccel__Session__DestroyRequest *)message;
	struct session *session = service_session(connection, destroy->session_id, request);

	if (session)
		operation_end_session(session, "client", request, &destroy_class);
}

const struct method session_methods[] = {
	{ "CreateSession", &vaccel__session__create_request__descriptor, create_session },
	{ "UpdateSession", &vaccel__session__update_request__descriptor, update_session },
	{ "DestroySession", &vaccel__session__destroy_request__descriptor, destroy_session },
	{ NULL, NULL, NULL },
};

/* The version of what our two ends do beyond vAccel's protocol. */
enum { HELLO_VERSION = 1 };

static bool asks_for(const Luaccel__V1__HelloRequest *hello, const char *feature)
{
	size_t i;

	for (i = 0; i < hello->n_features; i++)
		if (!strcmp(hello->features[i], feature))
			return true;
	return false;
}

static void hello(struct connection *connection, struct ttrpc_request *request,
		  const ProtobufCMessage *message)
{
	Luaccel__V1__HelloResponse response = LUACCEL__V1__HELLO_RESPONSE__INIT;
	char build[] = VACCEL_VERSION;
	char noop[] = "noop";	  /* Genop takes operation 0 */
	char upload[] = "upload"; /* Peer/Upload */
	char shm[] = "shm";	  /* memory is offered when there is use for it */
	char *features[] = { noop, upload, shm };
	bool shares = asks_for((const Luaccel__V1__HelloRequest *)message, shm) &&
		      ttrpc_conn_share(request->conn, connection->agent->limits.shm);

	if (!connection->ours && getrandom(connection->nonce, sizeof(connection->nonce), 0) !=
					 (ssize_t)sizeof(connection->nonce))
		return reply_vaccel(request, VACCEL_EIO, "no random numbers to be had");
	connection->ours = true;
	response.version = HELLO_VERSION;
	response.build = build;
	response.frame_max = connection->agent->limits.frame;
	response.n_features = shares ? 3 : 2;
	response.features = features;
	response.content_key.data = connection->agent->contents.key;
	response.content_key.len = DIGEST_SIZE;
	response.content_nonce.data = connection->nonce;
	response.content_nonce.len = DIGEST_SIZE;
	ttrpc_request_reply(request, &response.base, NULL, NULL);
}

const struct method peer_methods[] = {
	{ "Hello", &luaccel__v1__hello_request__descriptor, hello },
	{ NULL, NULL, NULL },
};
