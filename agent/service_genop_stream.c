/*
 * service_genop_stream.c - GenopStream: a Genop whose arguments come in several requests, for peers
 * whose frames are small. An argument that does not fit into one of them comes in chunks.
 *
 *     gather ── takes each message as it comes ──▶ one genop.Request ──▶ genop_start()
 *
 * A chunk is copied once, to its place in the argument, and its frame freed; the memory for an
 * argument grows with the bytes that arrived, whatever size was announced. Other arguments stay
 * where they came. All of it is counted as held by the connection, and goes with the request.
 *
 * Chunks come one after the other and are as many and as long as each of them says; requests name
 * one session; arguments to read come before those to write. Anything else is refused.
 */
#include "genop.h"
#include "reply.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_FIRST = 64 << 10, NANO_PER_SECOND = 1000000000 };

struct arguments {
	Vaccel__Genop__Arg **list;
	size_t count, capacity;
};

/* An argument made of chunks; in the gather's list from its first chunk on. */
struct chunked {
	struct chunked *next;
	Vaccel__Genop__Arg arg; /* buf.len: what has come; the rest as each chunk says */
	bool write;
	size_t capacity;
	uint8_t *bytes;
};

struct gather {
	struct service_stream stream; /* first */
	struct ttrpc_request *request;
	struct agent *agent;
	bool begun, done; /* a message came; it was handed on, or refused */
	int64_t session_id;
	struct arguments read, write;
	struct chunked *chunked;
	struct chunked *coming; /* the one that is not complete, or NULL */
	size_t bytes;		/* of all arguments */
	ev_timer deadline, idle;
	uint64_t ends_us;
};

static void forget(void *user)
{
	struct gather *gather = user;
	struct chunked *chunked;

	ev_timer_stop(ttrpc_conn_loop(gather->request->conn), &gather->deadline);
	ev_timer_stop(ttrpc_conn_loop(gather->request->conn), &gather->idle);
	while ((chunked = gather->chunked)) {
		gather->chunked = chunked->next;
		free(chunked->bytes);
		free(chunked);
	}
	free(gather->read.list);
	free(gather->write.list);
	free(gather);
}

/* Nothing more is taken; the request may be gone after what the caller does next. */
static void settle(struct gather *gather)
{
	gather->done = true;
	ev_timer_stop(ttrpc_conn_loop(gather->request->conn), &gather->deadline);
	ev_timer_stop(ttrpc_conn_loop(gather->request->conn), &gather->idle);
}

__attribute__((format(printf, 2, 3))) static bool refuse(struct gather *gather, const char *format,
							 ...)
{
	char reason[160];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	settle(gather);
	reply_status(gather->request, TTRPC_INVALID_ARGUMENT, "GenopStream: %s", reason);
	return false;
}

static bool refuse_memory(struct gather *gather)
{
	settle(gather);
	reply_vaccel(gather->request, VACCEL_ENOMEM, "out of memory");
	return false;
}

/* Together, arguments may be as long as in one request. */
static bool fits(struct gather *gather, size_t bytes)
{
	const size_t max = gather->agent->limits.frame;
	char reason[160];

	if (bytes <= max && gather->bytes <= max - bytes)
		return true;
	snprintf(reason, sizeof(reason),
		 "limit frame: the arguments of the stream exceed %zu bytes", max);
	settle(gather);
	reply_limit(gather->request, VACCEL_ENOMEM, reason);
	return false;
}

static bool append(struct gather *gather, bool write, Vaccel__Genop__Arg *arg)
{
	struct arguments *to = write ? &gather->write : &gather->read;

	if (to->count == to->capacity) {
		size_t capacity = to->capacity ? to->capacity * 2 : 16;
		Vaccel__Genop__Arg **list = reallocarray(to->list, capacity, sizeof(*list));

		if (!list)
			return refuse_memory(gather);
		ttrpc_request_charge(gather->request, (capacity - to->capacity) * sizeof(*list));
		to->list = list;
		to->capacity = capacity;
	}
	to->list[to->count++] = arg;
	return true;
}

/* Arguments that are whole; they stay in the message. */
static bool take_whole(struct gather *gather, bool write, Vaccel__Genop__Arg **args, size_t count)
{
	size_t i;

	if (count && !write && gather->write.count)
		return refuse(gather, "an argument to read comes after one to write");
	for (i = 0; i < count; i++) {
		if (args[i]->parts > 1)
			return refuse(gather, "a chunk is not alone in its request");
		args[i]->parts = 0;
		args[i]->part_no = 0;
		if (!fits(gather, args[i]->buf.len))
			return false;
		gather->bytes += args[i]->buf.len;
		if (!append(gather, write, args[i]))
			return false;
	}
	return true;
}

