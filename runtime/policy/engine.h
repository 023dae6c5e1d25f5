/*
 * engine.h - what the files of the policy engine share, and nobody else sees.
 *
 *   engine.c    the Lua state, its capped allocator, life and death
 *   watchdog.c  the thread that stops a script at its deadline
 *   jit.c       may scripts be compiled? and how they are stopped then
 *   entry.c     the one protected way into Lua, and what is said when it fails
 *   sandbox.c   what scripts find: sandbox.lua, match.c and the C functions given to them
 *   objects.c   session, peer, op and result (objects.lua)
 *   values.c    route, reject and plugin: what a script makes and C reads
 *   crowds.c    how many operations run for sessions that have a key in common
 *   tags.c      tags that objects tell sessions apart by
 *   shared.c    counters and tables that scripts have in common
 *   metric*.c   numbers of scripts, for the agent's metrics (metric.h)
 *   lanes.c     and which wait for some of them to end
 *   registry.c  the library's objects, which C runs (registry.h, library/)
 *   remember.c  plans that hold for later sessions
 *   declare.c   policy { } and backends { }: one script's declaration becomes C structs
 *   backends.c  what scripts see of backends
 *   names.c     the lexical pass over a script's text
 *   text.c      a file's text, compiled
 *   load.c      files to a generation; generations swapped
 *   settings.c  a file of settings, which is no policy
 *   hooks.c     which hooks there are
 *   trips.c     one call of a hook: its failure, and its being set aside
 *   timers.c    every and after
 *   decide.c    the hooks: scripts asked in order, on_error
 *   inspect.c   what tools ask: what was declared, what scripts can use
 *   sim*.c      the engine for Lua programs (sim.h)
 *
 * The Lua thread is the one that calls policy.h. It alone touches the state, but for lua_sethook,
 * which the watchdog calls and LuaJIT allows at any time, unless it compiles (jit.c). Every push
 * that may allocate happens inside policy_enter(): at the memory cap an unprotected one would end
 * the process.
 *
 * The state's stack outside a call holds two values and never more: the entry function and the
 * function that takes down an error (STACK_*).
 */
#ifndef LUACCEL_POLICY_ENGINE_H
#define LUACCEL_POLICY_ENGINE_H

#include "policy.h"
#include "watchdog.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdatomic.h>

enum { STACK_ENTRY = 1, STACK_ERROR = 2, STACK_BASE = 2 };

/* In the order in which an operator is told of them. */
enum policy_hook {
	HOOK_PEER_ACCEPT,
	HOOK_SESSION_ROUTE,
	HOOK_RESOURCE_ADMIT,
	HOOK_OP_ADMIT,
	HOOK_OP_ROUTE,
	HOOK_OP_FAILED,
	HOOK_OP_DONE,
	HOOK_SESSION_CLOSE,
	HOOK_BACKEND_STATE,
	NR_HOOKS
};

enum value_kind { VALUE_PLAN, VALUE_REJECT, VALUE_RETRY, VALUE_MIRROR, VALUE_WAIT };

#define MAY_SAY(kind) (1U << (kind))

struct policy_hook_info {
	const char *name, *arguments;
	const char *when; /* it is called, in words */
	const char *says; /* what it may return, in words; NULL: what it returns is ignored */
	unsigned kinds;	  /* the same in MAY_SAY() bits, beside nothing */
	bool of_op;	  /* it has an operation's budget, else a session's */
	bool agent_only;  /* never called in an application */
	bool late;	  /* what it is about has happened: on_error has nothing to decide */
};

/* ---- hooks.c */

extern const struct policy_hook_info policy_hooks[NR_HOOKS];
int policy_hook_by_name(const char *name); /* -1: there is none */
/* "session_route, op_admit, ..." */
void policy_hooks_list(char *buf, size_t size);

/* What an engine has where its options say nothing. */
enum {
	DEFAULT_MEMORY = 64 << 20,
	DEFAULT_OP_US = 5000,
	DEFAULT_SESSION_US = 20000,
	DEFAULT_LOAD_US = 1000000
};

/* ---- words.c */

