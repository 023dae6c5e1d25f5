/*
 * engine.h - what the files of the policy engine share, and nobody else sees.
 *
 *   engine.c    the Lua state, its capped allocator, life and death
 *   watchdog.c  the thread that stops a script at its deadline
 *   entry.c     the one protected way into Lua, and what is said when it fails
 *   sandbox.c   what scripts find: sandbox.lua, match.c and the C functions given to them
 *   objects.c   session, peer, op and result (objects.lua)
 *   values.c    route, reject and plugin: what a script makes and C reads
 *   declare.c   policy { } and backends { }: one script's declaration becomes C structs
 *   names.c     the lexical pass over a script's text
 *   load.c      files to a generation; generations swapped
 *   decide.c    the hooks: scripts asked in order, on_error, trips
 *
 * The Lua thread is the one that calls policy.h. It alone touches the state, but for lua_sethook,
 * which the watchdog calls and LuaJIT allows at any time. Every push that may allocate happens
 * inside policy_enter(): at the memory cap an unprotected one would end the process.
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

enum { STACK_ENTRY = 1, STACK_ERROR = 2, STACK_BASE = 2 };

enum policy_hook { HOOK_SESSION_ROUTE, HOOK_OP_ADMIT, HOOK_OP_DONE, HOOK_SESSION_CLOSE, NR_HOOKS };
extern const char *const policy_hook_names[NR_HOOKS];

/* What the Lua preludes hand to C, by registry reference. */
enum policy_function {
	FN_ENVIRONMENT, /* environment() -> a fresh _G for one script */
	FN_NEW_SESSION, /* new_session(...) -> proxy, data */
	FN_SET_ROUTE,	/* set_route(data, backend, plan) */
	FN_ENTER_OP,	/* enter_op(hook, ...) -> what the hook said */
	FN_ENTER_DONE,	/* enter_done(hook, ...) */
	FN_EXPIRE,	/* expire(): op and result can no longer be read */
	NR_FUNCTIONS
};
extern const char *const policy_function_names[NR_FUNCTIONS];

/* So many lines in a second; the rest is counted. */
struct policy_rate {
	uint64_t window;
	unsigned used, suppressed;
};

struct hook {
	int ref;		     /* LUA_NOREF: the script has no such hook */
	int line;		     /* where the function starts */
	uint64_t overruns[3];	     /* when the last three were, the oldest first */
	uint64_t set_aside_until;    /* 0: it is asked */
	struct policy_rate failures; /* log lines about it */
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
	char what[16]; /* "route", "on_error" */
	const struct script *script;
	int line;
};

struct policy_generation {
	struct script *scripts;
	size_t nr_scripts;
	bool has_hook[NR_HOOKS];
	struct policy_backend *backends; /* sorted by name */
	size_t nr_backends;
	char **known; /* backends that exist without being declared */
	size_t nr_known;
	struct name_use *uses; /* while loading */
	size_t nr_uses;
};

enum policy_outcome { ENTER_OK, ENTER_FAILED, ENTER_OVERRUN, ENTER_MEMORY };

typedef void (*policy_body)(lua_State *L, struct policy_engine *engine, void *arg);

struct policy_engine {
	struct policy_engine_options options;
	size_t memory;
	lua_State *L;
	struct watchdog watchdog;
	int functions[NR_FUNCTIONS];
	int value_meta, spec_meta, timeout_text;
	char description[160];

	struct policy_generation *active;
	struct policy_generation *loading; /* NULL: no script is being loaded */
	struct script *script;		   /* whose code runs */

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
bool policy_rate_take(struct policy_rate *rate, unsigned per_second, unsigned *suppressed);

/* ---- sandbox.c, match.c, objects.c */

#define POLICY_LIBRARY "(policy)" /* the preludes' name in Lua's error texts */

/* Open the libraries and run the preludes; called protected. Raises. */
void policy_sandbox_open(lua_State *L, struct policy_engine *engine);
int policy_match(lua_State *L);
int policy_find_plain(lua_State *L);

void policy_push_text(lua_State *L, const char *text); /* nil for NULL */

struct policy_session {
	int proxy, data; /* registry references */
};

/* ---- load.c */

/* The policy's name, or its file's until it has one. */
const char *policy_script_label(const struct script *script);

/* ---- values.c */

enum value_kind { VALUE_PLAN, VALUE_REJECT };

/* What route and reject give: a userdata that scripts can pass about but not make or change. */
struct policy_value {
	enum value_kind kind;
	int code;
	int line;	/* 0: not known (made by a tail call) */
	char text[160]; /* reason */
	size_t nr;
	char names[POLICY_PLAN_MAX][POLICY_NAME_MAX];
};

/* What plugin gives: a backend that has no name yet. */
struct backend_spec {
	char kind[16];
	char target[256];
	bool has_options; /* the userdata's environment holds them */
	int line;
};

void policy_values_open(lua_State *L, struct policy_engine *engine); /* metatables; raises */
/* The value at idx, or NULL when it is something else. Raises nothing. */
const struct policy_value *policy_to_value(lua_State *L, struct policy_engine *engine, int idx);
struct backend_spec *policy_to_spec(lua_State *L, struct policy_engine *engine, int idx);
int policy_lua_route(lua_State *L);
int policy_lua_reject(lua_State *L);
int policy_lua_plugin(lua_State *L);

/* ---- declare.c */

int policy_lua_policy(lua_State *L);
int policy_lua_backends(lua_State *L);

/* ---- codes.c */

int policy_code_by_name(const char *name); /* 0: there is none */

/* ---- names.c */

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
