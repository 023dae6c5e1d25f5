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
#include "content.h"
#include "fingerprint.h"
#include "resource.pb-c.h"
#include "strand.h"

struct replica {
	struct resource *resource;
	struct backend *backend;
	struct vaccel_resource *hidden; /* belongs to who holds the strand */
	struct strand strand;
	size_t fetched; /* bytes of the resource in files that were downloaded for it */
	unsigned legs;	/* registered with */
	unsigned refs;	/* registrations that use it */
	struct replica *next;
};

/* A blob whose bytes come, or came, by an upload. */
struct resource_part {
	vaccel_blob_type_t type;
	char *name; /* the request's, until the resource is made */
	size_t size;
	struct content *content; /* counted; NULL: nothing of it has come */
};

struct resource {
	struct agent *agent;
	struct account *account;  /* counted: who made it */
	size_t memory, disk;	  /* bytes charged to it */
	struct connection *owner; /* NULL: not, or no more, in its table */
	unsigned refs;
	int64_t id; /* 0 until made */
	vaccel_resource_type_t type;
	struct vaccel_resource *master; /* NULL until made */
	const Vaccel__Resource__RegisterRequest
		*source;	     /* until made: where the bytes are; NULL: */
	struct resource_part *parts; /* they are in these, of which ... */
	size_t nr_parts;	     /* ... there are none with a source */
	struct host_files *files;    /* of this host's, that it names */
	bool named;		     /* by paths or URLs: not a peer's bytes */
	size_t registrations;
	struct replica *replicas;
	struct fingerprint fingerprint;
	struct job reap;
};

/*
 * Counted once, for the caller, and charged to the account, bytes and all, until the last count is
 * given back: what is on its way counts, so no number of requests sent ahead gets beyond a limit.
 * 0, or a VACCEL_* code with the reason in why.
 */
int resource_new(struct agent *agent, struct account *account,
		 const Vaccel__Resource__RegisterRequest *source, struct resource **resource,
		 char *why, size_t size);

/*
 * The same for one that is to come by an upload: so many parts, all zero, and nothing charged for
 * bytes. What arrives is charged as it comes.
 */
int resource_new_parts(struct agent *agent, struct account *account, size_t nr_parts,
		       struct resource **resource, char *why, size_t size);
/* Charge bytes of a blob of that type. */
int resource_charge(struct resource *resource, vaccel_blob_type_t type, size_t bytes, char *why,
		    size_t size);

struct resource *resource_ref(struct resource *resource);
void resource_unref(struct resource *resource);

/* The replica on a backend, counted; made (empty) when there is none. NULL: out of memory. */
struct replica *replica_get(struct resource *resource, struct backend *backend);
void replica_unref(struct replica *replica);

/*
 * Charge what has been downloaded: how much that is, is known when it is there. Where it is more
 * than may be, the account's next resource is refused.
 */
void resource_charge_fetched(struct resource *resource, size_t size);

/* On a worker, with the replica's strand held. VACCEL_* codes. */
int replica_add(struct replica *replica, struct vaccel_session *leg);
int replica_drop(struct replica *replica, struct vaccel_session *leg, bool last);

#endif