/* A function that makes a value: how it is called, in Markdown's code, and what it takes. */
struct policy_word {
	const char *form, *doc;
};
extern const struct policy_word policy_words[]; /* up to a NULL form */

/* A field of what hooks are given, or of a backend. */
struct policy_field {
	const char *of, *name, *doc;
};
/* Those of one thing follow each other in alphabetical order; up to a NULL of. */
extern const struct policy_field policy_fields[];
/* "age, backend, hint, ...": for error texts. */
void policy_fields_list(const char *of, char *buf, size_t size);
/* A table of lists of names, by what they are fields of. Raises. */
void policy_push_fields(lua_State *L);

/* What the Lua preludes hand to C, by registry reference. */
enum policy_function {
	FN_ENVIRONMENT,	 /* environment() -> a fresh _G for one script */
	FN_NEW_PEER,	 /* new_peer(...) -> proxy */
	FN_NEW_SESSION,	 /* new_session(id, hint, peer) -> proxy, data */
	FN_NEW_RESOURCE, /* new_resource(id, type, bytes, names) -> proxy */
	FN_SET_ROUTE,	 /* set_route(data, backend, plan) */
	FN_ENTER_OP,	 /* enter_op(hook, ...) -> what the hook said */
	FN_ENTER_DONE,	 /* enter_done(hook, ...) */
	FN_EXPIRE,	 /* expire(): op and result can no longer be read */
	FN_TAG_OF,	 /* tag_of(data, name) -> a session's tag, or nil */
	NR_FUNCTIONS
};
extern const char *const policy_function_names[NR_FUNCTIONS];

/* So many lines in a second; the rest is counted. */
struct policy_rate {
	uint64_t window;
	unsigned used, suppressed;
};

struct policy_object;
struct policy_asked;

struct hook {
	const char *name;
	bool decides;		      /* it has an answer that on_error gives in its place */
	int ref;		      /* LUA_NOREF: the script has no such hook */
	struct policy_object *object; /* what ref is, when C runs it; NULL: a function */
	int line;		      /* where the function starts */
	bool remembers;		      /* some plan of it was to be kept */
	uint64_t overruns[3];	      /* when the last three were, the oldest first */
	uint64_t set_aside_until;     /* 0: it is asked */
	struct policy_rate failures;  /* log lines about it */
	struct policy_counts counts;
};

enum on_error { ON_ERROR_UNSET, ON_ERROR_REJECT, ON_ERROR_ALLOW, ON_ERROR_DEFAULT };

struct script {
	char name[POLICY_NAME_MAX]; /* policy { name = }; empty until then */
	char file[POLICY_NAME_MAX]; /* the path's last part, as error texts and `where` show it */
	int line;		    /* of policy {; 0: not reached */
	bool declared;		    /* and accepted */
	enum on_error on_error;
	char fallback[POLICY_NAME_MAX]; /* on_error = { default = } */
	struct hook hooks[NR_HOOKS];
	struct policy_rate prints;
};

/* A backend's name in a script, to be checked when every declaration has been read. */
struct name_use {
	char name[POLICY_NAME_MAX];
	char what[16]; /* "route", "on_error", "backends" */
	const struct script *script;
	int line;
};

/* An object whose state outlives a reload by its name, or that C refers to. */
struct named_object {
	struct policy_object *object;
	int ref;
	const struct script *script;
};

enum { SHARED_COUNTER, SHARED_TABLE, NR_SHARED };

struct policy_generation {
	struct script *scripts;
	size_t nr_scripts;
	struct named_object *named;
	size_t nr_named;
	int shared; /* what its scripts have in common, by name (shared.c); LUA_NOREF: nothing */
	size_t nr_shared[NR_SHARED];
	struct metric_use *metrics;
	size_t nr_metrics;
	unsigned tags; /* which of the engine's its objects have for keys */
	bool has_hook[NR_HOOKS];
	struct policy_backend *backends; /* sorted by name */
	size_t nr_backends;
	char **known; /* backends that exist without being declared */
	size_t nr_known;
	struct policy_timer *timers; /* the nearest first */
	struct name_use *uses;	     /* while loading */
	size_t nr_uses;
};

