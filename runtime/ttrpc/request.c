/*
 * request.c - a frame becomes a request, and the request ends.
 */
#include "server_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ttrpc.pb-c.h"

enum { METADATA_BYTES_MAX = 8 << 10, REASON_SIZE = 256 };

static struct ttrpc_request **bucket(struct ttrpc_conn *conn, uint32_t stream_id)
{
	/* Clients use every other number. */
	return &conn->streams[(stream_id >> 1) % STREAM_BUCKETS];
}

static bool is_open_stream(struct ttrpc_conn *conn, uint32_t stream_id)
{
	const struct ttrpc_request *request = *bucket(conn, stream_id);

	while (request && request->stream_id != stream_id)
		request = request->next;
	return request != NULL;
}

static void open_stream(struct ttrpc_conn *conn, struct held_request *held)
{
	struct ttrpc_request *request = &held->pub;
	struct ttrpc_request **head = bucket(conn, request->stream_id);

	request->next = *head;
	if (request->next)
		request->next->prev = request;
	*head = request;
	held->streaming = true;
	conn->nr_streams++;
}

void ttrpc_request_answered(struct ttrpc_request *request)
{
	struct held_request *held = held_of(request);

	if (!held->streaming)
		return;
	if (request->prev)
		request->prev->next = request->next;
	else
		*bucket(request->conn, request->stream_id) = request->next;
	if (request->next)
		request->next->prev = request->prev;
	held->streaming = false;
	request->conn->nr_streams--;
}

static struct ttrpc_request *request_new(struct ttrpc_conn *conn,
					 const struct ttrpc_frame_header *header, uint8_t *body,
					 size_t size)
{
	struct held_request *held = calloc(1, sizeof(*held));
	struct ttrpc_request *request;

	if (!held) {
		free(body);
		ttrpc_conn_close(conn, "client");
		return NULL;
	}
	request = &held->pub;
	request->conn = ttrpc_conn_ref(conn);
	request->stream_id = header->stream_id;
	request->frame = body;
	request->frame_size = size;
	ttrpc_arena_init(&request->arena, ttrpc_decode_budget(size));
	conn->nr_requests++;
	conn->held += size;
	return request;
}

void ttrpc_request_end(struct ttrpc_request *request)
{
	struct held_request *held = held_of(request);
	struct ttrpc_conn *conn = request->conn;

	ttrpc_request_answered(request);
	if (held->release)
		held->release(held->arg);
	ttrpc_out_release(&held->out);
	ttrpc_arena_release(&request->arena);
	free(request->frame);
	conn->nr_requests--;
	conn->held -= request->frame_size + held->charged;
	free(held);
	ttrpc_conn_throttle(conn);
	ttrpc_conn_unref(conn);
}

static void refuse(struct ttrpc_request *request, int code, const char *reason)
{
	const struct ttrpc_status status = { .code = code, .message = reason };

	ttrpc_request_fail(request, &status);
}

/* 0, or the code with which to refuse. */
static int check_metadata(const Ttrpc__Request *envelope, unsigned max, char *err, size_t errsize)
{
	size_t bytes = 0;

	for (size_t i = 0; i < envelope->n_metadata; i++)
		bytes += strlen(envelope->metadata[i]->key) + strlen(envelope->metadata[i]->value);
	if (envelope->n_metadata <= max && bytes <= METADATA_BYTES_MAX)
		return 0;
	snprintf(err, errsize,
		 "metadata of %zu pairs and %zu bytes exceeds the limit of %u pairs and %d bytes",
		 envelope->n_metadata, bytes, max, METADATA_BYTES_MAX);
	return TTRPC_RESOURCE_EXHAUSTED;
}

/* What decoding took counts among what the connection holds, as the frame does. */
static void charge_arena(struct ttrpc_request *request)
{
	struct held_request *held = held_of(request);

	request->conn->held += request->arena.used - held->charged;
	held->charged = request->arena.used;
	ttrpc_conn_throttle(request->conn);
}

static int open_envelope(struct ttrpc_request *request, char *err, size_t errsize)
{
	ProtobufCMessage *message;
	const Ttrpc__Request *envelope;
	int code =
		ttrpc_message_decode(&ttrpc__request__descriptor, request->frame,
				     request->frame_size, &request->arena, &message, err, errsize);

	if (code)
		return code == -EBADMSG ? TTRPC_INVALID_ARGUMENT : TTRPC_RESOURCE_EXHAUSTED;
	envelope = (const Ttrpc__Request *)message;
	request->service = envelope->service;
	request->method = envelope->method;
	request->timeout_nano = envelope->timeout_nano;
	request->payload = envelope->payload;
	charge_arena(request);
	return check_metadata(envelope, request->conn->server->limits.metadata_max, err, errsize);
}

/* 0 if the request is one that can be handled. */
static int check(struct ttrpc_request *request, uint8_t flags, char *err, size_t errsize)
{
	if (is_open_stream(request->conn, request->stream_id)) {
		snprintf(err, errsize, "stream %u is in use; answer pending",
			 (unsigned)request->stream_id);
		return TTRPC_INVALID_ARGUMENT;
	}
	if (flags & TTRPC_REMOTE_OPEN) {
		snprintf(err, errsize, "streaming calls are not served; use a unary call");
		return TTRPC_UNIMPLEMENTED;
	}
	return open_envelope(request, err, errsize);
}

void ttrpc_request_receive(struct ttrpc_conn *conn, const struct ttrpc_frame_header *header,
			   uint8_t *body)
{
	struct ttrpc_request *request = request_new(conn, header, body, header->length);
	char reason[REASON_SIZE] = "";
	int code;

	if (!request)
		return;
	code = check(request, header->flags, reason, sizeof(reason));
	if (!code) {
		open_stream(conn, held_of(request));
		conn->server->handlers.request(conn->server->ctx, request);
		return;
	}
	refuse(request, code, reason);
	if (code == TTRPC_INVALID_ARGUMENT)
		ttrpc_conn_violation(conn);
}

void ttrpc_request_refuse(struct ttrpc_conn *conn, const struct ttrpc_frame_header *header,
			  int code)
{
	struct ttrpc_request *request = request_new(conn, header, NULL, 0);
	char reason[REASON_SIZE];

	if (!request)
		return;
	if (code == TTRPC_INVALID_ARGUMENT)
		snprintf(reason, sizeof(reason),
			 "message length %u exceed maximum message size of %zu",
			 (unsigned)header->length, conn->server->limits.frame_max);
	else
		snprintf(reason, sizeof(reason), "out of memory for a message of %u bytes",
			 (unsigned)header->length);
	refuse(request, code, reason);
}

ProtobufCMessage *ttrpc_request_decode(struct ttrpc_request *request,
				       const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message;
	char reason[REASON_SIZE] = "";
	int code = ttrpc_message_decode(type, request->payload.data, request->payload.len,
					&request->arena, &message, reason, sizeof(reason));

	charge_arena(request);
	if (!code)
		return message;
	refuse(request, code == -EBADMSG ? TTRPC_INVALID_ARGUMENT : TTRPC_RESOURCE_EXHAUSTED,
	       reason);
	return NULL;
}
