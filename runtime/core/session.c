/*
 * session.c - sessions: choose a plugin, tell a remote one, make the run directory; and back.
 *
 * The struct belongs to the caller, the record behind it to the registry. Any thread; one session
 * is released by one thread, which waits for others that register or unregister with it.
 */
#include "app_policy.h"
#include "bootstrap.h"
#include "last_error.h"
#include "logging.h"
#include "plugins.h"
#include "resources.h"
#include "rundir.h"
#include "sessions.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tell_init(struct vaccel_session *sess, uint32_t flags,
		     const struct luaccel_target *target)
{
	const struct luaccel_targets *targets = target ? plugin_targets(sess->plugin) : NULL;

	if (!target)
		return sess->plugin->info->session_init(sess, flags);
	if (!targets)
		return fail(VACCEL_ENOTSUP, "Plugin %s takes sessions to no target",
			    sess->plugin->info->name);
	return targets->session_init(sess, flags, target);
}

/* Tell the plugin of a remote session; it fills sess->remote_id. */
static int open_remote(struct vaccel_session *sess, uint32_t flags,
		       const struct luaccel_target *target)
{
	const struct vaccel_plugin_info *info = sess->plugin->info;
	const unsigned mark = error_mark();
	int ret;

	if (!info->is_virtio)
		return fail(VACCEL_ENOTSUP,
			    "Cannot initialize remote session; no VirtIO plugin loaded yet");
	if (!info->session_init)
		return fail(VACCEL_ENOTSUP,
			    "Cannot initialize remote session; plugin %s lacks `session_init()`",
			    info->name);
	ret = tell_init(sess, flags & ~(uint32_t)VACCEL_PLUGIN_REMOTE, target);
	if (ret && mark == error_mark())
		return fail(ret, "Failed to initialize remote session");
	if (ret) {
		log_error("Failed to initialize remote session");
		return ret;
	}
	sess->is_virtio = true;
	return VACCEL_OK;
}

static bool can_close_remote(const struct vaccel_session *sess)
{
	return sess->plugin->info->session_release != NULL;
}

/* Tell the plugin, if it wants to hear of it. */
static void close_remote(struct vaccel_session *sess)
{
	if (can_close_remote(sess) && sess->plugin->info->session_release(sess))
		log_warn("Could not release remote session");
}

/* session.N; a second leg of one session has its plugin's name behind. */
static int make_rundir(struct vaccel_session *sess, bool hidden)
{
	char name[NAME_MAX];
	int ret;

	snprintf(name, sizeof(name), "session.%" PRId64, sess->id);
	ret = rundir_make(name, sess->rundir);
	if (ret == VACCEL_EEXIST && hidden) {
		snprintf(name, sizeof(name), "session.%" PRId64 "-%s", sess->id,
			 sess->plugin->info->name);
		for (char *slash = name; (slash = strchr(slash, '/'));)
			*slash = '_';
		ret = rundir_make(name, sess->rundir);
	}
	if (ret)
		return fail(ret, "Could not create rundir for session %" PRId64 ": %s", sess->id,
			    strerror(ret));
	log_debug("New rundir for session %" PRId64 ": %s", sess->id, sess->rundir);
	return VACCEL_OK;
}

/* Everything but the record; sess->plugin is set. */
static int start_session(struct vaccel_session *sess, uint32_t flags, bool remote, bool hidden,
			 const struct luaccel_target *target)
{
	int ret;

	sess->priv = NULL;
	sess->is_virtio = false;
	if (remote) {
		ret = open_remote(sess, flags, target);
		if (ret)
			return ret;
	}
	ret = make_rundir(sess, hidden);
	if (ret && remote)
		close_remote(sess);
	if (ret)
		return ret;
	sess->hint = flags;
	if (remote)
		log_debug("Initialized session %" PRId64 " with plugin %s (remote id: %" PRId64 ")",
			  sess->id, sess->plugin->info->name, sess->remote_id);
	else
		log_debug("Initialized session %" PRId64 " with plugin %s", sess->id,
			  sess->plugin->info->name);
	return VACCEL_OK;
}

