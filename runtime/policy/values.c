/*
 * values.c - route, reject, retry, mirror, plugin and remote: the values that a script makes and C
 * reads.
 *
 * They are userdata with a locked metatable, so a script can keep and return them but neither
 * forge nor change one. A script's tables are read raw: no metamethod of the script runs in C.
 */
#include "registry.h"

#include "vaccel/error.h"

#include <stdio.h>
#include <string.h>

enum {
	CODE_MAX = 4095,	  /* errno's range, which codes share */
	TTL_MAX = 30 * 24 * 3600, /* seconds */
	USES_MAX = 1000000000,
	DEADLINE_MAX = 24 * 3600, /* seconds */
};

const char *const policy_value_names[] = {
	[VALUE_PLAN] = "route",
	[VALUE_REJECT] = "reject",
	[VALUE_RETRY] = "retry",
	[VALUE_MIRROR] = "mirror",
};

static int line_of_caller(lua_State *L)
{
	lua_Debug ar;

	return policy_script_line(L, 1, &ar) ? ar.currentline : 0;
}

static void take_place(lua_State *L, const struct policy_engine *engine, struct policy_value *value)
{
	value->line = line_of_caller(L);
	if (value->line && engine->script)
		policy_write_where(value->where, engine->script, value->line);
}

static bool has_metatable(lua_State *L, int idx, int ref)
{
	bool same;

	if (lua_type(L, idx) != LUA_TUSERDATA || !lua_getmetatable(L, idx))
		return false;
	lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
	same = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return same;
}

struct policy_value *policy_to_value(lua_State *L, struct policy_engine *engine, int idx)
{
	return has_metatable(L, idx, engine->value_meta) ? lua_touserdata(L, idx) : NULL;
}

struct backend_spec *policy_to_spec(lua_State *L, struct policy_engine *engine, int idx)
{
	return has_metatable(L, idx, engine->spec_meta) ? lua_touserdata(L, idx) : NULL;
}

static void *new_userdata(lua_State *L, size_t size, int meta)
{
	void *data = lua_newuserdata(L, size);

	memset(data, 0, size);
	lua_rawgeti(L, LUA_REGISTRYINDEX, meta);
	lua_setmetatable(L, -2);
	return data;
}

void policy_plan_add(lua_State *L, const char *what, struct policy_value *plan)
{
	size_t len;
	const char *name;

	if (lua_type(L, -1) != LUA_TSTRING)
		policy_fail(L, "%s takes names of backends, got a %s", what, luaL_typename(L, -1));
	name = lua_tolstring(L, -1, &len);
	if (len == 0 || len >= POLICY_NAME_MAX || strlen(name) != len)
		policy_fail(L, "%s: a backend's name has 1 to %d characters", what,
			    POLICY_NAME_MAX - 1);
	if (plan->nr == POLICY_PLAN_MAX)
		policy_fail(L, "%s takes at most %d backends", what, POLICY_PLAN_MAX);
	for (size_t i = 0; i < plan->nr; i++)
		if (strcmp(plan->names[i], name) == 0)
			policy_fail(L, "%s names \"%s\" twice", what, name);
	memcpy(plan->names[plan->nr++], name, len + 1);
	lua_pop(L, 1);
}

/* A limit: a number from least to most, at the stack's top. */
static double take_limit(lua_State *L, const char *name, double least, double most)
{
	lua_Number number = lua_tonumber(L, -1);

	if (lua_type(L, -1) != LUA_TNUMBER || !(number >= least && number <= most))
		policy_fail(L, "route: %s is a number from %g to %.0f", name, least, most);
	return number;
}

static bool take_flag(lua_State *L, const char *name)
{
	if (lua_type(L, -1) != LUA_TBOOLEAN)
		policy_fail(L, "route: %s is true or false", name);
	return lua_toboolean(L, -1);
}

/* The cache at the stack's top. */
static const struct policy_object *take_cache(lua_State *L)
{
	const struct policy_object *object = policy_to_object(L, policy_engine_of(L), -1);

	if (!object || object->kind != &policy_cache)
		policy_fail(L, "route: cache is a %s; it must be what cache { } made",
			    object ? object->kind->name : luaL_typename(L, -1));
	return object;
}

