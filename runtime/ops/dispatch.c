/*
 * dispatch.c - the slow half of dispatch.h: debug lines, and operations that are not there; and
 * what an operation checks of its resource. Any thread.
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

size_t op_bytes_of(const struct vaccel_arg *args, size_t count)
{
	size_t bytes = 0;

	if (!app_policy_asks() || !args)
		return 0;
	for (size_t i = 0; i < count; i++)
		bytes += args[i].size;
	return bytes;
}

int op_check_resource(struct vaccel_session *sess, struct vaccel_resource *resource,
		      vaccel_resource_type_t type)
{
	if (!sess || !resource)
		return VACCEL_EINVAL;
	if (resource->type != type)
		return fail(VACCEL_EINVAL, "Invalid resource type: expected %s",
			    vaccel_resource_type_to_str(type));
	if (!vaccel_session_has_resource(sess, resource))
		return fail(VACCEL_EPERM,
			    "Resource %" PRId64 " is not registered to session %" PRId64,
			    resource->id, sess->id);
	return VACCEL_OK;
}
