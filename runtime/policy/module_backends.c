/*
 * module_backends.c - see module_backends.h.
 */
#include "module_backends.h"
#include "backend_names.h"
#include "luaccel.h"
#include "operation_names.h"
#include "vaccel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct backend *backends;
static size_t nr_backends;

int module_fail(char *why, size_t size, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return code;
}

struct backend *module_backend(const char *name)
{
	size_t i;

	for (i = 0; i < nr_backends; i++)
		if (!strcmp(backends[i].name, name))
			return &backends[i];
	return NULL;
}

struct backend *module_backend_at(const struct policy_place *place)
{
	size_t i;

	for (i = 0; i < nr_backends; i++)
		if (backends[i].place.plugin == place->plugin &&
		    backends[i].place.uri == place->uri)
			return &backends[i];
	return NULL;
}

static struct backend *add_backend(const char *name)
{
	struct backend *grown = realloc(backends, (nr_backends + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	backends = grown;
	grown += nr_backends++;
	*grown = (struct backend){ .uri = NULL };
	snprintf(grown->name, sizeof(grown->name), "%s", name);
	return grown;
}

/* Plugins that are there without being declared. */
int module_backends_loaded(const struct luaccel_core *core)
{
	struct vaccel_plugin *plugin = NULL;
	struct backend *backend;

	while ((plugin = core->plugin_next(plugin))) {
		backend = add_backend(plugin->info->name);
		if (!backend)
			return VACCEL_ENOMEM;
		backend->place.plugin = plugin;
	}
	return VACCEL_OK;
}

static int configure(const struct luaccel_core *core, const struct policy_backend *declared,
		     struct vaccel_plugin *plugin, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < declared->nr_options; i++) {
		const struct policy_option *option = &declared->options[i];
		char reason[256];
		int ret = core->plugin_configure(plugin, option->key, option->value);

		if (!ret)
			continue;
		luaccel_last_error(reason, sizeof(reason));
		return backend_option_refused(why, size, declared, option, ret, reason);
	}
	return VACCEL_OK;
}

/* One that cannot be loaded is down, which is no error as long as it is not needed. */
static int load_library(const struct luaccel_core *core, struct backend *backend,
			const char *library)
{
	int ret = core->plugin_load(library, &backend->place.plugin);

	if (!ret || ret == VACCEL_EEXIST)
		return ret;
	luaccel_last_error(backend->why, sizeof(backend->why));
	backend->place.plugin = NULL;
	return ret;
}

static int declare_plugin(const struct luaccel_core *core, const struct policy_backend *declared,
			  char *why, size_t size)
{
	struct backend backend = { .uri = NULL }, *added;
	char library[POLICY_TEXT_MAX];
	const struct backend *other;

	backend_library(declared, library, sizeof(library));
	other = load_library(core, &backend, library) == VACCEL_EEXIST
			? module_backend_at(&backend.place)
			: NULL;
	if (other)
		return module_fail(
			why, size, VACCEL_EINVAL,
			"%s: backends %s and %s are on one library file, %s; one process can "
			"have it once",
			declared->where, other->name, declared->name, library);
	added = add_backend(declared->name);
	if (!added)
		return module_fail(why, size, VACCEL_ENOMEM, "out of memory");
	added->place = backend.place;
	snprintf(added->why, sizeof(added->why), "%s", backend.why);
	return added->place.plugin ? configure(core, declared, added->place.plugin, why, size)
				   : VACCEL_OK;
}

/* All remotes share one plugin, which is told the address with each session. */
static int declare_remote(const struct luaccel_core *core, const struct policy_backend *declared,
			  char *why, size_t size)
{
	struct backend *backend = add_backend(declared->name);

	if (backend)
		backend->uri = strdup(declared->target);
	if (!backend || !backend->uri)
		return module_fail(why, size, VACCEL_ENOMEM, "out of memory");
	backend->place.uri = backend->uri;
	load_library(core, backend, "libvaccel-rpc.so");
	return VACCEL_OK;
}

static int declare(const struct luaccel_core *core, const struct policy_backend *declared,
		   char *why, size_t size)
{
	return strcmp(declared->kind, "remote") ? declare_plugin(core, declared, why, size)
						: declare_remote(core, declared, why, size);
}

int module_backends_declare(const struct luaccel_core *core,
			    const struct policy_generation *generation, char *why, size_t size)
{
	const struct policy_backend *declared;
	size_t i, count;
	int ret = VACCEL_OK;

	declared = policy_backends(generation, &count);
	for (i = 0; i < count && !ret; i++)
		ret = declare(core, &declared[i], why, size);
	return ret;
}

/* What a policy may know of one, see struct policy_engine_options. */
bool module_backend_view(void *ctx, const char *name, struct policy_backend_view *view)
{
	const struct backend *backend = module_backend(name);

	(void)ctx;
	if (!backend)
		return false;
	view->up = backend->place.plugin;
	view->inflight = atomic_load(&backend->inflight);
	tally_view(&backend->tally, view);
	return true;
}

enum policy_support module_backend_supports(void *ctx, const char *name, const char *operation)
{
	const struct backend *backend = module_backend(name);
	int type = operation_by_name(operation);

	(void)ctx;
	if (type < 0)
		return POLICY_SUPPORT_NO_OPERATION;
	if (!backend || !backend->place.plugin || backend->place.uri)
		return POLICY_SUPPORT_UNKNOWN;
	return backend->place.plugin->ops[type] ? POLICY_SUPPORT_YES : POLICY_SUPPORT_NO;
}

size_t module_backends_count(void)
{
	return nr_backends;
}

void module_backends_names(const char **names)
{
	for (size_t i = 0; i < nr_backends; i++)
		names[i] = backends[i].name;
}

void module_backends_drop(void)
{
	while (nr_backends)
		free(backends[--nr_backends].uri);
	free(backends);
	backends = NULL;
}

void module_backends_forked(void)
{
	for (size_t i = 0; i < nr_backends; i++)
		atomic_store(&backends[i].inflight, 0);
}
