/*
 * shared.c - shared_counter "NAME" and shared_table "NAME": what scripts have in common, and what
 * outlives a reload.
 *
 * Each is a userdata, found by kind and name: scripts that are loaded together get the same one,
 * and so does the next generation, as long as one of its scripts names it. What nobody names any
 * more goes with its last generation. A generation's are in a table of the registry (gen->shared),
 * so a load that is refused leaves nothing, and while a script is loaded none can be read or
 * changed. All of it is Lua's memory, counted and bounded. In C, so that no deadline finds a table
 * half-way between its entries and their count. The Lua thread.
 */
#include "engine.h"

#include <math.h>
#include <string.h>

enum {
	COUNTERS_MAX = 64, /* of a generation */
	TABLES_MAX = 8,	   /* the collector looks at all that were written in one go */
	ENTRIES_MAX = 1024,
	TEXT_MAX = 256, /* bytes of a key or a value */
	TEXTS_MAX = 256 << 10,
};

struct kind {
	const char *name, *fields;
	size_t most;
	luaL_Reg methods[5];
};

struct shared {
	const struct kind *kind;
	char name[POLICY_NAME_MAX];
	double value;	       /* of a counter */
	size_t entries, bytes; /* of a table, which is the userdata's environment; of all texts */
};

static const struct kind kinds[NR_SHARED];

/* ---- the object that a method is called with */

static struct shared *to_shared(lua_State *L, int idx)
{
	const struct policy_engine *engine = policy_engine_of(L);
	bool ours;

	if (lua_type(L, idx) != LUA_TUSERDATA || !lua_getmetatable(L, idx))
		return NULL;
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->shared_meta);
	ours = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return ours ? lua_touserdata(L, idx) : NULL;
}

static struct shared *check_self(lua_State *L, const struct kind *kind)
{
	struct shared *self = to_shared(L, 1);

	if (!self || self->kind != kind)
		policy_fail(L, "a method of a %s is called with it: x:get()", kind->name);
	if (policy_engine_of(L)->loading)
		policy_fail(L,
			    "%s %s can be used in hooks and timers only: a script that is loaded "
			    "may yet be refused",
			    kind->name, self->name);
	return self;
}

/* A number that is none, or too large for one, would stay for good. */
static double check_number(lua_State *L, const struct shared *self, int idx)
{
	const double number = lua_tonumber(L, idx);

	if (lua_type(L, idx) != LUA_TNUMBER || !isfinite(number))
		policy_fail(L, "%s %s takes numbers that are finite", self->kind->name, self->name);
	return number;
}

/* ---- counters */

static int push_value(lua_State *L, struct shared *counter, double value)
{
	if (!isfinite(value))
		policy_fail(L, "%s %s would not be finite any more", counter->kind->name,
			    counter->name);
	counter->value = value;
	lua_pushnumber(L, value);
	return 1;
}

/* n:add(number): the sum; without a number one is added. */
static int counter_add(lua_State *L)
{
	struct shared *counter = check_self(L, &kinds[SHARED_COUNTER]);
	const double number = lua_isnoneornil(L, 2) ? 1 : check_number(L, counter, 2);

	return push_value(L, counter, counter->value + number);
}

static int counter_get(lua_State *L)
{
	lua_pushnumber(L, check_self(L, &kinds[SHARED_COUNTER])->value);
	return 1;
}

static int counter_set(lua_State *L)
{
	struct shared *counter = check_self(L, &kinds[SHARED_COUNTER]);

	push_value(L, counter, check_number(L, counter, 2));
	return 0;
}

/* ---- tables */

/* The bytes of the text at idx; 0 for what is none. */
static size_t text_size(lua_State *L, int idx)
{
	return lua_type(L, idx) == LUA_TSTRING ? lua_objlen(L, idx) : 0;
}

static void check_key(lua_State *L, const struct shared *table)
{
	const int type = lua_type(L, 2);
	const lua_Number number = lua_tonumber(L, 2);

	if (type != LUA_TSTRING && (type != LUA_TNUMBER || isnan(number)))
		policy_fail(L, "%s %s: a key is a string or a number, not a %s", table->kind->name,
			    table->name, type == LUA_TNUMBER ? "nan" : luaL_typename(L, 2));
	if (text_size(L, 2) > TEXT_MAX)
		policy_fail(L, "%s %s: a key has at most %d bytes", table->kind->name, table->name,
			    TEXT_MAX);
}

static void check_value(lua_State *L, const struct shared *table)
{
	const int type = lua_type(L, 3);

	if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN && type != LUA_TNIL)
		policy_fail(L, "%s %s: a value is a string, a number, a boolean or nil, not a %s",
			    table->kind->name, table->name, luaL_typename(L, 3));
	if (text_size(L, 3) > TEXT_MAX)
		policy_fail(L, "%s %s: a text has at most %d bytes", table->kind->name, table->name,
			    TEXT_MAX);
}

static int table_get(lua_State *L)
{
	check_key(L, check_self(L, &kinds[SHARED_TABLE]));
	lua_getfenv(L, 1);
	lua_pushvalue(L, 2);
	lua_rawget(L, -2);
	return 1;
}

