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
	const ProtobufCMessageDescriptor *input;
	/* Owns the request from here. */
	void (*call)(struct connection *connection, struct ttrpc_request *request,
		     const ProtobufCMessage *message);
};

extern const struct method session_methods[], resource_methods[], image_methods[], torch_methods[],
	genop_methods[], peer_methods[]; /* each ends with a NULL name */

/* The server's request handler, with the agent as ctx. */
void service_request(void *ctx, struct ttrpc_request *request);

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

/* Answer with vaccel.Empty. For operation classes. */
void service_reply_empty(struct operation *operation);

#endif
