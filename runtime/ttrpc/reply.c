/*
 * reply.c - answers: queued on their connection, written together once per wake-up.
 */
#include "server_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Writes for one connection in a row; messages of one stream that may wait to be written. */
enum { WRITE_BATCH = 16, SENT_MAX = 64, REASON_SIZE = 128 };

/* What the queue holds, as one array; of a frame in segments, as far as it is cut. */
static size_t gather(const struct ttrpc_conn *conn, struct iovec *iov)
{
	size_t n = 0;

	for (struct outgoing *outgoing = conn->queue; outgoing && n < IOV_MAX;
	     outgoing = outgoing->next) {
		n += ttrpc_sending_pending(&outgoing->sending, &outgoing->out, conn->shared,
					   iov + n, IOV_MAX - n);
		if (!ttrpc_sending_is_cut(&outgoing->sending))
			break;
	}
	return n;
}

/* A message of a stream has left, or is dropped: its owner may have waited for that. */
static void sent(struct held_request *held)
{
	struct ttrpc_server *server = held->pub.conn->server;

	held->nr_sent--;
	if (held->answered && held->nr_sent == 0) {
		ttrpc_request_end(&held->pub);
	} else if (held->waits && held->nr_sent < SENT_MAX / 2) {
		held->waits = false;
		server->handlers.stream(server->ctx, &held->pub);
	}
}

static void pop(struct ttrpc_conn *conn)
{
	struct outgoing *outgoing = conn->queue;
	struct held_request *held = outgoing->request;

	conn->out -= outgoing->out.size;
	conn->queue = outgoing->next;
	if (!conn->queue)
		conn->queue_end = &conn->queue;
	if (held && outgoing == &held->answer) {
		ttrpc_request_end(&held->pub);
		return;
	}
	if (outgoing->release)
		outgoing->release(outgoing->arg);
	ttrpc_out_release(&outgoing->out);
	free(outgoing);
	if (held)
		sent(held);
}

/* `written` bytes of the queue have left. The connection may close while answers are released. */
static void advance(struct ttrpc_conn *conn, size_t written)
{
	while (conn->queue) {
		struct outgoing *outgoing = conn->queue;

		written = ttrpc_sending_advance(&outgoing->sending, &outgoing->out, written);
		if (!ttrpc_sending_is_done(&outgoing->sending))
			return;
		pop(conn);
	}
}

/* The count, or a negative errno. What goes in segments is copied to shared memory here. */
static ssize_t send_bytes(struct ttrpc_conn *conn)
{
	struct ttrpc_server *server = conn->server;
	struct msghdr msg = { .msg_iov = server->iov };
	union ttrpc_control control;
	ssize_t n;

	ttrpc_server_release(server);
	msg.msg_iovlen = gather(conn, server->iov);
	ttrpc_conn_attach(conn, &msg, &control);
	n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		n = -errno;
	ttrpc_server_acquire(server);
	return n;
}

/* False when the socket takes no more for now, or the connection has gone. */
static bool write_once(struct ttrpc_conn *conn)
{
	struct ttrpc_server *server = conn->server;
	ssize_t n = send_bytes(conn);

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n < 0) {
		ttrpc_conn_close(conn, "client");
		return false;
	}
	ttrpc_conn_attached(conn);
	if (ev_is_active(&conn->write_timer))
		ev_timer_again(server->loop, &conn->write_timer);
	advance(conn, (size_t)n);
	return conn->open;
}

void ttrpc_conn_write(struct ttrpc_conn *conn)
{
	struct ev_loop *loop = conn->server->loop;

	if (!conn->open)
		return;
	for (int i = 0; i < WRITE_BATCH && conn->queue; i++) {
		if (!write_once(conn))
			break;
	}
	if (!conn->open)
		return;
	if (!conn->queue) {
		ev_io_stop(loop, &conn->writable);
		ev_timer_stop(loop, &conn->write_timer);
	} else if (!ev_is_active(&conn->writable)) {
		ev_io_start(loop, &conn->writable);
		ev_timer_again(loop, &conn->write_timer);
	}
	ttrpc_conn_throttle(conn);
}

void ttrpc_conn_drop_queue(struct ttrpc_conn *conn)
{
	while (conn->queue)
		pop(conn);
}

static void mark_dirty(struct ttrpc_conn *conn)
{
	struct ttrpc_server *server = conn->server;

	/* One that waits for its socket is flushed when that is ready. */
	if (conn->dirty || ev_is_active(&conn->writable))
		return;
	if (!server->dirty)
		ev_feed_event(server->loop, &server->flush, EV_CUSTOM);
	conn->dirty = true;
	conn->next_dirty = server->dirty;
	server->dirty = ttrpc_conn_ref(conn);
}