/* t:set(key, value); nil takes the key out. */
static int table_set(lua_State *L)
{
	struct shared *table = check_self(L, &kinds[SHARED_TABLE]);
	size_t entries = table->entries, bytes = table->bytes;

	lua_settop(L, 3);
	check_key(L, table);
	check_value(L, table);
	lua_getfenv(L, 1);
	lua_pushvalue(L, 2);
	lua_rawget(L, 4); /* self key value data before */
	if (!lua_isnil(L, 5)) {
		entries--;
		bytes -= text_size(L, 2) + text_size(L, 5);
	}
	if (!lua_isnil(L, 3)) {
		entries++;
		bytes += text_size(L, 2) + text_size(L, 3);
	}
	if (entries > ENTRIES_MAX)
		policy_fail(L, "%s %s has %d entries, and may have no more", table->kind->name,
			    table->name, ENTRIES_MAX);
	if (bytes > TEXTS_MAX)
		policy_fail(L, "%s %s may have %d bytes of keys and texts", table->kind->name,
			    table->name, TEXTS_MAX);
	if (lua_isnil(L, 3) && lua_isnil(L, 5))
		return 0;
	lua_pushvalue(L, 2);
	lua_pushvalue(L, 3);
	lua_rawset(L, 4);
	table->entries = entries; /* only now that it has them */
	table->bytes = bytes;
	return 0;
}

static int table_size(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)check_self(L, &kinds[SHARED_TABLE])->entries);
	return 1;
}

/* for key, value in t:each() do: what it has now, a copy, so that it can be changed meanwhile. */
static int table_each(lua_State *L)
{
	const struct shared *table = check_self(L, &kinds[SHARED_TABLE]);

	lua_settop(L, 1);
	lua_getfenv(L, 1);
	lua_getglobal(L, "next");
	lua_createtable(L, 0, (int)table->entries);
	lua_pushnil(L);
	while (lua_next(L, 2)) { /* self data next copy key value */
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, 4);
	}
	return 2;
}

static const struct kind kinds[NR_SHARED] = {
	[SHARED_COUNTER] = { "shared_counter",
			     "add, get, set",
			     COUNTERS_MAX,
			     { { "add", counter_add },
			       { "get", counter_get },
			       { "set", counter_set } } },
	[SHARED_TABLE] = { "shared_table",
			   "each, get, set, size",
			   TABLES_MAX,
			   { { "each", table_each },
			     { "get", table_get },
			     { "set", table_set },
			     { "size", table_size } } },
};

/* ---- declaring */

/* The generation's, at the stack's top. */
static void push_all(lua_State *L, const struct policy_generation *gen)
{
	if (gen && gen->shared != LUA_NOREF)
		lua_rawgeti(L, LUA_REGISTRYINDEX, gen->shared);
	else
		lua_newtable(L);
}

/* Leaves the one of that name and kind, of the generation that is active; or a new one. */
static void push_one(lua_State *L, const struct policy_engine *engine, const struct kind *kind)
{
	struct shared *shared;

	push_all(L, engine->active);
	lua_pushvalue(L, 2);
	lua_rawget(L, -2);
	if (!lua_isnil(L, -1))
		return;
	shared = lua_newuserdata(L, sizeof(*shared));
	*shared = (struct shared){ .kind = kind };
	strcpy(shared->name, lua_tostring(L, 1));
	lua_newtable(L);
	lua_setfenv(L, -2);
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->shared_meta);
	lua_setmetatable(L, -2);
}

static void check_declaration(lua_State *L, const struct policy_engine *engine,
			      const struct kind *kind)
{
	const char *name = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : "";

	if (!engine->loading)
		policy_fail(L, "%s can only be made while the script is loaded", kind->name);
	if (!policy_is_name(name, text_size(L, 1)))
		policy_fail(L, "%s takes a name: 1 to %d letters, digits, '_', '-' and '.'",
			    kind->name, POLICY_NAME_MAX - 1);
}

/* shared_counter "NAME": the kind is the function's upvalue. */
static int declare(lua_State *L)
{
	const struct kind *kind = lua_touserdata(L, lua_upvalueindex(1));
	const struct policy_engine *engine = policy_engine_of(L);
	struct policy_generation *gen = engine->loading;

	check_declaration(L, engine, kind);
	lua_settop(L, 1);
	lua_pushfstring(L, "%s %s", kind->name, lua_tostring(L, 1));
	push_all(L, gen);
	if (gen->shared == LUA_NOREF) {
		lua_pushvalue(L, 3);
		gen->shared = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	lua_pushvalue(L, 2);
	lua_rawget(L, 3); /* name key all one */
	if (!lua_isnil(L, 4))
		return 1;
	if (gen->nr_shared[kind - kinds] == kind->most)
		policy_fail(L, "%s %s: scripts have %zu of them at most", kind->name,
			    lua_tostring(L, 1), kind->most);
	push_one(L, engine, kind);
	lua_pushvalue(L, 2);
	lua_pushvalue(L, -2);
	lua_rawset(L, 3);
	gen->nr_shared[kind - kinds]++;
	return 1;
}

/* x.NAME: a method, from the table of its kind's. */
static int find_field(lua_State *L)
{
	const struct kind *kind = ((const struct shared *)lua_touserdata(L, 1))->kind;
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);

	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1 + (int)(kind - kinds)));
	if (lua_isnil(L, -1))
		policy_fail(L, "a %s has no field \"%.40s\"; it has: %s", kind->name, name,
			    kind->fields);
	return 1;
}

void policy_shared_open(lua_State *L, struct policy_engine *engine)
{
	for (int i = 0; i < NR_SHARED; i++) {
		lua_pushlightuserdata(L, (void *)(uintptr_t)&kinds[i]);
		lua_pushcclosure(L, declare, 1);
		lua_setfield(L, -2, kinds[i].name);
	}
	lua_newtable(L);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	for (int i = 0; i < NR_SHARED; i++) {
		lua_newtable(L);
		luaL_setfuncs(L, kinds[i].methods, 0);
	}
	lua_pushcclosure(L, find_field, NR_SHARED);
	lua_setfield(L, -2, "__index");
	engine->shared_meta = luaL_ref(L, LUA_REGISTRYINDEX);
}
