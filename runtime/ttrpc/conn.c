/*
 * conn.c - one connection of a server: its life, what it reads, and when it stops reading.
 *
 * End of file, also of one direction, means that the peer has gone: existing clients never close
 * half, and an answer that nobody waits for need not be written.
 */
#include "server_internal.h"
#include "socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Receives for one connection in a row, so that the others have their turn. */
enum { RECEIVE_BATCH = 16, VIOLATIONS_MAX = 16 };

struct ttrpc_conn *ttrpc_conn_ref(struct ttrpc_conn *conn)
{
	conn->refs++;
	return conn;
}

/* Whatever changes what a connection holds ends here. */
static void tell_usage(struct ttrpc_conn *conn)
{
	const struct ttrpc_usage now = {
		.streams = conn->nr_streams,
		.held = conn->held + conn->out + conn->rest_size +
			(conn->frames.discarding ? 0 : conn->frames.have),
		.decoded = conn->decoded,
	};

	if (memcmp(&now, &conn->told, sizeof(now)) == 0)
		return;
	if (conn->account)
		conn->over = conn->server->handlers.usage(conn->account, &conn->told, &now);
	conn->told = now;
}

void ttrpc_conn_unref(struct ttrpc_conn *conn)
{
	struct ttrpc_server *server = conn->server;

	if (--conn->refs > 0)
		return;
	tell_usage(conn);
	if (conn->account)
		server->handlers.forget(conn->account);
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		server->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	free(conn->listener_name);
	free(conn);
	ttrpc_server_unref(server);
}

/* Everything of an open connection but what its requests hold. */
static void shut(struct ttrpc_conn *conn)
{
	struct ev_loop *loop = conn->server->loop;
	struct ttrpc_server *first = conn->server->first;

	conn->open = false;
	first->nr_open--;
	ev_io_stop(loop, &conn->readable);
	ev_io_stop(loop, &conn->writable);
	ev_timer_stop(loop, &conn->frame_timer);
	ev_timer_stop(loop, &conn->write_timer);
	ev_timer_stop(loop, &conn->full_timer);
	ev_clear_pending(loop, &conn->readable);
	close(conn->fd);
	ttrpc_reader_release(&conn->frames);
	ttrpc_conn_unshare(conn);
	free(conn->rest);
	conn->rest = NULL;
	conn->rest_size = 0;
	if (first->nr_open < first->limits.connections_max)
		first->full_logged = false;
}

void ttrpc_conn_close(struct ttrpc_conn *conn, const char *reason)
{
	struct ttrpc_server *server = conn->server;

	if (!conn->open)
		return;
	shut(conn);
	ttrpc_conn_drop_queue(conn);
	ttrpc_streamed_cut_all(conn);
	tell_usage(conn);
	server->handlers.closed(server->ctx, conn, reason);
	ttrpc_conn_unref(conn); /* it was open */
}

void ttrpc_conn_violation(struct ttrpc_conn *conn)
{
	if (++conn->violations >= VIOLATIONS_MAX)
		ttrpc_conn_close(conn, "protocol");
}

/* May we take more from this peer? A frame on its own is bounded by frame_max alone. */
static inline bool may_read(const struct ttrpc_conn *conn)
{
	const struct ttrpc_server_limits *limits = &conn->server->limits;
	size_t held = conn->held + (conn->frames.discarding ? 0 : conn->frames.have);

	/* Streams that still come end only if we read. */
	return conn->nr_streams - conn->nr_coming < limits->streams_max &&
	       conn->out < limits->out_max && !conn->full &&
	       (conn->held == 0 || held < limits->held_max);
}

/* A frame that is not complete has its time; it is no fault of the peer while we do not read. */
static void watch_frame(struct ttrpc_conn *conn)
{
	struct ev_loop *loop = conn->server->loop;

	if (!ttrpc_reader_within_frame(&conn->frames) || !ev_is_active(&conn->readable)) {
		ev_timer_stop(loop, &conn->frame_timer);
	} else if (!ev_is_active(&conn->frame_timer)) {
		conn->window = conn->frames.have;
		ev_timer_again(loop, &conn->frame_timer);
	}
}

