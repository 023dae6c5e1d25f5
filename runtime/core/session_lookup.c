/*
 * session_lookup.c - finding sessions by id, and resources within one session. Any thread.
 */
#include "bootstrap.h"
#include "last_error.h"
#include "registry_state.h"
#include "sessions.h"
#include <stdlib.h>

static int get_by_id(struct vaccel_session **sess, vaccel_id_t id)
{
	const struct table_entry *entry;
	int ret = VACCEL_ENOENT;

	if (!registry_started())
		return bootstrap_missing(VACCEL_EPERM);
	if (!sess)
		return VACCEL_EINVAL;
	registry_lock();
	entry = table_find(&registry.sessions.table, (uint64_t)id);
	if (entry) {
		*sess = container_of(entry, struct session_record, record.by_id)->session;
		ret = VACCEL_OK;
	}
	registry_unlock();
	return ret;
}

int vaccel_session_get_by_id(struct vaccel_session **sess, vaccel_id_t id)
{
	const unsigned mark = error_mark();

	return error_settle(mark, get_by_id(sess, id));
}

bool vaccel_session_has_resource(struct vaccel_session *sess, struct vaccel_resource *res)
{
	const struct resource_record *resource = res ? registry_resource(res) : NULL;
	struct session_record *session = sess ? registry_session(sess) : NULL;

	return session && resource && registry_linked(resource, session);
}

bool vaccel_sess_has_resource(struct vaccel_session *sess, struct vaccel_resource *res)
{
	return vaccel_session_has_resource(sess, res);
}

static int resource_by_id(struct vaccel_session *sess, struct vaccel_resource **res, vaccel_id_t id)
{
	const struct session_record *record;
	const struct table_entry *entry;
	int ret = VACCEL_ENOENT;

	if (!sess || !res || id <= 0)
		return VACCEL_EINVAL;
	record = registry_session(sess);
	if (!record)
		return VACCEL_ENOENT;
	pthread_mutex_lock(&sess->resources_lock);
	entry = table_find(&record->registrations, (uint64_t)id);
	if (entry) {
		*res = container_of(entry, struct registration, by_resource)->resource->resource;
		ret = VACCEL_OK;
	}
	pthread_mutex_unlock(&sess->resources_lock);
	return ret;
}

int vaccel_session_resource_by_id(struct vaccel_session *sess, struct vaccel_resource **res,
				  vaccel_id_t id)
{
	const unsigned mark = error_mark();

	return error_settle(mark, resource_by_id(sess, res, id));
}

static struct vaccel_resource *registered(struct vaccel_list_entry *entry)
{
	return container_of(entry, struct registration, session_entry)->resource->resource;
}

static int resource_by_type(struct vaccel_session *sess, struct vaccel_resource **res,
			    vaccel_resource_type_t type)
{
	int ret = VACCEL_ENOENT;

	if (!sess || !res || type >= VACCEL_RESOURCE_MAX)
		return VACCEL_EINVAL;
	if (!registry_session(sess))
		return VACCEL_ENOENT;
	pthread_mutex_lock(&sess->resources_lock);
	if (!list_empty(&sess->resources[type])) {
		*res = registered(sess->resources[type].next);
		ret = VACCEL_OK;
	}
	pthread_mutex_unlock(&sess->resources_lock);
	return ret;
}

int vaccel_session_resource_by_type(struct vaccel_session *sess, struct vaccel_resource **res,
				    vaccel_resource_type_t type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, resource_by_type(sess, res, type));
}

static int resources_by_type(struct vaccel_session *sess, struct vaccel_resource ***resources,
			     size_t *nr_found, vaccel_resource_type_t type)
{
	struct vaccel_resource **found = NULL;
	int ret = VACCEL_ENOENT;
	size_t count = 0;

	if (!sess || !resources || !nr_found || type >= VACCEL_RESOURCE_MAX)
		return VACCEL_EINVAL;
	*nr_found = 0;
	if (!registry_session(sess))
		return VACCEL_ENOENT;
	pthread_mutex_lock(&sess->resources_lock);
	if (sess->resource_counts[type]) {
		found = calloc(sess->resource_counts[type], sizeof(struct vaccel_resource *));
		ret = found ? VACCEL_OK : VACCEL_ENOMEM;
	}
	if (found) {
		list_for_each(entry, &sess->resources[type]) found[count++] = registered(entry);
	}
	pthread_mutex_unlock(&sess->resources_lock);
	if (ret)
		return ret;
	*resources = found;
	*nr_found = count;
	return VACCEL_OK;
}

int vaccel_session_resources_by_type(struct vaccel_session *sess,
				     struct vaccel_resource ***resources, size_t *nr_found,
				     vaccel_resource_type_t type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, resources_by_type(sess, resources, nr_found, type));
}
