/*
 * registration.c - which resource is registered with which session, and who uses either just
 * now. See registry.h. Any thread.
 */
#include "last_error.h"
#include "registry_state.h"
#include <stdatomic.h>
#include <stdlib.h>

bool registry_use(struct record *record)
{
	bool open;

	registry_lock();
	open = !record->closing;
	if (open)
		record->uses++;
	registry_unlock();
	return open;
}

static void unuse_locked(struct record *record)
{
	record->uses--;
	pthread_cond_broadcast(&registry.idle);
}

void registry_unuse(struct record *record)
{
	registry_lock();
	unuse_locked(record);
	registry_unlock();
}

bool registry_close(struct record *record)
{
	bool first;

	registry_lock();
	first = !record->closing;
	record->closing = true;
	registry_unlock();
	return first;
}

void registry_reopen(struct record *record)
{
	registry_lock();
	record->closing = false;
	registry_unlock();
}

/* Under the registry's lock or the session's. */
static struct registration *find(const struct session_record *session,
				 const struct resource_record *resource)
{
	struct table_entry *entry =
		table_find(&session->registrations, (uint64_t)resource->resource->id);

	for (; entry; entry = table_next(entry)) {
		struct registration *registration =
			container_of(entry, struct registration, by_resource);

		if (registration->resource == resource)
			return registration;
	}
	return NULL;
}

bool registry_linked(const struct resource_record *resource, struct session_record *session)
{
	bool linked;

	pthread_mutex_lock(&session->session->resources_lock);
	linked = find(session, resource) != NULL;
	pthread_mutex_unlock(&session->session->resources_lock);
	return linked;
}

/* Into the records and the public lists; room in the session's table is reserved. */
static void insert_locked(struct registration *registration)
{
	struct vaccel_resource *resource = registration->resource->resource;
	struct vaccel_session *session = registration->session->session;

	list_add_tail(&registration->resource->registrations, &registration->of_resource);
	list_add_tail(&resource->sessions, &registration->resource_entry);
	list_add_tail(&session->resources[resource->type], &registration->session_entry);
	session->resource_counts[resource->type]++;
	table_insert(&registration->session->registrations, &registration->by_resource,
		     (uint64_t)resource->id);
	atomic_fetch_add(&resource->refcount, 1);
}

int registry_link(struct resource_record *resource, struct session_record *session)
{
	struct registration *registration = malloc(sizeof(*registration));
	int ret;

	if (!registration)
		return VACCEL_ENOMEM;
	registration->session = session;
	registration->resource = resource;

	registry_lock();
	pthread_mutex_lock(&resource->resource->sessions_lock);
	pthread_mutex_lock(&session->session->resources_lock);
	ret = find(session, resource) ? VACCEL_EEXIST : table_reserve(&session->registrations);
	if (!ret)
		insert_locked(registration);
	pthread_mutex_unlock(&session->session->resources_lock);
	pthread_mutex_unlock(&resource->resource->sessions_lock);
	registry_unlock();
	if (ret)
		free(registration);
	return ret;
}

/* Out of every list; both records are in use from here until registry_end(). */
static void remove_locked(struct registration *registration)
{
	struct vaccel_resource *resource = registration->resource->resource;
	struct vaccel_session *session = registration->session->session;

	pthread_mutex_lock(&resource->sessions_lock);
	pthread_mutex_lock(&session->resources_lock);
	list_remove(&registration->of_resource);
	list_remove(&registration->resource_entry);
	list_remove(&registration->session_entry);
	session->resource_counts[resource->type]--;
	table_remove(&registration->session->registrations, &registration->by_resource);
	atomic_fetch_sub(&resource->refcount, 1);
	pthread_mutex_unlock(&session->resources_lock);
	pthread_mutex_unlock(&resource->sessions_lock);
	registration->session->record.uses++;
	registration->resource->record.uses++;
}

struct registration *registry_unlink(struct resource_record *resource,
				     struct session_record *session)
{
	struct registration *registration;

	registry_lock();
	registration = find(session, resource);
	if (registration)
		remove_locked(registration);
	registry_unlock();
	return registration;
}

void registry_end(struct registration *registration)
{
	registry_lock();
	unuse_locked(&registration->session->record);
	unuse_locked(&registration->resource->record);
	registry_unlock();
	free(registration);
}

static struct registration *first_of_session(const struct session_record *record)
{
	const struct vaccel_session *session = record->session;

	for (size_t i = 0; i < VACCEL_RESOURCE_MAX; i++) {
		if (!list_empty(&session->resources[i]))
			return container_of(session->resources[i].next, struct registration,
					    session_entry);
	}
	return NULL;
}

static struct registration *first_of_resource(const struct resource_record *record)
{
	if (list_empty(&record->registrations))
		return NULL;
	return container_of(record->registrations.next, struct registration, of_resource);
}

struct registration *registry_next_of_session(struct session_record *record)
{
	struct registration *registration;

	registry_lock();
	while (!(registration = first_of_session(record)) && record->record.uses)
		pthread_cond_wait(&registry.idle, &registry.lock);
	if (registration)
		remove_locked(registration);
	registry_unlock();
	return registration;
}

struct registration *registry_next_of_resource(struct resource_record *record)
{
	struct registration *registration;

	registry_lock();
	while (!(registration = first_of_resource(record)) && record->record.uses)
		pthread_cond_wait(&registry.idle, &registry.lock);
	if (registration)
		remove_locked(registration);
	registry_unlock();
	return registration;
}
