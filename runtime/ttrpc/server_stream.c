/*
 * server_stream.c - the messages of a stream: they come as data frames and wait for the owner of
 * its request, in a queue of so many. While one stream's queue is full its connection is not read;
 * if that lasts, the stream is cut, and the connection goes on.
 *
 * Data frames of a number that is no open stream are skipped: they may have been on their way when
 * the stream was answered. The loop's thread.
 */
#include "server_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { QUEUE_MAX = 64, REASON_SIZE = 160 };

static void tell(struct held_request *held)
{
	struct ttrpc_server *server = held->pub.conn->server;

	/* Without it calls may still have a stream's flags. */
	if (server->handlers.stream)
		server->handlers.stream(server->ctx, &held->pub);
}

static void set_full(struct held_request *held, bool full)
{
	struct ttrpc_conn *conn = held->pub.conn;

	if (full == (conn->full == held))
		return;
	conn->full = full ? held : NULL;
	if (full && conn->open)
		ev_timer_again(conn->server->loop, &conn->full_timer);
	else
		ev_timer_stop(conn->server->loop, &conn->full_timer);
}

static void unlink_data(struct ttrpc_data *data)
{
	*data->link = data->next;
	if (data->next)
		data->next->link = data->link;
}

static void link_data(struct ttrpc_data *data, struct ttrpc_data **link)
{
	data->link = link;
	data->next = *link;
	if (data->next)
		data->next->link = &data->next;
	*link = data;
}

static void free_data(struct ttrpc_data *data)
{
	unlink_data(data);
	ttrpc_request_hold(held_of(data->request), 0, data->charged);
	data->request->conn->decoded -= data->arena.used;
	ttrpc_arena_release(&data->arena);
	free(data->frame);
	free(data);
}

void ttrpc_data_free(struct ttrpc_data *data)
{
	struct ttrpc_conn *conn = data->request->conn;

	free_data(data);
	ttrpc_conn_throttle(conn);
}

/* Takes over frame, if there is one of its own. */
static struct ttrpc_data *data_new(struct held_request *held, uint8_t *frame,
				   ProtobufCBinaryData payload)
{
	struct ttrpc_data *data = calloc(1, sizeof(*data));

	if (!data)
		return NULL;
	data->request = &held->pub;
	data->payload = payload;
	data->frame = frame;
	data->charged = sizeof(*data) + (frame ? payload.len : 0);
	ttrpc_arena_init(&data->arena, ttrpc_decode_budget(payload.len));
	ttrpc_request_hold(held, data->charged, 0);
	return data;
}

static void enqueue(struct held_request *held, struct ttrpc_data *data)
{
	link_data(data, held->queue_end);
	held->queue_end = &data->next;
	held->nr_queued++;
	set_full(held, held->nr_queued >= QUEUE_MAX);
}

bool ttrpc_streamed_begin(struct held_request *held)
{
	struct ttrpc_data *data;

	held->pub.ended = false;
	held->pub.conn->nr_coming++;
	held->pub.conn->held_coming += held->held;
	if (held->pub.payload.len == 0)
		return true;
	data = data_new(held, NULL, held->pub.payload);
	if (data)
		enqueue(held, data);
	return data != NULL;
}

void ttrpc_streamed_ended(struct held_request *held)
{
	if (held->pub.ended)
		return;
	held->pub.ended = true;
	held->pub.conn->nr_coming--;
	held->pub.conn->held_coming -= held->held;
}

void ttrpc_streamed_drop(struct held_request *held)
{
	while (held->queue)
		free_data(held->queue);
	held->queue_end = &held->queue;
	held->nr_queued = 0;
	set_full(held, false);
}

void ttrpc_streamed_release(struct held_request *held)
{
	ttrpc_streamed_drop(held);
	while (held->taken)
		free_data(held->taken);
}

void ttrpc_streamed_cut(struct held_request *held, int code, const char *reason)
{
	struct ttrpc_conn *conn = ttrpc_conn_ref(held->pub.conn);

	held->pub.cut = true;
	ttrpc_request_answered(&held->pub);
	if (conn->open)
		ttrpc_conn_refuse(conn, held->pub.stream_id, code, reason);
	tell(held);
	ttrpc_conn_throttle(conn);
	ttrpc_conn_unref(conn);
}

static struct held_request *first_streamed(const struct ttrpc_conn *conn)
{
	for (unsigned i = 0; i < STREAM_BUCKETS; i++) {
		for (struct ttrpc_request *at = conn->streams[i]; at; at = at->next) {
			if (at->streamed)
				return held_of(at);
		}
	}
	return NULL;
}

void ttrpc_streamed_cut_all(struct ttrpc_conn *conn)
{
	struct held_request *held;

	while ((held = first_streamed(conn)))
		ttrpc_streamed_cut(held, TTRPC_CANCELLED, "");
}

