/*
 * policy.h - the policy engine: Lua decides, C remembers.
 *
 *   engine      one Lua state, with a sandbox, a memory cap and a watchdog
 *   generation  the scripts that were loaded together; what a reload swaps
 *   backend     a name that a generation declares, and how it is to be opened
 *   decision    what a hook said: nothing, a plan (ordered backends), or a refusal
 *
 * The engine belongs to one thread at a time (the agent: loop 0's; an application: whichever has
 * the module's lock, see policy_module.h); every function here is called there and never waits for
 * anything but the script, which its budget bounds. The engine calls back into the agent only by
 * what its options name. Names are checked when a script is loaded; what a hook does at run time
 * (an error, a timeout, a backend that is not declared) never lets traffic through by accident: the
 * script's on_error decides, and the decision says so.
 *
 * Sessions and their peers outlive a reload: their Lua objects and `tags` stay, only hooks change.
 */
#ifndef LUACCEL_POLICY_H
#define LUACCEL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { POLICY_NAME_MAX = 64, POLICY_PLAN_MAX = 8, POLICY_TEXT_MAX = 256 };

struct policy_engine;
struct policy_generation;
struct policy_lane;
struct policy_session;

/* A backend at this moment. */
struct policy_backend_view {
	bool up;
	bool probing;		     /* it is down, and being tried at the moment */
	size_t inflight;	     /* work that it has and has not done */
	uint64_t operations, errors; /* since it is there; operations counts both */
	bool has_latency;	     /* false: none has succeeded yet */
	uint64_t p50_us, p99_us;     /* of the last thousand or two that succeeded */
};

enum policy_support {
	POLICY_SUPPORT_UNKNOWN, /* of a remote agent nobody knows beforehand */
	POLICY_SUPPORT_YES,
	POLICY_SUPPORT_NO,
	POLICY_SUPPORT_NO_OPERATION /* there is no operation of that name at all */
};

struct policy_engine_options {
	size_t memory_max; /* bytes of Lua; 0: 64 MiB */
	/* Of processor time; ten times as much on the clock. */
	unsigned op_budget_us;	    /* op_admit, op_done; 0: 5 ms */
	unsigned session_budget_us; /* all other hooks, and timers; 0: 20 ms */
	unsigned load_budget_us;    /* loading all scripts; 0: 1 s */
	/*
	 * A signal that nothing else in the process uses: with it, and a LuaJIT that can stop a
	 * compiled loop, scripts are compiled, for one engine at a time. 0: interpreted.
	 */
	int stop_signal;
	/* One line for the operator (print, log(), a failing hook), without a newline. */
	void (*log)(void *ctx, const char *line);
	bool application; /* not an agent: what is an agent's only is never called */
	/*
	 * What is known of a declared backend; false: nothing. And whether it has an operation
	 * ("image_classify"). Both are called while scripts run, and neither may wait or allocate.
	 * NULL: nothing is known of any.
	 */
	bool (*backend)(void *ctx, const char *name, struct policy_backend_view *view);
	enum policy_support (*supports)(void *ctx, const char *name, const char *operation);
	/*
	 * The time that scripts and the library's objects live by, in nanoseconds since 1970; NULL:
	 * the machine's clocks. Budgets are of real time always.
	 */
	uint64_t (*now)(void *ctx);
	uint64_t seed; /* of math.random; 0: LuaJIT's own */
	void *ctx;
};

/* 0, or -ENOMEM, or -ENOTSUP with the sentence (a LuaJIT that cannot be capped). */
int policy_engine_new(const struct policy_engine_options *options, struct policy_engine **engine,
		      char *err, size_t errsize);
void policy_engine_free(struct policy_engine *engine);

/* "LuaJIT 2.1.0-beta3, policies interpreted (...)": which, and whether scripts can be stopped. */
/* In a child of fork(), before anything else: start the watchdog's thread anew. -ENOMEM. */
int policy_engine_forked(struct policy_engine *engine);

const char *policy_engine_describe(const struct policy_engine *engine);
size_t policy_engine_memory(const struct policy_engine *engine); /* bytes in use */

