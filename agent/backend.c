/*
 * backend.c - backends by name, how scripts declare them, and the class of those that are plugins
 * in this process.
 *
 * A plugin's code may block, so each piece of work is a job of the pool.
 */
#include "backend.h"
#include "backend_names.h"
#include "log.h"
#include "luaccel.h"
#include "operation.h"
#include "operation_names.h"
#include "remote.h"
#include "resource.h"
#include "revive.h"
#include "session.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct work *work_of(struct job *job)
{
	return (struct work *)((char *)job - offsetof(struct work, job));
}

static int open_leg(struct work *work)
{
	const struct backend *backend = work->leg->backend;
	const struct session *session = work->operation->session;
	const struct luaccel_target target = {
		.uri = backend->remote ? remote_uri(backend->remote) : NULL,
		.via = session->via,
		.nr_via = session->nr_via,
	};

	return backend->agent->core->leg_open(backend->plugin, session->id, session->hint,
					      target.uri ? &target : NULL, &work->opened);
}

static int do_work(struct work *work)
{
	const struct luaccel_core *core = work->leg->backend->agent->core;

	switch (work->kind) {
	case WORK_OPEN:
		return open_leg(work);
	case WORK_CLOSE:
		return core->leg_close(work->leg->session);
	case WORK_ADD:
		return replica_add(work->replica, work->leg->session);
	case WORK_DROP:
		return replica_drop(work->replica, work->leg->session, work->last);
	case WORK_LOAD:
		return model_load(work->family, work, work->leg->session, work->replica->hidden);
	case WORK_RUN:
		break;
	}
	return work->operation->class->run(work->operation, work->leg->session,
					   work->replica ? work->replica->hidden : NULL);
}

void backend_run_work(struct job *job)
{
	struct work *work = work_of(job);

	work->started_us = agent_now_us();
	work->reason[0] = '\0';
	work->status = -1;
	luaccel_set_error("%s", ""); /* what this thread had to say to another peer */
	work->lost = false;
	work->code = do_work(work);
	if (work->code && !work->reason[0])
		luaccel_last_error(work->reason, sizeof(work->reason));
	work->ended_us = agent_now_us();
}

/*
 * How long work of this kind takes; NULL when it may always be long: it waits for another machine,
 * opens files, loads models or libraries, or runs what the peer has brought.
 */
static struct pace *pace_of(struct backend *backend, const struct work *work)
{
	const struct operation *operation = work->operation;

	if (work->kind != WORK_RUN || operation->class->kind != OPERATION_RUN ||
	    operation->type == VACCEL_OP_EXEC || operation->type == VACCEL_OP_EXEC_WITH_RESOURCE ||
	    backend->plugin->info->is_virtio)
		return NULL;
	return &backend->paces[operation->type];
}

static void plugin_done(struct job *job)
{
	struct work *work = work_of(job);
	struct pace *pace = pace_of(work->leg->backend, work);

	work->leg->backend->inflight--;
	if (pace)
		pace_add(pace, work->started_us, work->ended_us, job->stayed);
	work->done(work);
}

static void plugin_submit(struct backend *backend, struct work *work)
{
	const struct pace *pace = pace_of(backend, work);

	backend->inflight++;
	work->job = (struct job){ .run = backend_run_work, .done = plugin_done };
	if (pace && pace_is_short(pace, agent_now_us()))
		pool_submit_short(backend->agent->pool, &work->job);
	else
		pool_submit(backend->agent->pool, &work->job);
}

static const struct backend_class plugin_class = { "plugin", plugin_submit };

static struct backend *add_backend(struct agent *agent, const char *name, const char *target)
{
	struct backend *backend = calloc(1, sizeof(*backend)), **last = &agent->backends;

	if (!backend)
		return NULL;
	backend->metrics = calloc(1, sizeof(*backend->metrics));
	if (!backend->metrics) {
		free(backend);
		return NULL;
	}
	backend->agent = agent;
	backend->class = &plugin_class;
	snprintf(backend->name, sizeof(backend->name), "%s", name);
	snprintf(backend->target, sizeof(backend->target), "%s", target);
	while (*last)
		last = &(*last)->next;
	*last = backend;
	return backend;
}

