/*
 * inspect.c - what tools ask of the engine: what a script has declared, and what scripts can use.
 */
#include "engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static void append(char *buf, size_t size, const char *format,
							 ...)
{
	const size_t used = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + used, size - used, format, args);
	va_end(args);
}

static void append_on_error(char *buf, size_t size, const struct script *script)
{
	switch (script->on_error) {
	case ON_ERROR_REJECT:
		append(buf, size, "reject");
		break;
	case ON_ERROR_ALLOW:
		append(buf, size, "allow");
		break;
	case ON_ERROR_DEFAULT:
		append(buf, size, "{ default = \"%s\" }", script->fallback);
		break;
	case ON_ERROR_UNSET:
		break;
	}
}

bool policy_describe_script(const struct policy_generation *generation, size_t i, char *buf,
			    size_t size)
{
	const struct script *script = &generation->scripts[i];
	const char *before = "";

	if (i >= generation->nr_scripts)
		return false;
	snprintf(buf, size, "policy %s, on_error ", script->name);
	append_on_error(buf, size, script);
	append(buf, size, ", hooks ");
	for (int hook = 0; hook < NR_HOOKS; hook++) {
		if (script->hooks[hook].ref == LUA_NOREF)
			continue;
		append(buf, size, "%s%s", before, policy_hooks[hook].name);
		before = " ";
	}
	if (!*before)
		append(buf, size, "none");
	return true;
}

struct tour {
	void (*each)(void *ctx, const char *name, const char *field);
	void *ctx;
};

/* The names of the table on top; what they stand for is left out of account. */
static void visit_fields(lua_State *L, const struct tour *tour, const char *library)
{
	lua_pushnil(L);
	while (lua_next(L, -2)) { /* table key value */
		lua_pop(L, 1);
		tour->each(tour->ctx, library, lua_tostring(L, -1));
	}
}

/*
 * A library is an empty table before the real one, which its metatable reads from. What `backends`
 * reads from is a function, as each script has its own.
 */
static void visit_global(lua_State *L, const struct tour *tour, const char *name)
{
	const bool has_fields = luaL_getmetafield(L, -1, "__index");

	tour->each(tour->ctx, name, NULL);
	if (!has_fields)
		return;
	if (lua_istable(L, -1))
		visit_fields(L, tour, name);
	else
		tour->each(tour->ctx, name, "*");
	lua_pop(L, 1);
}

static void visit(lua_State *L, struct policy_engine *engine, void *arg)
{
	const struct tour *tour = arg;

	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_ENVIRONMENT]);
	lua_call(L, 0, 1);
	lua_pushnil(L);
	while (lua_next(L, -2)) { /* environment name value */
		visit_global(L, tour, lua_tostring(L, -2));
		lua_pop(L, 1);
	}
}

int policy_globals(struct policy_engine *engine,
		   void (*each)(void *ctx, const char *name, const char *field), void *ctx)
{
	struct tour tour = { each, ctx };

	return policy_enter(engine, NULL, visit, &tour, engine->options.load_budget_us) ? -1 : 0;
}
