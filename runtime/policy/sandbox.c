/*
 * sandbox.c - opens Lua's libraries, runs the two preludes, and is the C side of `host`.
 *
 * Only libraries that the preludes take from are opened; ffi, io, package and jit never exist in
 * the state. sandbox.lua and objects.lua are part of the program (embed.cmake).
 */
#include "registry.h"

#include <string.h>
#include <time.h>

#define SECOND UINT64_C(1000000000)

extern const unsigned char policy_sandbox_lua[], policy_objects_lua[];
extern const unsigned policy_sandbox_lua_size, policy_objects_lua_size;

enum { PRINTS_PER_SECOND = 20 };

const char *const policy_function_names[NR_FUNCTIONS] = {
	[FN_ENVIRONMENT] = "environment", [FN_NEW_PEER] = "new_peer",
	[FN_NEW_SESSION] = "new_session", [FN_NEW_RESOURCE] = "new_resource",
	[FN_SET_ROUTE] = "set_route",	  [FN_ENTER_OP] = "enter_op",
	[FN_ENTER_DONE] = "enter_done",	  [FN_EXPIRE] = "expire",
	[FN_TAG_OF] = "tag_of",
};

static int host_fail(lua_State *L)
{
	policy_fail(L, "%s", luaL_checkstring(L, 1));
}

static int host_check_depth(lua_State *L)
{
	int limit = (int)luaL_checkinteger(L, 1);
	lua_Debug ar;

	if (lua_getstack(L, limit, &ar))
		policy_fail(L, "%s: calls are nested more than %d deep", luaL_checkstring(L, 2),
			    limit);
	return 0;
}

/* print and log: one line for the operator, with the policy's name. */
static int host_emit(lua_State *L)
{
	struct policy_engine *engine = policy_engine_of(L);
	struct script *script = engine->script;
	char line[900];
	unsigned suppressed;
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);

	if (!policy_rate_take(engine, &script->prints, PRINTS_PER_SECOND, &suppressed))
		return 0;
	policy_clean(line, sizeof(line), text, len);
	if (suppressed)
		policy_log(engine, "policy %s: %u lines were not written: too many in a second",
			   policy_script_label(script), suppressed);
	policy_log(engine, "policy %s: %s", policy_script_label(script), line);
	return 0;
}

/* os.time() and os.clock() */
static int host_time(lua_State *L)
{
	const struct policy_engine *engine = policy_engine_of(L);

	lua_pushnumber(L, engine->options.now ? (lua_Number)(policy_clock(engine) / SECOND)
					      : (lua_Number)time(NULL));
	return 1;
}

static int host_clock(lua_State *L)
{
	const struct policy_engine *engine = policy_engine_of(L);

	lua_pushnumber(L, engine->options.now
				  ? (lua_Number)policy_clock(engine) / (lua_Number)SECOND
				  : (lua_Number)clock() / (lua_Number)CLOCKS_PER_SEC);
	return 1;
}

static const luaL_Reg host_functions[] = {
	{ "fail", host_fail },
	{ "emit", host_emit },
	{ "time", host_time },
	{ "clock", host_clock },
	{ "check_depth", host_check_depth },
	{ "session_age", policy_lua_session_age },
	{ "session_inflight", policy_lua_session_inflight },
	{ "tag_changed", policy_lua_tag_changed },
	{ "is_idempotent", policy_lua_is_idempotent },
	{ "search", policy_match },
	{ "find_plain", policy_find_plain },
	{ "policy", policy_lua_policy },
	{ "plugin", policy_lua_plugin },
	{ "remote", policy_lua_remote },
	{ "route", policy_lua_route },
	{ "reject", policy_lua_reject },
	{ "retry", policy_lua_retry },
	{ "mirror", policy_lua_mirror },
	{ "every", policy_lua_every },
	{ "after", policy_lua_after },
	{ NULL, NULL },
};

static void open_libraries(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ "", luaopen_base },
		{ LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string },
		{ LUA_MATHLIBNAME, luaopen_math },
		{ LUA_BITLIBNAME, luaopen_bit },
		{ LUA_OSLIBNAME, luaopen_os },
		{ LUA_DBLIBNAME, luaopen_debug },
	};

	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		lua_pushcfunction(L, libraries[i].func);
		lua_pushstring(L, libraries[i].name);
		lua_call(L, 1, 0);
	}
}

/* Run a prelude with the host table at idx; its one result is on the stack's top. */
static void run_prelude(lua_State *L, const unsigned char *text, unsigned size, int host)
{
	if (luaL_loadbufferx(L, (const char *)text, size, "=" POLICY_LIBRARY, "t"))
		lua_error(L);
	lua_pushvalue(L, host);
	lua_call(L, 1, 1);
}

void policy_sandbox_open(lua_State *L, struct policy_engine *engine)
{
	int host;

	open_libraries(L);
	lua_newtable(L);
	host = lua_gettop(L);
	luaL_setfuncs(L, host_functions, 0);
	policy_backends_open(L, engine);
	lua_setfield(L, host, "backends");
	policy_push_fields(L);
	lua_setfield(L, host, "fields");
	policy_tags_open(L, engine);
	lua_setfield(L, host, "watched");
	policy_registry_push(L);
	policy_shared_open(L, engine);
	policy_metrics_open(L, engine);
	lua_setfield(L, host, "objects");
	run_prelude(L, policy_sandbox_lua, policy_sandbox_lua_size, host);
	engine->functions[FN_ENVIRONMENT] = luaL_ref(L, LUA_REGISTRYINDEX);
	run_prelude(L, policy_objects_lua, policy_objects_lua_size, host);
	for (int i = FN_ENVIRONMENT + 1; i < NR_FUNCTIONS; i++) {
		lua_getfield(L, -1, policy_function_names[i]);
		engine->functions[i] = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	lua_settop(L, host - 1);
}
