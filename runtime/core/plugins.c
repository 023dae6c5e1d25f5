/*
 * plugins.c - the list of loaded plugins, in load order, and which of them serves a session.
 *
 * The list links the plugins' own structs, which stay mapped until plugins_stop(). Any thread.
 */
#include "plugins.h"
#include "last_error.h"
#include "logging.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static struct {
	pthread_mutex_t lock;
	bool started;
	struct vaccel_list_entry all;
} plugins = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.all = LIST_ENTRY_INIT(plugins.all),
};

#define plugin_of(link) container_of(link, struct vaccel_plugin, entry)

void plugins_lock(void)
{
	pthread_mutex_lock(&plugins.lock);
}

void plugins_unlock(void)
{
	pthread_mutex_unlock(&plugins.lock);
}

void plugins_start(void)
{
	plugins_lock();
	plugins.started = true;
	plugins_unlock();
}

static struct vaccel_plugin *first(void)
{
	struct vaccel_plugin *plugin = NULL;

	plugins_lock();
	if (!list_empty(&plugins.all))
		plugin = plugin_of(plugins.all.next);
	else
		plugins.started = false;
	plugins_unlock();
	return plugin;
}

void plugins_stop(void)
{
	struct vaccel_plugin *plugin;

	while ((plugin = first())) {
		void *handle = plugin->dl_handle;

		plugin_unregister(plugin);
		if (handle)
			dlclose(handle);
	}
}

void plugins_abandon(void)
{
	plugins_lock();
	while (!list_empty(&plugins.all))
		list_remove(plugins.all.next);
	plugins.started = false;
	plugins_unlock();
}

/* MAJOR.MINOR.PATCH[extra], with or without a leading v. */
struct version {
	int major, minor, patch;
	char extra[64];
};

static bool parse_version(const char *text, struct version *version)
{
	version->extra[0] = '\0';
	if (text[0] == 'v')
		text++;
	return sscanf(text, "%d.%d.%d%63s", &version->major, &version->minor, &version->patch,
		      version->extra) >= 3;
}

static int check_version(const struct vaccel_plugin_info *info)
{
	struct version ours, theirs;

	if (vaccel_config()->version_ignore)
		return VACCEL_OK;
	if (!info->vaccel_version)
		return fail(VACCEL_EINVAL, "The plugin has no vaccel version set");
	if (!parse_version(info->vaccel_version, &theirs))
		return fail(VACCEL_EINVAL, "Could not parse plugin's vaccel version %s",
			    info->vaccel_version);
	parse_version(VACCEL_VERSION, &ours);
	if (theirs.major != ours.major)
		return fail(VACCEL_EINVAL,
			    "Plugin is incompatible with current vAccel version (built w/ %s, used "
			    "w/ %s)",
			    info->vaccel_version, VACCEL_VERSION);
	if (theirs.minor != ours.minor || theirs.patch != ours.patch ||
	    strcmp(theirs.extra, ours.extra) != 0)
		log_warn("Plugin may be incompatible with current vAccel version (built w/ %s, "
			 "used w/ %s)",
			 info->vaccel_version, VACCEL_VERSION);
	return VACCEL_OK;
}

static int check_info(const struct vaccel_plugin_info *info)
{
	if (!info || !info->name)
		return fail(VACCEL_EINVAL, "Plugin needs to have a name");
	if (!info->version)
		return fail(VACCEL_EINVAL, "Plugin needs to have a version");
	if (!info->init)
		return fail(VACCEL_EINVAL, "Plugin needs to expose an init function");
	if (!info->fini)
		return fail(VACCEL_EINVAL, "Plugin needs to expose a fini function");
	return check_version(info);
}

