/*
 * timers.c - every(seconds, fn) and after(seconds, fn): functions of a script that the agent's loop
 * has called later.
 *
 * A timer belongs to the generation whose script asked for it, and goes with it. While scripts are
 * loaded its time is counted from their activation. A generation's timers are in a list, the
 * nearest first; the agent looks at the first, and runs one at a time, so that its loop goes on in
 * between.
 */
#include "engine.h"

#include <stdlib.h>

enum { TIMERS_MAX = 64 }; /* of one script */

#define SECONDS_LEAST 0.01
#define SECONDS_MOST  1e7

struct policy_timer {
	struct script *script;
	struct hook hook;
	uint64_t due;	   /* ns; until activation: after it */
	uint64_t interval; /* of every; 0: once */
	struct policy_timer *next;
};

static void insert(struct policy_generation *gen, struct policy_timer *timer)
{
	struct policy_timer **at = &gen->timers;

	while (*at && (*at)->due <= timer->due)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
}

static void check_count(lua_State *L, const struct policy_generation *gen,
			const struct script *script)
{
	int count = 0;

	for (const struct policy_timer *timer = gen->timers; timer; timer = timer->next)
		count += timer->script == script;
	if (count >= TIMERS_MAX)
		policy_fail(L, "a script has %d timers at most", TIMERS_MAX);
}

static uint64_t check_seconds(lua_State *L, const char *what)
{
	double seconds = lua_tonumber(L, 1);

	if (lua_type(L, 1) != LUA_TNUMBER || !(seconds >= SECONDS_LEAST && seconds <= SECONDS_MOST))
		policy_fail(L, "%s takes a number of seconds from %g to %g, and a function", what,
			    SECONDS_LEAST, SECONDS_MOST);
	if (lua_type(L, 2) != LUA_TFUNCTION)
		policy_fail(L, "%s takes a function to call; it got a %s", what,
			    luaL_typename(L, 2));
	return (uint64_t)(seconds * 1e9);
}

static int line_of_function(lua_State *L)
{
	lua_Debug ar;

	lua_pushvalue(L, 2);
	lua_getinfo(L, ">S", &ar);
	return ar.source[0] == '@' ? ar.linedefined : 0;
}

static int add(lua_State *L, const char *what, bool repeats)
{
	struct policy_engine *engine = policy_engine_of(L);
	struct policy_generation *gen = engine->loading ? engine->loading : engine->active;
	uint64_t delay = check_seconds(L, what);
	struct policy_timer *timer;
	int ref;

	if (engine->options.application) {
		if (engine->loading)
			policy_log(engine,
				   "policy %s: %s does nothing in an application: timers "
				   "are an agent's",
				   policy_script_label(engine->script), what);
		return 0;
	}
	check_count(L, gen, engine->script);
	lua_settop(L, 2);
	ref = luaL_ref(L, LUA_REGISTRYINDEX);
	timer = calloc(1, sizeof(*timer));
	if (!timer) {
		luaL_unref(L, LUA_REGISTRYINDEX, ref);
		policy_fail(L, "no memory for a timer");
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
	timer->script = engine->script;
	timer->hook = (struct hook){ .name = what, .ref = ref, .line = line_of_function(L) };
	timer->interval = repeats ? delay : 0;
	timer->due = engine->loading ? delay : policy_clock(engine) + delay;
	insert(gen, timer);
	return 0;
}

int policy_lua_every(lua_State *L)
{
	return add(L, "every", true);
}

int policy_lua_after(lua_State *L)
{
	return add(L, "after", false);
}

void policy_timers_begin(const struct policy_engine *engine, struct policy_generation *gen)
{
	uint64_t now = policy_clock(engine);

	for (struct policy_timer *timer = gen->timers; timer; timer = timer->next)
		timer->due += now;
}

void policy_timers_unref(lua_State *L, const struct policy_generation *gen)
{
	for (const struct policy_timer *timer = gen->timers; timer; timer = timer->next)
		luaL_unref(L, LUA_REGISTRYINDEX, timer->hook.ref);
}

void policy_timers_free(struct policy_generation *gen)
{
	struct policy_timer *timer;

	while ((timer = gen->timers)) {
		gen->timers = timer->next;
		free(timer);
	}
}

uint64_t policy_next_timer(const struct policy_engine *engine)
{
	return engine->active && engine->active->timers ? engine->active->timers->due : UINT64_MAX;
}

static void call(lua_State *L, struct policy_engine *engine, void *arg)
{
	const struct policy_timer *timer = arg;

	(void)engine;
	lua_rawgeti(L, LUA_REGISTRYINDEX, timer->hook.ref);
	lua_call(L, 0, 0);
}

static void drop(lua_State *L, struct policy_engine *engine, void *arg)
{
	const struct policy_timer *timer = arg;

	(void)engine;
	luaL_unref(L, LUA_REGISTRYINDEX, timer->hook.ref);
}

void policy_run_timer(struct policy_engine *engine)
{
	struct policy_generation *gen = engine->active;
	unsigned budget_us = engine->options.session_budget_us;
	struct policy_failure ignored;
	struct policy_timer *timer;

	if (policy_next_timer(engine) > policy_clock(engine))
		return;
	/* Out of the list while it runs: it may add others. */
	timer = gen->timers;
	gen->timers = timer->next;
	policy_call(engine, timer->script, &timer->hook, call, timer, budget_us, &ignored);
	if (timer->interval) {
		/* What was missed, as by a machine that slept, is not made up for. */
		timer->due = policy_clock(engine) + timer->interval;
		insert(gen, timer);
		return;
	}
	policy_enter(engine, NULL, drop, timer, budget_us);
	free(timer);
}