enum { CROWD_CHAINS = 256 };

enum {
	TAGS_MAX = 8,		  /* of one generation */
	TAG_SLOTS = 2 * TAGS_MAX, /* and of the next beside it */
};

/* A tag that an object has for its key. */
struct watched_tag {
	char name[POLICY_NAME_MAX];
	unsigned uses; /* generations; 0: nobody has it */
};

enum policy_outcome { ENTER_OK, ENTER_FAILED, ENTER_OVERRUN, ENTER_MEMORY };

typedef void (*policy_body)(lua_State *L, struct policy_engine *engine, void *arg);

struct policy_engine {
	struct policy_engine_options options;
	uint64_t held_clock; /* 0: it goes on */
	size_t memory;
	lua_State *L;
	struct watchdog watchdog;
	bool jit;		  /* scripts are compiled */
	_Atomic pthread_t thread; /* then: that had the engine last */
	int functions[NR_FUNCTIONS];
	int value_meta, spec_meta, object_meta, shared_meta, metric_meta, timeout_text;
	int backend_meta, backend_handles;
	char description[160];

	struct policy_crowd *crowds[CROWD_CHAINS]; /* by key */
	struct policy_session *sessions;	   /* all there are */
	struct watched_tag tags[TAG_SLOTS];
	int watched; /* the same in Lua: from name to slot */

	struct policy_generation *active;
	struct policy_generation *loading; /* NULL: no script is being loaded */
	struct script *script;		   /* whose code runs */
	/* What the hook under way is asked about, for objects that it asks; NULL: of no session. */
	const struct policy_asked *asked;
	enum policy_hook asking; /* which hook that is */

	uint64_t epoch;			  /* of remembered plans; from 1 */
	struct policy_memory *remembered; /* NULL: nothing yet */

	/* The call under way, and how it failed. */
	policy_body body;
	void *arg;
	char error[POLICY_TEXT_MAX];
	char error_where[POLICY_NAME_MAX]; /* "p.lua:12"; "" when it is not known */
};

/* ---- engine.c */

/* The engine that a state belongs to. Never fails, allocates nothing. */
struct policy_engine *policy_engine_of(lua_State *L);
uint64_t policy_now(void); /* monotonic nanoseconds */
/* Nanoseconds of the time that scripts live by: policy_now(), or the simulator's. */
uint64_t policy_clock(const struct policy_engine *engine);
/* A declared backend at this moment; false: nothing is known of it. */
bool policy_view(const struct policy_engine *engine, const char *name,
		 struct policy_backend_view *view);

/* Every instruction of Lua ends in the timeout's error from now on. */
void policy_stop(struct policy_engine *engine);

/* ---- jit.c */

/* When the engine is complete: turn the JIT on if scripts can be stopped then. */
bool policy_jit_start(struct policy_engine *engine);
void policy_jit_stop(struct policy_engine *engine);
/* Before each entry, by the thread that enters; and how the watchdog stops it. */
void policy_jit_enter(struct policy_engine *engine);
void policy_jit_fire(struct policy_engine *engine);

/* ---- entry.c */

/*
 * Run body(L, engine, arg) with `script` (or NULL) as the one that acts, for at most budget_us.
 * body may raise errors and must leave results in arg. What failed is in engine->error and
 * error_where. The stack is as before.
 */
enum policy_outcome policy_enter(struct policy_engine *engine, struct script *script,
				 policy_body body, void *arg, unsigned budget_us);
/* Give all garbage back. Takes milliseconds when much is alive. */
void policy_collect(struct policy_engine *engine);
/* The two functions that lie on the state's stack. */
int policy_entry_call(lua_State *L);
int policy_entry_error(lua_State *L);

/* The innermost line of a script that is running; false when there is none (a tail call). */
bool policy_script_line(lua_State *L, int level, lua_Debug *ar);
/* Raise "p.lua:12: <text>", the position being the script's, not ours. */
__attribute__((noreturn, format(printf, 2, 3))) void policy_fail(lua_State *L, const char *format,
								 ...);
