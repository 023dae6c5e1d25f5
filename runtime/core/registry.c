/*
 * registry.c - sessions and resources that exist: ids, records, limits. See registry.h.
 *
 * The records are the core's; the views are their owners'. Any thread.
 */
#include "environment.h"
#include "last_error.h"
#include "registry_state.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { SESSIONS_MAX = 1024, RESOURCES_MAX = 2048 };

struct registry registry = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.idle = PTHREAD_COND_INITIALIZER,
};

static atomic_bool started;

void registry_lock(void)
{
	pthread_mutex_lock(&registry.lock);
}

void registry_unlock(void)
{
	pthread_mutex_unlock(&registry.lock);
}

static void kind_start(struct kind *kind, const char *limit_name, size_t limit)
{
	kind->table = (struct table){ 0 };
	kind->limit = environment_limit(limit_name, limit);
	kind->live = 0;
	kind->last_id = 0;
	for (size_t i = 0; i < VACCEL_RESOURCE_MAX; i++)
		list_init(&kind->order[i]);
}

void registry_start(void)
{
	registry_lock();
	kind_start(&registry.sessions, "LUACCEL_SESSIONS_MAX", SESSIONS_MAX);
	kind_start(&registry.resources, "LUACCEL_RESOURCES_MAX", RESOURCES_MAX);
	registry_unlock();
	atomic_store(&started, true);
}

void registry_stop(void)
{
	atomic_store(&started, false);
	registry_lock();
	table_release(&registry.sessions.table);
	table_release(&registry.resources.table);
	registry_unlock();
}

void registry_limit_resources(size_t resources)
{
	registry_lock();
	registry.resources.limit = resources;
	registry_unlock();
}

bool registry_started(void)
{
	return atomic_load(&started);
}

static bool all_allocated(const struct kind *kind)
{
	for (size_t i = 0; i < VACCEL_RESOURCE_MAX; i++) {
		list_for_each(entry, &kind->order[i])
		{
			if (!container_of(entry, struct record, order)->allocated)
				return false;
		}
	}
	return true;
}

bool registry_views_are_ours(void)
{
	bool ours;

	registry_lock();
	ours = all_allocated(&registry.sessions) && all_allocated(&registry.resources);
	registry_unlock();
	return ours;
}

vaccel_id_t registry_session_id(void)
{
	vaccel_id_t id;

	registry_lock();
	id = ++registry.sessions.last_id;
	registry_unlock();
	return id;
}

/* Count one more and give it an id; an attempt that fails has used its number up. */
static int kind_admit(struct kind *kind, const char *what, vaccel_id_t *id)
{
	int ret = VACCEL_OK;

	registry_lock();
	*id = ++kind->last_id;
	if (kind->live >= kind->limit)
		ret = VACCEL_EUSERS;
	else
		ret = table_reserve(&kind->table);
	if (!ret)
		kind->live++;
	registry_unlock();
	if (ret == VACCEL_EUSERS)
		return fail(ret, "All %zu %s are in use; release some", kind->limit, what);
	return ret;
}

static void kind_dismiss(struct kind *kind)
{
	registry_lock();
	kind->live--;
	registry_unlock();
}

static void record_init(struct record *record, struct vaccel_list_entry *view)
{
	list_init(&record->order);
	list_init(view);
	list_init(&record->view);
	list_add_tail(&record->view, view);
}

static struct session_record *session_record_new(struct vaccel_session *session, vaccel_id_t id)
{
	struct session_record *record = calloc(1, sizeof(*record));

	if (!record)
		return NULL;
	record->session = session;
	record_init(&record->record, &session->entry);
	session->id = id;
	pthread_mutex_init(&session->resources_lock, NULL);
	for (size_t i = 0; i < VACCEL_RESOURCE_MAX; i++) {
		list_init(&session->resources[i]);
		session->resource_counts[i] = 0;
	}
	return record;
}

static struct resource_record *resource_record_new(struct vaccel_resource *resource, vaccel_id_t id)
{
	struct resource_record *record = calloc(1, sizeof(*record));

	if (!record)
		return NULL;
	record->resource = resource;
	record_init(&record->record, &resource->entry);
	list_init(&record->registrations);
	pthread_mutex_init(&record->loading, NULL);
	resource->id = id;
	pthread_mutex_init(&resource->sessions_lock, NULL);
	list_init(&resource->sessions);
	atomic_init(&resource->refcount, 0);
	return record;
}

