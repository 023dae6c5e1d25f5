/*
 * backend.c - backends by name, and the class of backends that are plugins in this process.
 *
 * A plugin's code may block, so each piece of work is a job of the pool.
 */
#include "backend.h"
#include "log.h"
#include "luaccel.h"
#include "operation.h"
#include "resource.h"
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

static int plugin_work(struct work *work)
{
	const struct luaccel_core *core = work->leg->backend->agent->core;
	struct session *session = work->operation->session;

	switch (work->kind) {
	case WORK_OPEN:
		return core->leg_open(work->leg->backend->plugin, session->id, session->hint,
				      &work->opened);
	case WORK_CLOSE:
		return core->leg_close(work->leg->session);
	case WORK_ADD:
		return replica_add(work->replica, work->leg->session);
	case WORK_DROP:
		return replica_drop(work->replica, work->leg->session, work->last);
	case WORK_LOAD:
		return vaccel_torch_model_load(work->leg->session, work->replica->hidden);
	case WORK_RUN:
		break;
	}
	return work->operation->class->run(work->operation, work->leg->session,
					   work->replica ? work->replica->hidden : NULL);
}

static void plugin_run(struct job *job)
{
	struct work *work = work_of(job);

	work->started_us = agent_now_us();
	work->reason[0] = '\0';
	luaccel_set_error("%s", ""); /* what this thread had to say to another peer */
	work->code = plugin_work(work);
	if (work->code)
		luaccel_last_error(work->reason, sizeof(work->reason));
	work->ended_us = agent_now_us();
}

static void plugin_done(struct job *job)
{
	struct work *work = work_of(job);

	work->done(work);
}

static void plugin_submit(struct backend *backend, struct work *work)
{
	work->job = (struct job){ .run = plugin_run, .done = plugin_done };
	pool_submit(backend->agent->pool, &work->job);
}

static const struct backend_class plugin_class = { "plugin", plugin_submit };

static struct backend *add_backend(struct agent *agent, const char *name, const char *target)
{
	struct backend *backend = calloc(1, sizeof(*backend)), **last = &agent->backends;

	if (!backend)
		return NULL;
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

static void attach(struct backend *backend)
{
	const struct vaccel_plugin *plugin = backend->plugin;
	char operations[1024];

	backend->reentrant = backend->agent->core->plugin_reentrant(plugin);
	backend->up = true;
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

static struct backend *backend_of_plugin(const struct agent *agent,
					 const struct vaccel_plugin *plugin)
{
	struct backend *backend = agent->backends;

	while (backend && backend->plugin != plugin)
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
		if (ret == VACCEL_ENOTSUP)
			snprintf(reason, sizeof(reason), "the plugin takes no options");
		return refuse(err, errsize, "%s: backend %s: option %s = %s refused: %s",
			      declared->where, declared->name, option->key, option->value,
			      reason[0] ? reason : "unknown option");
	}
	return 0;
}

/* "torch" is libvaccel-torch.so; what has a slash or ends in .so is taken as it is. */
static void library_of(const char *target, char *buf, size_t size)
{
	size_t length = strlen(target);

	if (strchr(target, '/') || (length > 3 && !strcmp(target + length - 3, ".so")))
		snprintf(buf, size, "%s", target);
	else
		snprintf(buf, size, "libvaccel-%s.so", target);
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
static int load(struct backend *backend, const struct policy_backend *declared, char *err,
		size_t errsize)
{
	const struct luaccel_core *core = backend->agent->core;
	struct vaccel_plugin *plugin = NULL;
	const struct backend *other;
	char library[256];
	int ret;

	library_of(declared->target, library, sizeof(library));
	ret = core->plugin_load(library, &plugin);
	other = ret == VACCEL_EEXIST ? backend_of_plugin(backend->agent, plugin) : NULL;
	if (other)
		return refuse(err, errsize,
			      "%s: backends %s and %s are on one library file, %s; one process can "
			      "have it once",
			      declared->where, other->name, declared->name, library);
	if (!ret || ret == VACCEL_EEXIST) {
		backend->plugin = plugin;
		return 0;
	}
	luaccel_last_error(backend->why, sizeof(backend->why));
	log_warn("backend %s is down: %s", backend->name, backend->why);
	return 0;
}

int backend_declare(struct agent *agent, const struct policy_backend *declared, char *err,
		    size_t errsize)
{
	struct backend *backend = backend_find(agent, declared->name);
	char target[sizeof(backend->target)];
	int ret = 0;

	describe(declared, target, sizeof(target));
	if (backend && backend->up)
		return redeclare(backend, declared, target, err, errsize);
	if (!backend)
		backend = add_backend(agent, declared->name, target);
	if (!backend)
		return -ENOMEM;
	if (strcmp(backend->target, target))
		backend->plugin = NULL; /* it was to be another one, which did not come up */
	snprintf(backend->target, sizeof(backend->target), "%s", target);
	if (!backend->plugin)
		ret = load(backend, declared, err, errsize);
	if (!ret && backend->plugin)
		ret = configure(backend, declared, err, errsize);
	if (!ret && backend->plugin) {
		attach(backend);
		backend->fresh = true;
	}
	return ret;
}

void backends_settle(struct agent *agent, bool good)
{
	struct backend *backend;

	for (backend = agent->backends; backend; backend = backend->next) {
		if (backend->fresh && !good) {
			backend->up = false;
			snprintf(backend->why, sizeof(backend->why), "its declaration was refused");
		}
		backend->fresh = false;
	}
}

bool backend_knows(const struct backend *backend, vaccel_op_type_t type)
{
	return backend->plugin && backend->plugin->ops[type];
}

struct backend *backend_find(const struct agent *agent, const char *name)
{
	struct backend *backend = agent->backends;

	while (backend && strcmp(backend->name, name))
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
		count += backend->up || !up_only;
	return count;
}

void backends_free(struct agent *agent)
{
	struct backend *backend;

	while ((backend = agent->backends)) {
		agent->backends = backend->next;
		free(backend);
	}
}
