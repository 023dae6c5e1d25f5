/*
 * request.c - a frame becomes a request, and the request ends.
 */
#include "server_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ttrpc.pb-c.h"

enum { METADATA_BYTES_MAX = 8 << 10, REASON_SIZE = 256, RECENT = 64 };
/* What a short answer takes in memory until it is written: there may be many that nobody reads. */
enum { ANSWER_SMALL = 1280 };

static struct ttrpc_request **bucket(struct ttrpc_conn *conn, uint32_t stream_id)
{
	/* Clients use every other number. */
	return &conn->streams[(stream_id >> 1) % STREAM_BUCKETS];
}

struct ttrpc_request *ttrpc_request_find(struct ttrpc_conn *conn, uint32_t stream_id)
{
	struct ttrpc_request *request = *bucket(conn, stream_id);

	while (request && request->stream_id != stream_id)
		request = request->next;
	return request;
}

void ttrpc_request_hold(struct held_request *held, size_t more, size_t less)
{
	struct ttrpc_conn *conn = held->pub.conn;

	conn->held += more - less;
	held->held += more - less;
	if (!held->pub.ended)
		conn->held_coming += more - less;
}

void ttrpc_request_charge(struct ttrpc_request *request, size_t bytes)
{
	ttrpc_request_hold(held_of(request), bytes, 0);
	ttrpc_conn_throttle(request->conn);
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
	ev_timer_stop(request->conn->server->loop, &held->deadline);
	ttrpc_streamed_ended(held);
	ttrpc_streamed_drop(held);
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
	request->received = size;
	request->ended = true;
	ttrpc_arena_init(&request->arena, ttrpc_decode_budget(size));
	held->queue_end = &held->queue;
	conn->nr_requests++;
	ttrpc_request_hold(held, size + sizeof(*held) + ANSWER_SMALL, 0);
	return request;
}

void ttrpc_request_end(struct ttrpc_request *request)
{
	struct held_request *held = held_of(request);
	struct ttrpc_conn *conn = request->conn;

	ttrpc_request_answered(request);
	if (held->answer.release)
		held->answer.release(held->answer.arg);
	if (request->forget)
		request->forget(request->user);
	ttrpc_streamed_release(held);
	ttrpc_out_release(&held->answer.out);
	ttrpc_arena_release(&request->arena);
	free(request->frame);
	conn->nr_requests--;
	conn->held -= held->held;
	conn->decoded -= held->arena_charged;
	free(held);
	ttrpc_conn_throttle(conn);
	ttrpc_conn_unref(conn);
}

static void refuse(struct ttrpc_request *request, int code, const char *reason)
{
	const struct ttrpc_status status = { .code = code, .message = reason };

	ttrpc_request_fail(request, &status);
}