/* The option at the stack's top, of this name. */
static void take_option(lua_State *L, const char *name, struct policy_value *plan)
{
	struct policy_keep *keep = &plan->keep;

	if (strcmp(name, "ttl") == 0) {
		keep->ttl = (uint64_t)(take_limit(L, name, 0.001, TTL_MAX) * 1e9);
		keep->wanted = true;
	} else if (strcmp(name, "uses") == 0) {
		keep->uses = (uint64_t)take_limit(L, name, 1, USES_MAX);
		if ((lua_Number)keep->uses != lua_tonumber(L, -1))
			policy_fail(L, "route: uses is a whole number");
		keep->wanted = true;
	} else if (strcmp(name, "sticky") == 0) {
		keep->wanted = take_flag(L, name) || keep->wanted;
	} else if (strcmp(name, "per_op") == 0) {
		plan->per_op = take_flag(L, name);
	} else if (strcmp(name, "deadline") == 0) {
		plan->deadline = take_limit(L, name, 0.001, DEADLINE_MAX);
	} else if (strcmp(name, "cache") == 0) {
		plan->cache = take_cache(L);
	} else {
		policy_fail(L,
			    "route has no option \"%.60s\"; it takes backends in order and: "
			    "sticky, ttl, uses, deadline, per_op, cache",
			    name);
	}
}

/* What the table has beside the list. */
static void take_options(lua_State *L, int count, struct policy_value *plan)
{
	const char *what = policy_value_names[plan->kind];

	lua_pushnil(L);
	while (lua_next(L, 1)) {
		lua_Number key = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;

		if (lua_type(L, -2) == LUA_TSTRING && plan->kind == VALUE_PLAN)
			take_option(L, lua_tostring(L, -2), plan);
		else if (lua_type(L, -2) == LUA_TSTRING)
			policy_fail(L, "%s has no option \"%.60s\"; it takes backends", what,
				    lua_tostring(L, -2));
		else if (key < 1 || key > count)
			policy_fail(L, "%s takes a list without holes", what);
		lua_pop(L, 1);
	}
}

void policy_push_value(lua_State *L, struct policy_engine *engine, const struct policy_value *value)
{
	struct policy_value *copy = new_userdata(L, sizeof(*copy), engine->value_meta);

	*copy = *value;
}

/* What names backends: "cpu", ("cpu", "test"), { "cpu", "test" }, and a route's options. */
static int new_choice(lua_State *L, enum value_kind kind)
{
	const char *what = policy_value_names[kind];
	struct policy_engine *engine = policy_engine_of(L);
	bool table = lua_type(L, 1) == LUA_TTABLE;
	int count = table ? (int)lua_objlen(L, 1) : lua_gettop(L);
	struct policy_value *plan;

	plan = new_userdata(L, sizeof(*plan), engine->value_meta);
	plan->kind = kind;
	take_place(L, engine, plan);
	if (table)
		take_options(L, count, plan);
	for (int i = 1; i <= count; i++) {
		if (table)
			lua_rawgeti(L, 1, i);
		else
			lua_pushvalue(L, i);
		policy_plan_add(L, what, plan);
	}
	if (plan->nr == 0)
		policy_fail(L, "%s needs at least one backend", what);
	if (kind == VALUE_MIRROR && plan->nr > 1)
		policy_fail(L, "mirror takes one backend");
	if (plan->cache && plan->per_op)
		policy_fail(L, "route: a cache is of a session that stays on its backend: not with "
			       "per_op");
	/* Made while loading: its names can be checked before anything runs. */
	for (size_t i = 0; engine->loading && i < plan->nr; i++)
		if (!policy_names_add(engine->loading, engine->script, what, plan->line,
				      plan->names[i], strlen(plan->names[i])))
			policy_fail(L, "no memory for the names of a %s", what);
	return 1;
}

/* route "cpu", route("cpu", "test"), route { "cpu", "test", ttl = 60 } */
int policy_lua_route(lua_State *L)
{
	return new_choice(L, VALUE_PLAN);
}

/* retry "cpu", retry { "cpu", "test" } */
int policy_lua_retry(lua_State *L)
{
	return new_choice(L, VALUE_RETRY);
}

/* mirror "new" */
int policy_lua_mirror(lua_State *L)
{
	return new_choice(L, VALUE_MIRROR);
}

static int take_code(lua_State *L, int idx)
{
	lua_Number number;
	int code;

	switch (lua_type(L, idx)) {
	case LUA_TNIL:
	case LUA_TNONE:
		return VACCEL_EPERM;
	case LUA_TSTRING:
		code = policy_code_by_name(lua_tostring(L, idx));
		if (!code)
			policy_fail(L, "reject: \"%.40s\" is no error code; one is \"EBUSY\"",
				    lua_tostring(L, idx));
		return code;
	case LUA_TNUMBER:
		number = lua_tonumber(L, idx);
		if (!(number >= 1 && number <= CODE_MAX) || number != (lua_Number)(int)number)
			policy_fail(L,
				    "reject: code %.14g is no error code; one is 16 or \"EBUSY\"",
				    number);
		return (int)number;
	default:
		policy_fail(L,
			    "reject: code is a %s; it must be a number or a name such as \"EBUSY\"",
			    luaL_typename(L, idx));
	}
}

