/*
 * plugin_load.c - from a name to a plugin: dlopen, check, register, init; and what a plugin may
 * export beyond vAccel's interface. Any thread.
 */
#include "last_error.h"
#include "library.h"
#include "logging.h"
#include "plugins.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* With dlopen's words for the name as it was given. */
static void *open_library(const char *lib)
{
	void *handle = dlopen(lib, RTLD_LAZY);
	char *words;

	if (handle)
		return handle;
	words = strdup(dlerror());
	/* A bare name that the system's search does not find may lie beside libvaccel.so. */
	handle = strchr(lib, '/') ? NULL : library_beside_us(lib, RTLD_LAZY);
	if (!handle)
		fail(VACCEL_ENOENT, "Could not dlopen plugin %s: %s", lib, words ? words : "?");
	free(words);
	return handle;
}

static int init_plugin(struct vaccel_plugin *plugin)
{
	const unsigned mark = error_mark();
	const int ret = plugin->info->init();

	if (ret && mark == error_mark())
		fail(ret, "Could not initialize plugin %s (code %d)", plugin->info->name, ret);
	else if (ret)
		log_error("Could not initialize plugin %s", plugin->info->name);
	return ret;
}

int plugin_load(const char *lib, struct vaccel_plugin **plugin)
{
	struct vaccel_plugin **exported;
	void *handle;
	int ret;

	*plugin = NULL;
	handle = open_library(lib);
	if (!handle)
		return VACCEL_ENOENT;
	exported = dlsym(handle, "vaccel_plugin");
	if (!exported || !*exported) {
		ret = fail(VACCEL_ELIBBAD, "%s is not a vaccel plugin", lib);
		goto close;
	}
	*plugin = *exported;
	ret = plugin_register(*plugin);
	if (ret) {
		log_error("Could not register plugin %s", lib);
		goto close;
	}
	ret = init_plugin(*plugin);
	if (ret)
		goto unregister;
	(*plugin)->dl_handle = handle;
	log_debug("Loaded plugin %s from %s", (*plugin)->info->name, lib);
	return VACCEL_OK;

unregister:
	plugin_unregister(*plugin);
close:
	if (ret != VACCEL_EEXIST)
		*plugin = NULL;
	dlclose(handle);
	return ret;
}

int vaccel_plugin_load(const char *lib)
{
	const unsigned mark = error_mark();
	struct vaccel_plugin *plugin;

	return error_settle(mark, lib ? plugin_load(lib, &plugin) : VACCEL_EINVAL);
}

int vaccel_plugin_parse_and_load(const char *lib_str)
{
	const unsigned mark = error_mark();
	int ret = VACCEL_OK;
	char *list, *rest;

	if (!lib_str)
		return error_settle(mark, VACCEL_EINVAL);
	list = strdup(lib_str);
	if (!list)
		return error_settle(mark, VACCEL_ENOMEM);
	for (char *lib = strtok_r(list, ":", &rest); lib && !ret; lib = strtok_r(NULL, ":", &rest))
		ret = vaccel_plugin_load(lib);
	free(list);
	return error_settle(mark, ret);
}

int plugin_configure(struct vaccel_plugin *plugin, const char *key, const char *value)
{
	int (*configure)(const char *key, const char *value);
	void *symbol = dlsym(plugin->dl_handle, "luaccel_plugin_configure");

	if (!symbol) {
		luaccel_set_error("plugin %s takes no options", plugin->info->name);
		return VACCEL_ENOTSUP;
	}
	memcpy(&configure, &symbol, sizeof(configure));
	return configure(key, value);
}

uint64_t plugin_reentrant(const struct vaccel_plugin *plugin)
{
	const uint64_t *mask = dlsym(plugin->dl_handle, "luaccel_plugin_reentrant");

	return mask ? *mask : 0;
}

const struct luaccel_targets *plugin_targets(const struct vaccel_plugin *plugin)
{
	return dlsym(plugin->dl_handle, "luaccel_plugin_targets");
}