/* Of room: whoever keeps the accounts has its own form of answer. */
static void refuse_for_want(struct ttrpc_request *request, const char *reason)
{
	struct ttrpc_server *server = request->conn->server;

	if (request->conn->account)
		server->handlers.refused(server->ctx, request, reason);
	else
		refuse(request, TTRPC_RESOURCE_EXHAUSTED, reason);
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

	ttrpc_request_hold(held, request->arena.used, held->arena_charged);
	request->conn->decoded += request->arena.used - held->arena_charged;
	held->arena_charged = request->arena.used;
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

/*
 * Numbers of streams are odd and rise. Threads of a client that share a connection may take theirs
 * in one order and write in another, so one that was not used yet may be a little behind.
 */
static const char *note_id(struct ttrpc_conn *conn, uint32_t id)
{
	uint32_t ahead = (id - conn->last_id) / 2, behind = (conn->last_id - id) / 2;

	if (id % 2 == 0)
		return "StreamID must be odd for client initiated streams";
	if (id > conn->last_id || conn->last_id == 0) {
		conn->recent = ahead < RECENT ? conn->recent << ahead | 1 : 1;
		conn->last_id = id;
		return NULL;
	}
	if (behind >= RECENT || conn->recent >> behind & 1)
		return "StreamID cannot be re-used and must increment";
	conn->recent |= UINT64_C(1) << behind;
	return NULL;
}

/* What the flags of a request say. 0, or the code with which to refuse. */
static int check_flags(struct ttrpc_request *request, uint8_t flags, char *err, size_t errsize)
{
	request->streamed = flags & (TTRPC_REMOTE_OPEN | TTRPC_REMOTE_CLOSED);
	if ((flags & TTRPC_REMOTE_OPEN) && (flags & TTRPC_REMOTE_CLOSED)) {
		snprintf(err, errsize, "flags %u say that the stream is open, and closed",
			 (unsigned)flags);
		return TTRPC_INVALID_ARGUMENT;
	}
	if ((flags & TTRPC_REMOTE_OPEN) && !request->conn->server->handlers.stream) {
		snprintf(err, errsize, "streaming calls are not served; use a unary call");
		return TTRPC_UNIMPLEMENTED;
	}
	if ((flags & TTRPC_REMOTE_OPEN) &&
	    request->conn->nr_streams >= request->conn->server->limits.streams_max) {
		snprintf(err, errsize, "limit streams: this connection has %u open",
			 request->conn->nr_streams);
		return TTRPC_RESOURCE_EXHAUSTED;
	}
	return 0;
}

/* 0 if the request is one that can be handled. */
static int check(struct ttrpc_request *request, uint8_t flags, char *err, size_t errsize)
{
	int code;

	if (ttrpc_request_find(request->conn, request->stream_id)) {
		snprintf(err, errsize, "stream %u is in use; answer pending",
			 (unsigned)request->stream_id);
		return TTRPC_INVALID_ARGUMENT;
	}
	request->disorder = note_id(request->conn, request->stream_id);
	code = check_flags(request, flags, err, errsize);
	if (code)
		return code;
	if (request->streamed && request->disorder) {
		snprintf(err, errsize, "%s", request->disorder);
		return TTRPC_INVALID_ARGUMENT;
	}
	return open_envelope(request, err, errsize);
}

/*
 * The caller has its answer now; the request goes on, and counts, until its owner has done with
 * it, since what runs for it cannot be stopped.
 */
static void on_deadline(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct held_request *held = watcher->data;
	struct ttrpc_request *request = &held->pub;

	(void)loop;
	(void)events;
	if (request->streamed && request->conn->server->handlers.stream) {
		ttrpc_streamed_cut(held, TTRPC_DEADLINE_EXCEEDED, "timeout");
		return;
	}
	request->cut = true;
	if (request->conn->open)
		ttrpc_conn_refuse(request->conn, request->stream_id, TTRPC_DEADLINE_EXCEEDED,
				  "timeout");
}

/* The loop's time is that of its last wake-up. */
static double lag(struct ev_loop *loop)
{
	return ev_time() - ev_now(loop);
}

static void answer_within(struct held_request *held, double seconds)
{
	struct ev_loop *loop = held->pub.conn->server->loop;

	ev_timer_init(&held->deadline, on_deadline, seconds + lag(loop), 0.);
	held->deadline.data = held;
	ev_timer_start(loop, &held->deadline);
}

/* One that has passed already is for the owner to see. */
static void start_deadline(struct held_request *held)
{
	struct ttrpc_server *server = held->pub.conn->server;
	double seconds = (double)held->pub.timeout_nano / 1e9;

	if (held->pub.timeout_nano == 0)
		seconds = server->limits.deadline;
	if (seconds > server->limits.deadline_max)
		seconds = server->limits.deadline_max;
	if (seconds > 0)
		answer_within(held, seconds);
}

double ttrpc_request_left(const struct ttrpc_request *request)
{
	struct ttrpc_server *server = request->conn->server;
	const struct held_request *held = held_of((struct ttrpc_request *)request);
	const bool running = ev_is_active(&held->deadline);
	double left;

	if (!running && request->timeout_nano == 0 && !(server->limits.deadline > 0))
		return -1;
	if (request->cut || !running)
		return 0;
	left = ev_timer_remaining(server->loop, (ev_timer *)&held->deadline) - lag(server->loop);
	return left > 0 ? left : 0;
}

void ttrpc_request_within(struct ttrpc_request *request, double seconds)
{
	struct held_request *held = held_of(request);
	const double left = ttrpc_request_left(request);

	if (request->cut || (left >= 0 && left <= seconds))
		return;
	ev_timer_stop(request->conn->server->loop, &held->deadline);
	answer_within(held, seconds);
}

void ttrpc_request_progressed(struct ttrpc_request *request)
{
	struct held_request *held = held_of(request);
	struct ev_loop *loop = request->conn->server->loop;

	if (request->timeout_nano || !ev_is_active(&held->deadline))
		return;
	ev_timer_stop(loop, &held->deadline);
	start_deadline(held);
}

static void begin(struct ttrpc_request *request, uint8_t flags)
{
	struct ttrpc_conn *conn = request->conn;
	struct held_request *held = held_of(request);

	open_stream(conn, held);
	if ((flags & TTRPC_REMOTE_OPEN) && !ttrpc_streamed_begin(held)) {
		refuse(request, TTRPC_RESOURCE_EXHAUSTED, "out of memory");
		return;
	}
	start_deadline(held);
	ttrpc_conn_throttle(conn); /* its owner knows of it when the handler is called */
	conn->server->handlers.request(conn->server->ctx, request);
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
		begin(request, header->flags);
		return;
	}
	refuse(request, code, reason);
	if (code == TTRPC_INVALID_ARGUMENT)
		ttrpc_conn_violation(conn);
}

void ttrpc_request_breach(struct ttrpc_request *request, const char *reason)
{
	struct ttrpc_conn *conn = ttrpc_conn_ref(request->conn);

	refuse(request, TTRPC_INVALID_ARGUMENT, reason);
	ttrpc_conn_violation(conn);
	ttrpc_conn_unref(conn);
}

void ttrpc_request_refuse(struct ttrpc_conn *conn, const struct ttrpc_frame_header *header,
			  int code)
{
	struct ttrpc_request *request = request_new(conn, header, NULL, 0);
	char reason[REASON_SIZE];

	if (!request)
		return;
	if (code == TTRPC_INVALID_ARGUMENT) {
		snprintf(reason, sizeof(reason),
			 "message length %u exceed maximum message size of %zu",
			 (unsigned)header->length, conn->server->limits.frame_max);
		refuse(request, code, reason);
		return;
	}
	snprintf(reason, sizeof(reason), "limit %s: no room for a message of %u bytes",
		 conn->dropped ? conn->dropped : "of this machine's memory",
		 (unsigned)header->length);
	refuse_for_want(request, reason);
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
	if (code == -EBADMSG)
		refuse(request, TTRPC_INVALID_ARGUMENT, reason);
	else
		refuse_for_want(request, reason);
	return NULL;
}