static int start_by_hint(struct vaccel_session *sess, uint32_t flags)
{
	bool remote;

	sess->plugin = plugin_choose(flags, &remote);
	return sess->plugin ? start_session(sess, flags, remote, false, NULL) : VACCEL_ENOTSUP;
}

static int start_at(struct vaccel_session *sess, uint32_t flags, const struct policy_place *place)
{
	const struct luaccel_target target = { .uri = place->uri };
	int ret;

	sess->plugin = place->plugin;
	ret = start_session(sess, flags, sess->plugin->info->is_virtio, false,
			    place->uri ? &target : NULL);
	if (ret)
		log_warn("session:%" PRId64 " Plugin %s does not serve it%s%s", sess->id,
			 sess->plugin->info->name, place->uri ? " at " : "",
			 place->uri ? place->uri : "");
	return ret;
}

/* At the first place of the policy's plan that takes it. */
static int start_by_policy(struct session_record *record, uint32_t flags)
{
	struct vaccel_session *sess = record->session;
	const char *uri = NULL;
	struct policy_route route;
	int ret = app_policy_route(record, flags, &route);

	if (ret)
		return ret;
	if (!route.count)
		ret = start_by_hint(sess, flags);
	for (size_t i = 0; i < route.count; i++) {
		uri = route.places[i].uri;
		ret = start_at(sess, flags, &route.places[i]);
		if (!ret)
			break;
	}
	if (ret)
		app_policy_leave(record);
	else
		app_policy_entered(record, uri);
	return ret;
}

static int init_session(struct vaccel_session *sess, uint32_t flags, bool allocated)
{
	struct session_record *record;
	int ret;

	if (!registry_started())
		return bootstrap_missing(VACCEL_ESESS);
	ret = registry_new_session(sess, allocated, &record);
	if (ret)
		return ret;
	ret = app_policy_asks() ? start_by_policy(record, flags) : start_by_hint(sess, flags);
	if (ret) {
		sess->plugin = NULL;
		registry_forget_session(record);
		return ret;
	}
	registry_publish_session(record);
	return VACCEL_OK;
}

int vaccel_session_init(struct vaccel_session *sess, uint32_t flags)
{
	const unsigned mark = error_mark();

	return error_settle(mark, sess ? init_session(sess, flags, false) : VACCEL_EINVAL);
}

int vaccel_session_new(struct vaccel_session **sess, uint32_t flags)
{
	const unsigned mark = error_mark();
	struct vaccel_session *created;
	int ret;

	if (!sess)
		return error_settle(mark, VACCEL_EINVAL);
	created = calloc(1, sizeof(*created));
	ret = created ? init_session(created, flags, true) : VACCEL_ENOMEM;
	if (ret)
		free(created);
	else
		*sess = created;
	return error_settle(mark, ret);
}

/* Every resource of a session that is closing. Without force the first failure ends it. */
static int unregister_all(struct session_record *record, bool force)
{
	struct registration *registration;
	int ret = VACCEL_OK;

	while ((force || !ret) && (registration = registry_next_of_session(record))) {
		const int failed = resource_leave(registration);

		ret = ret ? ret : failed;
	}
	return ret;
}

int session_release(struct session_record *record, bool force)
{
	struct vaccel_session *sess = record->session;
	const vaccel_id_t id = sess->id;
	int ret;

	if (!registry_close(&record->record))
		return fail(VACCEL_EINVAL, "Session %" PRId64 " is being released already", id);
	ret = unregister_all(record, force);
	if (ret) {
		log_error("Could not unregister session resources");
		if (!force) {
			registry_reopen(&record->record);
			return ret;
		}
	}
	rundir_remove(sess->rundir);
	if (sess->is_virtio)
		close_remote(sess);
	app_policy_leave(record);
	sess->priv = NULL;
	sess->plugin = NULL;
	registry_forget_session(record);
	log_debug("Released session %" PRId64, id);
	return ret;
}

