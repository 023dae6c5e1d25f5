/*
 * control.c - see control.h. What an operator asks for is done here; what is listed, in
 * control_list.c.
 */
#include "control.h"
#include "control.pb-c.h"
#include "control_answer.h"
#include "log.h"
#include "reply.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE "luaccel.v1.Control"

enum { CONNECTIONS = 64, STREAMS = 64, FRAME = 64 << 20 };

static void said(struct ttrpc_request *request, const char *text)
{
	Luaccel__V1__ControlResponse response = LUACCEL__V1__CONTROL_RESPONSE__INIT;
	struct control_answer *answer = control_answer_new();

	response.said = control_answer_text(answer, "%s", text);
	control_answer_send(answer, request, &response.base);
}

static void close_session(struct control *control, struct ttrpc_request *request,
			  const ProtobufCMessage *message)
{
	const int64_t id = ((const Luaccel__V1__SessionRequest *)message)->id;
	const int ret = connections_end_session(control->life->agent, id);
	char text[64];

	if (ret == -ENOMEM)
		return reply_status(request, TTRPC_RESOURCE_EXHAUSTED, "out of memory");
	if (ret)
		return reply_status(request, TTRPC_NOT_FOUND, "there is no session %" PRId64, id);
	snprintf(text, sizeof(text), "session %" PRId64 " ends", id);
	said(request, text);
}

static void drain(struct control *control, struct ttrpc_request *request,
		  const ProtobufCMessage *message)
{
	char text[80];

	(void)message;
	lifecycle_drain(control->life, "luaccel drain");
	snprintf(text, sizeof(text), "draining, %zu operations are running",
		 control->life->agent->nr_operations);
	said(request, text);
}

static void reload_all(struct control *control, struct ttrpc_request *request,
		       const ProtobufCMessage *message)
{
	char err[1024];

	(void)message;
	if (lifecycle_reload(control->life, "luaccel reload", err, sizeof(err)))
		return reply_status(request, TTRPC_FAILED_PRECONDITION, "%s", err);
	said(request, "loaded again");
}

static void listen_at(struct control *control, struct ttrpc_request *request,
		      const ProtobufCMessage *message)
{
	const Luaccel__V1__ListenRequest *listen = (const Luaccel__V1__ListenRequest *)message;
	struct listeners *listeners = &control->life->agent->listeners;
	Luaccel__V1__ListenerInfo info = LUACCEL__V1__LISTENER_INFO__INIT;
	const struct listener *listener;
	struct control_answer *answer;
	char err[512];

	if (control->life->agent->draining)
		return reply_status(request, TTRPC_FAILED_PRECONDITION, "the agent is draining");
	listener = listeners_add(listeners, listen->uri, err, sizeof(err));
	if (!listener)
		return reply_status(request, TTRPC_FAILED_PRECONDITION, "%s", err);
	listeners_settle(listeners, true);
	answer = control_answer_new();
	control_answer_listener(answer, listener, &info);
	control_answer_send(answer, request, &info.base);
}

static void unlisten(struct control *control, struct ttrpc_request *request,
		     const ProtobufCMessage *message)
{
	const Luaccel__V1__ListenRequest *listen = (const Luaccel__V1__ListenRequest *)message;
	struct listeners *listeners = &control->life->agent->listeners;
	struct listener *listener = listeners_find(listeners, listen->uri);

	if (!listener)
		return reply_status(request, TTRPC_NOT_FOUND,
				    "the agent does not listen at %s; `luaccel listen list` says "
				    "where it does",
				    listen->uri);
	listeners_remove(listeners, listener);
	said(request, "no longer listening; connections stay");
}

/* A stream: its lines follow, see record.h. */
static void record(struct control *control, struct ttrpc_request *request,
		   const ProtobufCMessage *message)
{
	(void)message;
	request->user = record_start(control->life->agent, request);
	if (!request->user)
		return reply_status(request, TTRPC_RESOURCE_EXHAUSTED,
				    "%d record already, which is the most; or there is no memory",
				    RECORDERS_MAX);
	record_go_on(request->user);
}

