/*
 * registry.c - see registry.h. A script's table is read raw: none of its metamethods runs in C.
 */
#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED_MAX = 256 };

#define TAG_PREFIX     "tag:"
#define TAG_PREFIX_LEN (sizeof(TAG_PREFIX) - 1)

const struct policy_kind *const policy_kinds[] = {
	&policy_breaker,   &policy_cache,	   &policy_canary, &policy_concurrency,
	&policy_hash,	   &policy_least_inflight, &policy_quota,  &policy_round_robin,
	&policy_sample_of, &policy_weighted,	   NULL,
};

struct policy_object *policy_to_object(lua_State *L, struct policy_engine *engine, int idx)
{
	bool ours;

	if (lua_type(L, idx) != LUA_TUSERDATA || !lua_getmetatable(L, idx))
		return NULL;
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->object_meta);
	ours = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return ours ? lua_touserdata(L, idx) : NULL;
}

/* ---- options */

static void list_options(const struct policy_kind *kind, char *list, size_t size)
{
	size_t n = 0;

	for (const struct policy_object_option *o = kind->options; o->name && n < size; o++)
		n += (size_t)snprintf(list + n, size - n, "%s, ", o->name);
	if (n < size)
		snprintf(list + n, size - n, "name");
}

static bool is_option(const struct policy_kind *kind, const char *key)
{
	for (const struct policy_object_option *o = kind->options; o->name; o++)
		if (strcmp(o->name, key) == 0)
			return true;
	return strcmp(key, "name") == 0;
}

static const char *const takes_text[] = {
	[TAKES_OPTIONS] = "named options only",
	[TAKES_BACKENDS] = "a list of backends without holes",
	[TAKES_WEIGHTS] = "backends by name, each with its weight: { gpu = 3, cpu = 1 }",
};

/* The key at -2: an option's name, a place in the list, or a backend's name. */
static void check_key(lua_State *L, const struct policy_kind *kind, double count)
{
	int type = lua_type(L, -2);
	double index = type == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
	char list[100];

	if (type != LUA_TSTRING && !(index >= 1 && index <= count))
		policy_fail(L, "%s takes %s", kind->name, takes_text[kind->takes]);
	if (type != LUA_TSTRING || kind->takes == TAKES_WEIGHTS ||
	    is_option(kind, lua_tostring(L, -2)))
		return;
	list_options(kind, list, sizeof(list));
	policy_fail(L, "%s has no option \"%.60s\"; it has: %s", kind->name, lua_tostring(L, -2),
		    list);
}

static void check_keys(lua_State *L, const struct policy_kind *kind)
{
	double count = kind->takes == TAKES_BACKENDS ? (double)lua_objlen(L, 1) : 0;

	lua_pushnil(L);
	while (lua_next(L, 1)) {
		check_key(L, kind, count);
		lua_pop(L, 1);
	}
}

static double word_value(lua_State *L, const struct policy_kind *kind,
			 const struct policy_object_option *o)
{
	const char *word = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
	const bool is_key = o->words == policy_key_words;
	char list[100];
	size_t n = 0;

	for (int i = 0; o->words[i]; i++)
		if (strcmp(o->words[i], word) == 0)
			return i;
	if (is_key && strncmp(word, TAG_PREFIX, TAG_PREFIX_LEN) == 0)
		return policy_tag_watch(L, word + TAG_PREFIX_LEN,
					lua_objlen(L, -1) - TAG_PREFIX_LEN);
	for (int i = 0; o->words[i]; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s\"%s\"", i ? ", " : "",
				      o->words[i]);
	policy_fail(L, "%s: %s must be one of %s%s", kind->name, o->name, list,
		    is_key ? ", \"tag:NAME\"" : "");
}

/* Not a number fails the comparison and is refused like what is out of bounds. */
static double number_value(lua_State *L, const struct policy_kind *kind,
			   const struct policy_object_option *o)
{
	double value = lua_tonumber(L, -1);

	if (lua_type(L, -1) != LUA_TNUMBER || !(value >= o->least && value <= o->most))
		policy_fail(L, "%s: %s must be a number from %g to %g", kind->name, o->name,
			    o->least, o->most);
	return value;
}

static void take_options(lua_State *L, const struct policy_kind *kind, double *values)
{
	for (const struct policy_object_option *o = kind->options; o->name; o++, values++) {
		lua_pushstring(L, o->name);
		lua_rawget(L, 1);
		if (lua_isnil(L, -1) && o->required)
			policy_fail(L, "%s needs the option %s", kind->name, o->name);
		if (lua_isnil(L, -1))
			*values = o->usual;
		else
			*values = o->words ? word_value(L, kind, o) : number_value(L, kind, o);
		lua_pop(L, 1);
	}
}

