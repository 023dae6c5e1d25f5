/*
 * session.h - a caller's connection to one plugin.
 *
 * The struct is the caller's memory and a view of a record that the library keeps; it must stay
 * where it is until it is released.
 */
#ifndef VACCEL_SESSION_H
#define VACCEL_SESSION_H

#include "id.h"
#include "list.h"
#include "resource.h"
#include <limits.h>
#include <linux/limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vaccel_plugin;

struct vaccel_session {
	/* its number, 0 once released */
	vaccel_id_t id;

	/* its number on the other side, set by a remote plugin */
	vaccel_id_t remote_id;

	/* wishes for a plugin: an OR of vaccel_plugin_type_t */
	unsigned int hint;

	/* true if the plugin carries the session to another side */
	bool is_virtio;

	/* directory for its files */
	char rundir[PATH_MAX];

	/* link of the library's list of sessions */
	struct vaccel_list_entry entry;

	/* resources registered with it, a list for each type */
	struct vaccel_list_entry resources[VACCEL_RESOURCE_MAX];

	/* how many of each type */
	size_t resource_counts[VACCEL_RESOURCE_MAX];

	/* guards those lists */
	pthread_mutex_t resources_lock;

	/* plugin that serves it */
	struct vaccel_plugin *plugin;

	/* for the plugin */
	void *priv;
};

/* The session with this id. */
int vaccel_session_get_by_id(struct vaccel_session **sess, vaccel_id_t id);

/* Start a session; flags are an OR of vaccel_plugin_type_t, 0 for no wish. */
int vaccel_session_init(struct vaccel_session *sess, uint32_t flags);

/* End a session: unregister its resources and tell a remote plugin. */
int vaccel_session_release(struct vaccel_session *sess);

/* Start a new session, to be given back by vaccel_session_delete(). */
int vaccel_session_new(struct vaccel_session **sess, uint32_t flags);

/* Release and free a session. */
int vaccel_session_delete(struct vaccel_session *sess);

/* Whether a resource is registered with the session. */
bool vaccel_session_has_resource(struct vaccel_session *sess, struct vaccel_resource *res);

/* The registered resource with this id. */
int vaccel_session_resource_by_id(struct vaccel_session *sess, struct vaccel_resource **res,
				  vaccel_id_t id);

/* The first registered resource of a type. */
int vaccel_session_resource_by_type(struct vaccel_session *sess, struct vaccel_resource **res,
				    vaccel_resource_type_t type);

/* All registered resources of a type in order of registration; the caller frees the array. */
int vaccel_session_resources_by_type(struct vaccel_session *sess,
				     struct vaccel_resource ***resources, size_t *nr_found,
				     vaccel_resource_type_t type);

/* Deprecated names of older programs. */

__attribute__((deprecated("start another session instead"))) int
vaccel_session_update(struct vaccel_session *sess, uint32_t flags);

__attribute__((deprecated("use vaccel_session_init()"))) int
vaccel_sess_init(struct vaccel_session *sess, uint32_t flags);

__attribute__((deprecated("start another session instead"))) int
vaccel_sess_update(struct vaccel_session *sess, uint32_t flags);

__attribute__((deprecated("use vaccel_session_release()"))) int
vaccel_sess_free(struct vaccel_session *sess);

__attribute__((deprecated("use vaccel_session_has_resource()"))) bool
vaccel_sess_has_resource(struct vaccel_session *sess, struct vaccel_resource *res);

#ifdef __cplusplus
}
#endif

#endif
