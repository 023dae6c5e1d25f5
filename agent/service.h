/*
 * service.h - the methods that peers may call: from a decoded request to an operation, or to an
 * answer at once. One file for a family of methods; each puts its methods into a table here.
 * The loop's thread; operation classes' run functions are a worker's.
 */
#ifndef AGENT_SERVICE_H
#define AGENT_SERVICE_H

#include "connection.h"
#include "operation.h"

struct method {
	const char *name;
	const ProtobufCMessageDescriptor *input; /* NULL: a stream of messages, from the peer */
	/* Owns the request from here; message is NULL for a stream. */
	void (*call)(struct connection *connection, struct ttrpc_request *request,
		     const ProtobufCMessage *message);
};

extern const struct method session_methods[], resource_methods[], image_methods[], torch_methods[],
	tf_methods[], tflite_methods[], genop_methods[], profiling_methods[], stream_methods[],
	peer_methods[], upload_methods[]; /* each ends with a NULL name */

/* Begins what a method that streams keeps as its request's user. */
struct service_stream {
	/* A message, the end or a cut has come. */
	void (*go_on)(struct ttrpc_request *request);
};

/* The server's handlers of requests and of streams, with the agent as ctx. */
void service_request(void *ctx, struct ttrpc_request *request);
void service_stream(void *ctx, struct ttrpc_request *request);
/* The same, for requests whose frame was dropped for want of room. */
void service_refused(void *ctx, struct ttrpc_request *request, const char *reason);

/*
 * Start an operation of a session's: NOT_FOUND when the id is not the connection's, and so on.
 * `resource` is NULL for an operation that names none.
 */
void service_start(const struct operation_class *class, vaccel_op_type_t type,
		   struct session *session, struct resource *resource,
		   struct ttrpc_request *request, const ProtobufCMessage *message);

/* The session of that id, or NULL: the request has then been answered. */
struct session *service_session(struct connection *connection, int64_t id,
				struct ttrpc_request *request);

/* May peers give this agent a resource of that type? The request has been answered otherwise. */
bool service_takes_type(const struct agent *agent, struct ttrpc_request *request, uint32_t type);
/* Is it what a blob may be called? The request has been answered otherwise. */
bool service_takes_name(struct ttrpc_request *request, const char *name);

/* Answer with vaccel.Empty. For operation classes. */
void service_reply_empty(struct operation *operation);

#endif