/* Of an object that has a key, and what it is told apart by in words. */
static void describe_key(const struct policy_engine *engine, struct policy_object *object)
{
	const struct policy_object_option *options = object->kind->options;

	for (int i = 0; options[i].name; i++) {
		const int by = (int)object->options[i];

		if (options[i].words == policy_key_words && by != KEY_NONE)
			snprintf(object->each, sizeof(object->each), " for each %s",
				 by < KEY_TAGS ? policy_key_words[by]
					       : engine->tags[by - KEY_TAGS].name);
	}
}

/* name = "...": the same letters as a policy's. */
static void take_name(lua_State *L, struct policy_object *object)
{
	const char *name;
	size_t len;

	lua_pushliteral(L, "name");
	lua_rawget(L, 1);
	if (!lua_isnil(L, -1)) {
		name = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
		if (!name || !policy_is_name(name, len))
			policy_fail(L, "%s: a name has 1 to %d letters, digits, '_', '-' and '.'",
				    object->kind->name, POLICY_NAME_MAX - 1);
		memcpy(object->name, name, len + 1);
	}
	lua_pop(L, 1);
}

static void take_backends(lua_State *L, struct policy_object *object)
{
	size_t count = lua_objlen(L, 1);

	if (count < 1 || count > POLICY_PLAN_MAX)
		policy_fail(L, "%s takes 1 to %d backends", object->kind->name, POLICY_PLAN_MAX);
	for (size_t i = 1; i <= count; i++) {
		lua_rawgeti(L, 1, (int)i);
		policy_plan_add(L, object->kind->name, &object->answer);
	}
}

/* Into its place, since a table has no order: theirs is their names'. */
static void add_weight(lua_State *L, struct policy_object *object, const char *name, double weight)
{
	struct policy_value *plan = &object->answer;
	size_t at = plan->nr;

	if (at == POLICY_PLAN_MAX)
		policy_fail(L, "%s takes 1 to %d backends", object->kind->name, POLICY_PLAN_MAX);
	lua_pushstring(L, name);
	policy_plan_add(L, object->kind->name, plan);
	for (; at > 0 && strcmp(plan->names[at - 1], name) > 0; at--) {
		memcpy(plan->names[at], plan->names[at - 1], POLICY_NAME_MAX);
		object->weights[at] = object->weights[at - 1];
	}
	snprintf(plan->names[at], POLICY_NAME_MAX, "%s", name);
	object->weights[at] = weight;
}

static void take_weights(lua_State *L, struct policy_object *object)
{
	const struct policy_kind *kind = object->kind;

	lua_pushnil(L);
	while (lua_next(L, 1)) {
		const char *name = lua_tostring(L, -2);
		double weight = lua_tonumber(L, -1);

		if (!is_option(kind, name)) {
			if (lua_type(L, -1) != LUA_TNUMBER || !(weight > 0 && weight <= 1e6))
				policy_fail(L,
					    "%s: the weight of %.60s must be a number above 0 "
					    "and at most 1e6",
					    kind->name, name);
			add_weight(L, object, name, weight);
		}
		lua_pop(L, 1);
	}
	if (!object->answer.nr)
		policy_fail(L, "%s takes 1 to %d backends", kind->name, POLICY_PLAN_MAX);
}

static void note_backends(lua_State *L, const struct policy_object *object)
{
	const struct policy_engine *engine = policy_engine_of(L);
	const struct policy_value *plan = &object->answer;

	for (size_t i = 0; i < plan->nr; i++)
		if (!policy_names_add(engine->loading, engine->script, object->kind->name,
				      plan->line, plan->names[i], strlen(plan->names[i])))
			policy_fail(L, "no memory for the names of a policy");
}

/* ---- objects */

/* The object at the stack's top. */
static void keep(lua_State *L, struct policy_object *object)
{
	struct policy_engine *engine = policy_engine_of(L);
	struct policy_generation *gen = engine->loading;

	if (!gen->named)
		gen->named = calloc(NAMED_MAX, sizeof(*gen->named));
	if (!gen->named)
		policy_fail(L, "no memory for the objects of a policy");
	for (size_t i = 0; object->name[0] && i < gen->nr_named; i++)
		if (gen->named[i].script == engine->script &&
		    gen->named[i].object->kind == object->kind &&
		    strcmp(gen->named[i].object->name, object->name) == 0)
			policy_fail(L, "there is a %s of the name \"%s\" already",
				    object->kind->name, object->name);
	if (gen->nr_named == NAMED_MAX)
		policy_fail(L, "more than %d objects have names, or are caches", NAMED_MAX);
	lua_pushvalue(L, -1);
	gen->named[gen->nr_named++] = (struct named_object){
		.object = object,
		.ref = luaL_ref(L, LUA_REGISTRYINDEX),
		.script = engine->script,
	};
}

