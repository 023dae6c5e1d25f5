/*
 * service.c - see service.h. Both of the original's service names are served on one socket; what
 * they answer to an unknown name differs, as it does there.
 */
#include "service.h"
#include "empty.pb-c.h"
#include "reply.h"
#include <inttypes.h>
#include <string.h>

static const struct method *const agent_methods[] = {
	session_methods, resource_methods, image_methods, torch_methods, genop_methods, NULL,
};
static const struct method *const hello_methods[] = { peer_methods, NULL };

static const struct service {
	const char *name;
	const struct method *const *methods;
	bool asynchronous;
} services[] = {
	{ "vaccel.sync.agent.AgentService", agent_methods, false },
	{ "vaccel.asynchronous.agent.AgentService", agent_methods, true },
	{ "luaccel.v1.Peer", hello_methods, true },
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

void service_request(void *ctx, struct ttrpc_request *request)
{
	const struct service *service = find_service(request->service);
	const struct method *method = service ? find_method(service, request->method) : NULL;
	const ProtobufCMessage *message;

	(void)ctx;
	if (service && !method && service->asynchronous)
		return reply_status(request, TTRPC_UNIMPLEMENTED, "%s method", request->method);
	if (!method)
		return reply_status(request, TTRPC_INVALID_ARGUMENT, "/%s/%s does not exist",
				    request->service, request->method);
	if (request->timeout_nano < 0)
		return reply_status(request, TTRPC_DEADLINE_EXCEEDED, "timeout");
	message = ttrpc_request_decode(request, method->input);
	if (message)
		method->call(ttrpc_conn_user(request->conn), request, message);
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

	if (!session)
		reply_status(request, TTRPC_NOT_FOUND, "Unknown session %" PRId64, id);
	return session;
}

void service_reply_empty(struct operation *operation)
{
	Vaccel__Empty empty = VACCEL__EMPTY__INIT;

	operation_reply(operation, &empty.base);
}
