/*
 * service_resource.c - RegisterResource, UnregisterResource, SyncResource.
 *
 * A peer sends the bytes of its resources. Paths and URLs would be opened on this host in the
 * agent's name, and libraries would run in its process: all are refused.
 */
#include "log.h"
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

/* The name of a file in the resource's own directory, or empty: never a way out of it. */
static bool is_component(const char *name)
{
	return !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..");
}

/* True when the request asks for what may be had; it has been answered otherwise. */
static bool acceptable(const struct connection *connection, struct ttrpc_request *request,
		       const Vaccel__Resource__RegisterRequest *source)
{
	const struct agent *agent = connection->agent;
	size_t i;

	if (!source->n_blobs && !source->n_paths) {
		reply_status(request, TTRPC_INVALID_ARGUMENT, "No paths or blobs provided");
		return false;
	}
	if (!source->n_blobs) {
		reply_refused(request, VACCEL_EPERM,
			      "this agent opens no paths or URLs for its peers; send the "
			      "resource's bytes");
		return false;
	}
	if (source->resource_type == VACCEL_RESOURCE_LIB) {
		reply_refused(request, VACCEL_EPERM, "this agent runs no libraries of its peers");
		return false;
	}
	for (i = 0; i < source->n_blobs; i++) {
		if (is_component(source->blobs[i]->name))
			continue;
		reply_status(request, TTRPC_INVALID_ARGUMENT,
			     "blob name \"%.200s\" is not one path component",
			     source->blobs[i]->name);
		return false;
	}
	if (connection->resources.count >= agent->limits.resources ||
	    agent->nr_resources >= agent->limits.resources_total) {
		reply_limit(request, VACCEL_EUSERS,
			    "limit resources: as many are registered as may be");
		return false;
	}
	return true;
}

static void register_new(struct connection *connection, struct session *session,
			 struct ttrpc_request *request,
			 const Vaccel__Resource__RegisterRequest *source)
{
	struct resource *resource;

	if (!acceptable(connection, request, source))
		return;
	resource = resource_new(connection->agent, source);
	if (!resource)
		return reply_vaccel(request, VACCEL_ENOMEM, "out of memory");
	service_start(&register_class, VACCEL_OP_NOOP, session, resource, request, &source->base);
	resource_unref(resource);
}

static void register_resource(struct connection *connection, struct ttrpc_request *request,
			      const ProtobufCMessage *message)
{
	const Vaccel__Resource__RegisterRequest *source =
		(const Vaccel__Resource__RegisterRequest *)message;
	struct session *session = service_session(connection, source->session_id, request);
	struct resource *resource;

	if (!session)
		return;
	if (source->resource_id < 0)
		return reply_invalid_id(request, source->resource_id);
	if (!source->resource_id)
		return register_new(connection, session, request, source);
	resource = connection_resource(connection, source->resource_id);
	if (!resource)
		return reply_status(request, TTRPC_NOT_FOUND, "Unknown resource %" PRId64,
				    source->resource_id);
	service_start(&register_class, VACCEL_OP_NOOP, session, resource, request, message);
}

static void unregister_resource(struct connection *connection, struct ttrpc_request *request,
				const ProtobufCMessage *message)
{
	const Vaccel__Resource__UnregisterRequest *unregister =
		(const Vaccel__Resource__UnregisterRequest *)message;
	struct resource *resource = connection_resource(connection, unregister->resource_id);
	struct session *session;

	if (!resource)
		return reply_status(request, TTRPC_NOT_FOUND, "Unknown resource %" PRId64,
				    unregister->resource_id);
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
	struct resource *resource = connection_resource(connection, sync->resource_id);
	Vaccel__Resource__SyncResponse response = VACCEL__RESOURCE__SYNC_RESPONSE__INIT;
	Vaccel__Resource__Blob *blobs, **list;
	size_t i, count;

	if (!resource)
		return reply_status(request, TTRPC_NOT_FOUND, "Unknown resource %" PRId64,
				    sync->resource_id);
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
