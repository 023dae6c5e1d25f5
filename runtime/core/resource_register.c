/*
 * resource_register.c - bringing a resource into a session and out again, and telling the
 * session's plugin. No lock is held while the plugin runs; the records are in use, so neither the
 * session nor the resource can be released under it. Any thread.
 */
#include "app_policy.h"
#include "bootstrap.h"
#include "last_error.h"
#include "logging.h"
#include "resources.h"
#include <inttypes.h>

/* Both views' records, in use. */
struct pair {
	struct resource_record *resource;
	struct session_record *session;
};

static bool pair_use(struct pair *pair)
{
	if (!registry_use(&pair->resource->record))
		return false;
	if (registry_use(&pair->session->record))
		return true;
	registry_unuse(&pair->resource->record);
	return false;
}

static void pair_unuse(const struct pair *pair)
{
	registry_unuse(&pair->session->record);
	registry_unuse(&pair->resource->record);
}

/* The checks that the three calls share. */
static int pair_find(struct vaccel_resource *res, struct vaccel_session *sess, struct pair *pair)
{
	if (!registry_started())
		return bootstrap_missing(VACCEL_EPERM);
	if (!res || !sess)
		return VACCEL_EINVAL;
	pair->resource = registry_resource(res);
	pair->session = registry_session(sess);
	if (!pair->resource)
		return fail(VACCEL_EINVAL, "The resource is not initialized, or was released");
	if (!pair->session)
		return fail(VACCEL_EINVAL, "The session is not initialized, or was released");
	return VACCEL_OK;
}

/* A plugin's failure in words, which are the plugin's own if it left a reason. */
static int plugin_failed(unsigned mark, int ret, const char *what,
			 const struct vaccel_resource *res, const struct vaccel_session *sess)
{
	const char *remote = sess->is_virtio ? "remote " : "";
	const vaccel_id_t id = sess->is_virtio ? res->remote_id : res->id;

	if (mark == error_mark())
		return fail(ret, "session:%" PRId64 " Failed to %s %sresource %" PRId64, sess->id,
			    what, remote, id);
	log_error("session:%" PRId64 " Failed to %s %sresource %" PRId64, sess->id, what, remote,
		  id);
	return ret;
}

static int no_callback(const struct vaccel_session *sess, const char *what, vaccel_id_t id)
{
	return fail(VACCEL_ENOTSUP,
		    "session:%" PRId64 " Cannot %s remote resource %" PRId64
		    "; plugin %s does not do this",
		    sess->id, what, id, sess->plugin->info->name);
}

static int tell_register(struct vaccel_resource *res, struct vaccel_session *sess)
{
	const struct vaccel_plugin_info *info = sess->plugin->info;
	const unsigned mark = error_mark();
	int ret;

	if (!info->resource_register)
		return sess->is_virtio ? no_callback(sess, "register", res->id) : VACCEL_OK;
	ret = info->resource_register(res, sess);
	return ret ? plugin_failed(mark, ret, "register", res, sess) : VACCEL_OK;
}

static int link_pair(const struct pair *pair)
{
	const struct vaccel_resource *res = pair->resource->resource;
	const struct vaccel_session *sess = pair->session->session;
	const int ret = registry_link(pair->resource, pair->session);

	if (ret == VACCEL_EEXIST) {
		log_warn("session:%" PRId64 " Resource %" PRId64 " already registered", sess->id,
			 res->id);
		return VACCEL_OK;
	}
	if (ret)
		return ret;
	if (sess->is_virtio)
		log_debug("session:%" PRId64 " Registered resource %" PRId64
			  " with remote (id: %" PRId64 ")",
			  sess->id, res->id, res->remote_id);
	else
		log_debug("session:%" PRId64 " Registered resource %" PRId64, sess->id, res->id);
	return VACCEL_OK;
}

