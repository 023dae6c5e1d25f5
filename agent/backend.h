/*
 * backend.h - a named place where operations run: a plugin in this process, today; a worker
 * process or a remote agent are the same with another class.
 *
 * The agent asks a backend for one thing at a time for each leg, a struct work; submit() returns at
 * once, and work->done() is called later on the loop's thread. Work is never cancelled: a plugin
 * cannot be interrupted, so whoever lost interest waits for done() and drops the answer.
 */
#ifndef AGENT_BACKEND_H
#define AGENT_BACKEND_H

#include "agent.h"
#include "vaccel.h"

struct operation;
struct replica;

enum work_kind {
	WORK_OPEN,  /* a leg for the session */
	WORK_CLOSE, /* the leg; nothing is registered with it any more */
	WORK_ADD,   /* the replica to the leg; makes the resource and the replica when needed */
	WORK_DROP,  /* the replica from the leg; frees the replica when it was the last leg's */
	WORK_LOAD,  /* the replica's model */
	WORK_RUN,   /* the operation itself */
};

/* A session as one backend sees it. */
struct leg {
	struct backend *backend;
	struct vaccel_session *session; /* NULL: not open */
};

struct work {
	enum work_kind kind;
	struct operation *operation;
	struct leg *leg;
	struct replica *replica; /* ADD, DROP, LOAD; RUN when the operation names a model */
	bool last;		 /* DROP: no other leg uses the replica */
	/* the answer */
	struct vaccel_session *opened; /* OPEN */
	int code;		       /* VACCEL_* */
	char reason[512];	       /* of a failure; may be empty */
	uint64_t started_us, ended_us;
	void (*done)(struct work *work);
	struct job job;
};

struct backend_class {
	const char *kind;
	void (*submit)(struct backend *backend, struct work *work);
};

struct backend {
	struct agent *agent;
	const struct backend_class *class;
	char name[POLICY_NAME_MAX];
	char target[256]; /* as declared: what a reload compares */
	bool up;
	bool fresh;	    /* came up by a declaration that is not settled */
	char why[512];	    /* it is down */
	uint64_t reentrant; /* operations that need no turn of their own, LUACCEL_OP() bits */
	struct vaccel_plugin *plugin;
	struct backend *next;
};

/* The plugins that VACCEL_PLUGINS named, under their own names. -ENOMEM. */
int backends_from_plugins(struct agent *agent);

/*
 * A backend that a policy declares. One that cannot be loaded is there, and down. -ENOMEM, or
 * -EINVAL with the sentence in err: a name or a library file that is taken, an option refused.
 */
int backend_declare(struct agent *agent, const struct policy_backend *declared, char *err,
		    size_t errsize);

/* Has it the operation at all? */
bool backend_knows(const struct backend *backend, vaccel_op_type_t type);

/* The declarations since the last call are good, or all in vain: what came up goes down again. */
void backends_settle(struct agent *agent, bool good);

struct backend *backend_find(const struct agent *agent, const char *name);
/* The backend that a hint chooses, as vaccel_session_init() would. NULL: none. */
struct backend *backend_for_hint(const struct agent *agent, uint32_t hint);
size_t backends_count(const struct agent *agent, bool up_only);
void backends_free(struct agent *agent);

#endif