int registry_new_session(struct vaccel_session *session, bool allocated,
			 struct session_record **record)
{
	vaccel_id_t id;
	const int ret = kind_admit(&registry.sessions, "sessions", &id);

	session->id = 0;
	if (ret)
		return ret;
	*record = session_record_new(session, id);
	if (!*record) {
		kind_dismiss(&registry.sessions);
		return VACCEL_ENOMEM;
	}
	(*record)->record.allocated = allocated;
	return VACCEL_OK;
}

int registry_new_resource(struct vaccel_resource *resource, bool allocated,
			  struct resource_record **record)
{
	vaccel_id_t id;
	const int ret = kind_admit(&registry.resources, "resources", &id);

	resource->id = 0;
	if (ret)
		return ret;
	*record = resource_record_new(resource, id);
	if (!*record) {
		kind_dismiss(&registry.resources);
		return VACCEL_ENOMEM;
	}
	(*record)->record.allocated = allocated;
	return VACCEL_OK;
}

int registry_hide_session(struct vaccel_session *session, vaccel_id_t id,
			  struct session_record **record)
{
	*record = session_record_new(session, id);
	if (!*record)
		return VACCEL_ENOMEM;
	(*record)->record.hidden = true;
	return VACCEL_OK;
}

int registry_hide_resource(struct vaccel_resource *resource, vaccel_id_t id,
			   struct resource_record **record)
{
	*record = resource_record_new(resource, id);
	if (!*record)
		return VACCEL_ENOMEM;
	(*record)->record.hidden = true;
	return VACCEL_OK;
}

static void kind_publish(struct kind *kind, struct vaccel_list_entry *order, struct record *record,
			 vaccel_id_t id)
{
	registry_lock();
	/* Cannot fail: kind_admit() reserved the room, and `live` bounds the entries. */
	table_insert(&kind->table, &record->by_id, (uint64_t)id);
	list_add_tail(order, &record->order);
	registry_unlock();
}

void registry_publish_session(struct session_record *record)
{
	kind_publish(&registry.sessions, &registry.sessions.order[0], &record->record,
		     record->session->id);
}

void registry_publish_resource(struct resource_record *record)
{
	kind_publish(&registry.resources, &registry.resources.order[record->resource->type],
		     &record->record, record->resource->id);
}

static void kind_forget(struct kind *kind, struct record *record)
{
	if (record->hidden)
		return;
	registry_lock();
	if (!list_empty(&record->order)) {
		list_remove(&record->order);
		table_remove(&kind->table, &record->by_id);
	}
	kind->live--;
	registry_unlock();
}

void registry_forget_session(struct session_record *record)
{
	struct vaccel_session *session = record->session;

	kind_forget(&registry.sessions, &record->record);
	list_remove(&record->record.view);
	pthread_mutex_destroy(&session->resources_lock);
	session->id = 0;
	table_release(&record->registrations);
	free(record);
}

void registry_forget_resource(struct resource_record *record)
{
	struct vaccel_resource *resource = record->resource;

	kind_forget(&registry.resources, &record->record);
	list_remove(&record->record.view);
	pthread_mutex_destroy(&resource->sessions_lock);
	pthread_mutex_destroy(&record->loading);
	resource->id = 0;
	free(record);
}

struct session_record *registry_session(const struct vaccel_session *session)
{
	struct session_record *record;

	if (session->id <= 0 || !session->entry.next || list_empty(&session->entry))
		return NULL;
	record = container_of(session->entry.next, struct session_record, record.view);
	return record->session == session ? record : NULL;
}

struct resource_record *registry_resource(const struct vaccel_resource *resource)
{
	struct resource_record *record;

	if (resource->id <= 0 || !resource->entry.next || list_empty(&resource->entry))
		return NULL;
	record = container_of(resource->entry.next, struct resource_record, record.view);
	return record->resource == resource ? record : NULL;
}

struct session_record *registry_first_session(void)
{
	struct session_record *first = NULL;

	registry_lock();
	if (!list_empty(&registry.sessions.order[0]))
		first = container_of(registry.sessions.order[0].next, struct session_record,
				     record.order);
	registry_unlock();
	return first;
}

struct resource_record *registry_first_resource(void)
{
	struct resource_record *first = NULL;

	registry_lock();
	for (size_t i = 0; i < VACCEL_RESOURCE_MAX && !first; i++) {
		if (!list_empty(&registry.resources.order[i]))
			first = container_of(registry.resources.order[i].next,
					     struct resource_record, record.order);
	}
	registry_unlock();
	return first;
}
