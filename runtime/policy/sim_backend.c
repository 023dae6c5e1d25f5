/*
 * sim_backend.c - the backends of sim_internal.h: what scripts see of them is what the program
 * says.
 */
#include "operation_names.h"
#include "sim_internal.h"

#include <stdio.h>
#include <string.h>

static struct sim_backend *find_backend(struct sim *sim, const char *name)
{
	for (size_t i = 0; i < sim->nr_backends; i++)
		if (strcmp(sim->backends[i].name, name) == 0)
			return &sim->backends[i];
	return NULL;
}

bool sim_view_backend(void *ctx, const char *name, struct policy_backend_view *view)
{
	const struct sim_backend *backend = find_backend(ctx, name);

	if (!backend)
		return false;
	if (backend->shown) {
		*view = backend->view;
		return true;
	}
	view->up = backend->up;
	view->inflight = backend->inflight;
	tally_view(&backend->tally, view);
	return true;
}

enum policy_support sim_supports(void *ctx, const char *name, const char *operation)
{
	const struct sim_backend *backend = find_backend(ctx, name);
	const int type = operation_by_name(operation);

	if (type < 0)
		return POLICY_SUPPORT_NO_OPERATION;
	if (!backend || !backend->known)
		return POLICY_SUPPORT_UNKNOWN;
	return backend->operations >> type & 1 ? POLICY_SUPPORT_YES : POLICY_SUPPORT_NO;
}

/* The operations at idx: a list of those that a backend has, true for all; nil: nobody knows. */
static void take_operations(lua_State *L, int idx, struct sim_backend *backend)
{
	const char *names[64];
	size_t count;

	backend->known = !lua_isnoneornil(L, idx);
	backend->operations = UINT64_MAX;
	if (!lua_istable(L, idx))
		return;
	count = sim_list(L, idx, names, sizeof(names) / sizeof(names[0]));
	backend->operations = 0;
	for (size_t i = 0; i < count; i++) {
		const int type = operation_by_name(names[i]);

		if (type < 0)
			luaL_error(L, "there is no operation \"%s\"", names[i]);
		backend->operations |= UINT64_C(1) << type;
	}
}

/* The one that a method's first argument names, as new if there is none. */
static struct sim_backend *named(lua_State *L, struct sim *sim)
{
	const char *name = luaL_checkstring(L, 2);
	struct sim_backend *backend = find_backend(sim, name);

	if (backend)
		return backend;
	luaL_argcheck(L, sim->nr_backends < BACKENDS_MAX, 2, "too many backends");
	backend = &sim->backends[sim->nr_backends++];
	snprintf(backend->name, sizeof(backend->name), "%s", name);
	return backend;
}

/*
 * backend(name, up, inflight, operations): what scripts see of it from now on; backend_state is
 * told.
 */
int sim_backend(lua_State *L)
{
	struct sim *sim = sim_check(L);
	const bool known = find_backend(sim, luaL_checkstring(L, 2)), up = lua_toboolean(L, 3);
	struct sim_backend *backend = named(L, sim);
	bool changed;

	/* How things are at the beginning is no news, but for what is down then. */
	changed = known ? backend->up != up : !up;
	backend->up = up;
	backend->inflight = (size_t)luaL_checkinteger(L, 4);
	take_operations(L, 5, backend);
	if (changed)
		policy_backend_state(sim->engine, backend->name, up);
	return 0;
}

/* served(name, code, us): an operation has ended there. */
int sim_served(lua_State *L)
{
	struct sim_backend *backend = find_backend(sim_check(L), luaL_checkstring(L, 2));

	luaL_argcheck(L, backend, 2, "not a backend");
	tally_add(&backend->tally, (int)luaL_checkinteger(L, 3), (uint64_t)luaL_checknumber(L, 4));
	return 0;
}

/*
 * view(name, { up =, inflight =, operations =, errors =, p50_us =, p99_us = }, has): the same, as
 * it was seen elsewhere; whatever is not there is 0, or not known. Nobody is told.
 */
int sim_view(lua_State *L)
{
	struct sim *sim = sim_check(L);
	struct sim_backend *backend = named(L, sim);
	struct policy_backend_view *view = &backend->view;
	double us;

	luaL_checktype(L, 3, LUA_TTABLE);
	view->up = sim_flag(L, 3, "up");
	if (backend->up != view->up)
		policy_epoch_advance(sim->engine);
	backend->up = view->up;
	view->inflight = sim_size(L, 3, "inflight", 0);
	view->operations = sim_size(L, 3, "operations", 0);
	view->errors = sim_size(L, 3, "errors", 0);
	view->has_latency = sim_number(L, 3, "p50_us", 0x1p53, &us);
	view->p50_us = (uint64_t)us;
	view->p99_us = sim_size(L, 3, "p99_us", 0);
	backend->shown = true;
	take_operations(L, 4, backend);
	return 0;
}

/* tell(name, up): backend_state is told, whatever is seen of it. */
int sim_tell(lua_State *L)
{
	policy_backend_state(sim_check(L)->engine, luaL_checkstring(L, 2), lua_toboolean(L, 3));
	return 0;
}
