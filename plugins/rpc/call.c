/*
 * call.c - one unary call to the agent, under whichever of its two names it serves.
 */
#include "frame.h"
#include "rpc.h"
#include <errno.h>
#include <string.h>

/* Does this status say that the peer has no service of this name (or no such method in it)? */
static bool names_no_service(const struct ttrpc_status *status, const char *service)
{
	return (status->code == TTRPC_INVALID_ARGUMENT || status->code == TTRPC_UNIMPLEMENTED) &&
	       !status->detail && status->message && strstr(status->message, service);
}

/*
 * A peer may serve under the other of the two names only. The call was not executed, so it is made
 * again; when the second name is answered in any other way it is kept for this connection, else the
 * first answer stands. Returns as ttrpc_client_call().
 */
static int try_other_service(struct rpc_connection *conn, const char *method,
			     const ProtobufCMessage *request,
			     const ProtobufCMessageDescriptor *response_type,
			     struct ttrpc_answer *answer)
{
	struct ttrpc_answer second;
	int ret = ttrpc_client_call(conn->client, RPC_SERVICE_ASYNC, method, request, response_type,
				    conn->timeout_ns, &second);

	if (ret == 0 && names_no_service(&second.status, RPC_SERVICE_ASYNC)) {
		ttrpc_answer_release(&second);
		return 0;
	}
	if (ret == 0 || ret == -EBADMSG)
		atomic_store(&conn->service, RPC_SERVICE_ASYNC);
	ttrpc_answer_release(answer);
	if (ret == 0)
		*answer = second;
	return ret;
}

/* One call to the agent, under the name that it serves. Returns as ttrpc_client_call(). */
int rpc_exchange(struct rpc_connection *conn, const char *method, const ProtobufCMessage *request,
		 const ProtobufCMessageDescriptor *response_type, struct ttrpc_answer *answer)
{
	const char *service = atomic_load(&conn->service);
	int ret = ttrpc_client_call(conn->client, service, method, request, response_type,
				    conn->timeout_ns, answer);

	if (ret == 0 && strcmp(service, RPC_SERVICE_SYNC) == 0 &&
	    names_no_service(&answer->status, RPC_SERVICE_SYNC))
		ret = try_other_service(conn, method, request, response_type, answer);
	return ret;
}

/*
 * What an exchange that returned `ret` means for the caller: VACCEL_OK and an answer to release, or
 * a code and its sentence.
 */
int rpc_outcome(const struct rpc_connection *conn, const char *method,
		const ProtobufCMessage *request, int ret, struct ttrpc_answer *answer)
{
	if (ret)
		return rpc_fail_call(conn, method, request, ret);
	if (answer->status.code == TTRPC_OK)
		return VACCEL_OK;
	ret = rpc_fail_status(conn, method, &answer->status);
	ttrpc_answer_release(answer);
	return ret;
}

/* Both. */
int rpc_call(struct rpc_connection *conn, const char *method, const ProtobufCMessage *request,
	     const ProtobufCMessageDescriptor *response_type, struct ttrpc_answer *answer)
{
	int ret = rpc_exchange(conn, method, request, response_type, answer);

	return rpc_outcome(conn, method, request, ret, answer);
}

/*
 * A length that the caller says it has, before it is summed with others: sums that wrap would pass
 * for a small request.
 */
int rpc_check_size(const struct rpc_connection *conn, const char *method, size_t size)
{
	return size > conn->frame_max ? rpc_fail_size(conn, method, size) : VACCEL_OK;
}