/* Raise the timeout's error if the deadline has passed: for our own loops in C. */
void policy_check_deadline(lua_State *L);

/* Copy text of a script, control characters as \xNN, cut at size. */
void policy_clean(char *dst, size_t size, const char *src, size_t len);
__attribute__((format(printf, 2, 3))) void policy_log(struct policy_engine *engine,
						      const char *format, ...);
/* May a line be written? *suppressed is how many were not, since the last that was. */
bool policy_rate_take(const struct policy_engine *engine, struct policy_rate *rate,
		      unsigned per_second, unsigned *suppressed);

/* ---- trips.c */

struct policy_failure {
	char error[POLICY_TEXT_MAX], where[POLICY_NAME_MAX];
};

/*
 * Call a function of a script as policy_enter() does, unless it is set aside. False: it failed, as
 * failure says, and a line in the log.
 */
bool policy_call(struct policy_engine *engine, struct script *script, struct hook *hook,
		 policy_body body, void *arg, unsigned budget_us, struct policy_failure *failure);
/* snprintf for texts that may well be cut. */
__attribute__((format(printf, 3, 4))) void policy_format(char *text, size_t size,
							 const char *format, ...);
/* Append as much of a text as there is room for before end; where it ends. */
char *policy_put(char *at, const char *end, const char *text);
/* "p.lua:12" */
void policy_write_where(char *where, const struct script *script, int line);

/* ---- timers.c */

int policy_lua_every(lua_State *L);
int policy_lua_after(lua_State *L);
/* The generation is in force from now on. */
void policy_timers_begin(const struct policy_engine *engine, struct policy_generation *gen);
/* Give Lua's part back, then the rest. */
void policy_timers_unref(lua_State *L, const struct policy_generation *gen);
void policy_timers_free(struct policy_generation *gen);

/* ---- sandbox.c, match.c, objects.c */

#define POLICY_LIBRARY "(policy)" /* the preludes' name in Lua's error texts */

/* Open the libraries and run the preludes; called protected. Raises. */
void policy_sandbox_open(lua_State *L, struct policy_engine *engine);
int policy_match(lua_State *L);
int policy_find_plain(lua_State *L);

void policy_push_text(lua_State *L, const char *text); /* nil for NULL */
void policy_push_resource(lua_State *L, const struct policy_engine *engine,
			  const struct policy_resource *resource);
void policy_push_peer(lua_State *L, const struct policy_engine *engine,
		      const struct policy_peer *peer);
/* For objects.lua. */
int policy_lua_session_age(lua_State *L);
int policy_lua_session_inflight(lua_State *L);
int policy_lua_is_idempotent(lua_State *L);

/* What changes without Lua: a userdata, as scripts may keep a session for longer than C does. */
struct session_life {
	uint64_t began, ended;		/* ns; ended 0: it lives */
	atomic_size_t inflight;		/* operations */
	struct policy_session *session; /* NULL: it has ended */
};

/* Whom a plan is remembered for. Compared as bytes, the first `size` of it: no padding. */
struct policy_who {
	uint64_t hash; /* of what follows */
	uint32_t size, hint, uid, gid, cid;
	uint16_t has_credentials, has_cid;
	char place[128]; /* "10.0.0.1 main", " main": address and listener */
};

/* What peers are told apart by. */
enum policy_key {
	KEY_NONE,
	KEY_CID,
	KEY_UID,
	KEY_SESSION,
	KEY_ADDR,
	KEY_LISTENER,
	KEY_TAGS /* the tag in slot 0; the other slots follow */
};
enum { NR_KEYS = KEY_TAGS + TAG_SLOTS };

struct policy_session {
	int proxy, data;	   /* registry references */
	struct session_life *life; /* the data's */
	int64_t id;
	bool has_cid, has_uid;
	uint32_t cid, uid;
	struct policy_who who;
	uint64_t addr, listener;	      /* hashes of them: what objects tell peers apart by */
	uint64_t tags[TAG_SLOTS];	      /* the same, as scripts have written them */
	struct policy_crowd *crowds[NR_KEYS]; /* NULL: of a slot that was never used */
	atomic_flag counting;		      /* held around a change of what is below */
	unsigned tagged;		      /* slots with a crowd */
	struct policy_session *next, **link;
};

