/*
 * server.c - a server: its limits, its counts, its end.
 */
#include "server_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void flush(struct ttrpc_server *server)
{
	struct ttrpc_conn *conn;

	while ((conn = server->dirty)) {
		server->dirty = conn->next_dirty;
		conn->dirty = false;
		ttrpc_conn_write(conn);
		ttrpc_conn_unref(conn);
	}
}

static void on_flush(struct ev_loop *loop, ev_idle *watcher, int events)
{
	(void)loop;
	(void)events;
	flush(watcher->data);
}

static void set_defaults(struct ttrpc_server_limits *limits)
{
	const size_t held = TTRPC_FRAME_DEFAULT + ((size_t)16 << 20);

	limits->frame_max = limits->frame_max ? limits->frame_max : TTRPC_FRAME_DEFAULT;
	if (limits->frame_max > TTRPC_FRAME_MAX)
		limits->frame_max = TTRPC_FRAME_MAX;
	limits->held_max = limits->held_max ? limits->held_max : held;
	limits->out_max = limits->out_max ? limits->out_max : held;
	limits->streams_max = limits->streams_max ? limits->streams_max : 1024;
	limits->connections_max = limits->connections_max ? limits->connections_max : 1024;
	limits->frame_timeout = limits->frame_timeout > 0 ? limits->frame_timeout : 30;
	limits->frame_rate = limits->frame_rate ? limits->frame_rate : 16 << 10;
	limits->write_timeout = limits->write_timeout > 0 ? limits->write_timeout : 30;
	limits->stream_timeout = limits->stream_timeout > 0 ? limits->stream_timeout : 1;
	limits->metadata_max = limits->metadata_max ? limits->metadata_max : 64;
	limits->deadline_max = limits->deadline_max > 0 ? limits->deadline_max : 3600;
}

void ttrpc_server_set_limits(struct ttrpc_server *server, const struct ttrpc_server_limits *limits)
{
	for (; server; server = server->next) {
		server->limits = *limits;
		set_defaults(&server->limits);
	}
}

int ttrpc_server_new(struct ev_loop *loop, const struct ttrpc_server_handlers *handlers, void *ctx,
		     const struct ttrpc_server_limits *limits, struct ttrpc_server **server)
{
	struct ttrpc_server *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->handlers = *handlers;
	s->ctx = ctx;
	if (limits)
		s->limits = *limits;
	set_defaults(&s->limits);
	s->refs = 1;
	s->first = s->turn = s;
	s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ev_idle_init(&s->flush, on_flush);
	/* After all else that is pending, so that one write takes all answers of a wake-up. */
	ev_set_priority(&s->flush, EV_MINPRI);
	s->flush.data = s;
	*server = s;
	return 0;
}

static void on_arrived(struct ev_loop *loop, ev_async *watcher, int events)
{
	struct ttrpc_server *server = watcher->data;
	struct ttrpc_conn *conn;

	(void)loop;
	(void)events;
	while ((conn = server->arriving)) {
		server->arriving = conn->next_arriving;
		ttrpc_conn_begin(conn);
	}
}

int ttrpc_server_spread(struct ttrpc_server *server, struct ev_loop *const *loops, size_t count)
{
	struct ttrpc_server *branch, *last = server;
	int ret;

	for (size_t i = 0; i < count; i++) {
		ret = ttrpc_server_new(loops[i], &server->handlers, server->ctx, &server->limits,
				       &branch);
		if (ret)
			return ret;
		branch->first = server;
		server->refs++;
		ev_async_init(&branch->arrived, on_arrived);
		branch->arrived.data = branch;
		ev_async_start(branch->loop, &branch->arrived);
		last = last->next = branch;
	}
	return 0;
}

void ttrpc_server_unref(struct ttrpc_server *server)
{
	if (--server->refs > 0)
		return;
	if (server->first != server)
		ttrpc_server_unref(server->first);
	if (server->reserve_fd >= 0)
		close(server->reserve_fd);
	free(server);
}

static struct ttrpc_conn *first_open(const struct ttrpc_server *server)
{
	struct ttrpc_conn *conn = server->conns;

	while (conn && !conn->open)
		conn = conn->next;
	return conn;
}

static void free_branch(struct ttrpc_server *server)
{
	struct ttrpc_conn *conn;

	ev_async_stop(server->loop, &server->arrived);
	while ((conn = server->arriving)) {
		server->arriving = conn->next_arriving;
		ttrpc_conn_drop(conn);
	}
	while ((conn = first_open(server)))
		ttrpc_conn_close(conn, "shutdown");
	/* Gives back the references of those that were to be flushed: the loop may end first. */
	ev_clear_pending(server->loop, &server->flush);
	flush(server);
	ttrpc_server_unref(server);
}

void ttrpc_server_free(struct ttrpc_server *server)
{
	struct ttrpc_server *next;

	if (!server)
		return;
	while (server->listeners)
		ttrpc_listener_free(server->listeners);
	for (; server; server = next) {
		next = server->next;
		free_branch(server);
	}
}

static void add_stats(const struct ttrpc_server *server, struct ttrpc_server_stats *stats)
{
	for (const struct ttrpc_conn *conn = server->conns; conn; conn = conn->next) {
		stats->requests += conn->nr_requests;
		stats->bytes_held += conn->told.held;
		stats->bytes_out += conn->out;
	}
}

void ttrpc_server_stats(const struct ttrpc_server *server, struct ttrpc_server_stats *stats)
{
	*stats = (struct ttrpc_server_stats){ .connections = server->nr_open };
	for (; server; server = server->next)
		add_stats(server, stats);
}

void ttrpc_server_log(struct ttrpc_server *server, const char *format, ...)
{
	char line[512];
	va_list args;

	if (!server->handlers.log)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	server->handlers.log(server->ctx, line);
}
