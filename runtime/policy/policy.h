/*
 * policy.h - the policy engine: Lua decides, C remembers.
 *
 *   engine      one Lua state, with a sandbox, a memory cap and a watchdog
 *   generation  the scripts that were loaded together; what a reload swaps
 *   backend     a name that a generation declares, and how it is to be opened
 *   decision    what a hook said: nothing, a plan (ordered backends), or a refusal
 *
 * The engine belongs to one thread (the agent: loop 0); every function here is called there and
 * never waits for anything but the script, which its budget bounds. The engine never calls back
 * into the agent except `log`. Names are checked when a script is loaded; what a hook does at run
 * time (an error, a timeout, a backend that is not declared) never lets traffic through by
 * accident: the script's on_error decides, and the decision says so.
 *
 * Sessions and their peers outlive a reload: their Lua objects and `tags` stay, only hooks change.
 */
#ifndef LUACCEL_POLICY_H
#define LUACCEL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { POLICY_NAME_MAX = 64, POLICY_PLAN_MAX = 8, POLICY_TEXT_MAX = 256 };

struct policy_engine;
struct policy_generation;
struct policy_session;

struct policy_engine_options {
	size_t memory_max;	    /* bytes of Lua; 0: 64 MiB */
	unsigned op_budget_us;	    /* op_admit, op_done; 0: 5 ms */
	unsigned session_budget_us; /* session_route, session_close; 0: 20 ms */
	unsigned load_budget_us;    /* loading all scripts; 0: 1 s */
	/* One line for the operator (print, log(), a failing hook), without a newline. */
	void (*log)(void *ctx, const char *line);
	void *ctx;
};

/* 0, or -ENOMEM, or -ENOTSUP with the sentence (a LuaJIT that cannot be capped). */
int policy_engine_new(const struct policy_engine_options *options, struct policy_engine **engine,
		      char *err, size_t errsize);
void policy_engine_free(struct policy_engine *engine);

/* "LuaJIT 2.1.0-beta3, policies interpreted (...)": which, and whether scripts can be stopped. */
const char *policy_engine_describe(const struct policy_engine *engine);
size_t policy_engine_memory(const struct policy_engine *engine); /* bytes in use */

/* A backend as declared: cpu = plugin "torch" { threads = 2 } */
struct policy_option {
	const char *key, *value;
};
struct policy_backend {
	const char *name;
	const char *kind;   /* "plugin" */
	const char *target; /* "torch", or a path */
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
/* The name of script i (policy { name = ... }), NULL past the end. */
const char *policy_script_name(const struct policy_generation *generation, size_t i);

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

enum policy_verdict { POLICY_PASS, POLICY_ROUTE, POLICY_REJECT };

struct policy_decision {
	enum policy_verdict verdict;
	int code;		     /* REJECT: a VACCEL_* code */
	char text[POLICY_TEXT_MAX];  /* REJECT: "refused by policy inference (p.lua:12): over quota"
				      */
	char where[POLICY_NAME_MAX]; /* the line that decided: "p.lua:12"; "" for none */
	size_t nr_backends;	     /* ROUTE: first to last */
	char backends[POLICY_PLAN_MAX][POLICY_NAME_MAX];
};

/* The session's one plan. Scripts in order: any reject refuses, the first plan wins. */
void policy_session_route(struct policy_engine *engine, struct policy_session *session,
			  struct policy_decision *decision);

struct policy_op {
	const char *name; /* "image_classify", as vaccel_op_type_name() has it */
	int64_t id;
	const char *backend; /* the one that the session is on */
	size_t bytes_in;
};

struct policy_result {
	int code;
	const char *backend;
	uint64_t queue_us, service_us;
	size_t bytes_out;
};

/* False without entering Lua when no script has the hook. */
bool policy_wants_op_admit(const struct policy_engine *engine);
void policy_op_admit(struct policy_engine *engine, struct policy_session *session,
		     const struct policy_op *op, struct policy_decision *decision);
/* After the reply has been written: errors are logged and counted, nothing else follows. */
void policy_op_done(struct policy_engine *engine, struct policy_session *session,
		    const struct policy_op *op, const struct policy_result *result);
void policy_session_close(struct policy_engine *engine, struct policy_session *session);

#endif
