/*
 * remote.c - see remote.h.
 *
 * Each has one timer, of the first loop. It ends: while the remote is down, with the next probe;
 * while it is up and has work, when it has been silent for too long; when it was retired, with its
 * last work.
 */
#include "remote.h"
#include "address.h"
#include "log.h"
#include "luaccel.h"
#include "operation.h"
#include "revive.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE 3.0 /* seconds without an answer to anything, then one is probed that is up */

struct remote {
	struct agent *agent;
	struct backend *backend;
	const struct luaccel_targets *targets;
	char *uri;
	bool exposed;	   /* its address is beyond this machine, and nothing is encrypted */
	struct pool *pool; /* NULL: no work yet, or it was retired */
	ev_timer timer;
	size_t legs;  /* open */
	double heard; /* when the last of them came back; loop_now() */
	double wait;  /* until the next probe, of one that is down */
	bool watched; /* it is looked after */
	bool new;     /* ... and the first probe has not come back */

	struct job probe, close;
	struct job look;       /* set the timer, by the first loop's thread */
	bool probing, closing; /* the job is with the pool */
	bool at_once;	       /* close it with whatever is in flight */
	int code;	       /* what the probe came to, and why */
	char why[512];
};

static struct remote *remote_of(const struct job *job, size_t offset)
{
	return (struct remote *)((char *)job - offset);
}

/* Retired, and its last session has gone. */
static bool is_over(const struct remote *remote)
{
	return remote->watched && remote->backend->retired && !remote->backend->inflight &&
	       !remote->legs;
}

static void set_timer(struct remote *remote)
{
	struct backend *backend = remote->backend;
	struct ev_loop *loop = remote->agent->loop;
	double delay;

	ev_timer_stop(loop, &remote->timer);
	if (remote->probing)
		return;
	if (backend->up && remote->backend->inflight)
		delay = remote->heard + SILENCE - ev_now(loop);
	else if (!backend->up && !backend->retired)
		delay = revive_jittered(remote->wait);
	else if (is_over(remote))
		delay = 0;
	else
		return;
	ev_timer_set(&remote->timer, delay > 0 ? delay : 0, 0);
	ev_timer_start(loop, &remote->timer);
}

static void look(struct job *job)
{
	set_timer(remote_of(job, offsetof(struct remote, look)));
}

static void look_after(struct remote *remote)
{
	loop_do(remote->agent->loops.loop[0], &remote->look);
}

static void go_down(struct remote *remote, const char *why)
{
	if (!remote->backend->up)
		return;
	remote->wait = REVIVE_FIRST;
	backend_down(remote->backend, why);
}

static void close_run(struct job *job)
{
	const struct remote *remote = remote_of(job, offsetof(struct remote, close));

	remote->targets->close(remote->uri, remote->at_once);
}

static void close_done(struct job *job)
{
	struct remote *remote = remote_of(job, offsetof(struct remote, close));

	remote->closing = false;
	set_timer(remote);
}

/* It may wait for somebody who connects, so not on the loop. One that is under way will do. */
static void close_connection(struct remote *remote, bool at_once)
{
	if (remote->closing)
		return;
	remote->closing = true;
	remote->at_once = at_once;
	remote->close = (struct job){ .run = close_run, .done = close_done };
	pool_submit(remote->agent->probes, &remote->close);
}

static void probe_run(struct job *job)
{
	struct remote *remote = remote_of(job, offsetof(struct remote, probe));

	remote->code = remote->targets->probe(remote->uri);
	if (remote->code)
		luaccel_last_error(remote->why, sizeof(remote->why));
}

static void found(struct remote *remote)
{
	struct backend *backend = remote->backend;

	remote->heard = loop_now();
	if (!backend->up)
		backend_up(backend);
	else if (remote->new)
		log_info("backend %s: agent at %s", backend->name, remote->uri);
}

/* One that is up and hangs up on a probe is there: it has enough of connections. */
static void not_found(struct remote *remote)
{
	if (!remote->backend->up)
		remote->wait = revive_longer(remote->wait);
	else if (remote->new || remote->code == VACCEL_EAGAIN)
		go_down(remote, remote->why);
	else
		remote->heard = loop_now();
	if (remote->code == VACCEL_EAGAIN)
		close_connection(remote, true);
}

static void probe_done(struct job *job)
{
	struct remote *remote = remote_of(job, offsetof(struct remote, probe));

	remote->probing = false;
	if (remote->code)
		not_found(remote);
	else
		found(remote);
	remote->new = false;
	set_timer(remote);
}

static void probe(struct remote *remote)
{
	remote->probing = true;
	remote->probe = (struct job){ .run = probe_run, .done = probe_done };
	pool_submit(remote->agent->probes, &remote->probe);
}

/* Is the connection that of another backend too? */
static bool is_shared(const struct remote *remote)
{
	const struct backend *other = remote->agent->backends;

	while (other &&
	       (other->retired || !other->remote || strcmp(other->remote->uri, remote->uri)))
		other = other->next;
	return other;
}

