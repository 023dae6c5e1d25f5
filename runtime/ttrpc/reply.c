/*
 * reply.c - answers: queued on their connection, written together once per wake-up.
 */
#include "server_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Writes for one connection in a row. */
enum { WRITE_BATCH = 16, REASON_SIZE = 128 };

/* What the queue holds, as one array. */
static size_t gather(const struct ttrpc_conn *conn, struct iovec *iov)
{
	size_t n = 0;

	for (const struct held_request *held = conn->queue; held && n < IOV_MAX;
	     held = held->next_out)
		n += ttrpc_out_pending(&held->out, &held->position, iov + n, IOV_MAX - n);
	return n;
}

static void pop(struct ttrpc_conn *conn)
{
	struct held_request *held = conn->queue;

	conn->queue = held->next_out;
	if (!conn->queue)
		conn->queue_end = &conn->queue;
	ttrpc_request_end(&held->pub);
}

/* `written` bytes of the queue have left. The connection may close while answers are released. */
static void advance(struct ttrpc_conn *conn, size_t written)
{
	conn->out -= written;
	while (conn->queue) {
		struct held_request *held = conn->queue;

		written = ttrpc_out_advance(&held->out, &held->position, written);
		if (!ttrpc_out_written(&held->out, &held->position))
			return;
		pop(conn);
	}
}

/* False when the socket takes no more for now, or the connection has gone. */
static bool write_once(struct ttrpc_conn *conn)
{
	struct ttrpc_server *server = conn->server;
	struct msghdr msg = { .msg_iov = server->iov };
	ssize_t n;

	msg.msg_iovlen = gather(conn, server->iov);
	n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0) {
		ttrpc_conn_close(conn, "client");
		return false;
	}
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
	conn->out = 0;
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

static int pack(struct held_request *held, const struct ttrpc_status *status,
		const ProtobufCMessage *response)
{
	size_t max = held->pub.conn->server->limits.frame_max;

	return ttrpc_out_response(&held->out, held->pub.stream_id, status, response, max);
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

static void answer(struct ttrpc_request *request, const struct ttrpc_status *status,
		   const ProtobufCMessage *response)
{
	struct held_request *held = held_of(request);
	struct ttrpc_conn *conn = request->conn;
	int err;

	if (!conn->open) {
		ttrpc_request_end(request);
		return;
	}
	err = pack(held, status, response);
	if (err)
		err = pack_apology(held, err);
	if (err) {
		ttrpc_conn_ref(conn);
		ttrpc_request_end(request);
		ttrpc_conn_close(conn, "client");
		ttrpc_conn_unref(conn);
		return;
	}
	ttrpc_request_answered(request);
	*conn->queue_end = held;
	conn->queue_end = &held->next_out;
	conn->out += held->out.size;
	mark_dirty(conn);
	ttrpc_conn_throttle(conn);
}

void ttrpc_request_reply(struct ttrpc_request *request, const ProtobufCMessage *response,
			 void (*release)(void *arg), void *arg)
{
	struct held_request *held = held_of(request);

	held->release = release;
	held->arg = arg;
	answer(request, NULL, response);
}

void ttrpc_request_fail(struct ttrpc_request *request, const struct ttrpc_status *status)
{
	answer(request, status, NULL);
}
