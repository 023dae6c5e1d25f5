/*
 * service_resource.c - RegisterResource, UnregisterResource, SyncResource.
 *
 * A peer sends the bytes of its resources. Paths and URLs are opened on this host in the agent's
 * name, and libraries run in its process: these are refused unless the operator has allowed them.
 */
#include "admit.h"
#include "allow.h"
#include "host_files.h"
#include "log.h"
#include "pressure.h"
#include "reply.h"
#include "service.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void registered(struct operation *operation)
{
	Vaccel__Resource__RegisterResponse response = VACCEL__RESOURCE__REGISTER_RESPONSE__INIT;

	response.resource_id = operation->resource->id;
	operation_reply(operation, &response.base);
}

static const struct operation_class register_class = {
	.method = "Register resource",
	.kind = OPERATION_REGISTER,
	.reply = registered,
};

static const struct operation_class unregister_class = {
	.method = "Unregister resource",
	.kind = OPERATION_UNREGISTER,
	.reply = service_reply_empty,
};

/*
 * The name of a file in the resource's own directory, or empty: never a way out of it, and nothing
 * that is not one line in a log.
 */
static bool is_component(const char *name)
{
	const char *at;

	for (at = name; *at; at++)
		if (*at == '/' || (unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	return strcmp(name, ".") && strcmp(name, "..");
}

/* True when all that it names may be named; the request has been answered otherwise. */
static bool may_name(const struct agent *agent, struct ttrpc_request *request,
		     const Vaccel__Resource__RegisterRequest *source)
{
	const struct allow_dir *dir;
	const char *beneath;
	char reason[256];
	size_t i;
	int ret = VACCEL_OK;

	if (source->n_paths > HOST_FILES_MAX) {
		reply_status(request, TTRPC_INVALID_ARGUMENT, "more than %d paths", HOST_FILES_MAX);
		return false;
	}
	for (i = 0; !ret && i < source->n_paths; i++)
		ret = allow_uri(agent->allow, source->paths[i], &dir, &beneath, reason,
				sizeof(reason));
	if (ret == VACCEL_EPERM)
		reply_refused(request, ret, reason);
	else if (ret)
		reply_vaccel(request, ret, reason);
	return !ret;
}

bool service_takes_name(struct ttrpc_request *request, const char *name)
{
	if (is_component(name))
		return true;
	reply_status(request, TTRPC_INVALID_ARGUMENT,
		     "blob name \"%.200s\" is not one path component", name);
	return false;
}

static bool are_blobs(struct ttrpc_request *request,
		      const Vaccel__Resource__RegisterRequest *source)
{
	size_t i;

	for (i = 0; i < source->n_blobs; i++)
		if (!service_takes_name(request, source->blobs[i]->name))
			return false;
	return true;
}

bool service_takes_type(const struct agent *agent, struct ttrpc_request *request, uint32_t type)
{
	if (type != VACCEL_RESOURCE_LIB || agent->allow->lib)
		return true;
	reply_refused(request, VACCEL_EPERM,
		      "this agent takes no libraries of its peers; its operator permits it with "
		      "--allow lib");
	return false;
}

/* True when the request asks for what may be had; it has been answered otherwise. */
static bool acceptable(const struct connection *connection, struct ttrpc_request *request,
		       const Vaccel__Resource__RegisterRequest *source)
{
	const struct agent *agent = connection->agent;

	if (!source->n_blobs && !source->n_paths) {
		reply_status(request, TTRPC_INVALID_ARGUMENT, "No paths or blobs provided");
		return false;
	}
	if (!service_takes_type(agent, request, source->resource_type))
		return false;
	return source->n_blobs ? are_blobs(request, source) : may_name(agent, request, source);
}

/* What the policy has said; the request has been answered when it said no. */
static bool is_admitted(bool admitted, struct ttrpc_request *request,
			const struct policy_decision *decision)
{
	if (!admitted)
		reply_refused(request, decision->code, decision->text);
	return admitted;
}

static void register_new(struct connection *connection, struct session *session,
			 struct ttrpc_request *request,
			 const Vaccel__Resource__RegisterRequest *source)
{
	struct agent *agent = connection->agent;
	struct policy_decision decision;
	struct resource *resource;
	char why[160];
	int ret;

	if (!acceptable(connection, request, source) ||
	    !is_admitted(admit_request(session, source, &decision), request, &decision))
		return;
	ret = pressure_refuses_resources(agent, why, sizeof(why));
	if (!ret)
		ret = resource_new(agent, connection->account, source, &resource, why, sizeof(why));
	if (ret)
		return reply_limit(request, ret, why);
	service_start(&register_class, VACCEL_OP_NOOP, session, resource, request, &source->base);
	resource_unref(resource);
}

/* The resource of that id, or NULL: the request has then been answered. */
static struct resource *find_resource(struct connection *connection, int64_t id,
				      struct ttrpc_request *request)
{
	struct resource *resource = connection_resource(connection, id);

	if (id <= 0)
		reply_invalid_id(request, id);
	else if (!resource)
		reply_status(request, TTRPC_NOT_FOUND, "Unknown resource %" PRId64, id);
	return resource;
}

static void register_resource(struct connection *connection, struct ttrpc_request *request,
			      const ProtobufCMessage *message)
{
	const Vaccel__Resource__RegisterRequest *source =
		(const Vaccel__Resource__RegisterRequest *)message;
	struct session *session = service_session(connection, source->session_id, request);
	struct policy_decision decision;
	struct resource *resource;

	if (!session)
		return;
	if (!source->resource_id)
		return register_new(connection, session, request, source);
	resource = find_resource(connection, source->resource_id, request);
	if (resource && is_admitted(admit_known(session, resource, &decision), request, &decision))
		service_start(&register_class, VACCEL_OP_NOOP, session, resource, request, message);
}

static void unregister_resource(struct connection *connection, struct ttrpc_request *request,
				const ProtobufCMessage *message)
{
	const Vaccel__Resource__UnregisterRequest *unregister =
		(const Vaccel__Resource__UnregisterRequest *)message;
	struct resource *resource = find_resource(connection, unregister->resource_id, request);
	struct session *session;

	if (!resource)
		return;
	session = service_session(connection, unregister->session_id, request);
	if (session)
		service_start(&unregister_class, VACCEL_OP_NOOP, session, resource, request,
			      message);
}

static void unref_synced(void *arg)
{
	resource_unref(arg);
}

/* The bytes are sent from where the resource has them. */
static void sync_resource(struct connection *connection, struct ttrpc_request *request,
			  const ProtobufCMessage *message)
{
	const Vaccel__Resource__SyncRequest *sync = (const Vaccel__Resource__SyncRequest *)message;
	struct resource *resource = find_resource(connection, sync->resource_id, request);
	Vaccel__Resource__SyncResponse response = VACCEL__RESOURCE__SYNC_RESPONSE__INIT;
	Vaccel__Resource__Blob *blobs, **list;
	size_t i, count;

	if (!resource)
		return;
	if (resource->named)
		return reply_vaccel(request, VACCEL_EINVAL,
				    "a resource of paths or URLs has no bytes of its peer's to "
				    "synchronize");
	count = resource->master->nr_blobs;
	blobs = ttrpc_arena_alloc(&request->arena, count * sizeof(*blobs));
	list = ttrpc_arena_alloc(&request->arena, count * sizeof(Vaccel__Resource__Blob *));
	if (!blobs || !list)
		return reply_vaccel(request, VACCEL_ENOMEM, "out of memory");
	for (i = 0; i < count; i++) {
		vaccel__resource__blob__init(&blobs[i]);
		blobs[i].data.data =
			vaccel_blob_data(resource->master->blobs[i], &blobs[i].data.len);
		blobs[i].size = (uint32_t)blobs[i].data.len;
		list[i] = &blobs[i];
	}
	response.n_blobs = count;
	response.blobs = list;
	resource_ref(resource);
	ttrpc_request_reply(request, &response.base, unref_synced, resource);
}

const struct method resource_methods[] = {
	{ "RegisterResource", &vaccel__resource__register_request__descriptor, register_resource },
	{ "UnregisterResource", &vaccel__resource__unregister_request__descriptor,
	  unregister_resource },
	{ "SyncResource", &vaccel__resource__sync_request__descriptor, sync_resource },
	{ NULL, NULL, NULL },
};