/* A backend as declared: cpu = plugin "torch" { threads = 2 } */
struct policy_option {
	const char *key, *value;
};
struct policy_backend {
	const char *name;
	const char *kind;   /* "plugin", "remote" */
	const char *target; /* "torch", or a path; an address, which nobody has looked at */
	const struct policy_option *options;
	size_t nr_options;
	const char *where; /* "p.lua:3" */
};

/*
 * Load the scripts, in the order in which they will be asked. `known` are backends that exist
 * without being declared (plugins of VACCEL_PLUGINS). All or nothing: -1 and a sentence in err
 * ("p.lua:12: route names \"gpu\"; declared: cpu, test") leaves what is active untouched.
 */
int policy_load(struct policy_engine *engine, const char *const *paths, size_t nr_paths,
		const char *const *known, size_t nr_known, struct policy_generation **generation,
		char *err, size_t errsize);
/* Make it the one that is asked; frees the one before. NULL: no policy. */
void policy_activate(struct policy_engine *engine, struct policy_generation *generation);
/* Drop one that was never activated. */
void policy_generation_free(struct policy_engine *engine, struct policy_generation *generation);
const struct policy_backend *policy_backends(const struct policy_generation *generation,
					     size_t *count);
/* What is asked now, or NULL. */
const struct policy_generation *policy_active(const struct policy_engine *engine);
/* The name of script i (policy { name = ... }), NULL past the end. */
const char *policy_script_name(const struct policy_generation *generation, size_t i);

/* How often a hook was asked and failed, and how long that took, by policy_bounds_us (counts.h). */
enum { POLICY_BOUNDS = 7 };
extern const uint64_t policy_bounds_us[POLICY_BOUNDS];
struct policy_counts {
	uint64_t calls, errors, sum_ns;
	uint64_t buckets[POLICY_BOUNDS + 1]; /* the last: longer than all bounds */
	uint64_t last_ns;		     /* of the call that was timed last, and its bucket */
	unsigned bucket;
};
/* Of hook number `hook` of script i, which has a name; false past the last hook. NULL: none. */
bool policy_hook_counts(const struct policy_generation *generation, size_t i, size_t hook,
			const char **name, const struct policy_counts **counts);

/* The page docs/policies/reference.md, as Markdown. */
void policy_reference(FILE *out);
/* "policy first, on_error reject, hooks op_admit session_route" of script i; false past the end. */
bool policy_describe_script(const struct policy_generation *generation, size_t i, char *buf,
			    size_t size);
/*
 * Numbers of scripts (metric { }), each with a value for every set of labels that was used. All
 * texts are UTF-8, and the generation's, until scripts run again.
 */
enum { POLICY_LABELS_MAX = 4 };
struct policy_metric {
	const char *policy, *name, *help;
	const char *kind;   /* "counter" or "gauge"; the same for all of a name */
	const char *family; /* as it is published: a counter's name and "_total" */
	size_t nr_labels;
	const char *labels[POLICY_LABELS_MAX];
};
struct policy_sample {
	double value;
	const char *labels[POLICY_LABELS_MAX]; /* their values */
};
/* Metric i of all scripts; false past the end. */
bool policy_metric(const struct policy_generation *generation, size_t i,
		   struct policy_metric *metric);
/* Value k of metric i, which there is; false past the end. */
bool policy_sample(const struct policy_generation *generation, size_t i, size_t k,
		   struct policy_sample *sample);

/*
 * What scripts can use: each name once with field NULL, and a library's name with each of its
 * fields, or with "*" when it may have any. `each` must not call the engine. -1 when memory ends.
 */
int policy_globals(struct policy_engine *engine,
		   void (*each)(void *ctx, const char *name, const char *field), void *ctx);

/*
 * A file of settings: one call of a function with a table, of strings, numbers, booleans, lists
 * and tables of them: agent { threads = 8, limit = { frame = "4M" }, script = { "a.lua" } }. It is
 * evaluated as a policy is (text, sandbox, budgets), and then gone.
 */
