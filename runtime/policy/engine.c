/*
 * engine.c - the Lua state and what bounds it: a capped allocator and the watchdog.
 *
 * The JIT is off until jit.c has found that a compiled loop can be stopped.
 */
#include "registry.h"

#include <errno.h>
#include <luajit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK_LEAST = 1 << 20 };

/*
 * LuaJIT does not collect when an allocation fails, so garbage must never grow far: a new
 * collection starts when the heap is 130 % of what lived after the last one.
 */
enum { GC_PAUSE = 130, GC_STEP = 400 };

uint64_t policy_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

bool policy_view(const struct policy_engine *engine, const char *name,
		 struct policy_backend_view *view)
{
	const struct policy_engine_options *o = &engine->options;

	return o->backend && o->backend(o->ctx, name, view);
}

void policy_hold_clock(struct policy_engine *engine, uint64_t now)
{
	engine->held_clock = now;
}

uint64_t policy_clock(const struct policy_engine *engine)
{
	if (engine->held_clock)
		return engine->held_clock;
	return engine->options.now ? engine->options.now(engine->options.ctx) : policy_now();
}

/*
 * No instruction of Lua can be interrupted, and the longest are those that copy: one block may
 * have an eighth of the memory, 8 MiB by default.
 */
static size_t block_max(const struct policy_engine *engine)
{
	size_t share = engine->options.memory_max / 8;

	return share > BLOCK_LEAST ? share : BLOCK_LEAST;
}

/* Lua's allocator: realloc with a cap. Shrinking always works, as LuaJIT relies on it. */
static void *allocate(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
	struct policy_engine *engine = ctx;
	void *grown;

	if (!ptr)
		old_size = 0;
	if (new_size == 0) {
		free(ptr);
		engine->memory -= old_size;
		return NULL;
	}
	if (new_size > old_size &&
	    (new_size > block_max(engine) ||
	     engine->memory - old_size + new_size > engine->options.memory_max))
		return NULL;
	grown = realloc(ptr, new_size);
	if (!grown) {
		if (new_size > old_size)
			return NULL;
		grown = ptr;
	}
	engine->memory = engine->memory - old_size + new_size;
	return grown;
}

struct policy_engine *policy_engine_of(lua_State *L)
{
	void *ctx;

	lua_getallocf(L, &ctx);
	return ctx;
}

/* The hook that stops a script: every instruction comes here from the deadline on. */
static void stop_script(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	policy_check_deadline(L);
}

void policy_stop(struct policy_engine *engine)
{
	lua_sethook(engine->L, stop_script, LUA_MASKCOUNT, 1);
}

static void fire(void *ctx)
{
	struct policy_engine *engine = ctx;

	if (engine->jit)
		policy_jit_fire(engine);
	else
		policy_stop(engine);
}

/* Never reached while everything goes through policy_enter(); says so if it is. */
static int panic(lua_State *L)
{
	policy_log(policy_engine_of(L), "the policy engine lost control of Lua; this is a defect");
	abort();
}

static void seed_random(lua_State *L, uint64_t seed)
{
	lua_getglobal(L, LUA_MATHLIBNAME);
	lua_getfield(L, -1, "randomseed");
	lua_pushnumber(L, (lua_Number)seed);
	lua_call(L, 1, 0);
	lua_pop(L, 1);
}

static int open_state(lua_State *L)
{
	struct policy_engine *engine = lua_touserdata(L, 1);

	luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
	lua_gc(L, LUA_GCSETPAUSE, GC_PAUSE);
	lua_gc(L, LUA_GCSETSTEPMUL, GC_STEP);
	lua_pushliteral(L, "the time is up");
	engine->timeout_text = luaL_ref(L, LUA_REGISTRYINDEX);
	policy_values_open(L, engine);
	policy_registry_open(L, engine);
	policy_sandbox_open(L, engine);
	if (engine->options.seed)
		seed_random(L, engine->options.seed);
	/* cpcall takes no results home; the registry does. */
	lua_pushcfunction(L, policy_entry_call);
	lua_setfield(L, LUA_REGISTRYINDEX, "entry.call");
	lua_pushcfunction(L, policy_entry_error);
	lua_setfield(L, LUA_REGISTRYINDEX, "entry.error");
	return 0;
}