void ttrpc_conn_throttle(struct ttrpc_conn *conn)
{
	struct ev_loop *loop = conn->server->loop;

	tell_usage(conn);
	if (!conn->open)
		return;
	if (!may_read(conn)) {
		ev_io_stop(loop, &conn->readable);
		/* Not here and now: our caller may be the owner of what has to go. */
		if (ttrpc_streamed_needs_room(conn))
			ev_feed_event(loop, &conn->readable, EV_READ);
	} else if (!ev_is_active(&conn->readable)) {
		ev_io_start(loop, &conn->readable);
		/* What was received before we stopped comes first, and no event will tell. */
		if (conn->stalled)
			ev_feed_event(loop, &conn->readable, EV_READ);
	}
	watch_frame(conn);
}

static void discard(struct ttrpc_conn *conn, int refusal)
{
	conn->refusal = refusal;
	ttrpc_reader_discard(&conn->frames);
}

/* Requests and messages of streams are kept, other frames skipped. False: this is no ttrpc. */
static bool on_header(struct ttrpc_conn *conn)
{
	const struct ttrpc_frame_header *header = &conn->frames.header;

	conn->refusal = TTRPC_OK;
	conn->dropped = NULL;
	conn->shared_by_peer |= conn->frames.segmented;
	if (header->length > TTRPC_FRAME_MAX)
		return false;
	if (header->type == TTRPC_DATA && ttrpc_streamed_wants(conn, header))
		return true;
	if (header->type != TTRPC_REQUEST)
		discard(conn, TTRPC_OK);
	else if (header->length > conn->server->limits.frame_max)
		discard(conn, TTRPC_INVALID_ARGUMENT);
	return true;
}

static void on_frame(struct ttrpc_conn *conn)
{
	struct ttrpc_frame_header header = conn->frames.header;
	bool discarded = conn->frames.discarding;
	uint8_t *body = ttrpc_reader_take(&conn->frames);

	/* The next frame has a time of its own. */
	ev_timer_stop(conn->server->loop, &conn->frame_timer);
	if (header.length >= TTRPC_SHARED_FRAME_MIN)
		ttrpc_conn_offer(conn);
	if (!discarded && header.type == TTRPC_DATA)
		ttrpc_streamed_receive(conn, &header, body);
	else if (!discarded)
		ttrpc_request_receive(conn, &header, body);
	else if (conn->refusal)
		ttrpc_request_refuse(conn, &header, conn->refusal);
}

/* Keep what was received for when reading goes on. The reader may hold a frame that is whole. */
static void stall(struct ttrpc_conn *conn, const uint8_t *data, size_t size)
{
	conn->stalled = true;
	if (size == 0)
		return;
	conn->rest = malloc(size);
	if (!conn->rest) {
		ttrpc_conn_close(conn, "client");
		return;
	}
	memcpy(conn->rest, data, size);
	conn->rest_size = size;
}

/* What comes in segments is copied out of shared memory here. */
static int feed(struct ttrpc_conn *conn, const uint8_t **data, size_t *size)
{
	int event;

	if (!conn->frames.segmented)
		return ttrpc_reader_feed(&conn->frames, data, size);
	ttrpc_server_release(conn->server);
	event = ttrpc_reader_feed(&conn->frames, data, size);
	ttrpc_server_acquire(conn->server);
	return event;
}

static void consume(struct ttrpc_conn *conn, const uint8_t *data, size_t size)
{
	int event = READER_FRAME;

	while (conn->open && event != READER_MORE) {
		if (!may_read(conn)) {
			stall(conn, data, size);
			break;
		}
		event = feed(conn, &data, &size);
		if (event == READER_FRAME)
			on_frame(conn);
		else if (event == -ENOMEM)
			discard(conn, TTRPC_RESOURCE_EXHAUSTED);
		else if (event == -EPROTO || (event == READER_HEADER && !on_header(conn)))
			ttrpc_conn_close(conn, "protocol");
	}
	ttrpc_reader_settle(&conn->frames);
}

