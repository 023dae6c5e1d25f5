/*
 * luaccel_core.c - the table behind luaccel_core(): the core's own functions, each leaving
 * luaccel_last_error() as the public calls do.
 */
#include "last_error.h"
#include "library.h"
#include "plugins.h"
#include "resources.h"
#include "rundir.h"
#include "sessions.h"

static int table_plugin_load(const char *lib, struct vaccel_plugin **plugin)
{
	const unsigned mark = error_mark();

	return error_settle(mark, plugin_load(lib, plugin));
}

static struct vaccel_plugin *table_plugin_for_hint(uint32_t hint)
{
	bool remote;

	return plugin_choose(hint, &remote);
}

static int table_plugin_configure(struct vaccel_plugin *plugin, const char *key, const char *value)
{
	const unsigned mark = error_mark();

	return error_settle(mark, plugin_configure(plugin, key, value));
}

static int table_leg_open(struct vaccel_plugin *plugin, vaccel_id_t id, uint32_t hint,
			  const struct luaccel_target *target, struct vaccel_session **leg)
{
	const unsigned mark = error_mark();

	return error_settle(mark, leg_open(plugin, id, hint, target, leg));
}

static int table_leg_close(struct vaccel_session *leg)
{
	const unsigned mark = error_mark();

	return error_settle(mark, leg_close(leg));
}

static int table_resource_from_files(struct vaccel_resource **res, const struct vaccel_blob **blobs,
				     size_t nr_blobs, vaccel_resource_type_t type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, resource_from_files(res, blobs, nr_blobs, type));
}

static int table_resource_share(const struct vaccel_resource *shared,
				struct vaccel_resource **hidden)
{
	const unsigned mark = error_mark();

	return error_settle(mark, resource_share(shared, hidden));
}

static int table_resource_unshare(struct vaccel_resource *hidden)
{
	const unsigned mark = error_mark();

	return error_settle(mark, resource_unshare(hidden));
}

static const struct luaccel_core core = {
	.plugin_load = table_plugin_load,
	.plugin_next = plugin_next,
	.plugin_for_hint = table_plugin_for_hint,
	.plugin_configure = table_plugin_configure,
	.plugin_reentrant = plugin_reentrant,
	.plugin_targets = plugin_targets,
	.limit_resources = registry_limit_resources,
	.library_beside = library_beside_us,
	.session_id = registry_session_id,
	.leg_open = table_leg_open,
	.leg_close = table_leg_close,
	.resource_from_files = table_resource_from_files,
	.resource_share = table_resource_share,
	.resource_unshare = table_resource_unshare,
	.remove_files = rundir_destroy,
};

const struct luaccel_core *luaccel_core(uint32_t version)
{
	return version == LUACCEL_CORE_VERSION ? &core : NULL;
}
