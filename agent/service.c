/*
 * service.c - see service.h. Both of the original's service names are served on one socket; what
 * they answer to an unknown name differs, as it does there.
 */
#include "service.h"
#include "empty.pb-c.h"
#include "pressure.h"
#include "reply.h"
#include <inttypes.h>
#include <string.h>

static const struct method *const agent_methods[] = {
	stream_methods, session_methods, resource_methods, image_methods,     torch_methods,
	tf_methods,	tflite_methods,	 genop_methods,	   profiling_methods, NULL,
};
static const struct method *const our_methods[] = { peer_methods, upload_methods, NULL };

static const struct service {
	const char *name;
	const struct method *const *methods;
	bool asynchronous; /* in the original, whose stream numbers are odd there */
} services[] = {
	{ "vaccel.sync.agent.AgentService", agent_methods + 1, false }, /* no streams */
	{ "vaccel.asynchronous.agent.AgentService", agent_methods, true },
	{ "luaccel.v1.Peer", our_methods, true },
};

static const struct service *find_service(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (!strcmp(name, services[i].name))
			return &services[i];
	return NULL;
}

static const struct method *find_method(const struct service *service, const char *name)
{
	const struct method *const *table, *method;

	for (table = service->methods; *table; table++)
		for (method = *table; method->name; method++)
			if (!strcmp(name, method->name))
				return method;
	return NULL;
}

/* Under pressure these are what helps. */
static bool gives_back(const struct method *method)
{
	static const char *const names[] = { "DestroySession", "UnregisterResource",
					     "TensorflowModelUnload", "TensorflowLiteModelUnload" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(method->name, names[i]))
			return true;
	return false;
}

/* More than the peer, or all together, may have; the request has been answered then. */
static bool is_over(const struct connection *connection, struct ttrpc_request *request,
		    enum account_kind kind)
{
	char why[160];
	/* A connection's own limits stop the reading instead. */
	int ret = account_is_over(connection->account->parent, kind, why, sizeof(why));

	if (ret)
		reply_limit(request, ret, why);
	return ret;
}

static bool is_refused(const struct connection *connection, struct ttrpc_request *request)
{
	char why[160];
	int ret;

	if (is_over(connection, request, ACCOUNT_STREAMS) ||
	    is_over(connection, request, ACCOUNT_HELD))
		return true;
	ret = pressure_refuses_requests(connection->agent, why, sizeof(why));
	if (ret)
		reply_limit(request, ret, why);
	return ret;
}

void service_request(void *ctx, struct ttrpc_request *request)
{
	const struct service *service = find_service(request->service);
	const struct method *method = service ? find_method(service, request->method) : NULL;
	struct connection *connection = ttrpc_conn_user(request->conn);
	const ProtobufCMessage *message;

	(void)ctx;
	connection->active = loop_now();
	connection->asked = true;
	if (connection_refuses(connection, request))
		return;
	if (service && !method && service->asynchronous)
		return reply_status(request, TTRPC_UNIMPLEMENTED, "%s method", request->method);
	if (!method)
		return reply_status(request, TTRPC_INVALID_ARGUMENT, "/%s/%s does not exist",
				    request->service, request->method);
	if (service->asynchronous && request->disorder)
		return ttrpc_request_breach(request, request->disorder);
	if (!request->ended && method->input)
		return reply_status(request, TTRPC_UNIMPLEMENTED,
				    "%s takes one request and no stream of them", request->method);
	if (request->timeout_nano < 0)
		return reply_status(request, TTRPC_DEADLINE_EXCEEDED, "timeout");
	if (!gives_back(method) && is_refused(connection, request))
		return;
	message = method->input ? ttrpc_request_decode(request, method->input) : NULL;
	if (method->input && (!message || is_over(connection, request, ACCOUNT_DECODED)))
		return;
	method->call(connection, request, message);
}

void service_refused(void *ctx, struct ttrpc_request *request, const char *reason)
{
	(void)ctx;
	reply_limit(request, VACCEL_ENOMEM, reason);
}

/* Only requests of methods that stream have a user. */
void service_stream(void *ctx, struct ttrpc_request *request)
{
	const struct service_stream *stream = request->user;

	(void)ctx;
	if (stream)
		stream->go_on(request);
}

void service_start(const struct operation_class *class, vaccel_op_type_t type,
		   struct session *session, struct resource *resource,
		   struct ttrpc_request *request, const ProtobufCMessage *message)
{
	struct operation *operation = operation_new(class, session, resource);

	if (!operation)
		return reply_vaccel(request, VACCEL_ENOMEM, "out of memory");
	operation->type = type;
	operation_start(operation, request, message);
}

struct session *service_session(struct connection *connection, int64_t id,
				struct ttrpc_request *request)
{
	struct session *session = connection_session(connection, id);

	if (id <= 0)
		reply_invalid_id(request, id);
	else if (!session)
		reply_status(request, TTRPC_NOT_FOUND, "Unknown session %" PRId64, id);
	return session;
}

void service_reply_empty(struct operation *operation)
{
	Vaccel__Empty empty = VACCEL__EMPTY__INIT;

	operation_reply(operation, &empty.base);
}
