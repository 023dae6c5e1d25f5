/*
 * metrics_server.c - see metrics_server.h.
 */
#include "metrics_server.h"
#include "http_module.h"
#include "log.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct metrics_server {
	struct agent *agent;
	struct listen_option listen;
	const struct luaccel_metrics *module;
	struct luaccel_http *http;
	ev_io readable;
	ev_timer due;
};

static void run(struct metrics_server *server)
{
	const double again = server->module->run(server->http);

	ev_timer_stop(server->agent->loop, &server->due);
	if (again < 0)
		return;
	ev_timer_set(&server->due, again, 0.);
	ev_timer_start(server->agent->loop, &server->due);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)events;
	run(watcher->data);
}

static void on_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)events;
	run(watcher->data);
}

static char *text_of(void *ctx, size_t *size)
{
	return metrics_text(ctx, size);
}

/* It stays loaded. */
static const struct luaccel_metrics *load(const struct agent *agent, char *err, size_t errsize)
{
	void *handle = agent->core->library_beside(LUACCEL_METRICS_FILE, RTLD_LAZY);
	const struct luaccel_metrics *module =
		handle ? dlsym(handle, LUACCEL_METRICS_SYMBOL) : NULL;
	const char *words = module ? NULL : dlerror();

	if (module && module->version == LUACCEL_METRICS_VERSION)
		return module;
	snprintf(err, errsize,
		 "--metrics: " LUACCEL_METRICS_FILE " or libmicrohttpd is missing (%s); install "
		 "libmicrohttpd12, or leave --metrics out",
		 words ? words : "it does not fit this agent");
	return NULL;
}

static int serve(struct metrics_server *server, char *err, size_t errsize)
{
	const struct listen_option *listen = &server->listen;
	int fd = ttrpc_address_listen(&listen->address, &listen->options, NULL, err, errsize);

	if (fd < 0)
		return -1;
	if (listen_give(listen, err, errsize)) {
		close(fd);
		goto unlink_socket;
	}
	server->http = server->module->start(fd, text_of, server->agent);
	if (server->http)
		return 0;
	snprintf(err, errsize, "%s: metrics cannot be served", listen->address.uri);

unlink_socket:
	ttrpc_address_unlink(&listen->address);
	return -1;
}

int metrics_server_new(struct agent *agent, const char *text, struct metrics_server **server,
		       char *err, size_t errsize)
{
	struct metrics_server *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(err, errsize, "out of memory");
		return -1;
	}
	s->agent = agent;
	s->module = load(agent, err, errsize);
	if (!s->module || listen_parse(&s->listen, text, err, errsize))
		goto free_server;
	if (serve(s, err, errsize))
		goto release_listen;
	ev_io_init(&s->readable, on_readable, s->module->fd(s->http), EV_READ);
	ev_timer_init(&s->due, on_due, 0., 0.);
	s->readable.data = s->due.data = s;
	ev_io_start(agent->loop, &s->readable);
	log_info("metrics: %s", s->listen.address.uri);
	*server = s;
	return 0;

release_listen:
	listen_release(&s->listen);
free_server:
	free(s);
	return -1;
}

void metrics_server_free(struct metrics_server *server)
{
	if (!server)
		return;
	ev_io_stop(server->agent->loop, &server->readable);
	ev_timer_stop(server->agent->loop, &server->due);
	server->module->stop(server->http);
	ttrpc_address_unlink(&server->listen.address);
	listen_release(&server->listen);
	free(server);
}