/* Room for so many bytes more, of an argument whose announced size they do not exceed. */
static bool grow(struct gather *gather, struct chunked *chunked, size_t more)
{
	size_t want = chunked->arg.buf.len + more;
	size_t capacity = chunked->capacity ? chunked->capacity : BUFFER_FIRST;
	uint8_t *bytes;

	if (want <= chunked->capacity)
		return true;
	while (capacity < want)
		capacity *= 2;
	if (capacity > chunked->arg.size)
		capacity = chunked->arg.size;
	bytes = realloc(chunked->bytes, capacity);
	if (!bytes)
		return refuse_memory(gather);
	ttrpc_request_charge(gather->request, capacity - chunked->capacity);
	chunked->bytes = bytes;
	chunked->capacity = capacity;
	return true;
}

static bool begin_chunked(struct gather *gather, bool write, const Vaccel__Genop__Arg *chunk)
{
	struct chunked *chunked;

	if (chunk->part_no != 1)
		return refuse(gather, "chunk %u of %u comes first", chunk->part_no, chunk->parts);
	if (!write && gather->write.count)
		return refuse(gather, "an argument to read comes after one to write");
	if (!fits(gather, chunk->size))
		return false;
	chunked = calloc(1, sizeof(*chunked));
	if (!chunked)
		return refuse_memory(gather);
	chunked->arg = *chunk;
	chunked->arg.buf.len = 0;
	chunked->arg.part_no = 0;
	chunked->write = write;
	chunked->next = gather->chunked;
	gather->chunked = chunked;
	gather->coming = chunked;
	return true;
}

/* Is it what must come now? */
static bool follows(struct gather *gather, bool write, const Vaccel__Genop__Arg *chunk)
{
	const Vaccel__Genop__Arg *arg = &gather->coming->arg;

	if (gather->coming->write != write || chunk->parts != arg->parts ||
	    chunk->size != arg->size || chunk->arg_type != arg->arg_type ||
	    chunk->custom_type_id != arg->custom_type_id)
		return refuse(gather, "chunks of different arguments are mixed");
	if (chunk->part_no != arg->part_no + 1)
		return refuse(gather, "chunk %u of %u comes after chunk %u", chunk->part_no,
			      chunk->parts, arg->part_no);
	if (chunk->buf.len > arg->size - arg->buf.len)
		return refuse(gather, "chunks of an argument of %u bytes have more", arg->size);
	if (chunk->part_no == chunk->parts && chunk->buf.len < arg->size - arg->buf.len)
		return refuse(gather, "chunks of an argument of %u bytes have fewer", arg->size);
	return true;
}

static bool take_chunk(struct gather *gather, bool write, const Vaccel__Genop__Arg *chunk)
{
	struct chunked *coming;

	if (!gather->coming && !begin_chunked(gather, write, chunk))
		return false;
	coming = gather->coming;
	if (!follows(gather, write, chunk) || !grow(gather, coming, chunk->buf.len))
		return false;
	if (chunk->buf.len)
		memcpy(coming->bytes + coming->arg.buf.len, chunk->buf.data, chunk->buf.len);
	coming->arg.buf.data = coming->bytes;
	coming->arg.buf.len += chunk->buf.len;
	coming->arg.part_no++;
	if (coming->arg.part_no < coming->arg.parts)
		return true;
	coming->arg.parts = 0;
	coming->arg.part_no = 0;
	gather->bytes += coming->arg.buf.len;
	gather->coming = NULL;
	return append(gather, write, &coming->arg);
}

/* A chunk is alone in its request. One that is an argument's only one is that argument. */
static const Vaccel__Genop__Arg *chunk_of(const Vaccel__Genop__Request *message)
{
	const Vaccel__Genop__Arg *arg;

	if (message->n_read_args + message->n_write_args != 1)
		return NULL;
	arg = message->n_write_args ? message->write_args[0] : message->read_args[0];
	return arg->parts > 1 ? arg : NULL;
}

/* A session that does not exist is told of before the rest has come. */
static bool is_known(struct gather *gather, int64_t id)
{
	struct connection *connection = ttrpc_conn_user(gather->request->conn);

	if (id > 0 && connection_session(connection, id))
		return true;
	settle(gather);
	service_session(connection, id, gather->request); /* which answers */
	return false;
}

static bool take_message(struct gather *gather, const Vaccel__Genop__Request *message, bool *keep)
{
	const bool write = message->n_write_args;
	const Vaccel__Genop__Arg *chunk = chunk_of(message);

	*keep = !chunk;
	if (gather->begun && message->session_id != gather->session_id)
		return refuse(gather, "session %" PRId64 " comes after session %" PRId64,
			      message->session_id, gather->session_id);
	if (!gather->begun && !is_known(gather, message->session_id))
		return false;
	gather->begun = true;
	gather->session_id = message->session_id;
	if (chunk)
		return take_chunk(gather, write, chunk);
	if (gather->coming)
		return refuse(gather, "chunk %u of %u is followed by something else",
			      gather->coming->arg.part_no, gather->coming->arg.parts);
	return take_whole(gather, false, message->read_args, message->n_read_args) &&
	       take_whole(gather, true, message->write_args, message->n_write_args);
}

