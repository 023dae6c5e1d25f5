/*
 * registry.h - the records behind sessions and resources, and which is registered with which.
 *
 *   view          the public struct, in the caller's memory; a hidden one is the core's own
 *   record        what the core keeps for it, from init to release; found by id in constant time
 *   registration  one resource in one session; in both records and in the views' public lists
 *
 * A record counts the calls under way that need its view (`uses`). Releasing marks the record as
 * closing, ends its registrations and waits for those calls, so a session and a resource that
 * are registered with each other can be released by two threads at once.
 *
 * Locks, in this order: the registry's, which every function here takes for an instant; then
 * view->sessions_lock of a resource; then view->resources_lock of a session, which alone is
 * enough to look resources up. No lock is held while a plugin runs.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "core.h"
#include "table.h"

struct record {
	struct table_entry by_id;
	struct vaccel_list_entry order; /* oldest first; empty for hidden ones */
	struct vaccel_list_entry view;	/* a ring of two with the view's entry */
	unsigned uses;			/* calls that need the view */
	bool closing;
	bool hidden;	/* not in the tables */
	bool allocated; /* the view came from *_new() */
};

struct session_record {
	struct record record;
	struct vaccel_session *session;
	struct table registrations; /* by resource id; under session->resources_lock */
	struct policy_view *policy; /* the application's, see app_policy.h; NULL: it has none */
	bool routed;		    /* by it, and not by its hint */
};

struct resource_record {
	struct record record;
	struct vaccel_resource *resource;
	struct vaccel_list_entry registrations; /* under the registry's lock */
	pthread_mutex_t loading;		/* held while paths become blobs */
};

struct registration {
	struct table_entry by_resource;		 /* in the session's table */
	struct vaccel_list_entry of_resource;	 /* in the resource's record */
	struct vaccel_list_entry session_entry;	 /* in session->resources[type] */
	struct vaccel_list_entry resource_entry; /* in resource->sessions */
	struct session_record *session;
	struct resource_record *resource;
};

/* From bootstrap to cleanup; outside, nothing can be created. */
void registry_start(void);
void registry_stop(void);
bool registry_started(void);

/* Whether every live view is memory that *_new() gave: it is sure to be there still. */
bool registry_views_are_ours(void);

/* A new id; it is never used again. */
vaccel_id_t registry_session_id(void);

/* How many resources there may be from now on; the environment said it so far. */
void registry_limit_resources(size_t resources);

/*
 * A record for a session or resource, visible to others after registry_publish_*(), gone after
 * registry_forget_*(). EUSERS at the limit, ENOMEM. The view's id, entry, lists and lock are set
 * and cleared here.
 */
int registry_new_session(struct vaccel_session *session, bool allocated,
			 struct session_record **record);
int registry_new_resource(struct vaccel_resource *resource, bool allocated,
			  struct resource_record **record);
int registry_hide_session(struct vaccel_session *session, vaccel_id_t id,
			  struct session_record **record);
int registry_hide_resource(struct vaccel_resource *resource, vaccel_id_t id,
			   struct resource_record **record);
void registry_publish_session(struct session_record *record);
void registry_publish_resource(struct resource_record *record);
void registry_forget_session(struct session_record *record);
void registry_forget_resource(struct resource_record *record);

/* The record of a live view, else NULL. */
struct session_record *registry_session(const struct vaccel_session *session);
struct resource_record *registry_resource(const struct vaccel_resource *resource);

/* Use a record's view: false when it is closing. */
bool registry_use(struct record *record);
void registry_unuse(struct record *record);

/* Start closing: false when it is closing already. registry_reopen() takes that back. */
bool registry_close(struct record *record);
void registry_reopen(struct record *record);

/* The next registration of a record that is closing, taken out of every list with both records
 * in use; waits for calls under way. NULL when nothing is left. */
struct registration *registry_next_of_session(struct session_record *record);
struct registration *registry_next_of_resource(struct resource_record *record);

/* Register: EEXIST when it is. Both records are in use. */
int registry_link(struct resource_record *resource, struct session_record *session);

/* Whether they are registered with each other. Takes the session's lock alone. */
bool registry_linked(const struct resource_record *resource, struct session_record *session);

/* Take a registration out of every list, both records in use then; NULL when there is none. */
struct registration *registry_unlink(struct resource_record *resource,
				     struct session_record *session);

/* Free it and end the uses. */
void registry_end(struct registration *registration);

/* The oldest live session or resource, whose release is the next step of a cleanup. */
struct session_record *registry_first_session(void);
struct resource_record *registry_first_resource(void);

/* Around fork(). */
void registry_lock(void);
void registry_unlock(void);

#endif
