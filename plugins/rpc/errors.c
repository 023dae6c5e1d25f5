/*
 * errors.c - from what a call came to, to the code that the caller gets and the sentence that says
 * why. The sentence goes to luaccel_last_error() and to the log, since programs that know neither
 * print the code alone.
 */
#include "frame.h"
#include "rpc.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MAX = 1024 };

/* Leave the sentence and return the code. */
int rpc_fail(int code, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	luaccel_set_error("%s", sentence);
	luaccel_last_error(sentence, sizeof(sentence)); /* as one line, whoever's words are in it */
	vaccel_error(RPC_LOG "%s", sentence);
	return code;
}

/* For a request of more bytes than the agent takes. */
int rpc_fail_size(const struct rpc_connection *conn, const char *method, size_t size)
{
	return rpc_fail(VACCEL_EINVAL,
			"%s of %zu bytes does not fit a frame, which may have %zu bytes to the "
			"agent at %s; send less at once, or raise its --limit frame",
			method, size, conn->frame_max, conn->uri);
}

/* For a negative result of ttrpc_client_call(). */
int rpc_fail_call(const struct rpc_connection *conn, const char *method,
		  const ProtobufCMessage *request, int error)
{
	switch (error) {
	case -ECONNRESET:
		return rpc_fail(VACCEL_ESESS,
				"the connection to the agent at %s is lost and its sessions with "
				"it; open a new session to connect again",
				conn->uri);
	case -EMSGSIZE:
		return rpc_fail_size(conn, method, protobuf_c_message_get_packed_size(request));
	case -ENOMEM:
		return rpc_fail(VACCEL_ENOMEM, "no memory for %s to the agent at %s", method,
				conn->uri);
	case -ETIMEDOUT:
		return rpc_fail(
			VACCEL_EIO,
			"the agent at %s has not answered %s within %g s, as "
			"LUACCEL_RPC_TIMEOUT wants it; what it was asked for may still be done",
			conn->uri, method, (double)conn->timeout_ns / 1e9);
	case -EBADMSG:
		return rpc_fail(VACCEL_EIO,
				"the answer of the agent at %s to %s does not decode; is it a "
				"vAccel 0.8 agent?",
				conn->uri, method);
	default:
		return rpc_fail(VACCEL_EIO, "%s to the agent at %s failed: %s", method, conn->uri,
				strerror(-error));
	}
}

/* The code of a vaccel.Error: what its C call returned there, if that is what failed. */
static int code_of_detail(const Vaccel__Error *error)
{
	bool from_call = error->type == VACCEL__ERROR_TYPE__FFI ||
			 error->type == VACCEL__ERROR_TYPE__FFI_WITH_STATUS;
	bool given = error->optional_ffi_error_case == VACCEL__ERROR__OPTIONAL_FFI_ERROR_FFI_ERROR;

	/* 0 would make a success of a failure. */
	if (!from_call || !given || error->ffi_error == 0 || error->ffi_error > INT_MAX)
		return VACCEL_EBACKEND;
	return (int)error->ffi_error;
}

/*
 * The first detail of a failed call, when it is a vaccel.Error (whatever its type_url, as existing
 * clients do); lives as long as the arena. NULL: there is none.
 */
const Vaccel__Error *rpc_error_of(const struct ttrpc_status *status, struct ttrpc_arena *arena)
{
	ProtobufCMessage *detail;

	if (!status->detail || ttrpc_message_decode(&vaccel__error__descriptor, status->detail,
						    status->detail_size, arena, &detail, NULL, 0))
		return NULL;
	return (const Vaccel__Error *)detail;
}

/* For an answer whose status is an error. Its vaccel.Error has the code; a status alone is EIO. */
int rpc_fail_status(const struct rpc_connection *conn, const char *method,
		    const struct ttrpc_status *status)
{
	const char *sentence = status->message;
	const Vaccel__Error *error;
	struct ttrpc_arena arena;
	int code = VACCEL_EIO;

	ttrpc_arena_init(&arena, RPC_DETAIL_BUDGET);
	error = rpc_error_of(status, &arena);
	if (error) {
		code = code_of_detail(error);
		if (error->status && error->status->message && *error->status->message)
			sentence = error->status->message;
	}
	if (sentence && *sentence)
		rpc_fail(code, "%s", sentence);
	else
		rpc_fail(code, "the agent at %s refused %s with status %d and no reason", conn->uri,
			 method, status->code);
	ttrpc_arena_release(&arena);
	return code;
}
