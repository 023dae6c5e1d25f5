/*
 * genop_stream.c - a Genop that is too long for one frame of vAccel's asynchronous agents, as the
 * stream of requests that they know: arguments to read, then those to write, as many in a request
 * as fit; one that does not fit comes after what was pending, in chunks that are each alone in
 * their request.
 *
 * Nothing is copied: requests and chunks refer to the caller's memory.
 */
#include "frame.h"
#include "genop.pb-c.h"
#include "rpc.h"
#include <errno.h>
#include <string.h>

/* What those agents' own clients send at most: of a request, and of an argument in a chunk. */
enum { REQUEST_MAX = 4 << 20, CHUNK_MAX = REQUEST_MAX - 64 };

struct sender {
	struct ttrpc_stream *stream;
	Vaccel__Genop__Request pending; /* its list is part of the caller's */
	size_t size;			/* of it, encoded */
	bool write;
};

static void begin_request(struct sender *sender, Vaccel__Genop__Arg **args)
{
	Vaccel__Genop__Request *pending = &sender->pending;

	pending->n_read_args = 0;
	pending->n_write_args = 0;
	if (sender->write)
		pending->write_args = args;
	else
		pending->read_args = args;
	sender->size = protobuf_c_message_get_packed_size(&pending->base);
}

static size_t *count_of(struct sender *sender)
{
	return sender->write ? &sender->pending.n_write_args : &sender->pending.n_read_args;
}

static int send_chunks(struct sender *sender, const Vaccel__Genop__Arg *arg)
{
	Vaccel__Genop__Arg chunk = *arg;
	Vaccel__Genop__Arg *list = &chunk;
	int ret = 0;

	chunk.parts = (uint32_t)((arg->buf.len + CHUNK_MAX - 1) / CHUNK_MAX);
	begin_request(sender, &list);
	*count_of(sender) = 1;
	for (size_t at = 0; !ret && at < arg->buf.len; at += CHUNK_MAX) {
		const size_t left = arg->buf.len - at;

		chunk.part_no++;
		chunk.buf.data = arg->buf.data + at;
		chunk.buf.len = left < CHUNK_MAX ? left : CHUNK_MAX;
		ret = ttrpc_stream_send(sender->stream, &sender->pending.base);
	}
	return ret;
}

static int send_args(struct sender *sender, Vaccel__Genop__Arg **args, size_t count)
{
	int ret = 0;

	begin_request(sender, args);
	for (size_t i = 0; !ret && i < count; i++) {
		const size_t size = protobuf_c_message_get_packed_size(&args[i]->base);

		if (sender->size + size < REQUEST_MAX) {
			(*count_of(sender))++;
			/* with its tag and length, as protobuf has it */
			sender->size += size + 1 + (size < 128 ? 1 : size < 16384 ? 2 : 4);
			continue;
		}
		ret = ttrpc_stream_send(sender->stream, &sender->pending.base);
		if (!ret)
			ret = send_chunks(sender, args[i]);
		begin_request(sender, args + i + 1);
	}
	if (!ret && *count_of(sender) > 0)
		ret = ttrpc_stream_send(sender->stream, &sender->pending.base);
	return ret;
}

/* Returns as ttrpc_client_call(). */
static int exchange(struct rpc_connection *conn, const Vaccel__Genop__Request *request,
		    struct ttrpc_answer *answer)
{
	struct sender sender = { .pending = VACCEL__GENOP__REQUEST__INIT };
	int ret = ttrpc_stream_open(conn->client, RPC_SERVICE_ASYNC, "GenopStream", NULL, true,
				    conn->timeout_ns, &sender.stream);

	if (ret)
		return ret;
	sender.pending.session_id = request->session_id;
	ret = send_args(&sender, request->read_args, request->n_read_args);
	sender.write = true;
	if (!ret)
		ret = send_args(&sender, request->write_args, request->n_write_args);
	if (!ret)
		ret = ttrpc_stream_close(sender.stream);
	/* The agent may refuse it before it has all: its answer says why. */
	if (!ret || ret == -EPIPE)
		ret = ttrpc_stream_receive(sender.stream, &vaccel__genop__response__descriptor,
					   answer);
	ttrpc_stream_free(sender.stream);
	return ret == -ENODATA || ret == -ENOBUFS ? -EBADMSG : ret;
}

bool rpc_genop_streams(const struct rpc_connection *conn, const Vaccel__Genop__Request *request)
{
	/* The call's other fields take some bytes of the frame. */
	return conn->plain && strcmp(atomic_load(&conn->service), RPC_SERVICE_ASYNC) == 0 &&
	       protobuf_c_message_get_packed_size(&request->base) > TTRPC_FRAME_PLAIN - 128;
}

int rpc_genop_stream(struct rpc_connection *conn, const Vaccel__Genop__Request *request,
		     struct ttrpc_answer *answer)
{
	const int ret = exchange(conn, request, answer);

	return rpc_outcome(conn, "GenopStream", &request->base, ret, answer);
}