/* False: the stream has been refused, and the request may be gone. */
static bool take_data(struct gather *gather, struct ttrpc_data *data)
{
	ProtobufCMessage *message;
	char reason[120] = "";
	bool keep = true;
	int code = ttrpc_data_decode(data, &vaccel__genop__request__descriptor, &message, reason,
				     sizeof(reason));

	if (code == -EBADMSG)
		return refuse(gather, "%s", reason);
	if (code) {
		settle(gather);
		reply_status(gather->request, TTRPC_RESOURCE_EXHAUSTED, "%s", reason);
		return false;
	}
	if (!take_message(gather, (const Vaccel__Genop__Request *)message, &keep))
		return false;
	if (!keep)
		ttrpc_data_free(data);
	return true;
}

/* What is left of the caller's time is the operation's. */
static void hand_on(struct gather *gather)
{
	struct ttrpc_request *request = gather->request;
	Vaccel__Genop__Request *genop = ttrpc_arena_alloc(&request->arena, sizeof(*genop));
	uint64_t now = agent_now_us();

	if (!genop) {
		refuse_memory(gather);
		return;
	}
	vaccel__genop__request__init(genop);
	genop->session_id = gather->session_id;
	genop->n_read_args = gather->read.count;
	genop->read_args = gather->read.list;
	genop->n_write_args = gather->write.count;
	genop->write_args = gather->write.list;
	if (request->timeout_nano > 0)
		request->timeout_nano =
			now < gather->ends_us ? (int64_t)(gather->ends_us - now) * 1000 : 1;
	settle(gather);
	genop_start(ttrpc_conn_user(request->conn), request, genop);
}

static void finish(struct gather *gather)
{
	if (gather->coming)
		refuse(gather, "it ends after chunk %u of %u", gather->coming->arg.part_no,
		       gather->coming->arg.parts);
	else if (!gather->begun)
		refuse(gather, "it ends before its first request");
	else
		hand_on(gather);
}

static void go_on(struct ttrpc_request *request)
{
	struct gather *gather = request->user;
	struct ttrpc_data *data;

	if (gather->done)
		return;
	if (request->cut) {
		settle(gather);
		reply_status(request, TTRPC_CANCELLED, "cut");
		return;
	}
	ev_timer_again(ttrpc_conn_loop(gather->request->conn), &gather->idle);
	while ((data = ttrpc_request_take(request)))
		if (!take_data(gather, data))
			return;
	if (request->ended)
		finish(gather);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct gather *gather = timer->data;

	(void)loop;
	(void)events;
	settle(gather);
	reply_status(gather->request, TTRPC_DEADLINE_EXCEEDED, "timeout");
}

/* Like a frame that does not complete. It is no fault of the peer while we do not read. */
static void on_idle(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct gather *gather = timer->data;

	(void)loop;
	(void)events;
	if (!ttrpc_conn_is_reading(gather->request->conn))
		return;
	settle(gather);
	reply_status(gather->request, TTRPC_DEADLINE_EXCEEDED,
		     "limit frame-timeout: nothing more of the stream came for %zu s",
		     gather->agent->limits.frame_timeout);
}

static void begin(struct connection *connection, struct ttrpc_request *request,
		  const ProtobufCMessage *message)
{
	struct gather *gather = calloc(1, sizeof(*gather));
	struct agent *agent = connection->agent;

	(void)message;
	if (!gather)
		return reply_vaccel(request, VACCEL_ENOMEM, "out of memory");
	gather->stream.go_on = go_on;
	gather->request = request;
	gather->agent = agent;
	request->user = gather;
	request->forget = forget;
	ev_timer_init(&gather->deadline, on_deadline,
		      (double)request->timeout_nano / NANO_PER_SECOND, 0.);
	ev_timer_init(&gather->idle, on_idle, 0., (double)agent->limits.frame_timeout);
	gather->deadline.data = gather;
	gather->idle.data = gather;
	if (request->timeout_nano > 0) {
		gather->ends_us = agent_now_us() + (uint64_t)request->timeout_nano / 1000;
		ev_timer_start(ttrpc_conn_loop(request->conn), &gather->deadline);
	}
	go_on(request);
}

const struct method stream_methods[] = {
	{ "GenopStream", NULL, begin },
	{ NULL, NULL, NULL },
};