/* "noop, image_classify, ...": what the plugin registered. */
static void list_operations(const struct vaccel_plugin *plugin, char *buf, size_t size)
{
	char name[VACCEL_ENUM_STR_MAX];
	size_t length = 0;
	int type;

	buf[0] = '\0';
	for (type = 0; type < VACCEL_OP_MAX && length < size; type++) {
		if (!plugin->ops[type])
			continue;
		vaccel_op_type_name((vaccel_op_type_t)type, name, sizeof(name));
		length += (size_t)snprintf(buf + length, size - length, "%s%s", length ? ", " : "",
					   name);
	}
}

/* What policies decided for later sessions, they decided with other backends up. */
static void plans_are_old(const struct agent *agent)
{
	if (agent->policy)
		policy_epoch_advance(agent->policy);
}

void backend_up(struct backend *backend)
{
	backend->up = true;
	backend->coming = ++backend->agent->comings;
	plans_are_old(backend->agent);
	log_info("backend %s is up", backend->name);
	aftermath_backend(backend, true);
}

void backend_down(struct backend *backend, const char *why)
{
	backend->up = false;
	plans_are_old(backend->agent);
	snprintf(backend->why, sizeof(backend->why), "%s", why);
	log_warn("backend %s is down: %s", backend->name, backend->why);
	aftermath_backend(backend, false);
}

static void attach(struct backend *backend)
{
	const struct vaccel_plugin *plugin = backend->plugin;
	char operations[1024];

	backend->reentrant = backend->agent->core->plugin_reentrant(plugin);
	backend->up = true;
	backend->coming = ++backend->agent->comings;
	list_operations(plugin, operations, sizeof(operations));
	log_info("backend %s: plugin %s %s: %s", backend->name, plugin->info->name,
		 plugin->info->version, operations);
}

int backends_from_plugins(struct agent *agent)
{
	struct vaccel_plugin *plugin = NULL;
	struct backend *backend;

	while ((plugin = agent->core->plugin_next(plugin))) {
		backend = add_backend(agent, plugin->info->name, "");
		if (!backend)
			return -ENOMEM;
		backend->plugin = plugin;
		attach(backend);
	}
	return 0;
}

__attribute__((format(printf, 3, 4))) static int refuse(char *err, size_t errsize,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, errsize, format, args);
	va_end(args);
	return -EINVAL;
}

/* The first; all remotes are one plugin's. */
static struct backend *backend_of_plugin(const struct agent *agent,
					 const struct vaccel_plugin *plugin)
{
	struct backend *backend = agent->backends;

	while (backend && (backend->retired || backend->plugin != plugin))
		backend = backend->next;
	return backend;
}

static int configure(struct backend *backend, const struct policy_backend *declared, char *err,
		     size_t errsize)
{
	const struct luaccel_core *core = backend->agent->core;
	char reason[256];
	size_t i;

	for (i = 0; i < declared->nr_options; i++) {
		const struct policy_option *option = &declared->options[i];
		int ret = core->plugin_configure(backend->plugin, option->key, option->value);

		if (!ret)
			continue;
		luaccel_last_error(reason, sizeof(reason));
		return -backend_option_refused(err, errsize, declared, option, ret, reason);
	}
	return 0;
}

/* What identifies a declaration: a reload may repeat it, not change it. */
static void describe(const struct policy_backend *declared, char *buf, size_t size)
{
	size_t i, length = (size_t)snprintf(buf, size, "%s %s", declared->kind, declared->target);

	for (i = 0; i < declared->nr_options && length < size; i++)
		length += (size_t)snprintf(buf + length, size - length, " %s=%s",
					   declared->options[i].key, declared->options[i].value);
}

/* One that is up may be declared again as it is, not otherwise. */
static int redeclare(struct backend *backend, const struct policy_backend *declared,
		     const char *target, char *err, size_t errsize)
{
	if (!strcmp(backend->target, target))
		return 0;
	if (!backend->target[0])
		return refuse(err, errsize,
			      "%s: backend %s is declared twice: VACCEL_PLUGINS loads a plugin of "
			      "that name; choose another name or unset VACCEL_PLUGINS",
			      declared->where, declared->name);
	return refuse(err, errsize,
		      "%s: backend %s runs as \"%s\" and is declared as \"%s\"; give it a new "
		      "name, or restart the agent",
		      declared->where, declared->name, backend->target, target);
}