static void consume_rest(struct ttrpc_conn *conn)
{
	uint8_t *rest = conn->rest;
	size_t size = conn->rest_size;

	conn->stalled = false;
	conn->rest = NULL;
	conn->rest_size = 0;
	consume(conn, rest, size);
	free(rest);
}

/* The count, 0 at the end, or a negative errno. */
static ssize_t receive_bytes(const struct ttrpc_conn *conn, uint8_t *buffer, size_t size)
{
	ssize_t n;

	ttrpc_server_release(conn->server);
	n = recv(conn->fd, buffer, size, MSG_DONTWAIT);
	if (n < 0)
		n = -errno;
	ttrpc_server_acquire(conn->server);
	return n;
}

/* Receive once. False when there is no more for now, or the connection has gone. */
static bool receive(struct ttrpc_conn *conn)
{
	uint8_t *buffer = conn->server->buffer;
	size_t size = sizeof(conn->server->buffer);
	uint8_t *direct = ttrpc_reader_space(&conn->frames, &size);
	ssize_t n = receive_bytes(conn, direct ? direct : buffer, size);

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n <= 0) {
		ttrpc_conn_close(conn, "client");
		return false;
	}
	if (direct)
		ttrpc_reader_filled(&conn->frames, (size_t)n);
	consume(conn, buffer, direct ? 0 : (size_t)n);
	return (size_t)n == size;
}

/* The frame that comes is more than may be held for all that share its account. */
static void drop_excess(struct ttrpc_conn *conn)
{
	if (!conn->open || conn->frames.discarding || conn->frames.have == 0)
		return;
	tell_usage(conn);
	if (!conn->over)
		return;
	conn->dropped = conn->over;
	discard(conn, TTRPC_RESOURCE_EXHAUSTED);
}

static bool may_receive(const struct ttrpc_conn *conn)
{
	return conn->open && !conn->stalled && may_read(conn);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct ttrpc_conn *conn = watcher->data;

	(void)loop;
	(void)events;
	ttrpc_conn_ref(conn);
	if (conn->stalled && may_read(conn))
		consume_rest(conn);
	for (int i = 0; i < RECEIVE_BATCH && may_receive(conn); i++) {
		bool more = receive(conn);

		drop_excess(conn);
		if (!more)
			break;
	}
	if (conn->open && ttrpc_streamed_needs_room(conn))
		ttrpc_streamed_make_room(conn);
	ttrpc_conn_throttle(conn);
	ttrpc_conn_unref(conn);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct ttrpc_conn *conn = watcher->data;

	(void)loop;
	(void)events;
	ttrpc_conn_ref(conn);
	ttrpc_conn_write(conn);
	ttrpc_conn_unref(conn);
}

/* A period is over and the frame is not complete: it goes on if it came fast enough. */
static void on_frame_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct ttrpc_conn *conn = watcher->data;
	const struct ttrpc_server_limits *limits = &conn->server->limits;
	double got = (double)(conn->frames.have - conn->window);

	(void)loop;
	(void)events;
	conn->window = conn->frames.have;
	if (got < limits->frame_timeout * (double)limits->frame_rate)
		ttrpc_conn_close(conn, "timeout");
}

static void on_write_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)events;
	ttrpc_conn_close(watcher->data, "slow");
}

static void init_watchers(struct ttrpc_conn *conn)
{
	const struct ttrpc_server_limits *limits = &conn->server->limits;

	ev_io_init(&conn->readable, on_readable, conn->fd, EV_READ);
	ev_io_init(&conn->writable, on_writable, conn->fd, EV_WRITE);
	ev_timer_init(&conn->frame_timer, on_frame_timer, 0., limits->frame_timeout);
	ev_timer_init(&conn->write_timer, on_write_timer, 0., limits->write_timeout);
	ev_timer_init(&conn->full_timer, ttrpc_streamed_on_full, 0., limits->stream_timeout);
	conn->readable.data = conn;
	conn->writable.data = conn;
	conn->frame_timer.data = conn;
	conn->write_timer.data = conn;
	conn->full_timer.data = conn;
}

