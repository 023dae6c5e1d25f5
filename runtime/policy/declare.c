/*
 * declare.c - policy { } and backends { }: what a script declares becomes C structs.
 *
 * Both work while the script is loaded and fill the generation that is being built. What they
 * copy belongs to the generation from the moment it is stored there, so an error may be raised at
 * any point: load.c frees the generation. Backends' names are checked at the end of the load, when
 * every script has declared its own (names.c).
 */
#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BACKENDS = 64, MAX_OPTIONS = 32 };

#define OPTIONS_TEXT "it has: name, api, on_error; and the hooks %s"

static struct script *declaring(lua_State *L, const char *what)
{
	struct policy_engine *engine = policy_engine_of(L);

	if (!engine->loading || !engine->script)
		policy_fail(L, "%s can only be used while the script is loaded", what);
	if (lua_type(L, 1) != LUA_TTABLE)
		policy_fail(L, "%s takes one table: %s { ... }", what, what);
	return engine->script;
}

static int current_line(lua_State *L)
{
	lua_Debug ar;

	return policy_script_line(L, 1, &ar) ? ar.currentline : 0;
}

/* The raw field of the table at 1, on the stack's top. */
static int get(lua_State *L, const char *key)
{
	lua_pushstring(L, key);
	lua_rawget(L, 1);
	return lua_type(L, -1);
}

bool policy_is_name(const char *text, size_t len)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_.-";

	return len > 0 && len < POLICY_NAME_MAX && strspn(text, allowed) == len;
}

/* ---- policy { } */

/* The hook at the stack's top: a function, or an object of the library that fits. */
static void check_hook(lua_State *L, const char *key, int hook)
{
	const struct policy_object *object = policy_to_object(L, policy_engine_of(L), -1);

	if (object && (int)object->kind->hook != hook)
		policy_fail(L, "%s cannot be a %s, which fits %s", key, object->kind->name,
			    policy_hooks[object->kind->hook].name);
	if (object && !object->kind->ask)
		policy_fail(L, "%s cannot be a %s, which is for routes: route { ..., %s = it }",
			    key, object->kind->name, object->kind->name);
	if (!object && lua_type(L, -1) != LUA_TFUNCTION)
		policy_fail(L, "%s is a %s; it must be a function or an object that fits", key,
			    luaL_typename(L, -1));
}