struct policy_setting {
	const char *key;   /* "limit" */
	const char *name;  /* "frame": within the table of that key; NULL: in a list, or no table */
	const char *value; /* NULL: the table is empty */
	bool in_table;	   /* or list */
	int line;	   /* 0: not known */
};
struct policy_settings {
	const char *file; /* its last part, as sentences have it */
	const struct policy_setting *items;
	size_t count; /* a list in its order, the rest in none */
};

/* 0, or -1 with a sentence in err ("agent.lua:3: ..."). `function` is what the file calls. */
int policy_settings_load(struct policy_engine *engine, const char *path, const char *function,
			 struct policy_settings **settings, char *err, size_t errsize);
void policy_settings_free(struct policy_settings *settings);

/* What is known of a peer; absent is nil in Lua, never 0. Strings are copied. */
struct policy_peer {
	const char *transport; /* "unix", "vsock", "tcp" */
	bool has_credentials, has_cid;
	uint32_t uid, gid, pid, cid;
	const char *addr;     /* tcp, or NULL */
	const char *listener; /* the listener's name, or NULL */
};

/* The Lua side of a session. -ENOMEM. Free it after session_close. */
int policy_session_new(struct policy_engine *engine, int64_t id, uint32_t hint,
		       const struct policy_peer *peer, struct policy_session **session);
void policy_session_free(struct policy_engine *engine, struct policy_session *session);
/* What scripts read as s.backend and s.plan; NULL for none. Strings are copied. */
void policy_session_set_route(struct policy_engine *engine, struct policy_session *session,
			      const char *backend, const char *plan);

/*
 * An operation of it begins (any thread), or has ended: what scripts read as s.inflight, and what
 * concurrency limits. An end may let in what waits.
 */
void policy_session_begins(struct policy_session *session);
void policy_session_ended(struct policy_session *session);

/* A queue, of all sessions that have one key in common, and how long one may stand in it. */
struct policy_wait {
	int by;	      /* enum policy_key */
	long limit;   /* the first goes on when fewer operations than that run */
	size_t queue; /* so many stand in it at most */
	double seconds;
};

/* Where answers of the session's operations are kept for others. */
struct policy_answers {
	uint64_t id;	/* of all such places in this process; 0: nowhere */
	size_t bytes;	/* that they may take */
	double seconds; /* that one holds */
	int by;		/* enum policy_key: sessions that differ in it do not share them */
};

enum policy_verdict {
	POLICY_PASS,
	POLICY_ROUTE,
	POLICY_REJECT,
	POLICY_RETRY,
	POLICY_MIRROR,
	POLICY_WAIT
};

struct policy_decision {
	enum policy_verdict verdict;
	int code;		     /* REJECT: a VACCEL_* code; WAIT: if its turn does not come */
	char text[POLICY_TEXT_MAX];  /* and: "refused by policy inference (p.lua:12): over quota" */
	char where[POLICY_NAME_MAX]; /* the line that decided: "p.lua:12"; "" for none */
	size_t nr_backends;	     /* ROUTE, RETRY, MIRROR: first to last */
	char backends[POLICY_PLAN_MAX][POLICY_NAME_MAX];
	double deadline;	 /* ROUTE: seconds for each operation of the session; 0: none */
	bool per_op;		 /* ROUTE: policy_op_route() is to be asked for its operations */
	struct policy_wait wait; /* WAIT */
	struct policy_answers answers; /* ROUTE */
};

/* Is the connection taken? Any reject refuses. */
void policy_peer_accept(struct policy_engine *engine, const struct policy_peer *peer,
			struct policy_decision *decision);
/*
 * Every plan that is remembered (route { ..., sticky = true }) has to be made anew: a backend went
 * up or down. Loading scripts anew does that by itself.
 */
void policy_epoch_advance(struct policy_engine *engine);

/* The session's one plan. Scripts in order: any reject refuses, the first plan wins. */
void policy_session_route(struct policy_engine *engine, struct policy_session *session,
			  struct policy_decision *decision);

/* Has any script in force such a place? */
bool policy_answers_live(const struct policy_engine *engine, uint64_t id);
/* What sessions that share answers have in common, as a text: 256 bytes are enough. */
void policy_answers_key(const struct policy_session *session, int by, char *text, size_t size);