/* Load its plugin. One that cannot be loaded leaves the backend down, which is no error. */
static int load(struct backend *backend, const char *library)
{
	struct vaccel_plugin *plugin = NULL;
	char why[sizeof(backend->why)];
	int ret = backend->agent->core->plugin_load(library, &plugin);

	if (ret && ret != VACCEL_EEXIST) {
		luaccel_last_error(why, sizeof(why));
		backend_down(backend, why);
		return ret;
	}
	backend->plugin = plugin;
	return ret;
}

const struct backend *backend_of_library(const struct backend *backend,
					 const struct vaccel_plugin *plugin)
{
	const struct backend *other = backend->agent->backends;

	while (other && (other == backend || other->remote || other->plugin != plugin))
		other = other->next;
	return other;
}

/* A library that no other backend has loaded. */
static int load_own(struct backend *backend, const struct policy_backend *declared, char *err,
		    size_t errsize)
{
	const struct backend *other;
	char library[256];

	backend_library(declared, library, sizeof(library));
	if (load(backend, library) != VACCEL_EEXIST)
		return 0;
	other = backend_of_library(backend, backend->plugin);
	if (!other)
		return 0;
	backend->plugin = NULL;
	return refuse(err, errsize,
		      "%s: backends %s and %s are on one library file, %s; one process can have it "
		      "once",
		      declared->where, other->name, declared->name, library);
}

/* One that this reload names as it was, or that was retired. */
static struct backend *find_remote(const struct agent *agent, const char *name, const char *target)
{
	struct backend *backend = agent->backends;

	while (backend && !(backend->remote && !strcmp(backend->name, name) &&
			    !strcmp(backend->target, target)))
		backend = backend->next;
	return backend;
}

static int add_remote(struct agent *agent, const struct policy_backend *declared,
		      const char *target, struct backend **added, char *err, size_t errsize)
{
	struct remote *remote;
	char reason[256];
	int ret = remote_new(agent, declared->target, &remote, reason, sizeof(reason));

	if (ret == -EINVAL)
		return refuse(err, errsize, "%s: backend %s: %s", declared->where, declared->name,
			      reason);
	if (ret)
		return ret;
	*added = add_backend(agent, declared->name, target);
	if (!*added) {
		remote_free(remote);
		return -ENOMEM;
	}
	remote_attach(remote, *added);
	(*added)->retired = true;
	return 0;
}

static int declare_remote(struct agent *agent, const struct policy_backend *declared,
			  const char *target, char *err, size_t errsize)
{
	struct backend *backend = backend_find(agent, declared->name);
	int ret = 0;

	if (backend && !backend->remote)
		return redeclare(backend, declared, target, err, errsize);
	backend = find_remote(agent, declared->name, target);
	if (!backend)
		ret = add_remote(agent, declared, target, &backend, err, errsize);
	if (ret)
		return ret;
	backend->fresh = backend->retired;
	backend->declared = true;
	backend->retired = false;
	if (!backend->plugin)
		load(backend, "libvaccel-rpc.so");
	return 0;
}

int backend_declare(struct agent *agent, const struct policy_backend *declared, char *err,
		    size_t errsize)
{
	struct backend *backend = backend_find(agent, declared->name);
	char target[sizeof(backend->target)];
	int ret = 0;

	describe(declared, target, sizeof(target));
	if (!strcmp(declared->kind, remote_class.kind))
		return declare_remote(agent, declared, target, err, errsize);
	if (backend && (backend->up || backend->remote))
		return redeclare(backend, declared, target, err, errsize);
	if (!backend)
		backend = add_backend(agent, declared->name, target);
	if (!backend)
		return -ENOMEM;
	if (revive_is_loading(backend))
		return 0; /* when that has ended it is told what is in force then */
	if (strcmp(backend->target, target))
		backend->plugin = NULL; /* it was to be another one, which did not come up */
	snprintf(backend->target, sizeof(backend->target), "%s", target);
	if (!backend->plugin)
		ret = load_own(backend, declared, err, errsize);
	if (!ret && backend->plugin)
		ret = configure(backend, declared, err, errsize);
	if (!ret && backend->plugin) {
		attach(backend);
		backend->fresh = true;
	}
	return ret;
}