/* The sessions of one key: crowds.c. */
struct policy_crowd {
	struct policy_crowd *next;
	enum policy_key by;
	uint64_t key;
	size_t sessions;
	atomic_long inflight;
	struct policy_lane *lanes; /* what waits, by limit: lanes.c */
};

/* ---- crowds.c */

int policy_crowds_join(struct policy_engine *engine, struct policy_session *session); /* -ENOMEM */
void policy_crowds_leave(struct policy_engine *engine, struct policy_session *session);
/* The session's key by the tag in a slot is another, and so is its crowd. -ENOMEM: not now. */
int policy_crowds_move(struct policy_engine *engine, struct policy_session *session, unsigned slot,
		       uint64_t key);
/* So many operations more run in the session, or fewer: more on any thread. */
void policy_crowds_count(struct policy_session *session, long operations);
/* In a child of fork(): the operations were the parent's. */
void policy_crowds_forked(struct policy_engine *engine);

/* ---- tags.c */

/* Leaves a table on the stack's top: the slots of tags that objects look at, by name. Raises. */
void policy_tags_open(lua_State *L, struct policy_engine *engine);
/* From now on a key of the generation that is being loaded: an enum policy_key. Raises. */
int policy_tag_watch(lua_State *L, const char *name, size_t len);
/* The generation looks at no tag any more. Raises nothing. */
void policy_tags_unwatch(lua_State *L, struct policy_engine *engine,
			 const struct policy_generation *gen);
/* For objects.lua: (life, slot, value), a tag that is watched has been written. */
int policy_lua_tag_changed(lua_State *L);

/* ---- shared.c */

/* Adds shared_counter and shared_table to the table on the stack's top. Raises. */
void policy_shared_open(lua_State *L, struct policy_engine *engine);

/* ---- metric.c */

/* Adds metric to the table on the stack's top. Raises. */
void policy_metrics_open(lua_State *L, struct policy_engine *engine);
/* A script has been loaded: its metrics go on where those of the active one of that name are. */
void policy_metrics_inherit(lua_State *L, const struct policy_engine *engine,
			    const struct script *script);
void policy_metrics_unref(lua_State *L, const struct policy_generation *gen);
/* ---- lanes.c */

/* Must an operation of the session wait, for those that run or for those that wait already? */
bool policy_must_wait(const struct policy_session *session, const struct policy_wait *wait);
/* How many do. */
size_t policy_nr_waiting(const struct policy_session *session, const struct policy_wait *wait);
/* Some have ended. */
void policy_lanes_let_in(struct policy_crowd *crowd);
/* In a child of fork(): those that wait are threads of the parent. */
void policy_lanes_forked(struct policy_crowd *crowd);

/* ---- text.c */

/* 0, and the file's text, which is the caller's to free; or -1 with "cannot read WHAT PATH: ...".
 */
int policy_read_text(const char *path, const char *what, char **text, size_t *len, char *err,
		     size_t errsize);
/* What error texts call it: the path's last part. */
void policy_script_file(struct script *script, const char *path);
/* Leaves the chunk on the stack's top. Raises. */
void policy_compile(lua_State *L, const struct script *script, const char *text, size_t len);

/* ---- load.c */

/* The policy's name, or its file's until it has one. */
const char *policy_script_label(const struct script *script);

/* ---- values.c */

/* What scripts call the functions that make values, by their kinds. */
extern const char *const policy_value_names[];

/*
 * What route, reject, retry and mirror give, and objects that are asked: a userdata that scripts
 * can pass about but not make or change.
 */