struct policy_op {
	const char *name;    /* "image_classify", as vaccel_op_type_name() has it */
	int64_t id;	     /* 0: it has none */
	const char *backend; /* the one that the session is on */
	size_t bytes_in;
	bool has_deadline;
	double deadline;  /* seconds left */
	unsigned retries; /* how often it was tried before */
};

struct policy_result {
	int code;
	const char *backend;
	uint64_t queue_us, service_us;
	size_t bytes_out;   /* SIZE_MAX: not known */
	const char *mirror; /* "equal", "differ", "failed": of one that ran beside; else NULL */
	bool cached;	    /* by an earlier operation's answer */
};

/* A model, a library or data that is to be registered with a session. */
struct policy_resource {
	int64_t id;	  /* 0: it has none yet */
	const char *type; /* "model", "lib", "data"; NULL: there is no such type */
	size_t bytes;	  /* SIZE_MAX: not known */
	/* Of its files: what name(of, i) gives lives until the hook has been asked. */
	size_t nr_names;
	const char *(*name)(const void *of, size_t i);
	const void *of;
};

/* Any reject refuses. */
void policy_resource_admit(struct policy_engine *engine, struct policy_session *session,
			   const struct policy_resource *resource,
			   struct policy_decision *decision);

/* False without entering Lua when no script has the hook. */
bool policy_wants_op_admit(const struct policy_engine *engine);
void policy_op_admit(struct policy_engine *engine, struct policy_session *session,
		     const struct policy_op *op, struct policy_decision *decision);
/*
 * Where this operation runs, in a session whose plan says per_op; MIRROR: where it was going to,
 * and on another backend too. PASS: where the session is. False from wants: it need not be asked.
 */
bool policy_wants_op_route(const struct policy_engine *engine);
void policy_op_route(struct policy_engine *engine, struct policy_session *session,
		     const struct policy_op *op, struct policy_decision *decision);
/* It has failed so: RETRY, on the first of these backends that takes it, or PASS. */
bool policy_wants_op_failed(const struct policy_engine *engine);
void policy_op_failed(struct policy_engine *engine, struct policy_session *session,
		      const struct policy_op *op, const struct policy_result *result,
		      struct policy_decision *decision);

/*
 * One that waits as a decision says, in the order of coming. When its turn comes it has begun, as
 * by policy_session_begins(), and admitted() is called, from policy_wait() itself or from whatever
 * made room: it must not call the engine. The caller's memory; its session outlives it.
 */
struct policy_waiter {
	void (*admitted)(struct policy_waiter *waiter);
	/* private */
	struct policy_session *session;
	struct policy_lane *lane; /* NULL: it does not wait */
	struct policy_waiter *next, **at;
};

/* -EAGAIN when so many wait already, -ENOMEM: it does not wait then. */
int policy_wait(struct policy_waiter *waiter, struct policy_session *session,
		const struct policy_wait *wait);
/* It waits no more; nor does one that has been admitted. */
void policy_wait_leave(struct policy_waiter *waiter);
/* What is to be said of one that waited in vain: the decision is a refusal then. */
void policy_waited(struct policy_decision *decision);

/* After the reply has been written: errors are logged and counted, nothing else follows. */
void policy_op_done(struct policy_engine *engine, struct policy_session *session,
		    const struct policy_op *op, const struct policy_result *result);
void policy_session_close(struct policy_engine *engine, struct policy_session *session);
/* A backend has come up or gone down; never from within a hook. One not declared is left out. */
void policy_backend_state(struct policy_engine *engine, const char *name, bool up);

/*
 * Let the time that scripts and objects live by stand at so many nanoseconds of CLOCK_MONOTONIC,
 * so that all that is asked until it goes on (0) is asked at one moment, which can be told.
 * Budgets, os.time and os.clock go on.
 */
void policy_hold_clock(struct policy_engine *engine, uint64_t now);

/*
 * Timers, of an agent only. When the nearest is due, in nanoseconds of the clock that scripts
 * live by;
 * UINT64_MAX: there is none. Every hook, every load and every timer may change it. Run one that is
 * due, if there is any: never from within a hook.
 */
uint64_t policy_next_timer(const struct policy_engine *engine);
void policy_run_timer(struct policy_engine *engine);

#endif