static struct held_request *largest_coming(const struct ttrpc_conn *conn)
{
	struct held_request *largest = NULL;

	for (unsigned i = 0; i < STREAM_BUCKETS; i++) {
		for (struct ttrpc_request *at = conn->streams[i]; at; at = at->next) {
			struct held_request *held = held_of(at);

			if (!at->ended && (!largest || held->held > largest->held))
				largest = held;
		}
	}
	return largest;
}

bool ttrpc_streamed_needs_room(const struct ttrpc_conn *conn)
{
	size_t held = conn->held + (conn->frames.discarding ? 0 : conn->frames.have);

	/* Anything else that is held will be let go of by itself. */
	return conn->nr_coming > 0 && conn->held == conn->held_coming &&
	       held >= conn->server->limits.held_max;
}

void ttrpc_streamed_make_room(struct ttrpc_conn *conn)
{
	const size_t max = conn->server->limits.held_max;
	char reason[REASON_SIZE];

	snprintf(reason, sizeof(reason),
		 "limit held: the streams of this connection have sent %zu bytes and none has "
		 "ended; it may hold %zu",
		 conn->held, max);
	ttrpc_streamed_cut(largest_coming(conn), TTRPC_RESOURCE_EXHAUSTED, reason);
}

void ttrpc_streamed_on_full(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct ttrpc_conn *conn = watcher->data;

	(void)loop;
	(void)events;
	if (conn->full)
		ttrpc_streamed_cut(conn->full, TTRPC_RESOURCE_EXHAUSTED,
				   "nobody takes the messages of this stream");
}

/* A data frame that no stream may have. */
static void breach(struct ttrpc_conn *conn, struct held_request *held, const char *reason)
{
	ttrpc_conn_ref(conn);
	ttrpc_streamed_cut(held, TTRPC_INVALID_ARGUMENT, reason);
	ttrpc_conn_violation(conn);
	ttrpc_conn_unref(conn);
}

bool ttrpc_streamed_wants(struct ttrpc_conn *conn, const struct ttrpc_frame_header *header)
{
	const size_t max = conn->server->limits.frame_max;
	struct ttrpc_request *request = ttrpc_request_find(conn, header->stream_id);
	char reason[REASON_SIZE];

	if (!request || request->ended)
		return false;
	if (header->length > max) {
		snprintf(reason, sizeof(reason),
			 "message length %u exceed maximum message size of %zu",
			 (unsigned)header->length, max);
		ttrpc_streamed_cut(held_of(request), TTRPC_INVALID_ARGUMENT, reason);
		return false;
	}
	if ((header->flags & TTRPC_NO_DATA) && header->length > 0) {
		breach(conn, held_of(request), "a frame with the flag `no data` has data");
		return false;
	}
	return true;
}

void ttrpc_streamed_receive(struct ttrpc_conn *conn, const struct ttrpc_frame_header *header,
			    uint8_t *body)
{
	const ProtobufCBinaryData payload = { .len = header->length, .data = body };
	struct ttrpc_request *request = ttrpc_request_find(conn, header->stream_id);
	struct held_request *held;
	struct ttrpc_data *data = NULL;

	/* It may have been answered while the frame came. */
	if (!request || request->ended) {
		free(body);
		return;
	}
	held = held_of(request);
	request->received += header->length;
	if (!(header->flags & TTRPC_NO_DATA)) {
		data = data_new(held, body, payload);
		if (!data) {
			free(body);
			ttrpc_streamed_cut(held, TTRPC_RESOURCE_EXHAUSTED, "out of memory");
			return;
		}
		enqueue(held, data);
	}
	if (header->flags & TTRPC_REMOTE_CLOSED)
		ttrpc_streamed_ended(held);
	tell(held);
}

struct ttrpc_data *ttrpc_request_take(struct ttrpc_request *request)
{
	struct held_request *held = held_of(request);
	struct ttrpc_data *data = held->queue;

	if (!data)
		return NULL;
	unlink_data(data);
	if (!held->queue)
		held->queue_end = &held->queue;
	held->nr_queued--;
	link_data(data, &held->taken);
	set_full(held, false);
	ttrpc_conn_throttle(request->conn);
	return data;
}

int ttrpc_data_decode(struct ttrpc_data *data, const ProtobufCMessageDescriptor *type,
		      ProtobufCMessage **message, char *err, size_t errsize)
{
	int code = ttrpc_message_decode(type, data->payload.data, data->payload.len, &data->arena,
					message, err, errsize);

	ttrpc_request_hold(held_of(data->request), data->arena.used, 0);
	data->request->conn->decoded += data->arena.used;
	data->charged += data->arena.used;
	ttrpc_conn_throttle(data->request->conn);
	return code;
}