void backend_come_up(struct backend *backend, struct vaccel_plugin *plugin,
		     const struct policy_backend *declared)
{
	char why[sizeof(backend->why)];

	describe(declared, backend->target, sizeof(backend->target));
	backend->plugin = plugin;
	if (configure(backend, declared, why, sizeof(why)))
		return backend_down(backend, why);
	attach(backend);
	backend_up(backend);
}

static void settle_remote(struct backend *backend, bool good)
{
	if (good && backend->declared) {
		remote_start(backend->remote);
	} else if (good || backend->fresh) {
		backend->retired = true;
		remote_retire(backend->remote);
	}
	backend->declared = backend->fresh = false;
}

void backends_settle(struct agent *agent, bool good)
{
	struct backend *backend;

	for (backend = agent->backends; backend; backend = backend->next) {
		if (backend->remote) {
			settle_remote(backend, good);
			continue;
		}
		if (backend->fresh && !good) {
			backend->up = false;
			snprintf(backend->why, sizeof(backend->why), "its declaration was refused");
		}
		/* Before there was any policy, nobody knew it as down. */
		if (backend->fresh && good && agent->generation)
			aftermath_backend(backend, true);
		backend->fresh = false;
		if (good)
			revive_watch(backend);
	}
}

void backends_await(struct agent *agent)
{
	const struct backend *backend = agent->backends;

	while (backend)
		if (backend->remote && remote_is_new(backend->remote))
			ev_run(agent->loop, EVRUN_ONCE);
		else
			backend = backend->next;
}

bool backend_knows(const struct backend *backend, vaccel_op_type_t type)
{
	return !backend->remote && !backend_lacks(backend, type);
}

bool backend_lacks(const struct backend *backend, vaccel_op_type_t type)
{
	return !backend->plugin || !backend->plugin->ops[type];
}

enum policy_support backend_supports(const struct backend *backend, const char *operation)
{
	const int type = operation_by_name(operation);

	if (type < 0)
		return POLICY_SUPPORT_NO_OPERATION;
	if (backend->remote || !backend->plugin)
		return POLICY_SUPPORT_UNKNOWN;
	return backend->plugin->ops[type] ? POLICY_SUPPORT_YES : POLICY_SUPPORT_NO;
}

bool backend_is_probing(const struct backend *backend)
{
	return !backend->up &&
	       (backend->remote ? remote_is_probing(backend->remote) : revive_is_loading(backend));
}

void backend_view(const struct backend *backend, struct policy_backend_view *view)
{
	view->up = backend->up;
	view->probing = backend_is_probing(backend);
	view->inflight = backend->inflight;
	tally_view(&backend->metrics->tally, view);
}

struct backend *backend_find(const struct agent *agent, const char *name)
{
	struct backend *backend = agent->backends;

	while (backend && (backend->retired || strcmp(backend->name, name)))
		backend = backend->next;
	return backend;
}

struct backend *backend_for_hint(const struct agent *agent, uint32_t hint)
{
	const struct vaccel_plugin *plugin = agent->core->plugin_for_hint(hint);

	return plugin ? backend_of_plugin(agent, plugin) : NULL;
}

size_t backends_count(const struct agent *agent, bool up_only)
{
	const struct backend *backend;
	size_t count = 0;

	for (backend = agent->backends; backend; backend = backend->next)
		count += !backend->retired && (backend->up || !up_only);
	return count;
}

void backends_free(struct agent *agent)
{
	struct backend *backend;

	while ((backend = agent->backends)) {
		agent->backends = backend->next;
		if (backend->remote)
			remote_free(backend->remote);
		revive_free(backend);
		free(backend->metrics);
		free(backend);
	}
	pool_free(agent->probes);
}
