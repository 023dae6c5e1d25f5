/*
 * resource.h - a peer's resource, and its replicas on backends.
 *
 * The resource owns the bytes (a vaccel_resource of libvaccel, made on a worker when it is first
 * added); a replica is the hidden vaccel_resource that one backend sees. A replica has a strand of
 * its own, because plugins never saw two calls at once on one model. A resource is counted by its
 * connection's table, by registrations and by operations that name it. The loop's thread.
 */
#ifndef AGENT_RESOURCE_H
#define AGENT_RESOURCE_H

#include "backend.h"
#include "resource.pb-c.h"
#include "strand.h"

struct replica {
	struct resource *resource;
	struct backend *backend;
	struct vaccel_resource *hidden; /* belongs to who holds the strand */
	struct strand strand;
	unsigned legs; /* registered with */
	unsigned refs; /* registrations that use it */
	struct replica *next;
};

struct resource {
	struct agent *agent;
	struct connection *owner; /* NULL: not, or no more, in its table */
	unsigned refs;
	int64_t id; /* 0 until made */
	vaccel_resource_type_t type;
	struct vaccel_resource *master;			 /* NULL until made */
	const Vaccel__Resource__RegisterRequest *source; /* until made: where the bytes are */
	size_t registrations;
	struct replica *replicas;
	struct job reap;
};

/* Counted once, for the caller. NULL: out of memory. */
struct resource *resource_new(struct agent *agent, const Vaccel__Resource__RegisterRequest *source);
struct resource *resource_ref(struct resource *resource);
void resource_unref(struct resource *resource);

/* The replica on a backend, counted; made (empty) when there is none. NULL: out of memory. */
struct replica *replica_get(struct resource *resource, struct backend *backend);
void replica_unref(struct replica *replica);

/* On a worker, with the replica's strand held. VACCEL_* codes. */
int replica_add(struct replica *replica, struct vaccel_session *leg);
int replica_drop(struct replica *replica, struct vaccel_session *leg, bool last);

#endif
