/*
 * sim.c - see sim.h and sim_internal.h: engines, and the module.
 */
#include "sim.h"
#include "operation_names.h"
#include "registry.h"
#include "sim_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENGINE_TYPE "luaccel.engine"

enum { SCRIPTS_MAX = 64 };

/* ---- what the engine calls */

static void keep_line(void *ctx, const char *line)
{
	struct sim *sim = ctx;
	char *copy = sim->nr_lines < LINES_MAX ? strdup(line) : NULL;

	if (copy)
		sim->lines[sim->nr_lines++] = copy;
}

static uint64_t sim_now(void *ctx)
{
	return ((const struct sim *)ctx)->now;
}

/* ---- life and death */

struct sim *sim_check(lua_State *L)
{
	return *(struct sim **)luaL_checkudata(L, 1, ENGINE_TYPE);
}

static void forget_lines(struct sim *sim)
{
	while (sim->nr_lines)
		free(sim->lines[--sim->nr_lines]);
}

void sim_unref(struct sim *sim)
{
	if (--sim->refs)
		return;
	policy_engine_free(sim->engine);
	forget_lines(sim);
	free(sim);
}

static int engine_gc(lua_State *L)
{
	struct sim **box = luaL_checkudata(L, 1, ENGINE_TYPE);

	if (*box)
		sim_unref(*box);
	*box = NULL;
	return 0;
}

/* new(time, seed): an engine without a policy. The time is in seconds since 1970. */
static int engine_new(lua_State *L)
{
	const double now = luaL_checknumber(L, 1), seed = luaL_checknumber(L, 2);
	struct policy_engine_options options = { .log = keep_line,
						 .now = sim_now,
						 .backend = sim_view_backend,
						 .supports = sim_supports };
	struct sim **box;
	char err[256];
	struct sim *sim;
	int ret;

	luaL_argcheck(L, now >= 1 && now < 1e10, 1, "seconds since 1970");
	luaL_argcheck(L, seed >= 1 && seed < 0x1p53, 2, "a number from 1 to 2^53");
	box = lua_newuserdata(L, sizeof(*box));
	*box = NULL;
	luaL_getmetatable(L, ENGINE_TYPE);
	lua_setmetatable(L, -2);
	sim = calloc(1, sizeof(*sim));
	if (!sim)
		return luaL_error(L, "no memory for a policy engine");
	sim->refs = 1;
	sim->now = (uint64_t)(now * 1e9);
	options.seed = (uint64_t)seed;
	options.ctx = sim;
	ret = policy_engine_new(&options, &sim->engine, err, sizeof(err));
	if (ret) {
		free(sim);
		return luaL_error(L, "%s", err);
	}
	*box = sim;
	return 1;
}

/* ---- engine */

static void push_backends(lua_State *L, const struct policy_generation *generation)
{
	const struct policy_backend *backends;
	size_t count;

	backends = policy_backends(generation, &count);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		lua_newtable(L);
		lua_pushstring(L, backends[i].name);
		lua_setfield(L, -2, "name");
		lua_pushstring(L, backends[i].kind);
		lua_setfield(L, -2, "kind");
		lua_rawseti(L, -2, (int)i + 1);
	}
}

/* load(paths, known): the backends that are declared; or nil and what is wrong. */
static int engine_load(lua_State *L)
{
	struct sim *sim = sim_check(L);
	const char *paths[SCRIPTS_MAX], *known[BACKENDS_MAX];
	const size_t nr_paths = sim_list(L, 2, paths, SCRIPTS_MAX);
	const size_t nr_known = sim_list(L, 3, known, BACKENDS_MAX);
	struct policy_generation *generation;
	char err[1024];

	if (policy_load(sim->engine, paths, nr_paths, known, nr_known, &generation, err,
			sizeof(err))) {
		lua_pushnil(L);
		lua_pushstring(L, err);
		return 2;
	}
	policy_activate(sim->engine, generation);
	push_backends(L, generation);
	return 1;
}

/* advance(seconds): timers of scripts run when they are due. */
static int engine_advance(lua_State *L)
{
	struct sim *sim = sim_check(L);
	const double seconds = luaL_checknumber(L, 2);

	uint64_t until;

	luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 2, "time goes forward, in seconds");
	until = sim->now + (uint64_t)(seconds * 1e9 + 0.5);
	for (uint64_t due; (due = policy_next_timer(sim->engine)) <= until;) {
		sim->now = due > sim->now ? due : sim->now;
		policy_run_timer(sim->engine);
	}
	sim->now = until;
	return 0;
}

static int engine_time(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)sim_check(L)->now / 1e9);
	return 1;
}

/* What scripts have written since it was asked last. */
static int engine_lines(lua_State *L)
{
	struct sim *sim = sim_check(L);

	lua_newtable(L);
	for (size_t i = 0; i < sim->nr_lines; i++) {
		lua_pushstring(L, sim->lines[i]);
		lua_rawseti(L, -2, (int)i + 1);
	}
	forget_lines(sim);
	return 1;
}