static const struct method {
	const char *name;
	const ProtobufCMessageDescriptor *input; /* NULL: it takes a stream */
	void (*call)(struct control *control, struct ttrpc_request *request,
		     const ProtobufCMessage *message);
} methods[] = {
	{ "Info", &luaccel__v1__control_request__descriptor, control_info },
	{ "Sessions", &luaccel__v1__session_request__descriptor, control_sessions },
	{ "Close", &luaccel__v1__session_request__descriptor, close_session },
	{ "Drain", &luaccel__v1__control_request__descriptor, drain },
	{ "Reload", &luaccel__v1__control_request__descriptor, reload_all },
	{ "Listen", &luaccel__v1__listen_request__descriptor, listen_at },
	{ "Unlisten", &luaccel__v1__listen_request__descriptor, unlisten },
	{ "Record", NULL, record },
};

static const struct method *find_method(const struct ttrpc_request *request)
{
	size_t i;

	if (strcmp(request->service, SERVICE) != 0)
		return NULL;
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strcmp(request->method, methods[i].name))
			return &methods[i];
	return NULL;
}

static bool may_call(const struct ttrpc_peer *peer)
{
	return peer->has_credentials && (peer->uid == 0 || peer->uid == geteuid());
}

static int on_opened(void *ctx, struct ttrpc_conn *conn, void **user)
{
	(void)conn;
	*user = ctx;
	return 0;
}

static void on_request(void *ctx, struct ttrpc_request *request)
{
	const struct ttrpc_peer *peer = ttrpc_conn_peer(request->conn);
	const struct method *method = find_method(request);
	const ProtobufCMessage *message;
	char name[80];

	if (!may_call(peer))
		return reply_status(request, TTRPC_PERMISSION_DENIED,
				    "only root and the agent's user (uid:%u) may control it, not "
				    "%s",
				    geteuid(), ttrpc_peer_str(peer, name, sizeof(name)));
	if (!method)
		return reply_status(request, TTRPC_UNIMPLEMENTED, "/%s/%s does not exist here",
				    request->service, request->method);
	if (!method->input && !request->streamed)
		return reply_status(request, TTRPC_UNIMPLEMENTED,
				    "%s is a stream and no single request", request->method);
	if (!method->input)
		return method->call(ctx, request, NULL);
	if (!request->ended)
		return reply_status(request, TTRPC_UNIMPLEMENTED,
				    "%s takes one request and no stream of them", request->method);
	message = ttrpc_request_decode(request, method->input);
	if (message)
		method->call(ctx, request, message);
}

/* Only a recorder's has a user. */
static void on_stream(void *ctx, struct ttrpc_request *request)
{
	(void)ctx;
	if (request->user)
		record_go_on(request->user);
}

static void on_closed(void *ctx, struct ttrpc_conn *conn, const char *reason)
{
	(void)ctx;
	(void)conn;
	(void)reason;
}

static void on_log(void *ctx, const char *line)
{
	(void)ctx;
	log_warn("control: %s", line);
}

static int listen_privately(struct control *control, const char *uri, char *err, size_t errsize)
{
	const struct ttrpc_listen_options options = { .mode = 0600 };
	struct ttrpc_listener *listener;
	struct ttrpc_address address;
	int ret = ttrpc_address_parse(uri, &address, err, errsize);

	if (ret)
		return ret;
	ret = ttrpc_server_listen(control->server, &address, &options, "control", &listener, err,
				  errsize);
	ttrpc_address_release(&address);
	return ret;
}

int control_new(struct lifecycle *life, const char *uri, struct control **control, char *err,
		size_t errsize)
{
	static const struct ttrpc_server_handlers handlers = {
		.opened = on_opened,
		.request = on_request,
		.stream = on_stream,
		.closed = on_closed,
		.log = on_log,
	};
	const struct ttrpc_server_limits limits = {
		.frame_max = FRAME,
		.streams_max = STREAMS,
		.connections_max = CONNECTIONS,
	};
	struct control *c = calloc(1, sizeof(*c));
	int ret;

	if (!c || ttrpc_server_new(life->agent->loop, &handlers, c, &limits, &c->server)) {
		free(c);
		snprintf(err, errsize, "out of memory");
		return -ENOMEM;
	}
	c->life = life;
	ret = listen_privately(c, uri, err, errsize);
	if (ret) {
		control_free(c);
		return ret;
	}
	log_info("control socket: %s", uri);
	*control = c;
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	ttrpc_server_free(control->server);
	free(control);
}

bool control_is_quiet(const struct control *control)
{
	struct ttrpc_server_stats stats;

	if (!control)
		return true;
	ttrpc_server_stats(control->server, &stats);
	return stats.bytes_out == 0;
}