struct policy_value {
	enum value_kind kind;
	int code;
	int line;	/* 0: not known (made by a tail call) */
	char text[160]; /* reason */
	size_t nr;
	char names[POLICY_PLAN_MAX][POLICY_NAME_MAX];
	double deadline; /* seconds; 0: none */
	bool per_op;	 /* op_route is asked for operations of the session */
	struct policy_wait wait;
	const struct policy_object *cache; /* the generation's; NULL: none */
	char where[POLICY_NAME_MAX]; /* "p.lua:12", if a script made it and the line is known */
	uint64_t checked; /* the epoch in which its names were found declared; 0: none yet */
	struct policy_keep {
		bool wanted;   /* ttl, uses or sticky was given */
		uint64_t ttl;  /* nanoseconds; 0: no limit */
		uint64_t uses; /* later sessions; 0: no limit */
	} keep;
};

/* What plugin and remote give: a backend that has no name yet. */
struct backend_spec {
	char kind[16];
	char target[256];
	bool has_options; /* the userdata's environment holds them */
	int line;
};

void policy_values_open(lua_State *L, struct policy_engine *engine); /* metatables; raises */
/* The value at idx, or NULL when it is something else. Raises nothing. */
struct policy_value *policy_to_value(lua_State *L, struct policy_engine *engine, int idx);
struct backend_spec *policy_to_spec(lua_State *L, struct policy_engine *engine, int idx);
/* The string at the top as a plan's next backend; pops it. Raises errors that begin with `what`. */
void policy_plan_add(lua_State *L, const char *what, struct policy_value *plan);
/* A copy of the value on the stack's top, for a script. Raises. */
void policy_push_value(lua_State *L, struct policy_engine *engine,
		       const struct policy_value *value);
int policy_lua_route(lua_State *L);
int policy_lua_reject(lua_State *L);
int policy_lua_retry(lua_State *L);
int policy_lua_mirror(lua_State *L);
int policy_lua_plugin(lua_State *L);
int policy_lua_remote(lua_State *L);

/* ---- library/cache.c */

struct policy_answers policy_answers_of(const struct policy_object *object);

/* ---- remember.c */

void policy_who_init(struct policy_who *who, uint32_t hint, const struct policy_peer *peer);
/* What the script's session_route said for such a session, if that holds yet; this is one use. */
const struct policy_value *policy_remembered(struct policy_engine *engine,
					     const struct script *script,
					     const struct policy_session *session);
/* Keep its answer, if that is to be kept. */
void policy_remember(struct policy_engine *engine, const struct script *script,
		     const struct policy_session *session, const struct policy_value *plan);

/* ---- declare.c */

/* Letters, digits, '_', '-' and '.', and not too many. */
bool policy_is_name(const char *text, size_t len);
int policy_lua_policy(lua_State *L);
int policy_lua_backends(lua_State *L);

/* ---- backends.c */

/* Leaves `backends` on the stack's top. Raises. */
void policy_backends_open(lua_State *L, struct policy_engine *engine);
/* Push what scripts see of a declared backend. Raises. */
void policy_push_backend(lua_State *L, struct policy_engine *engine, const char *name);

/* ---- codes.c */

int policy_code_by_name(const char *name); /* 0: there is none */
const char *policy_code_name(int code);	   /* NULL: it has none */

/* ---- names.c */

struct token {
	char type; /* 'a' a name, 's' a string, '0' a number, else the character itself; 0 the end
		    */
	const char *at;
	size_t len; /* of a string: without its quotes, `at` being behind the first */
	const char *end;
	int line;
};

struct lexer {
	const char *at, *end;
	int line;
};

/* The next token of Lua; comments are skipped. */
struct token policy_next_token(struct lexer *lex);

/*
 * Note every backend that a literal in the text names, and give the text that is to be compiled:
 * as it was, but `return route ...` and `return reject ...` in parentheses, so that Lua keeps the
 * frame that knows the line. Lines stay. NULL when memory ends; the caller frees.
 */
char *policy_names_scan(const char *source, size_t len, const struct script *script,
			struct policy_generation *generation, size_t *out_len);
bool policy_names_add(struct policy_generation *generation, const struct script *script,
		      const char *what, int line, const char *name, size_t len);
bool policy_names_declared(const struct policy_generation *generation, const char *name);
/* "cpu, test", or "none". */
void policy_names_list(const struct policy_generation *generation, char *buf, size_t size);

#endif