void ttrpc_conn_queue(struct ttrpc_conn *conn, struct outgoing *outgoing)
{
	const bool is_long = outgoing->out.size >= TTRPC_SHARED_FRAME_MIN;

	if (is_long)
		ttrpc_conn_offer(conn);
	ttrpc_sending_init(&outgoing->sending, &outgoing->out, is_long && conn->shared_by_peer);
	*conn->queue_end = outgoing;
	conn->queue_end = &outgoing->next;
	conn->out += outgoing->out.size;
	mark_dirty(conn);
	ttrpc_conn_throttle(conn);
}

void ttrpc_conn_refuse(struct ttrpc_conn *conn, uint32_t stream_id, int code, const char *reason)
{
	const struct ttrpc_status status = { .code = code, .message = reason };
	struct outgoing *outgoing = calloc(1, sizeof(*outgoing));

	if (!outgoing || ttrpc_out_response(&outgoing->out, stream_id, &status, NULL,
					    conn->server->limits.frame_max)) {
		free(outgoing);
		ttrpc_conn_close(conn, "client");
		return;
	}
	ttrpc_conn_queue(conn, outgoing);
}

static int pack(struct held_request *held, const struct ttrpc_status *status,
		const ProtobufCMessage *response)
{
	size_t max = held->pub.conn->server->limits.frame_max;

	return ttrpc_out_response(&held->answer.out, held->pub.stream_id, status, response, max);
}

/* Answer that the answer cannot be sent. */
static int pack_apology(struct held_request *held, int code)
{
	char reason[REASON_SIZE];
	const struct ttrpc_status status = { .code = TTRPC_RESOURCE_EXHAUSTED, .message = reason };

	snprintf(reason, sizeof(reason),
		 "the answer cannot be sent: %s (frames of at most %zu bytes)", strerror(-code),
		 held->pub.conn->server->limits.frame_max);
	return pack(held, &status, NULL);
}

/* Nobody is there to be answered. */
static bool is_unheard(struct held_request *held)
{
	if (held->pub.conn->open && !held->pub.cut)
		return false;
	held->answered = true;
	if (held->nr_sent == 0)
		ttrpc_request_end(&held->pub);
	return true;
}

/* Queue the answer that was packed, or give up if none could be. */
static void answer(struct held_request *held, int err)
{
	struct ttrpc_request *request = &held->pub;
	struct ttrpc_conn *conn = request->conn;

	if (err) {
		ttrpc_conn_ref(conn);
		held->answered = true;
		if (held->nr_sent == 0)
			ttrpc_request_end(request);
		ttrpc_conn_close(conn, "client");
		ttrpc_conn_unref(conn);
		return;
	}
	ttrpc_request_answered(request);
	held->answer.request = held;
	ttrpc_conn_queue(conn, &held->answer);
}

static void respond(struct held_request *held, const struct ttrpc_status *status,
		    const ProtobufCMessage *response)
{
	int err;

	if (is_unheard(held))
		return;
	err = pack(held, status, response);
	if (err)
		err = pack_apology(held, err);
	answer(held, err);
}

void ttrpc_request_reply(struct ttrpc_request *request, const ProtobufCMessage *response,
			 void (*release)(void *arg), void *arg)
{
	struct held_request *held = held_of(request);

	held->answer.release = release;
	held->answer.arg = arg;
	respond(held, NULL, response);
}

void ttrpc_request_fail(struct ttrpc_request *request, const struct ttrpc_status *status)
{
	respond(held_of(request), status, NULL);
}

void ttrpc_request_finish(struct ttrpc_request *request)
{
	struct held_request *held = held_of(request);

	if (!is_unheard(held))
		answer(held,
		       ttrpc_out_data(&held->answer.out, request->stream_id,
				      TTRPC_REMOTE_CLOSED | TTRPC_NO_DATA, NULL, TTRPC_FRAME_MAX));
}

int ttrpc_request_send(struct ttrpc_request *request, const ProtobufCMessage *message,
		       void (*release)(void *arg), void *arg)
{
	struct held_request *held = held_of(request);
	struct ttrpc_conn *conn = request->conn;
	struct outgoing *outgoing;
	int err;

	if (!conn->open || request->cut)
		return -ECONNRESET;
	held->waits = held->nr_sent >= SENT_MAX;
	if (held->waits)
		return -EAGAIN;
	outgoing = calloc(1, sizeof(*outgoing));
	if (!outgoing)
		return -ENOMEM;
	err = ttrpc_out_data(&outgoing->out, request->stream_id, 0, message,
			     conn->server->limits.frame_max);
	if (err) {
		free(outgoing);
		return err;
	}
	outgoing->release = release;
	outgoing->arg = arg;
	outgoing->request = held;
	held->nr_sent++;
	ttrpc_conn_queue(conn, outgoing);
	return 0;
}
