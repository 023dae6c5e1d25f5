/*
 * revive.c - see revive.h.
 */
#include "revive.h"
#include "backend_names.h"
#include "log.h"
#include "luaccel.h"
#include "operation.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBES_MAX = 64 }; /* at once */

#define WAIT_MAX 60.0 /* seconds */

struct revival {
	struct backend *backend;
	ev_timer timer;
	double wait; /* until the next try */
	struct job job;
	bool loading; /* the job is with the pool */
	/* the job's */
	char library[256];
	struct vaccel_plugin *plugin;
	int code;
	char why[512];
};

double revive_longer(double wait)
{
	return wait * 2 < WAIT_MAX ? wait * 2 : WAIT_MAX;
}

double revive_jittered(double seconds)
{
	return seconds * (0.75 + (double)(agent_now_us() % 1000) / 2000.0);
}

int revive_pool(struct agent *agent)
{
	return agent->probes ? 0 : pool_new(NULL, PROBES_MAX, &agent->probes);
}

/* By the scripts in force, as a plugin; NULL: it is not. */
static const struct policy_backend *declaration(const struct backend *backend)
{
	const struct policy_generation *generation = policy_active(backend->agent->policy);
	const struct policy_backend *declared;
	size_t count;

	if (!generation)
		return NULL;
	declared = policy_backends(generation, &count);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(declared[i].name, backend->name) && !strcmp(declared[i].kind, "plugin"))
			return &declared[i];
	return NULL;
}

static void set_timer(struct revival *revival)
{
	struct ev_loop *loop = revival->backend->agent->loop;

	ev_timer_stop(loop, &revival->timer);
	ev_timer_set(&revival->timer, revive_jittered(revival->wait), 0);
	ev_timer_start(loop, &revival->timer);
}

static void load_run(struct job *job)
{
	struct revival *revival = (struct revival *)((char *)job - offsetof(struct revival, job));

	revival->code =
		revival->backend->agent->core->plugin_load(revival->library, &revival->plugin);
	if (revival->code)
		luaccel_last_error(revival->why, sizeof(revival->why));
}

/* It is there, unless the library is another backend's; and nobody wants another one meanwhile. */
static bool has_come(struct revival *revival, const struct policy_backend *declared)
{
	char library[sizeof(revival->library)];

	if (revival->code && revival->code != VACCEL_EEXIST)
		return false;
	if (backend_of_library(revival->backend, revival->plugin)) {
		snprintf(revival->why, sizeof(revival->why),
			 "another backend is on its library file, %s", revival->library);
		return false;
	}
	backend_library(declared, library, sizeof(library));
	return !strcmp(library, revival->library);
}

static void load_done(struct job *job)
{
	struct revival *revival = (struct revival *)((char *)job - offsetof(struct revival, job));
	struct backend *backend = revival->backend;
	const struct policy_backend *declared = declaration(backend);

	revival->loading = false;
	if (!declared)
		return;
	if (has_come(revival, declared))
		return backend_come_up(backend, revival->plugin, declared);
	snprintf(backend->why, sizeof(backend->why), "%s", revival->why);
	log_debug("backend %s is down still: %s", backend->name, backend->why);
	revival->wait = revive_longer(revival->wait);
	set_timer(revival);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct revival *revival = timer->data;
	const struct policy_backend *declared = declaration(revival->backend);

	(void)loop;
	(void)events;
	/* With a plugin and down it is one that refuses its options, which does not change. */
	if (!declared || revival->backend->plugin)
		return;
	backend_library(declared, revival->library, sizeof(revival->library));
	revival->loading = true;
	revival->job = (struct job){ .run = load_run, .done = load_done };
	pool_submit(revival->backend->agent->probes, &revival->job);
}

/* Without memory for it, it comes up by a reload. */
static struct revival *revival_of(struct backend *backend)
{
	struct revival *revival = backend->revival;

	if (revival || revive_pool(backend->agent))
		return revival;
	revival = calloc(1, sizeof(*revival));
	if (!revival)
		return NULL;
	revival->backend = backend;
	ev_timer_init(&revival->timer, on_timer, 0, 0);
	revival->timer.data = revival;
	backend->revival = revival;
	return revival;
}

void revive_watch(struct backend *backend)
{
	struct revival *revival;

	if (backend->up || backend->plugin || !backend->target[0])
		return;
	revival = revival_of(backend);
	if (!revival || revival->loading)
		return;
	revival->wait = REVIVE_FIRST;
	set_timer(revival);
}

bool revive_is_loading(const struct backend *backend)
{
	return backend->revival && backend->revival->loading;
}

void revive_free(struct backend *backend)
{
	struct revival *revival = backend->revival;

	if (!revival)
		return;
	while (revival->loading)
		ev_run(backend->agent->loop, EVRUN_ONCE);
	ev_timer_stop(backend->agent->loop, &revival->timer);
	free(revival);
	backend->revival = NULL;
}
