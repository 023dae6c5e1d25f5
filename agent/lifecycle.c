/*
 * lifecycle.c - see lifecycle.h.
 */
#include "lifecycle.h"
#include "connection.h"
#include "control.h"
#include "log.h"
#include "reload.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const double TICK = 0.005;

void lifecycle_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = path ? strlen(path) : 0;
	int fd;

	if (!length || length >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, length);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	close(fd);
}

/* Plugins cannot be interrupted: what runs is abandoned with the process. */
static void leave_now(struct lifecycle *life, const char *why)
{
	size_t left = life->agent->nr_operations;

	log_warn("%s: leaving with %zu operations unfinished", why, left);
	listeners_close(&life->agent->listeners);
	life->agent->core->remove_files();
	fflush(stdout);
	_exit(left ? EXIT_FAILED : EXIT_DONE);
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	leave_now(timer->data, "drain-timeout has passed");
}

/* Recordings have their end, and what was asked by the control socket its answer. */
static bool has_told_operators(struct lifecycle *life)
{
	if (record_is_on(life->agent))
		aftermath_finish(life->agent); /* which is recorded too */
	return record_is_over(life->agent) && control_is_quiet(life->control);
}

/* Once a round of the loop, so that no connection is closed from within its own handlers. */
static void on_round(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct lifecycle *life = prepare->data;
	struct ttrpc_server_stats stats;

	(void)loop;
	(void)events;
	ttrpc_server_stats(life->agent->server, &stats);
	if (life->agent->nr_operations || stats.bytes_out)
		return;
	listeners_close(&life->agent->listeners);
	connections_shutdown(life->agent);
	if (!life->agent->nr_operations && !life->agent->connections && has_told_operators(life))
		pool_leave(life->agent->pool);
}

/* What the first loop waits for may happen on another. */
static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
}

void lifecycle_drain(struct lifecycle *life, const char *why)
{
	if (life->drains)
		return;
	life->drains = true;
	life->agent->draining = true;
	lifecycle_notify("STOPPING=1");
	log_info("%s: draining, %zu operations are running", why, life->agent->nr_operations);
	ev_prepare_start(life->agent->loop, &life->each_round);
	ev_timer_set(&life->timeout, life->options->drain_timeout, 0.0);
	ev_timer_start(life->agent->loop, &life->timeout);
	if (life->agent->loops.count > 1)
		ev_timer_again(life->agent->loop, &life->tick);
}

static void on_stop(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct lifecycle *life = watcher->data;
	const char *name = watcher->signum == SIGTERM ? "SIGTERM" : "SIGINT";

	(void)loop;
	(void)events;
	if (life->drains)
		leave_now(life, name);
	else
		lifecycle_drain(life, name);
}

int lifecycle_reload(struct lifecycle *life, const char *why, char *err, size_t errsize)
{
	char state[64];
	struct timespec now;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	lifecycle_notify(state);
	ret = reload(life, err, errsize);
	if (ret)
		log_error("%s: the policy in force stays: %s", why, err);
	else
		log_info("%s: %s loaded again", why,
			 life->options->scripts.count ? "policies" : "settings");
	lifecycle_notify("READY=1");
	return ret;
}

static void on_hangup(struct ev_loop *loop, ev_signal *watcher, int events)
{
	char err[1024];

	(void)loop;
	(void)events;
	lifecycle_reload(watcher->data, "SIGHUP", err, sizeof(err));
}

static void start_signal(struct lifecycle *life, ev_signal *watcher, int number,
			 void (*handler)(struct ev_loop *, ev_signal *, int))
{
	ev_signal_init(watcher, handler, number);
	watcher->data = life;
	ev_signal_start(life->agent->loop, watcher);
}

void lifecycle_start(struct lifecycle *life)
{
	signal(SIGPIPE, SIG_IGN);
	start_signal(life, &life->term, SIGTERM, on_stop);
	start_signal(life, &life->interrupt, SIGINT, on_stop);
	start_signal(life, &life->hangup, SIGHUP, on_hangup);
	ev_timer_init(&life->timeout, on_timeout, 0.0, 0.0);
	life->timeout.data = life;
	ev_timer_init(&life->tick, on_tick, 0.0, TICK);
	ev_prepare_init(&life->each_round, on_round);
	life->each_round.data = life;
}

void lifecycle_stop(struct lifecycle *life)
{
	struct ev_loop *loop = life->agent->loop;

	listeners_close(&life->agent->listeners);
	ev_signal_stop(loop, &life->term);
	ev_signal_stop(loop, &life->interrupt);
	ev_signal_stop(loop, &life->hangup);
	ev_timer_stop(loop, &life->timeout);
	ev_timer_stop(loop, &life->tick);
	ev_prepare_stop(loop, &life->each_round);
}
