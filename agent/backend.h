/*
 * backend.h - a named place where operations run: a plugin in this process, or another agent
 * (remote.h), which is the rpc plugin with an address and a pool of its own.
 *
 * A backend is up or down; sessions are opened on those that are up. A plugin that could not be
 * loaded is tried again (revive.h), and stays once it is up; a remote agent comes and goes.
 *
 * The agent asks a backend for one thing at a time for each leg, a struct work; submit() returns at
 * once, and work->done() is called later on the loop's thread. Work is never cancelled: a plugin
 * cannot be interrupted, so whoever lost interest waits for done() and drops the answer.
 */
#ifndef AGENT_BACKEND_H
#define AGENT_BACKEND_H

#include "agent.h"
#include "model.h"
#include "pace.h"
#include "vaccel.h"

struct operation;
struct replica;

enum work_kind {
	WORK_OPEN,  /* a leg for the session */
	WORK_CLOSE, /* the leg; nothing is registered with it any more */
	WORK_ADD,   /* the replica to the leg; makes the resource and the replica when needed */
	WORK_DROP,  /* the replica from the leg; frees the replica when it was the last leg's */
	WORK_LOAD,  /* the replica's model again, for one family */
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
	struct replica *replica;  /* ADD, DROP, LOAD; RUN when the operation names a model */
	bool last;		  /* DROP: no other leg uses the replica */
	enum model_family family; /* LOAD */
	/* the answer */
	struct vaccel_session *opened; /* OPEN */
	int code;		       /* VACCEL_* */
	char reason[512];	       /* of a failure, or the status's message; may be empty */
	int status;		       /* the model's own, of a family that has one; else -1 */
	bool lost;		       /* of a remote: it is not connected any more */
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
	unsigned long coming; /* which of all that came up it was, last: it may be another now */
	bool fresh;	      /* came up by a declaration that is not settled */
	char why[512];	      /* it is down */
	uint64_t reentrant;   /* operations that need no turn of their own, LUACCEL_OP() bits */
	struct vaccel_plugin *plugin;
	struct pace paces[VACCEL_OP_MAX]; /* of its operations */
	struct remote *remote;		  /* NULL: a plugin in this process */
	struct revival *revival;	  /* of a plugin; NULL: it never was down */
	bool declared;			  /* a remote, by the scripts that are being loaded */
	bool retired;	 /* a remote that the scripts in force do not declare: no new session */
	size_t inflight; /* work that has not come back */
	struct metrics_backend *metrics;
	struct policy_backend_view told; /* to those who record */
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

/* Has it the operation, for certain? For certain not? Of a remote neither is known beforehand. */
bool backend_knows(const struct backend *backend, vaccel_op_type_t type);
bool backend_lacks(const struct backend *backend, vaccel_op_type_t type);

/* The same in a policy's words. */
enum policy_support backend_supports(const struct backend *backend, const char *operation);
/* What policies see of it. */
void backend_view(const struct backend *backend, struct policy_backend_view *view);

/* Down, and being tried at the moment. */
bool backend_is_probing(const struct backend *backend);

/* It comes up, or goes down and why; one line says so. */
void backend_up(struct backend *backend);
void backend_down(struct backend *backend, const char *why);

/* The other backend that has this plugin; NULL: none. */
const struct backend *backend_of_library(const struct backend *backend,
					 const struct vaccel_plugin *plugin);
/* Its plugin is loaded, as this declaration has it, which is in force; options may be refused. */
void backend_come_up(struct backend *backend, struct vaccel_plugin *plugin,
		     const struct policy_backend *declared);

/* Work as both classes do it, on a worker: job is work->job. */
void backend_run_work(struct job *job);

/*
 * The declarations since the last call are good, or all in vain: what came up goes down again.
 * Remotes that good ones do not name are retired: their sessions stay, and no new one comes.
 */
void backends_settle(struct agent *agent, bool good);

/* At start: wait, a few seconds at most, until it is known of every remote whether it is there. */
void backends_await(struct agent *agent);

struct backend *backend_find(const struct agent *agent, const char *name);
/* The backend that a hint chooses, as vaccel_session_init() would. NULL: none. */
struct backend *backend_for_hint(const struct agent *agent, uint32_t hint);
size_t backends_count(const struct agent *agent, bool up_only);
void backends_free(struct agent *agent);

#endif