static void check_keys(lua_State *L)
{
	char hooks[160];

	policy_hooks_list(hooks, sizeof(hooks));
	lua_pushnil(L);
	while (lua_next(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;

		if (!key)
			policy_fail(L, "policy takes named options only; " OPTIONS_TEXT, hooks);
		if (policy_hook_by_name(key) >= 0) {
			check_hook(L, key, policy_hook_by_name(key));
		} else if (strcmp(key, "name") != 0 && strcmp(key, "api") != 0 &&
			   strcmp(key, "on_error") != 0) {
			policy_fail(L, "policy has no hook or option \"%.60s\"; " OPTIONS_TEXT, key,
				    hooks);
		}
		lua_pop(L, 1);
	}
}

static void take_name(lua_State *L, struct policy_generation *gen, struct script *script)
{
	size_t len;
	const char *name;

	if (get(L, "name") != LUA_TSTRING)
		policy_fail(L, "policy needs a name: name = \"inference\"");
	name = lua_tolstring(L, -1, &len);
	if (!policy_is_name(name, len))
		policy_fail(L, "a policy's name has 1 to %d letters, digits, '_', '-' and '.'",
			    POLICY_NAME_MAX - 1);
	for (size_t i = 0; i < gen->nr_scripts; i++)
		if (strcmp(gen->scripts[i].name, name) == 0)
			policy_fail(L, "another script is policy \"%s\" already: %s", name,
				    gen->scripts[i].file);
	memcpy(script->name, name, len + 1);
	lua_pop(L, 1);
}

static void take_api(lua_State *L)
{
	int type = get(L, "api");

	if (type == LUA_TNIL)
		policy_fail(L, "policy needs api = 1: the version of this interface that it is "
			       "written for");
	if (type != LUA_TNUMBER || lua_tonumber(L, -1) != 1)
		policy_fail(L, "api must be 1, the only version that this agent knows");
	lua_pop(L, 1);
}

/* { default = "NAME" }, at the stack's top. */
static bool take_fallback(lua_State *L, struct script *script)
{
	size_t len;
	const char *name;
	int fields = 0;

	lua_pushnil(L);
	for (; lua_next(L, -2); fields++)
		lua_pop(L, 1);
	lua_pushliteral(L, "default");
	lua_rawget(L, -2);
	if (fields != 1 || lua_type(L, -1) != LUA_TSTRING)
		return false;
	name = lua_tolstring(L, -1, &len);
	if (!policy_is_name(name, len))
		return false;
	memcpy(script->fallback, name, len + 1);
	lua_pop(L, 1);
	return true;
}

static void take_on_error(lua_State *L, struct policy_generation *gen, struct script *script)
{
	int type = get(L, "on_error");
	const char *word = type == LUA_TSTRING ? lua_tostring(L, -1) : "";

	if (type == LUA_TNIL)
		policy_fail(L, "policy needs on_error, which says what happens when a hook fails: "
			       "\"reject\", \"allow\" or { default = \"BACKEND\" }");
	if (strcmp(word, "reject") == 0)
		script->on_error = ON_ERROR_REJECT;
	else if (strcmp(word, "allow") == 0)
		script->on_error = ON_ERROR_ALLOW;
	else if (type == LUA_TTABLE && take_fallback(L, script))
		script->on_error = ON_ERROR_DEFAULT;
	else
		policy_fail(L,
			    "on_error must be \"reject\", \"allow\" or { default = \"BACKEND\" }");
	if (script->on_error == ON_ERROR_DEFAULT &&
	    !policy_names_add(gen, script, "on_error", script->line, script->fallback,
			      strlen(script->fallback)))
		policy_fail(L, "no memory for the names of a policy");
	lua_pop(L, 1);
}

/* The same script serves an agent and a program, and the program's operator is told what is not. */
static bool is_called(lua_State *L, const struct script *script, int hook)
{
	struct policy_engine *engine = policy_engine_of(L);

	if (!engine->options.application || !policy_hooks[hook].agent_only)
		return true;
	policy_log(engine, "policy %s: %s is an agent's hook; an application never calls it",
		   policy_script_label(script), policy_hooks[hook].name);
	return false;
}

static void take_hook(lua_State *L, struct policy_generation *gen, struct script *script, int i)
{
	lua_Debug ar;

	if (get(L, policy_hooks[i].name) == LUA_TNIL || !is_called(L, script, i)) {
		lua_pop(L, 1);
		return;
	}
	script->hooks[i].object = policy_to_object(L, policy_engine_of(L), -1);
	if (script->hooks[i].object) {
		policy_object_inherit(policy_engine_of(L), script, script->hooks[i].object);
		script->hooks[i].line = script->hooks[i].object->answer.line;
	} else {
		lua_pushvalue(L, -1);
		lua_getinfo(L, ">S", &ar);
		script->hooks[i].line = ar.source[0] == '@' ? ar.linedefined : script->line;
	}
	script->hooks[i].ref = luaL_ref(L, LUA_REGISTRYINDEX);
	gen->has_hook[i] = true;
}

int policy_lua_policy(lua_State *L)
{
	struct script *script = declaring(L, "policy");
	struct policy_generation *gen = policy_engine_of(L)->loading;

	if (script->line)
		policy_fail(L, "policy { } is used twice; the first is in line %d", script->line);
	script->line = current_line(L);
	check_keys(L);
	take_name(L, gen, script);
	take_api(L);
	take_on_error(L, gen, script);
	for (int i = 0; i < NR_HOOKS; i++)
		take_hook(L, gen, script, i);
	script->declared = true;
	return 0;
}

/* ---- backends { } */

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct policy_option *)a)->key,
		      ((const struct policy_option *)b)->key);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct policy_backend *)a)->name,
		      ((const struct policy_backend *)b)->name);
}

static char *copy(lua_State *L, const char *text)
{
	char *dup = strdup(text);

	if (!dup)
		policy_fail(L, "no memory for a backend");
	return dup;
}

/* The option's value, at the stack's top, as plugins get it. */
static const char *option_text(lua_State *L, const char *key)
{
	switch (lua_type(L, -1)) {
	case LUA_TBOOLEAN:
		return lua_toboolean(L, -1) ? "true" : "false";
	case LUA_TSTRING:
	case LUA_TNUMBER:
		return lua_tostring(L, -1); /* a value that lua_next has given, not its key */
	default:
		policy_fail(L, "option %.60s is a %s; it must be a string, a number or a boolean",
			    key, luaL_typename(L, -1));
	}
}