static struct ttrpc_conn *conn_new(struct ttrpc_server *server, struct ttrpc_listener *listener,
				   int fd)
{
	struct ttrpc_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->listener_name = strdup(listener->name);
	if (!conn->listener_name || ttrpc_peer_of(fd, &conn->peer) < 0) {
		free(conn->listener_name);
		free(conn);
		return NULL;
	}
	conn->server = server;
	conn->fd = fd;
	conn->shares = listener->shares;
	conn->offered_fd = -1;
	conn->refs = 1;
	conn->open = true;
	conn->queue_end = &conn->queue;
	init_watchers(conn);
	server->refs++;
	server->first->nr_open++;
	conn->next = server->conns;
	if (conn->next)
		conn->next->prev = conn;
	server->conns = conn;
	return conn;
}

static bool has_room(struct ttrpc_server *server)
{
	if (server->nr_open < server->limits.connections_max)
		return true;
	if (!server->full_logged)
		ttrpc_server_log(server,
				 "connections are refused: %u are open, as many as the limit "
				 "connections allows",
				 server->nr_open);
	server->full_logged = true;
	return false;
}

/* A machine that vanished never says so: two minutes of silence do. */
static void keep_alive(int fd)
{
	const int on = 1, idle = 60, interval = 10, probes = 6;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

void ttrpc_conn_drop(struct ttrpc_conn *conn)
{
	shut(conn);
	ttrpc_conn_unref(conn);
}

void ttrpc_conn_begin(struct ttrpc_conn *conn)
{
	struct ttrpc_server *server = conn->server;

	ttrpc_conn_ref(conn);
	if (server->handlers.opened(server->ctx, conn, &conn->user) && conn->open)
		ttrpc_conn_drop(conn);
	ttrpc_conn_throttle(conn);
	ttrpc_conn_unref(conn);
}

/* To the thread of its loop. */
static void hand_over(struct ttrpc_conn *conn)
{
	struct ttrpc_server *server = conn->server;

	if (!server->arriving)
		ev_async_send(server->loop, &server->arrived);
	conn->next_arriving = server->arriving;
	server->arriving = conn;
}

/* The branch whose turn it is. */
static struct ttrpc_server *next_branch(struct ttrpc_server *first)
{
	struct ttrpc_server *branch = first->turn;

	first->turn = branch->next ? branch->next : first;
	return branch;
}

void ttrpc_conn_accept(struct ttrpc_listener *listener, int fd)
{
	struct ttrpc_server *server = listener->server;
	struct ttrpc_conn *conn =
		has_room(server) ? conn_new(next_branch(server), listener, fd) : NULL;

	if (!conn) {
		close(fd);
		return;
	}
	if (conn->peer.transport == TTRPC_TCP) {
		ttrpc_socket_nodelay(fd);
		keep_alive(fd);
	}
	if (conn->server == server)
		ttrpc_conn_begin(conn);
	else
		hand_over(conn);
}

const struct ttrpc_peer *ttrpc_conn_peer(const struct ttrpc_conn *conn)
{
	return &conn->peer;
}

const char *ttrpc_conn_listener_name(const struct ttrpc_conn *conn)
{
	return conn->listener_name;
}

void *ttrpc_conn_user(const struct ttrpc_conn *conn)
{
	return conn->user;
}

struct ev_loop *ttrpc_conn_loop(const struct ttrpc_conn *conn)
{
	return conn->server->loop;
}

void ttrpc_conn_set_account(struct ttrpc_conn *conn, void *account)
{
	conn->account = account;
}

bool ttrpc_conn_is_open(const struct ttrpc_conn *conn)
{
	return conn->open;
}

bool ttrpc_conn_is_reading(const struct ttrpc_conn *conn)
{
	return conn->open && ev_is_active(&conn->readable);
}