int plugin_register(struct vaccel_plugin *plugin)
{
	int ret = VACCEL_OK;

	plugins_lock();
	if (!plugins.started)
		ret = VACCEL_EBACKEND;
	else if (!list_empty(&plugin->entry))
		ret = VACCEL_EEXIST;
	plugins_unlock();
	if (ret == VACCEL_EBACKEND)
		return fail(ret, "vAccel is not initialised; plugins are loaded after bootstrap");
	if (ret == VACCEL_EEXIST)
		return fail(ret, "Plugin already registered");
	ret = check_info(plugin->info);
	if (ret)
		return ret;

	plugins_lock();
	if (list_empty(&plugin->entry))
		list_add_tail(&plugins.all, &plugin->entry);
	else
		ret = VACCEL_EEXIST;
	plugins_unlock();
	if (ret)
		return fail(ret, "Plugin already registered");
	log_info("Registered plugin %s %s", plugin->info->name, plugin->info->version);
	if (plugin->info->is_virtio)
		log_debug("%s is a VirtIO module", plugin->info->name);
	return VACCEL_OK;
}

void plugin_unregister(struct vaccel_plugin *plugin)
{
	plugins_lock();
	list_remove(&plugin->entry);
	plugins_unlock();
	plugin->info->fini();
	log_debug("Unregistered plugin %s", plugin->info->name);
}

int vaccel_plugin_register_ops(struct vaccel_op *ops, size_t nr_ops)
{
	const unsigned mark = error_mark();

	if (!ops || !nr_ops)
		return error_settle(mark, fail(VACCEL_EINVAL, "No operations defined"));
	if (nr_ops > VACCEL_OP_MAX)
		return error_settle(mark,
				    fail(VACCEL_EINVAL, "Invalid number of plugin operations"));
	for (size_t i = 0; i < nr_ops; i++) {
		if (!ops[0].owner || ops[i].type >= VACCEL_OP_MAX)
			return error_settle(mark, fail(VACCEL_EINVAL, "Invalid plugin operation"));
	}
	for (size_t i = 0; i < nr_ops; i++) {
		char name[VACCEL_ENUM_STR_MAX];

		ops[0].owner->ops[ops[i].type] = &ops[i];
		log_debug("Registered op %s from plugin %s",
			  vaccel_op_type_name(ops[i].type, name, sizeof(name)),
			  ops[0].owner->info->name);
	}
	return VACCEL_OK;
}

struct vaccel_plugin *plugin_next(const struct vaccel_plugin *previous)
{
	struct vaccel_plugin *next = NULL;
	const struct vaccel_list_entry *entry;

	plugins_lock();
	entry = previous ? previous->entry.next : plugins.all.next;
	if (entry != &plugins.all)
		next = plugin_of(entry);
	plugins_unlock();
	return next;
}

/* Wishes other than "remote" match any bit of the plugin's type. */
static struct vaccel_plugin *choose_locked(uint32_t hint)
{
	const uint32_t wishes = hint & ~(uint32_t)VACCEL_PLUGIN_REMOTE;
	const bool single = plugins.all.next == plugins.all.prev;

	if (hint & VACCEL_PLUGIN_REMOTE) {
		list_for_each(entry, &plugins.all)
		{
			if (plugin_of(entry)->info->is_virtio)
				return plugin_of(entry);
		}
		return NULL;
	}
	list_for_each(entry, &plugins.all)
	{
		if (wishes & plugin_of(entry)->info->type)
			return plugin_of(entry);
	}
	list_for_each(entry, &plugins.all)
	{
		if (!plugin_of(entry)->info->is_virtio || single)
			return plugin_of(entry);
	}
	return NULL;
}

struct vaccel_plugin *plugin_choose(uint32_t hint, bool *remote)
{
	struct vaccel_plugin *plugin;
	bool none, single;

	plugins_lock();
	none = list_empty(&plugins.all);
	single = !none && plugins.all.next == plugins.all.prev;
	plugin = choose_locked(hint);
	plugins_unlock();
	*remote = plugin && ((hint & VACCEL_PLUGIN_REMOTE) || (single && plugin->info->is_virtio));
	if (none)
		fail(VACCEL_ENOTSUP, "No plugins registered; name some in VACCEL_PLUGINS");
	else if (!plugin && (hint & VACCEL_PLUGIN_REMOTE))
		fail(VACCEL_ENOTSUP, "Could not select plugin, no VirtIO plugin registered");
	else if (!plugin)
		fail(VACCEL_ENOTSUP, "Could not select plugin, no local plugin registered");
	return plugin;
}