/* The table at the stack's top to the backend's options. */
static void take_options(lua_State *L, struct policy_backend *backend)
{
	struct policy_option *options = calloc(MAX_OPTIONS, sizeof(*options));

	if (!options)
		policy_fail(L, "no memory for a backend");
	backend->options = options;
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		struct policy_option *option = &options[backend->nr_options];

		if (lua_type(L, -2) != LUA_TSTRING)
			policy_fail(L, "backend %s: options have names: { threads = 2 }",
				    backend->name);
		if (backend->nr_options == MAX_OPTIONS)
			policy_fail(L, "backend %s has more than %d options", backend->name,
				    MAX_OPTIONS);
		backend->nr_options++;
		option->key = copy(L, lua_tostring(L, -2));
		option->value = copy(L, option_text(L, option->key));
		lua_pop(L, 1);
	}
	qsort(options, backend->nr_options, sizeof(*options), by_key);
}

/* Two backends may be one agent, not one library. */
static bool is_same_plugin(const struct policy_backend *b, const struct backend_spec *spec)
{
	return strcmp(b->kind, "plugin") == 0 && strcmp(spec->kind, "plugin") == 0 &&
	       strcmp(b->target, spec->target) == 0;
}

static void check_new(lua_State *L, const struct policy_generation *gen, const char *name,
		      const struct backend_spec *spec)
{
	for (size_t i = 0; i < gen->nr_backends; i++) {
		const struct policy_backend *b = &gen->backends[i];

		if (strcmp(b->name, name) == 0)
			policy_fail(L, "backend %s is declared twice; first in %s", name, b->where);
		if (is_same_plugin(b, spec)) {
			bool first = strcmp(b->name, name) < 0;

			policy_fail(L,
				    "backends %s and %s are the same plugin \"%.60s\"; one library "
				    "can serve one backend only",
				    first ? b->name : name, first ? name : b->name, spec->target);
		}
	}
	if (gen->nr_backends == MAX_BACKENDS)
		policy_fail(L, "more than %d backends are declared", MAX_BACKENDS);
}

/* The pair at -2 (name) and -1 (what plugin or remote gave). */
static void add_backend(lua_State *L, struct policy_engine *engine)
{
	struct policy_generation *gen = engine->loading;
	struct backend_spec *spec = policy_to_spec(L, engine, -1);
	struct policy_backend *backend;
	char where[2 * POLICY_NAME_MAX];
	const char *name;
	size_t len;

	if (lua_type(L, -2) != LUA_TSTRING)
		policy_fail(L, "backends have names: backends { cpu = plugin \"torch\" }");
	name = lua_tolstring(L, -2, &len);
	if (!policy_is_name(name, len))
		policy_fail(L, "a backend's name has 1 to %d letters, digits, '_', '-' and '.'",
			    POLICY_NAME_MAX - 1);
	if (!spec)
		policy_fail(L, "backend %s is a %s; it must be plugin \"NAME\" or remote \"URI\"",
			    name, luaL_typename(L, -1));
	check_new(L, gen, name, spec);
	snprintf(where, sizeof(where), "%s:%d", engine->script->file, spec->line);
	backend = &gen->backends[gen->nr_backends++];
	memset(backend, 0, sizeof(*backend));
	backend->name = copy(L, name);
	backend->kind = copy(L, spec->kind);
	backend->target = copy(L, spec->target);
	backend->where = copy(L, where);
	if (!spec->has_options)
		return;
	lua_getfenv(L, -1);
	take_options(L, backend);
	lua_pop(L, 1);
}

int policy_lua_backends(lua_State *L)
{
	struct policy_engine *engine = policy_engine_of(L);
	struct policy_generation *gen;

	declaring(L, "backends");
	gen = engine->loading;
	if (!gen->backends)
		gen->backends = calloc(MAX_BACKENDS, sizeof(*gen->backends));
	if (!gen->backends)
		policy_fail(L, "no memory for backends");
	lua_settop(L, 1);
	lua_pushnil(L);
	while (lua_next(L, 1)) {
		add_backend(L, engine);
		lua_pop(L, 1);
	}
	/* A table has no order; theirs is their names'. */
	qsort(gen->backends, gen->nr_backends, sizeof(*gen->backends), by_name);
	return 0;
}
