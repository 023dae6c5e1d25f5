/*
 * reply.c - see reply.h. The details of a failure are one vaccel.Error: its bytes are the same as
 * the original's where the original has such a failure (FFI without a reason), and carry our
 * sentence in its Status otherwise, which its clients print.
 */
#include "reply.h"
#include "connection.h"
#include "error.pb-c.h"
#include "utf8.h"
#include "vaccel.h"
#include <stdarg.h>
#include <stdio.h>

enum { REASON_MAX = 512 };

void reply_make_utf8(char *text)
{
	while (*text) {
		size_t length = utf8_sequence(text);

		if (!length)
			*text = '?';
		text += length ? length : 1;
	}
}

static void send_error(struct ttrpc_request *request, int code, const char *message,
		       const Vaccel__Error *error)
{
	uint8_t detail[REASON_MAX + 64];
	struct ttrpc_status status = {
		.code = code,
		.message = message,
		.detail_type_url = "type.googleapis.com/vaccel.ProtoError",
		.detail = detail,
		.detail_size = vaccel__error__pack(error, detail),
	};

	ttrpc_request_fail(request, &status);
}

void reply_status(struct ttrpc_request *request, int code, const char *format, ...)
{
	char message[REASON_MAX];
	struct ttrpc_status status = { .code = code, .message = message };
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	reply_make_utf8(message);
	ttrpc_request_fail(request, &status);
}

/* A code alone: what the original sends when a call has failed. */
static void send_code(struct ttrpc_request *request, int vaccel_code)
{
	char message[64];
	Vaccel__Error error = VACCEL__ERROR__INIT;

	snprintf(message, sizeof(message), "FFI error: %d", vaccel_code);
	error.optional_ffi_error_case = VACCEL__ERROR__OPTIONAL_FFI_ERROR_FFI_ERROR;
	error.ffi_error = (uint32_t)vaccel_code;
	send_error(request, TTRPC_INTERNAL, message, &error);
}

/* With a status, and a reason in words in it. */
static void send_status(struct ttrpc_request *request, int code, int vaccel_code,
			const char *message, int status_code, const char *reason)
{
	char text[REASON_MAX];
	Vaccel__Status status = VACCEL__STATUS__INIT;
	Vaccel__Error error = VACCEL__ERROR__INIT;

	snprintf(text, sizeof(text), "%s", reason);
	reply_make_utf8(text);
	status.code = (uint32_t)status_code;
	status.message = text;
	error.optional_ffi_error_case = VACCEL__ERROR__OPTIONAL_FFI_ERROR_FFI_ERROR;
	error.ffi_error = (uint32_t)vaccel_code;
	error.type = VACCEL__ERROR_TYPE__FFI_WITH_STATUS;
	error.status = &status;
	send_error(request, code, message, &error);
}

void reply_model(struct ttrpc_request *request, int vaccel_code, int status, const char *message)
{
	char text[REASON_MAX];

	snprintf(text, sizeof(text), "FFI error: %d [%.*s (%d)]", vaccel_code, REASON_MAX - 64,
		 message, status);
	reply_make_utf8(text);
	send_status(request, TTRPC_INTERNAL, vaccel_code, text, status, message);
}

void reply_vaccel(struct ttrpc_request *request, int vaccel_code, const char *reason)
{
	if (reason[0])
		reply_model(request, vaccel_code, vaccel_code, reason);
	else
		send_code(request, vaccel_code);
}

/* What is refused before it has run: the reason is the message as well. */
static void send_refusal(struct ttrpc_request *request, int code, int vaccel_code,
			 const char *reason)
{
	send_status(request, code, vaccel_code, reason, vaccel_code, reason);
}

void reply_refused(struct ttrpc_request *request, int vaccel_code, const char *reason)
{
	send_refusal(request, TTRPC_PERMISSION_DENIED, vaccel_code, reason);
}

void reply_limit(struct ttrpc_request *request, int vaccel_code, const char *reason)
{
	const struct connection *connection = ttrpc_conn_user(request->conn);

	if (ttrpc_conn_is_open(request->conn)) /* else it has gone */
		metrics_limit(connection->agent, reason);
	send_refusal(request, TTRPC_RESOURCE_EXHAUSTED, vaccel_code, reason);
}

void reply_draining(struct ttrpc_request *request)
{
	const char *reason = "the agent is draining: it stops when running operations have ended";

	send_refusal(request, TTRPC_UNAVAILABLE, VACCEL_EBUSY, reason);
}

/* A failure of the original's bindings, before any call of C. */
static void send_kind(struct ttrpc_request *request, Vaccel__ErrorType type, const char *prefix,
		      const char *what)
{
	char message[128], text[96];
	Vaccel__Status status = VACCEL__STATUS__INIT;
	Vaccel__Error error = VACCEL__ERROR__INIT;

	snprintf(text, sizeof(text), "%s", what);
	snprintf(message, sizeof(message), "%s: %s", prefix, text);
	status.message = text;
	error.type = type;
	error.status = &status;
	send_error(request, TTRPC_INTERNAL, message, &error);
}

void reply_invalid_argument(struct ttrpc_request *request, const char *what)
{
	send_kind(request, VACCEL__ERROR_TYPE__INVALID_ARGUMENT, "Invalid argument", what);
}

void reply_invalid_id(struct ttrpc_request *request, long long id)
{
	char text[48];

	snprintf(text, sizeof(text), "Invalid ID: %lld", id);
	reply_invalid_argument(request, text);
}

void reply_conversion(struct ttrpc_request *request, const char *what)
{
	send_kind(request, VACCEL__ERROR_TYPE__CONVERSION_FAILED, "Conversion failed", what);
}