static unsigned smallest_budget(const struct policy_engine_options *o)
{
	unsigned least = o->op_budget_us;

	if (o->session_budget_us < least)
		least = o->session_budget_us;
	if (o->load_budget_us < least)
		least = o->load_budget_us;
	return least;
}

static int start_watchdog(struct policy_engine *engine)
{
	return watchdog_start(&engine->watchdog, (uint64_t)smallest_budget(&engine->options) * 1000,
			      fire, engine);
}

static int start(struct policy_engine *engine, char *err, size_t errsize)
{
	size_t cap = engine->options.memory_max;
	int rc;

	/* lua_newstate crashes when memory ends in the middle of it: the cap comes after it. */
	engine->options.memory_max = SIZE_MAX;
	engine->L = lua_newstate(allocate, engine);
	engine->options.memory_max = cap;
	if (!engine->L) {
		snprintf(err, errsize,
			 "this LuaJIT takes no allocator but its own (it was built without GC64), "
			 "so the memory of policies could not be limited");
		return -ENOTSUP;
	}
	lua_atpanic(engine->L, panic);
	if (lua_cpcall(engine->L, open_state, engine)) {
		const char *text = lua_tostring(engine->L, -1);

		snprintf(err, errsize,
			 "the policy engine does not start in %zu bytes of memory: %s",
			 engine->options.memory_max, text ? text : "no reason given");
		return -ENOMEM;
	}
	lua_settop(engine->L, 0);
	lua_getfield(engine->L, LUA_REGISTRYINDEX, "entry.call");
	lua_getfield(engine->L, LUA_REGISTRYINDEX, "entry.error");
	rc = start_watchdog(engine);
	if (rc) {
		snprintf(err, errsize, "no thread for the policy watchdog: %s", strerror(rc));
		return -ENOMEM;
	}
	return 0;
}

int policy_engine_new(const struct policy_engine_options *options, struct policy_engine **out,
		      char *err, size_t errsize)
{
	struct policy_engine *engine = calloc(1, sizeof(*engine));
	struct policy_engine_options *o;
	int rc;

	if (!engine) {
		snprintf(err, errsize, "no memory for the policy engine");
		return -ENOMEM;
	}
	o = &engine->options;
	*o = *options;
	o->memory_max = o->memory_max ? o->memory_max : DEFAULT_MEMORY;
	o->op_budget_us = o->op_budget_us ? o->op_budget_us : DEFAULT_OP_US;
	o->session_budget_us = o->session_budget_us ? o->session_budget_us : DEFAULT_SESSION_US;
	o->load_budget_us = o->load_budget_us ? o->load_budget_us : DEFAULT_LOAD_US;
	rc = start(engine, err, errsize);
	if (rc) {
		if (engine->L)
			lua_close(engine->L);
		free(engine);
		return rc;
	}
	snprintf(
		engine->description, sizeof(engine->description), "%s, policies %s", LUAJIT_VERSION,
		policy_jit_start(engine)
			? "compiled (JIT on: any loop can be stopped at its deadline)"
			: "interpreted (JIT off, so that any loop can be stopped at its deadline)");
	*out = engine;
	return 0;
}

void policy_engine_free(struct policy_engine *engine)
{
	if (!engine)
		return;
	policy_activate(engine, NULL);
	watchdog_stop(&engine->watchdog);
	policy_jit_stop(engine);
	lua_close(engine->L);
	free(engine->remembered);
	free(engine);
}

int policy_engine_forked(struct policy_engine *engine)
{
	policy_crowds_forked(engine);
	return start_watchdog(engine) ? -ENOMEM : 0;
}

const char *policy_engine_describe(const struct policy_engine *engine)
{
	return engine->description;
}

size_t policy_engine_memory(const struct policy_engine *engine)
{
	return engine->memory;
}