/* KIND { ... }: the kind is the function's upvalue. */
static int make(lua_State *L)
{
	const struct policy_kind *kind = lua_touserdata(L, lua_upvalueindex(1));
	struct policy_engine *engine = policy_engine_of(L);
	struct policy_object wanted = { .kind = kind }, *object;
	lua_Debug ar;

	if (!engine->loading)
		policy_fail(L, "%s can only be made while the script is loaded", kind->name);
	if (lua_type(L, 1) != LUA_TTABLE)
		policy_fail(L, "%s takes one table: %s { ... }", kind->name, kind->name);
	check_keys(L, kind);
	take_options(L, kind, wanted.options);
	describe_key(engine, &wanted);
	take_name(L, &wanted);
	wanted.answer.line = policy_script_line(L, 1, &ar) ? ar.currentline : 0;
	if (kind->takes == TAKES_BACKENDS)
		take_backends(L, &wanted);
	else if (kind->takes == TAKES_WEIGHTS)
		take_weights(L, &wanted);
	note_backends(L, &wanted);
	if (kind->check && kind->check(&wanted))
		policy_fail(L, "%s: %s", kind->name, kind->check(&wanted));
	wanted.state_size = kind->state_size(&wanted);
	object = lua_newuserdata(L, sizeof(*object) + wanted.state_size);
	*object = wanted;
	memset(object->state, 0, object->state_size);
	if (kind->start)
		kind->start(object);
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->object_meta);
	lua_setmetatable(L, -2);
	if (object->name[0] || kind->kept)
		keep(L, object);
	return 1;
}

/* object:ask(): what it says to the hook that runs, as a value that the hook can return. */
static int ask_object(lua_State *L)
{
	struct policy_engine *engine = policy_engine_of(L);
	struct policy_object *object = policy_to_object(L, engine, 1);
	const struct policy_value *answer;
	struct policy_asked asked;
	int hook;

	if (!object)
		policy_fail(L, "ask is a method of the library's objects: object:ask()");
	if (!object->kind->ask)
		policy_fail(L, "%s cannot be asked: it is for routes, route { ..., %s = it }",
			    object->kind->name, object->kind->name);
	hook = (int)object->kind->hook;
	if (!engine->asked || (int)engine->asking != hook)
		policy_fail(L, "%s can be asked in %s only", object->kind->name,
			    policy_hooks[hook].name);
	asked = *engine->asked;
	asked.now = policy_clock(engine);
	answer = object->kind->ask(object, &asked);
	if (!answer)
		return 0;
	policy_push_value(L, engine, answer);
	return 1;
}

/* object.NAME: the one thing that it has. */
static int find_field(lua_State *L)
{
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

	if (strcmp(name, "ask") != 0)
		policy_fail(L,
			    "objects of the policy library have no field \"%.40s\"; they have: ask",
			    name);
	lua_pushvalue(L, lua_upvalueindex(1));
	return 1;
}

void policy_registry_push(lua_State *L)
{
	lua_newtable(L);
	for (const struct policy_kind *const *kind = policy_kinds; *kind; kind++) {
		lua_pushlightuserdata(L, (void *)(uintptr_t)*kind);
		lua_pushcclosure(L, make, 1);
		lua_setfield(L, -2, (*kind)->name);
	}
}

void policy_registry_open(lua_State *L, struct policy_engine *engine)
{
	lua_newtable(L);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pushcfunction(L, ask_object);
	lua_pushcclosure(L, find_field, 1);
	lua_setfield(L, -2, "__index");
	engine->object_meta = luaL_ref(L, LUA_REGISTRYINDEX);
}

static bool agree(const struct policy_object *a, const struct policy_object *b)
{
	const struct policy_object_option *o = a->kind->options;

	if (a->kind != b->kind || strcmp(a->name, b->name) != 0 || a->state_size != b->state_size ||
	    a->answer.nr != b->answer.nr)
		return false;
	for (size_t i = 0; i < a->answer.nr; i++)
		if (strcmp(a->answer.names[i], b->answer.names[i]) != 0)
			return false;
	for (size_t i = 0; o[i].name; i++)
		if ((!a->name[0] || o[i].words) &&
		    (a->options[i] < b->options[i] || a->options[i] > b->options[i]))
			return false;
	return true;
}

static void go_on(struct policy_object *object, const struct policy_object *before)
{
	if (agree(before, object))
		memcpy(object->state, before->state, object->state_size);
}

void policy_object_inherit(const struct policy_engine *engine, const struct script *script,
			   struct policy_object *object)
{
	const struct policy_generation *gen = object->name[0] ? NULL : engine->active;

	for (size_t i = 0; gen && i < gen->nr_scripts; i++) {
		const struct policy_object *before =
			gen->scripts[i].hooks[object->kind->hook].object;

		if (before && strcmp(gen->scripts[i].name, script->name) == 0)
			go_on(object, before);
	}
}

void policy_named_inherit(const struct policy_engine *engine, const struct script *script)
{
	const struct policy_generation *before = engine->active, *gen = engine->loading;

	for (size_t i = 0; i < gen->nr_named; i++) {
		if (gen->named[i].script != script || !gen->named[i].object->name[0])
			continue;
		for (size_t k = 0; before && k < before->nr_named; k++)
			if (strcmp(before->named[k].script->name, script->name) == 0)
				go_on(gen->named[i].object, before->named[k].object);
	}
}
