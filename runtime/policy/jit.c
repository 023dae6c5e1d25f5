/*
 * jit.c - may policies be compiled? Only if a compiled loop can be stopped.
 *
 * LuaJIT as distributions build it does not look at hooks inside a compiled loop; one that was
 * built with LUAJIT_ENABLE_CHECKHOOK does. Which one this is, a test at start finds out by the way
 * that a policy's own loop would be stopped: a loop that is compiled for certain, and would end by
 * itself after some milliseconds, is given one. Stopped, the JIT stays on; else it is turned off.
 *
 * With the JIT on, a hook set by another thread would meet the compiler at work. So the watchdog
 * sends the Lua thread a signal, whose handler sets the hook between two instructions of its own.
 * The signal is the process's, and so is the one engine that may compile.
 */
#include "engine.h"

#include <luajit.h>
#include <signal.h>

enum { TEST_BUDGET_US = 1000, TEST_TRIES = 3 };

/*
 * Compiled in its first hundred rounds; all of them take 5 to 30 ms then. How far it came is told
 * by what it wrote: also one that cannot be stopped ends in an error, after its last round.
 */
static const char test_text[] = "local t, n = ... for i = 1, n do t.at = i end";
enum { WARM_UP = 1000, ROUNDS = 20000000 };

static struct policy_engine *_Atomic compiling; /* whose thread gets the signal */

/* Late ones find another thread, or a call that is not past its deadline. */
static void on_signal(int number)
{
	struct policy_engine *engine = atomic_load(&compiling);

	(void)number;
	if (engine && pthread_equal(atomic_load(&engine->thread), pthread_self()) &&
	    watchdog_fired(&engine->watchdog))
		policy_stop(engine);
}

void policy_jit_fire(struct policy_engine *engine)
{
	pthread_kill(atomic_load(&engine->thread), engine->options.stop_signal);
}

void policy_jit_enter(struct policy_engine *engine)
{
	static _Thread_local bool receives;
	sigset_t set;

	atomic_store_explicit(&engine->thread, pthread_self(), memory_order_relaxed);
	if (receives)
		return;
	sigemptyset(&set);
	sigaddset(&set, engine->options.stop_signal);
	receives = !pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- the test */

struct test {
	bool compiled; /* for certain */
	bool told;     /* to stop, when it was under way */
	bool stopped;  /* before its end */
};

/* jit.util, which is nobody's global. */
static bool has_trace(lua_State *L)
{
	bool found;

	lua_getfield(L, LUA_REGISTRYINDEX, "_PRELOAD");
	lua_getfield(L, -1, "jit.util");
	lua_call(L, 0, 1);
	lua_getfield(L, -1, "traceinfo");
	lua_pushinteger(L, 1);
	lua_call(L, 1, 1);
	found = !lua_isnil(L, -1);
	lua_pop(L, 3);
	return found;
}

/* The loop at 1, with the table at 2; what becomes of it is in the table. */
static int run_rounds(lua_State *L, int rounds)
{
	lua_pushvalue(L, 1);
	lua_pushvalue(L, 2);
	lua_pushinteger(L, rounds);
	return lua_pcall(L, 2, 0, 0);
}

static void run_test(lua_State *L, struct policy_engine *engine, void *arg)
{
	struct test *test = arg;
	lua_Integer at;
	bool failed;

	luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_FLUSH);
	if (luaL_loadstring(L, test_text))
		lua_error(L);
	lua_newtable(L);
	if (run_rounds(L, WARM_UP))
		lua_error(L);
	test->compiled = has_trace(L);
	if (!test->compiled)
		return;
	failed = run_rounds(L, ROUNDS);
	lua_getfield(L, 2, "at");
	at = lua_tointeger(L, -1);
	test->told = watchdog_fired(&engine->watchdog) && at > WARM_UP;
	test->stopped = failed && at < ROUNDS;
}

/* On a busy machine the watchdog may have come before the loop had begun, or after its end. */
static bool can_be_stopped(struct policy_engine *engine)
{
	struct test test = { .compiled = true };

	for (int i = 0; i < TEST_TRIES && test.compiled && !test.told; i++)
		if (policy_enter(engine, NULL, run_test, &test, TEST_BUDGET_US) != ENTER_OK)
			return false;
	return test.told && test.stopped;
}

static bool take_signal(struct policy_engine *engine)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct policy_engine *none = NULL;

	return atomic_compare_exchange_strong(&compiling, &none, engine) &&
	       !sigaction(engine->options.stop_signal, &action, NULL);
}

static void open_jit(lua_State *L, struct policy_engine *engine, void *arg)
{
	(void)engine;
	(void)arg;
	lua_pushcfunction(L, luaopen_jit);
	lua_pushliteral(L, LUA_JITLIBNAME);
	lua_call(L, 1, 0);
	lua_pushnil(L);
	lua_setglobal(L, LUA_JITLIBNAME);
}

bool policy_jit_start(struct policy_engine *engine)
{
	const unsigned budget = engine->options.load_budget_us;

	if (!engine->options.stop_signal || !take_signal(engine))
		return false;
	engine->jit = policy_enter(engine, NULL, open_jit, NULL, budget) == ENTER_OK &&
		      luaJIT_setmode(engine->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_ON);
	engine->jit = engine->jit && can_be_stopped(engine);
	if (engine->jit)
		return true;
	luaJIT_setmode(engine->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
	luaJIT_setmode(engine->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_FLUSH);
	policy_jit_stop(engine);
	return false;
}

void policy_jit_stop(struct policy_engine *engine)
{
	atomic_compare_exchange_strong(&compiling, &engine, NULL);
}