/* Neither thread nor connection stays for it. */
static void put_to_rest(struct remote *remote)
{
	remote->watched = false;
	pool_free(remote->pool);
	remote->pool = NULL;
	if (!is_shared(remote))
		close_connection(remote, false);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct remote *remote = timer->data;
	const struct backend *backend = remote->backend;

	(void)events;
	if (is_over(remote))
		put_to_rest(remote);
	else if (backend->up &&
		 (!remote->backend->inflight || ev_now(loop) < remote->heard + SILENCE))
		set_timer(remote);
	else
		probe(remote);
}

static void remote_run(struct job *job)
{
	struct work *work = (struct work *)((char *)job - offsetof(struct work, job));
	const struct remote *remote = work->leg->backend->remote;

	backend_run_work(job);
	work->lost = (work->code == VACCEL_ESESS || work->code == VACCEL_EBACKEND) &&
		     !remote->targets->connected(remote->uri);
}

static void remote_done(struct job *job)
{
	struct work *work = (struct work *)((char *)job - offsetof(struct work, job));
	struct remote *remote = work->leg->backend->remote;

	remote->backend->inflight--;
	remote->legs += work->kind == WORK_OPEN && !work->code;
	remote->legs -= work->kind == WORK_CLOSE;
	remote->heard = loop_now();
	if (work->lost)
		go_down(remote, work->reason);
	if (work->lost || remote->backend->retired)
		look_after(remote);
	work->done(work);
}

/* Without memory for a pool of its own it makes do with the one of everybody. */
static struct pool *pool_of(struct remote *remote)
{
	struct agent *agent = remote->agent;

	if (!remote->pool && pool_new(NULL, agent->threads, &remote->pool))
		return agent->pool;
	return remote->pool;
}

static void remote_submit(struct backend *backend, struct work *work)
{
	struct remote *remote = backend->remote;

	if (!backend->inflight++)
		remote->heard = loop_now();
	remote->watched = true; /* again, if a plan from before it was retired still names it */
	if (!ev_is_active(&remote->timer))
		look_after(remote);
	work->job = (struct job){ .run = remote_run, .done = remote_done };
	pool_submit(pool_of(remote), &work->job);
}

const struct backend_class remote_class = { "remote", remote_submit };

static int take_address(struct remote *remote, const char *uri, char *err, size_t errsize)
{
	struct ttrpc_address address;
	int ret = ttrpc_address_parse(uri, &address, err, errsize);

	if (ret)
		return ret;
	remote->exposed = !ttrpc_address_is_loopback(&address);
	ttrpc_address_release(&address);
	remote->uri = strdup(uri);
	return remote->uri ? 0 : -ENOMEM;
}

int remote_new(struct agent *agent, const char *uri, struct remote **made, char *err,
	       size_t errsize)
{
	struct remote *remote = calloc(1, sizeof(*remote));
	int ret;

	if (!remote)
		return -ENOMEM;
	remote->agent = agent;
	remote->look.done = look;
	ev_timer_init(&remote->timer, on_timer, 0, 0);
	remote->timer.data = remote;
	ret = take_address(remote, uri, err, errsize);
	if (!ret)
		ret = revive_pool(agent);
	if (ret)
		remote_free(remote);
	else
		*made = remote;
	return ret;
}

void remote_attach(struct remote *remote, struct backend *backend)
{
	remote->backend = backend;
	backend->remote = remote;
	backend->class = &remote_class;
}

void remote_free(struct remote *remote)
{
	while (remote->probing || remote->closing)
		ev_run(remote->agent->loop, EVRUN_ONCE);
	ev_timer_stop(remote->agent->loop, &remote->timer);
	pool_free(remote->pool);
	free(remote->uri);
	free(remote);
}

const char *remote_uri(const struct remote *remote)
{
	return remote->uri;
}

void remote_start(struct remote *remote)
{
	struct backend *backend = remote->backend;
	const struct luaccel_core *core = remote->agent->core;

	if (!backend->plugin)
		return;
	if (remote->watched)
		return set_timer(remote);
	remote->targets = core->plugin_targets(backend->plugin);
	if (!remote->targets)
		return backend_down(backend, "libvaccel-rpc.so is not luaccel's: it takes sessions "
					     "to one agent only");
	backend->reentrant = core->plugin_reentrant(backend->plugin);
	if (remote->exposed)
		log_warn("backend %s: %s: nothing is encrypted: anyone on that network can read "
			 "and change what sessions send",
			 backend->name, remote->uri);
	remote->watched = remote->new = true;
	remote->wait = REVIVE_FIRST;
	backend->up = true; /* until the probe says otherwise */
	backend->coming = ++backend->agent->comings;
	if (!remote->probing)
		probe(remote);
}

void remote_retire(struct remote *remote)
{
	set_timer(remote);
}

bool remote_is_new(const struct remote *remote)
{
	return remote->new;
}

bool remote_is_probing(const struct remote *remote)
{
	return remote->probing;
}
