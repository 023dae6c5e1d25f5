/*
 * dispatch.c - the slow half of dispatch.h: debug lines, and operations that are not there. Any
 * thread.
 */
#include "dispatch.h"
#include <inttypes.h>

void *op_find(const struct vaccel_session *sess, vaccel_op_type_t type)
{
	const struct vaccel_plugin *plugin = sess->plugin;
	char name[VACCEL_ENUM_STR_MAX];

	vaccel_op_type_name(type, name, sizeof(name));
	log_debug("session:%" PRId64 " Looking for func implementing op %s", sess->id, name);
	if (!plugin) {
		fail(VACCEL_ENOTSUP, "The session is not initialized, or was released");
		return NULL;
	}
	if (!plugin->ops[type]) {
		fail(VACCEL_ENOTSUP, "Could not return func, plugin %s does not implement %s",
		     plugin->info->name, name);
		return NULL;
	}
	log_debug("Returning func for op %s from plugin %s", name, plugin->info->name);
	return plugin->ops[type]->func;
}