/* reject { code = , reason = }: its two fields on the stack's top, code last. */
static void open_reject_table(lua_State *L)
{
	lua_pushnil(L);
	while (lua_next(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

		if (strcmp(key, "code") != 0 && strcmp(key, "reason") != 0)
			policy_fail(L, "reject has no option \"%.60s\"; it has: code, reason", key);
		lua_pop(L, 1);
	}
	lua_pushliteral(L, "reason");
	lua_rawget(L, 1);
	lua_pushliteral(L, "code");
	lua_rawget(L, 1);
}

/* reject("reason"), reject("reason", code), reject { code = , reason = } */
int policy_lua_reject(lua_State *L)
{
	struct policy_engine *engine = policy_engine_of(L);
	struct policy_value *value;
	const char *reason;
	size_t len;
	int code;

	if (lua_type(L, 1) == LUA_TTABLE)
		open_reject_table(L);
	else
		lua_settop(L, 2);
	code = take_code(L, -1);
	if (lua_type(L, -2) != LUA_TSTRING)
		policy_fail(L, "reject needs a reason: what the caller is to read");
	reason = lua_tolstring(L, -2, &len);
	value = new_userdata(L, sizeof(*value), engine->value_meta);
	value->kind = VALUE_REJECT;
	value->code = code;
	take_place(L, engine, value);
	policy_clean(value->text, sizeof(value->text), reason, len);
	return 1;
}

/* plugin and remote: one text each, which says where. */
static int new_spec(lua_State *L, const char *kind, const char *what)
{
	struct policy_engine *engine = policy_engine_of(L);
	struct backend_spec *spec;
	const char *target;
	size_t len;

	if (!engine->loading)
		policy_fail(L, "%s can only be used while the script is loaded", kind);
	if (lua_type(L, 1) != LUA_TSTRING)
		policy_fail(L, "%s takes %s, got a %s", kind, what, luaL_typename(L, 1));
	target = lua_tolstring(L, 1, &len);
	spec = new_userdata(L, sizeof(*spec), engine->spec_meta);
	if (len == 0 || len >= sizeof(spec->target) || strlen(target) != len)
		policy_fail(L, "%s takes %s, of 1 to %zu characters", kind, what,
			    sizeof(spec->target) - 1);
	snprintf(spec->kind, sizeof(spec->kind), "%s", kind);
	memcpy(spec->target, target, len + 1);
	spec->line = line_of_caller(L);
	return 1;
}

/* plugin "torch"; its options follow by a call: plugin "torch" { threads = 2 } */
int policy_lua_plugin(lua_State *L)
{
	return new_spec(L, "plugin", "a name (\"torch\") or a path");
}

/* remote "vsock://2:2048" */
int policy_lua_remote(lua_State *L)
{
	return new_spec(L, "remote", "an address (\"vsock://2:2048\")");
}

/* The call that gives a spec its options: __call(spec, options) */
static int add_options(lua_State *L)
{
	struct policy_engine *engine = policy_engine_of(L);
	struct backend_spec *spec = policy_to_spec(L, engine, 1);

	if (spec && strcmp(spec->kind, "remote") == 0)
		policy_fail(L, "remote \"%.60s\" takes no options", spec->target);
	if (!spec || lua_type(L, 2) != LUA_TTABLE)
		policy_fail(
			L, "the options of a plugin are a table: plugin \"torch\" { threads = 2 }");
	if (!engine->loading || spec->has_options)
		policy_fail(L,
			    "the options of plugin \"%.60s\" are given once, where it is declared",
			    spec->target);
	/* The environment of a userdata is a slot that scripts cannot reach. */
	lua_pushvalue(L, 2);
	lua_setfenv(L, 1);
	spec->has_options = true;
	lua_settop(L, 1);
	return 1;
}

static int locked_metatable(lua_State *L)
{
	lua_newtable(L);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pushvalue(L, -1);
	return luaL_ref(L, LUA_REGISTRYINDEX);
}

void policy_values_open(lua_State *L, struct policy_engine *engine)
{
	engine->value_meta = locked_metatable(L);
	lua_pop(L, 1);
	engine->spec_meta = locked_metatable(L);
	lua_pushcfunction(L, add_options);
	lua_setfield(L, -2, "__call");
	lua_pop(L, 1);
}