static int release_public(struct vaccel_session *sess)
{
	struct session_record *record;

	if (!sess)
		return VACCEL_EINVAL;
	if (!registry_started())
		return bootstrap_missing(VACCEL_ESESS);
	record = registry_session(sess);
	if (!record)
		return fail(VACCEL_EINVAL, "Cannot release uninitialized session");
	if (sess->is_virtio && !can_close_remote(sess))
		return fail(VACCEL_ENOTSUP,
			    "Cannot release remote session; plugin %s lacks `session_release()`",
			    sess->plugin->info->name);
	return session_release(record, false);
}

int vaccel_session_release(struct vaccel_session *sess)
{
	const unsigned mark = error_mark();

	return error_settle(mark, release_public(sess));
}

int vaccel_session_delete(struct vaccel_session *sess)
{
	const int ret = vaccel_session_release(sess);

	if (!ret)
		free(sess);
	return ret;
}

int leg_open(struct vaccel_plugin *plugin, vaccel_id_t id, uint32_t hint,
	     const struct luaccel_target *target, struct vaccel_session **leg)
{
	struct vaccel_session *sess = calloc(1, sizeof(*sess));
	struct session_record *record;
	int ret;

	if (!sess)
		return VACCEL_ENOMEM;
	ret = registry_hide_session(sess, id, &record);
	if (ret)
		goto free_session;
	sess->plugin = plugin;
	ret = start_session(sess, hint, plugin->info->is_virtio || target, true, target);
	if (ret)
		goto forget;
	*leg = sess;
	return VACCEL_OK;

forget:
	registry_forget_session(record);
free_session:
	free(sess);
	return ret;
}

int leg_close(struct vaccel_session *leg)
{
	struct session_record *record = registry_session(leg);
	int ret;

	if (!record)
		return fail(VACCEL_EINVAL, "Cannot close what is not a leg");
	ret = session_release(record, true);
	free(leg);
	return ret;
}

static bool has_resources(struct vaccel_session *sess)
{
	size_t count = 0;

	pthread_mutex_lock(&sess->resources_lock);
	for (size_t i = 0; i < VACCEL_RESOURCE_MAX; i++)
		count += sess->resource_counts[i];
	pthread_mutex_unlock(&sess->resources_lock);
	return count != 0;
}

/*
 * A remote session's plugin decides about new flags; a local one is chosen anew, unless a policy
 * has chosen it.
 */
static int update_session(struct vaccel_session *sess, uint32_t flags)
{
	const struct session_record *record;
	struct vaccel_plugin *plugin;
	bool remote;
	int ret;

	if (!sess)
		return VACCEL_EINVAL;
	if (!registry_started())
		return bootstrap_missing(VACCEL_ESESS);
	record = registry_session(sess);
	if (!record)
		return fail(VACCEL_EINVAL, "Cannot update uninitialized session");
	if (sess->is_virtio) {
		if (!sess->plugin->info->session_update)
			return fail(
				VACCEL_ENOTSUP,
				"Cannot update remote session; invalid plugin `session_update()`");
		ret = sess->plugin->info->session_update(sess,
							 flags & ~(uint32_t)VACCEL_PLUGIN_REMOTE);
		if (ret)
			log_error("Failed to update remote session");
		return ret;
	}
	if (has_resources(sess))
		return fail(VACCEL_ENOTSUP, "Cannot update a session with registered resources");
	plugin = record->routed ? sess->plugin : plugin_choose(flags, &remote);
	if (!plugin)
		return VACCEL_ENOTSUP;
	sess->plugin = plugin;
	sess->hint = flags;
	log_debug("session:%" PRId64 " Selected plugin %s", sess->id, plugin->info->name);
	return VACCEL_OK;
}

int vaccel_session_update(struct vaccel_session *sess, uint32_t flags)
{
	const unsigned mark = error_mark();

	return error_settle(mark, update_session(sess, flags));
}

int vaccel_sess_update(struct vaccel_session *sess, uint32_t flags)
{
	const unsigned mark = error_mark();

	return error_settle(mark, update_session(sess, flags));
}

int vaccel_sess_init(struct vaccel_session *sess, uint32_t flags)
{
	return vaccel_session_init(sess, flags);
}

int vaccel_sess_free(struct vaccel_session *sess)
{
	return vaccel_session_release(sess);
}
