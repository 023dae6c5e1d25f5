/*
 * listener.c - sockets that accept.
 *
 * When descriptors (or kernel memory) run out, level-triggered accepting would spin: the listener
 * pauses, 1 ms at first and twice as long each time up to 1 s. One descriptor is kept in reserve,
 * so that the peer whose turn it is gets a hang-up instead of silence.
 */
#include "server_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ACCEPT_BATCH = 16 };

static const double DELAY_FIRST = 0.001, DELAY_MAX = 1.0;

static void pause_for(struct ttrpc_listener *listener, double delay)
{
	struct ev_loop *loop = listener->server->loop;

	ev_io_stop(loop, &listener->accept);
	ev_timer_set(&listener->pause, delay, 0.);
	ev_timer_start(loop, &listener->pause);
}

static void pause_accepting(struct ttrpc_listener *listener, int code)
{
	struct ttrpc_server *server = listener->server;

	/* Once for a row of pauses. */
	if (listener->delay <= DELAY_FIRST)
		ttrpc_server_log(server,
				 "listener %s pauses: %s; raise the limit (ulimit -n) or close "
				 "connections",
				 listener->address.uri, strerror(code));
	pause_for(listener, listener->delay);
	listener->delay = listener->delay * 2 < DELAY_MAX ? listener->delay * 2 : DELAY_MAX;
}

/* Without a free descriptor: take the next peer with the reserved one, and hang up. */
static void hang_up_next(struct ttrpc_listener *listener)
{
	struct ttrpc_server *server = listener->server;
	int fd;

	if (server->reserve_fd < 0)
		return;
	close(server->reserve_fd);
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* False when there is nothing more to accept for now. */
static bool accept_failed(struct ttrpc_listener *listener, int code)
{
	switch (code) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
		hang_up_next(listener);
		pause_accepting(listener, code);
		return false;
	case ENOMEM:
	case ENOBUFS:
		pause_accepting(listener, code);
		return false;
	default:
		/* The peer, or its network, gave up before we came. */
		return true;
	}
}

/* So many in one second; who comes later waits in the socket's queue for the next. */
static bool may_accept(struct ttrpc_listener *listener)
{
	struct ttrpc_server *server = listener->server;
	double passed = ev_now(server->loop) - server->accepted_at;

	if (server->limits.accepts_max == 0)
		return true;
	if (passed < 0 || passed >= 1) {
		server->accepted_at = ev_now(server->loop);
		server->nr_accepted = 0;
		passed = 0;
	}
	if (server->nr_accepted < server->limits.accepts_max)
		return true;
	pause_for(listener, 1 - passed);
	return false;
}

static bool is_listening(const struct ttrpc_server *server, const struct ttrpc_listener *listener)
{
	const struct ttrpc_listener *l = server->listeners;

	while (l && l != listener)
		l = l->next;
	return l != NULL;
}

static void on_accept(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct ttrpc_listener *listener = watcher->data;
	struct ttrpc_server *server = listener->server;

	(void)loop;
	(void)events;
	server->refs++;
	/* The owner may close this listener when it hears of a connection. */
	for (int i = 0; i < ACCEPT_BATCH && is_listening(server, listener) && may_accept(listener);
	     i++) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && !accept_failed(listener, errno))
			break;
		if (fd < 0)
			continue;
		listener->delay = DELAY_FIRST;
		server->nr_accepted++;
		ttrpc_conn_accept(listener, fd);
	}
	ttrpc_server_unref(server);
}

static void on_pause_over(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct ttrpc_listener *listener = watcher->data;

	(void)events;
	ev_io_start(loop, &listener->accept);
}

/* tcp://HOST:0 asks for any free port: say which one it became. */
static int name_port(struct ttrpc_listener *listener)
{
	struct sockaddr_storage sa;
	socklen_t size = sizeof(sa);
	struct ttrpc_address *address = &listener->address;
	bool bracket;
	char *uri;

	if (address->transport != TTRPC_TCP || address->port != 0)
		return 0;
	if (getsockname(listener->fd, (struct sockaddr *)&sa, &size) < 0)
		return -errno;
	/* sin_port and sin6_port are at the same place. */
	address->port = ntohs(((const struct sockaddr_in *)(const void *)&sa)->sin_port);
	bracket = strchr(address->host, ':') != NULL;
	if (asprintf(&uri, "tcp://%s%s%s:%u", bracket ? "[" : "", address->host, bracket ? "]" : "",
		     (unsigned)address->port) < 0)
		return -ENOMEM;
	free(address->uri);
	address->uri = uri;
	return 0;
}

static void listener_release(struct ttrpc_listener *listener)
{
	if (listener->fd >= 0) {
		ttrpc_address_unlink(&listener->address);
		close(listener->fd);
	}
	ttrpc_address_release(&listener->address);
	free(listener->name);
	free(listener);
}

static int listener_open(struct ttrpc_listener *listener, const struct ttrpc_address *address,
			 const struct ttrpc_listen_options *options, const char *name, char *err,
			 size_t errsize)
{
	int code = ttrpc_address_parse(address->uri, &listener->address, err, errsize);

	if (code)
		return code;
	listener->name = strdup(name ? name : "");
	if (!listener->name)
		return -ENOMEM;
	listener->fd = ttrpc_address_listen(address, options, &listener->any_cid, err, errsize);
	if (listener->fd < 0)
		return listener->fd;
	listener->shares = address->transport == TTRPC_UNIX && !ttrpc_address_is_hybrid(address) &&
			   !(options && options->shares_nothing);
	return name_port(listener);
}

int ttrpc_server_listen(struct ttrpc_server *server, const struct ttrpc_address *address,
			const struct ttrpc_listen_options *options, const char *name,
			struct ttrpc_listener **listener, char *err, size_t errsize)
{
	struct ttrpc_listener *l = calloc(1, sizeof(*l));
	int code;

	if (!l)
		return -ENOMEM;
	l->server = server;
	l->fd = -1;
	l->delay = DELAY_FIRST;
	code = listener_open(l, address, options, name, err, errsize);
	if (code) {
		listener_release(l);
		return code;
	}
	ev_io_init(&l->accept, on_accept, l->fd, EV_READ);
	ev_timer_init(&l->pause, on_pause_over, 0., 0.);
	l->accept.data = l;
	l->pause.data = l;
	ev_io_start(server->loop, &l->accept);
	l->next = server->listeners;
	server->listeners = l;
	*listener = l;
	return 0;
}

void ttrpc_listener_free(struct ttrpc_listener *listener)
{
	struct ttrpc_server *server;
	struct ttrpc_listener **link;

	if (!listener)
		return;
	server = listener->server;
	link = &server->listeners;
	while (*link != listener)
		link = &(*link)->next;
	*link = listener->next;
	ev_io_stop(server->loop, &listener->accept);
	ev_timer_stop(server->loop, &listener->pause);
	listener_release(listener);
}

const char *ttrpc_listener_name(const struct ttrpc_listener *listener)
{
	return listener->name;
}

const struct ttrpc_address *ttrpc_listener_address(const struct ttrpc_listener *listener)
{
	return &listener->address;
}

bool ttrpc_listener_any_cid(const struct ttrpc_listener *listener)
{
	return listener->any_cid;
}
