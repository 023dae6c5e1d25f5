/*
 * service_session.c - CreateSession, UpdateSession, DestroySession; and the Hello of our own peers.
 */
#include "decide.h"
#include "empty.pb-c.h"
#include "log.h"
#include "peer.pb-c.h"
#include "reply.h"
#include "service.h"
#include "session.pb-c.h"

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

static bool over_limit(struct connection *connection, struct ttrpc_request *request)
{
	const struct agent *agent = connection->agent;

	if (connection->sessions.count >= agent->limits.sessions) {
		reply_limit(request, VACCEL_EUSERS,
			    "limit sessions: this connection has as many as it may");
		return true;
	}
	if (agent->nr_sessions >= agent->limits.sessions_total) {
		reply_limit(request, VACCEL_EUSERS,
			    "limit sessions-total: the agent has as many as it may");
		return true;
	}
	return false;
}

static void create_session(struct connection *connection, struct ttrpc_request *request,
			   const ProtobufCMessage *message)
{
	const Vaccel__Session__CreateRequest *create =
		(const Vaccel__Session__CreateRequest *)message;
	struct agent *agent = connection->agent;
	struct policy_decision decision;
	struct session *session;

	if (agent->draining)
		return reply_draining(request);
	if (over_limit(connection, request))
		return;
	session = session_new(connection, agent->core->session_id(), create->flags);
	if (!session)
		return reply_vaccel(request, VACCEL_ENOMEM, "out of memory");
	if (!decide_session(session, &decision)) {
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

static void hello(struct connection *connection, struct ttrpc_request *request,
		  const ProtobufCMessage *message)
{
	Luaccel__V1__HelloResponse response = LUACCEL__V1__HELLO_RESPONSE__INIT;
	char build[] = VACCEL_VERSION;

	(void)message;
	response.version = HELLO_VERSION;
	response.build = build;
	response.frame_max = connection->agent->limits.frame;
	ttrpc_request_reply(request, &response.base, NULL, NULL);
}

const struct method peer_methods[] = {
	{ "Hello", &luaccel__v1__hello_request__descriptor, hello },
	{ NULL, NULL, NULL },
};
