/*
 * session.h - a peer's session: its plan, its leg on the backend that serves it now, and what is
 * registered with it.
 *
 * A plan is an ordered list of backends. The leg starts on the first that is up and opens; when the
 * backend refuses (it cannot be opened, will not take a resource, or, before the session's first
 * answer, does not know an operation) the session moves to the next: the old leg is left, a new one
 * is opened, and registrations and model loads are repeated there before anything else runs.
 * operation.c does that, step by step; who holds the session's strand exclusively may change leg,
 * registrations and place in the plan.
 */
#ifndef AGENT_SESSION_H
#define AGENT_SESSION_H

#include "backend.h"
#include "histogram.h"
#include "profile.h"
#include "strand.h"

struct operation_class;

struct registration {
	struct resource *resource; /* counted */
	struct replica *replica;   /* counted; on the current leg, or NULL: not there yet */
	unsigned load, loaded;	   /* for these families of models; on this leg, for these */
	struct registration *next;
};

enum { SESSION_VIA_MAX = 8 };

struct plan {
	struct backend *backends[POLICY_PLAN_MAX];
	size_t count;
	double deadline;	     /* seconds for each operation; 0: what callers say */
	bool per_op;		     /* the policy is asked where an operation runs */
	char where[POLICY_NAME_MAX]; /* the line that decided, or "hint" */
};

struct session {
	struct agent *agent;
	struct connection *connection; /* NULL once the session ends, or it has gone */
	unsigned refs;
	int64_t id;
	uint32_t hint;
	uint64_t via[SESSION_VIA_MAX]; /* agents that it goes through, this one last */
	size_t nr_via;
	struct policy_session *policy;
	struct plan plan;
	struct answers *answers; /* of the plan; counted; NULL: it has no cache */
	unsigned changing; /* operations that change what others depend on, and have not ended */
	unsigned waiting;  /* operations, until others have ended: waiting.h */
	size_t at;	   /* in the plan: where the leg is or will be */
	struct leg leg;
	struct registration *registrations; /* in the order of their coming */
	struct strand strand;
	struct account *account;    /* its connection's; counted */
	bool answered;		    /* some operation has run and succeeded */
	struct operation *farewell; /* memory for the operation that ends the session */
	struct session *sides;	    /* on other backends, for single operations (side.h) */
	struct session *next;	    /* of a side: another of the same session's */
	bool is_side;
	unsigned mirrors;	    /* operations of it that run on a second backend too */
	const struct backend *told; /* what the policy knows as s.backend */
	const char *end; /* why it ends: "client", "gone", "shutdown", "refused"; NULL: it lives */
	char why[256];	 /* why it is not where it wanted to be: "gpu:down" */
	char peer[80];	 /* for lines, also when the connection has gone */
	char listener[64];
	uint64_t began_us;
	/* what the last line tells */
	uint64_t operations, errors, bytes_in, bytes_out;
	struct histogram wait, service;
	struct profile *profile; /* of its generic operations; NULL: nothing recorded */
};

/*
 * Counted once, for the connection's table, and charged to its account by the caller, who has that
 * back with a NULL: out of memory.
 */
struct session *session_new(struct connection *connection, int64_t id, uint32_t hint);
/* The same for one of the agent's own, on behalf of another: not charged, and told to nobody. */
struct session *session_new_side(const struct session *home);
/* The operation that is to end it, once: memory is there. */
struct operation *session_farewell(struct session *session, const struct operation_class *class);
struct session *session_ref(struct session *session);
void session_unref(struct session *session);

struct registration *session_registration(const struct session *session,
					  const struct resource *resource);
/* The model that an operation without one uses: the first MODEL that was registered. */
struct registration *session_first_model(const struct session *session);
/* Appends; takes a count of the resource. NULL: out of memory. */
struct registration *session_register(struct session *session, struct resource *resource);
/* Of a registration that is on no leg. */
void session_forget(struct session *session, struct registration *registration);

/* Is the leg open, with everything that belongs on it? */
bool session_is_entered(const struct session *session);
/* Is there another backend to try after the current one? One that may know the operation? */
bool session_has_next(const struct session *session);
bool session_next_may_know(const struct session *session, vaccel_op_type_t type);
/* Remember why the current backend does not serve, and go on to the next in the plan. */
void session_next(struct session *session, const char *what, const char *reason);

/* Lines about sessions are as many as its peer makes them be, within the limit log. */
bool session_may_log(const struct session *session);
/* The two lines at the end of a session. */
void session_log_end(const struct session *session);

#endif