static int register_pair(const struct pair *pair)
{
	struct vaccel_resource *res = pair->resource->resource;
	struct vaccel_session *sess = pair->session->session;
	int ret = app_policy_asks() ? app_policy_resource(pair->session, res) : VACCEL_OK;

	if (ret)
		return ret;
	ret = resource_load(pair->resource, sess->is_virtio);
	if (ret) {
		log_error("Failed to load resource data");
		return ret;
	}
	ret = tell_register(res, sess);
	if (ret)
		return ret;
	if (sess->is_virtio && res->remote_id <= 0) {
		/* A plugin that succeeds without an id leaves the resource out, as ever. */
		log_error("session:%" PRId64 " Failed to register remote resource %" PRId64,
			  sess->id, res->remote_id);
		return VACCEL_OK;
	}
	return link_pair(pair);
}

/* Neither of the two is released while `act` is at work on them. */
static int with_pair(struct vaccel_resource *res, struct vaccel_session *sess,
		     int (*act)(const struct pair *pair))
{
	struct pair pair;
	int ret = pair_find(res, sess, &pair);

	if (ret)
		return ret;
	if (!pair_use(&pair))
		return fail(VACCEL_EINVAL, "The session or the resource is being released");
	ret = act(&pair);
	pair_unuse(&pair);
	return ret;
}

int vaccel_resource_register(struct vaccel_resource *res, struct vaccel_session *sess)
{
	const unsigned mark = error_mark();

	return error_settle(mark, with_pair(res, sess, register_pair));
}

static int tell_unregister(struct vaccel_resource *res, struct vaccel_session *sess)
{
	const struct vaccel_plugin_info *info = sess->plugin->info;
	const unsigned mark = error_mark();
	int ret;

	if (!info->resource_unregister)
		return sess->is_virtio ? no_callback(sess, "unregister", res->remote_id)
				       : VACCEL_OK;
	ret = info->resource_unregister(res, sess);
	return ret ? plugin_failed(mark, ret, "unregister", res, sess) : VACCEL_OK;
}

int resource_leave(struct registration *registration)
{
	struct vaccel_resource *res = registration->resource->resource;
	struct vaccel_session *sess = registration->session->session;
	const int ret = tell_unregister(res, sess);

	if (!ret)
		log_debug("session:%" PRId64 " Unregistered resource %" PRId64, sess->id, res->id);
	registry_end(registration);
	return ret;
}

static int unregister_public(struct vaccel_resource *res, struct vaccel_session *sess)
{
	struct registration *registration;
	struct pair pair;
	int ret = pair_find(res, sess, &pair);

	if (ret)
		return ret;
	registration = registry_unlink(pair.resource, pair.session);
	if (!registration)
		return fail(VACCEL_EINVAL,
			    "session:%" PRId64 " Resource %" PRId64 " not registered", sess->id,
			    res->id);
	return resource_leave(registration);
}

int vaccel_resource_unregister(struct vaccel_resource *res, struct vaccel_session *sess)
{
	const unsigned mark = error_mark();

	return error_settle(mark, unregister_public(res, sess));
}

static int sync_pair(const struct pair *pair)
{
	struct vaccel_resource *res = pair->resource->resource;
	struct vaccel_session *sess = pair->session->session;
	const struct vaccel_plugin_info *info = sess->plugin->info;
	const unsigned mark = error_mark();
	int ret;

	if (!registry_linked(pair->resource, pair->session))
		return fail(VACCEL_EPERM, "session:%" PRId64 " Resource %" PRId64 " not registered",
			    sess->id, res->id);
	if (!res->nr_blobs || res->blobs[0]->type != VACCEL_BLOB_BUFFER)
		return fail(VACCEL_EINVAL, "Cannot synchronize non-buffer resources");
	if (!info->resource_sync)
		return sess->is_virtio ? no_callback(sess, "synchronize", res->remote_id)
				       : VACCEL_OK;
	ret = info->resource_sync(res, sess);
	return ret ? plugin_failed(mark, ret, "synchronize", res, sess) : VACCEL_OK;
}

int vaccel_resource_sync(struct vaccel_resource *res, struct vaccel_session *sess)
{
	const unsigned mark = error_mark();

	return error_settle(mark, with_pair(res, sess, sync_pair));
}