/* The metric's labels, of one of its values. */
static void push_labels(lua_State *L, const struct policy_metric *metric,
			const struct policy_sample *sample)
{
	lua_newtable(L);
	lua_pushstring(L, metric->policy);
	lua_setfield(L, -2, "policy");
	for (size_t i = 0; i < metric->nr_labels; i++) {
		lua_pushstring(L, sample->labels[i]);
		lua_setfield(L, -2, metric->labels[i]);
	}
}

/* metric(name): a list of { value =, labels = { policy =, tenant = ... } }. */
static int engine_metric(lua_State *L)
{
	const struct policy_generation *active = policy_active(sim_check(L)->engine);
	const char *name = luaL_checkstring(L, 2);
	struct policy_metric metric;
	struct policy_sample sample;
	int n = 0;

	lua_newtable(L);
	for (size_t i = 0; active && policy_metric(active, i, &metric); i++)
		for (size_t k = 0;
		     strcmp(metric.name, name) == 0 && policy_sample(active, i, k, &sample); k++) {
			lua_newtable(L);
			lua_pushnumber(L, sample.value);
			lua_setfield(L, -2, "value");
			push_labels(L, &metric, &sample);
			lua_setfield(L, -2, "labels");
			lua_rawseti(L, -2, ++n);
		}
	return 1;
}

static int engine_accept(lua_State *L)
{
	struct sim *sim = sim_check(L);
	const struct policy_peer peer = sim_peer(L, 2);
	struct policy_decision decision;

	policy_peer_accept(sim->engine, &peer, &decision);
	return sim_push_decision(L, &decision);
}

void sim_new_type(lua_State *L, const char *name, const luaL_Reg *methods)
{
	luaL_newmetatable(L, name);
	luaL_setfuncs(L, methods, 0);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

/* ---- what there is */

static void push_names(lua_State *L, const struct policy_object_option *options)
{
	lua_newtable(L);
	for (int i = 0; options[i].name; i++) {
		lua_pushstring(L, options[i].name);
		lua_rawseti(L, -2, i + 1);
	}
}

/* kinds(): { quota = { "rate", ... }, ... }, the library's objects and their options. */
static int kinds(lua_State *L)
{
	lua_newtable(L);
	for (const struct policy_kind *const *kind = policy_kinds; *kind; kind++) {
		push_names(L, (*kind)->options);
		lua_setfield(L, -2, (*kind)->name);
	}
	return 1;
}

/* hooks(): { session_route = "route, reject or nothing", ... }; false: what it says is ignored. */
static int hooks(lua_State *L)
{
	lua_newtable(L);
	for (int i = 0; i < NR_HOOKS; i++) {
		if (policy_hooks[i].says)
			lua_pushstring(L, policy_hooks[i].says);
		else
			lua_pushboolean(L, false);
		lua_setfield(L, -2, policy_hooks[i].name);
	}
	return 1;
}

struct globals {
	const char *names[256]; /* the engine's, which keeps them */
	size_t count;
};

static void note_global(void *ctx, const char *name, const char *field)
{
	struct globals *globals = ctx;

	if (!field && globals->count < sizeof(globals->names) / sizeof(globals->names[0]))
		globals->names[globals->count++] = name;
}

/* globals(): a list of what scripts can use. */
static int engine_globals(lua_State *L)
{
	struct globals globals = { .count = 0 };

	if (policy_globals(sim_check(L)->engine, note_global, &globals))
		return luaL_error(L, "no memory");
	lua_newtable(L);
	for (size_t i = 0; i < globals.count; i++) {
		lua_pushstring(L, globals.names[i]);
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

/* ---- the module */

static const luaL_Reg engine_methods[] = {
	{ "load", engine_load },     { "backend", sim_backend },
	{ "served", sim_served },    { "view", sim_view },
	{ "tell", sim_tell },	     { "advance", engine_advance },
	{ "time", engine_time },     { "globals", engine_globals },
	{ "lines", engine_lines },   { "metric", engine_metric },
	{ "accept", engine_accept }, { "session", sim_new_session },
	{ "__gc", engine_gc },	     { NULL, NULL },
};

/* code_name(13) is "EACCES", or nil. */
static int code_name(lua_State *L)
{
	policy_push_text(L, policy_code_name((int)luaL_checkinteger(L, 1)));
	return 1;
}

static int is_operation(lua_State *L)
{
	lua_pushboolean(L, operation_by_name(luaL_checkstring(L, 1)) >= 0);
	return 1;
}

/* Are op_route and op_failed asked about it? */
static int may_go_elsewhere(lua_State *L)
{
	const int type = operation_by_name(luaL_checkstring(L, 1));

	lua_pushboolean(L, operation_is_idempotent(type) && !operation_is_load(type));
	return 1;
}

int luaopen_luaccel_engine(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "new", engine_new },
		{ "code_name", code_name },
		{ "is_operation", is_operation },
		{ "may_go_elsewhere", may_go_elsewhere },
		{ "hooks", hooks },
		{ "kinds", kinds },
		{ NULL, NULL },
	};

	sim_new_type(L, ENGINE_TYPE, engine_methods);
	sim_session_open(L);
	lua_newtable(L);
	luaL_setfuncs(L, functions, 0);
	return 1;
}
