/*
 * backends.c - `backends` as scripts see it: the function that declares them, and, in hooks, what
 * they do at the moment.
 *
 * `backends` is one empty table for all scripts; its metatable declares when it is called, and
 * gives a backend when it is indexed. A backend is a userdata that holds its name alone: every
 * field is asked for when it is read, so nothing is filled in for hooks that do not look, and what
 * a script keeps does not age. One is made for each name, and remembered as long as somebody holds
 * it, so that a hook allocates nothing for it. The Lua thread.
 */
#include "engine.h"

#include <stdio.h>
#include <string.h>

struct handle {
	char name[POLICY_NAME_MAX];
};

/* The key at 2; what is no string is no name either, and an error tells its type. */
static const char *key_text(lua_State *L)
{
	return lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
}

/* ---- one backend */

/* The only values with this function for a metamethod are ours. */
static const char *name_of(lua_State *L)
{
	return ((const struct handle *)lua_touserdata(L, 1))->name;
}

static int push_count(lua_State *L, bool known, uint64_t count)
{
	if (known)
		lua_pushnumber(L, (lua_Number)count);
	else
		lua_pushnil(L);
	return 1;
}

static int push_up(lua_State *L, bool known, bool up)
{
	if (known)
		lua_pushboolean(L, up);
	else
		lua_pushnil(L);
	return 1;
}

static int push_state(lua_State *L, bool known, const struct policy_backend_view *view)
{
	policy_push_text(L, !known ? NULL : view->up ? "up" : view->probing ? "probing" : "down");
	return 1;
}

/* b.supports("image_classify"); the name is the function's own. */
static int supports(lua_State *L)
{
	const struct policy_engine_options *o = &policy_engine_of(L)->options;
	const char *name = lua_tostring(L, lua_upvalueindex(1));
	enum policy_support known = POLICY_SUPPORT_UNKNOWN;

	if (lua_type(L, 1) != LUA_TSTRING)
		policy_fail(L, "supports takes an operation's name (\"image_classify\"), got a %s",
			    luaL_typename(L, 1));
	if (o->supports)
		known = o->supports(o->ctx, name, lua_tostring(L, 1));
	if (known == POLICY_SUPPORT_NO_OPERATION)
		policy_fail(L,
			    "supports: there is no operation \"%.40s\"; one is \"image_classify\"",
			    lua_tostring(L, 1));
	return push_up(L, known != POLICY_SUPPORT_UNKNOWN, known == POLICY_SUPPORT_YES);
}

static int read_backend(lua_State *L)
{
	const char *name = name_of(L);
	const char *key = key_text(L);
	struct policy_backend_view view = { 0 };
	char list[160];
	bool known;

	if (strcmp(key, "name") == 0) {
		lua_pushstring(L, name);
		return 1;
	}
	if (strcmp(key, "supports") == 0) {
		lua_getfenv(L, 1);
		lua_rawgeti(L, -1, 1);
		return 1;
	}
	known = policy_view(policy_engine_of(L), name, &view);
	if (strcmp(key, "up") == 0)
		return push_up(L, known, view.up);
	if (strcmp(key, "state") == 0)
		return push_state(L, known, &view);
	if (strcmp(key, "inflight") == 0)
		return push_count(L, known, view.inflight);
	if (strcmp(key, "p50_us") == 0)
		return push_count(L, view.has_latency, view.p50_us);
	if (strcmp(key, "p99_us") == 0)
		return push_count(L, view.has_latency, view.p99_us);
	if (strcmp(key, "operations") == 0)
		return push_count(L, known, view.operations);
	if (strcmp(key, "errors") == 0)
		return push_count(L, known, view.errors);
	policy_fields_list("backend", list, sizeof(list));
	policy_fail(L, "a backend has no field \"%.40s\"; it has: %s", key, list);
}

static int refuse_backend_change(lua_State *L)
{
	policy_fail(L, "backend %s is read-only", name_of(L));
}

void policy_push_backend(lua_State *L, struct policy_engine *engine, const char *name)
{
	struct handle *handle;

	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->backend_handles);
	lua_getfield(L, -1, name);
	if (!lua_isnil(L, -1)) {
		lua_remove(L, -2); /* handle */
		return;
	}
	lua_pop(L, 1);
	handle = lua_newuserdata(L, sizeof(*handle));
	snprintf(handle->name, sizeof(handle->name), "%s", name);
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->backend_meta);
	lua_setmetatable(L, -2); /* handles handle */
	lua_createtable(L, 1, 0);
	lua_pushstring(L, name);
	lua_pushcclosure(L, supports, 1);
	lua_rawseti(L, -2, 1);
	lua_setfenv(L, -2); /* the slot that scripts cannot reach */
	lua_pushvalue(L, -1);
	lua_setfield(L, -3, name);
	lua_remove(L, -2); /* handle */
}

/* ---- all of them */

static int read_backends(lua_State *L)
{
	struct policy_engine *engine = policy_engine_of(L);
	const char *name = key_text(L);
	char list[160];

	if (engine->loading || !engine->active)
		policy_fail(L, "backends can be read in hooks only: while a script is loaded, "
			       "its backends are not there yet");
	if (lua_type(L, 2) == LUA_TSTRING && policy_names_declared(engine->active, name)) {
		policy_push_backend(L, engine, name);
		return 1;
	}
	policy_names_list(engine->active, list, sizeof(list));
	policy_fail(L, "backends has no \"%.40s\"; declared: %s", name, list);
}

static int refuse_change(lua_State *L)
{
	policy_fail(L, "backends is read-only; backends { NAME = ... } declares one");
}

/* backends { ... }: without the table that is called. */
static int declare(lua_State *L)
{
	lua_remove(L, 1);
	return policy_lua_backends(L);
}

static void set_functions(lua_State *L, const luaL_Reg *functions)
{
	luaL_setfuncs(L, functions, 0);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
}

void policy_backends_open(lua_State *L, struct policy_engine *engine)
{
	static const luaL_Reg of_backend[] = {
		{ "__index", read_backend },
		{ "__newindex", refuse_backend_change },
		{ NULL, NULL },
	};
	static const luaL_Reg of_backends[] = {
		{ "__index", read_backends },
		{ "__newindex", refuse_change },
		{ "__call", declare },
		{ NULL, NULL },
	};

	lua_newtable(L);
	set_functions(L, of_backend);
	engine->backend_meta = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_newtable(L);
	lua_createtable(L, 0, 1);
	lua_pushliteral(L, "v");
	lua_setfield(L, -2, "__mode");
	lua_setmetatable(L, -2);
	engine->backend_handles = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_newtable(L); /* backends */
	lua_newtable(L);
	set_functions(L, of_backends);
	lua_setmetatable(L, -2);
}
