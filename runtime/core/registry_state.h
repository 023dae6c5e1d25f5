/*
 * registry_state.h - the registry's data, shared by the files that implement registry.h and the
 * look-ups of resource.h and session.h. Everything is under registry_lock().
 */
#ifndef REGISTRY_STATE_H
#define REGISTRY_STATE_H

#include "registry.h"

/* All sessions, or all resources. */
struct kind {
	struct table table; /* published records by id */
	size_t live;	    /* records, published or about to be */
	size_t limit;
	vaccel_id_t last_id;
	struct vaccel_list_entry order[VACCEL_RESOURCE_MAX]; /* by type; sessions use the first */
};

extern struct registry {
	pthread_mutex_t lock;
	pthread_cond_t idle; /* some record's uses have fallen, or a registration has gone */
	struct kind sessions;
	struct kind resources;
} registry;

#endif
