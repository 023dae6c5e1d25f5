/*
 * sim_session.c - the sessions of sim_internal.h, and what happens in them.
 */
#include "operation_names.h"
#include "sim_internal.h"

#define SESSION_TYPE "luaccel.engine.session"
#define PLACE_TYPE   "luaccel.engine.place"

struct sim_session {
	struct sim *sim; /* NULL: closed */
	struct policy_session *session;
	unsigned waiting; /* operations */
};

/* Of an operation that waits; its environment keeps the session's userdata. */
struct place {
	struct policy_waiter waiter;
	struct sim_session *session; /* NULL: it waits no more */
	bool admitted;
};

/* session(id, hint, peer) */
int sim_new_session(lua_State *L)
{
	struct sim *sim = sim_check(L);
	const lua_Integer id = luaL_checkinteger(L, 2);
	const double hint = luaL_checknumber(L, 3);
	const struct policy_peer peer = sim_peer(L, 4);
	struct sim_session *session = lua_newuserdata(L, sizeof(*session));

	luaL_argcheck(L, hint >= 0 && hint <= UINT32_MAX, 3, "a hint has 32 bits");
	*session = (struct sim_session){ .sim = NULL };
	luaL_getmetatable(L, SESSION_TYPE);
	lua_setmetatable(L, -2);
	if (policy_session_new(sim->engine, id, (uint32_t)hint, &peer, &session->session))
		return luaL_error(L, "out of memory for the policy's view");
	session->sim = sim;
	sim->refs++;
	return 1;
}

static struct sim_session *to_session(lua_State *L)
{
	struct sim_session *session = luaL_checkudata(L, 1, SESSION_TYPE);

	luaL_argcheck(L, session->sim, 1, "the session has been closed");
	return session;
}

static int session_gc(lua_State *L)
{
	struct sim_session *session = luaL_checkudata(L, 1, SESSION_TYPE);

	if (session->sim) {
		policy_session_free(session->sim->engine, session->session);
		sim_unref(session->sim);
	}
	session->sim = NULL;
	return 0;
}

static int session_close(lua_State *L)
{
	struct sim_session *session = to_session(L);

	luaL_argcheck(L, !session->waiting, 1, "operations of the session wait");
	policy_session_close(session->sim->engine, session->session);
	return session_gc(L);
}

static int session_route(lua_State *L)
{
	struct sim_session *session = to_session(L);
	struct policy_decision decision;

	policy_session_route(session->sim->engine, session->session, &decision);
	return sim_push_decision(L, &decision);
}

/* on(backend, plan): where it is now, and what decided. */
static int session_on(lua_State *L)
{
	struct sim_session *session = to_session(L);

	policy_session_set_route(session->sim->engine, session->session, luaL_checkstring(L, 2),
				 luaL_checkstring(L, 3));
	return 0;
}

static struct policy_op to_op(lua_State *L, int table)
{
	struct policy_op op = {
		.name = sim_text(L, table, "name"),
		.id = (int64_t)sim_size(L, table, "id", 0),
		.backend = sim_text(L, table, "backend"),
		.bytes_in = sim_size(L, table, "bytes_in", 0),
		.retries = (unsigned)sim_size(L, table, "retries", 0),
	};

	if (!op.name || operation_by_name(op.name) < 0)
		luaL_error(L, "there is no operation \"%s\"", op.name ? op.name : "");
	op.has_deadline = sim_number(L, table, "deadline", 1e9, &op.deadline);
	return op;
}

static void waits_no_more(struct place *place)
{
	if (place->session)
		place->session->waiting--;
	place->session = NULL;
}

static void place_admitted(struct policy_waiter *waiter)
{
	struct place *place = (struct place *)((char *)waiter - offsetof(struct place, waiter));

	place->admitted = true;
	waits_no_more(place);
}

/* admitted(): has its turn come? */
static int place_is_admitted(lua_State *L)
{
	const struct place *place = luaL_checkudata(L, 1, PLACE_TYPE);

	lua_pushboolean(L, place->admitted);
	return 1;
}

static int place_leave(lua_State *L)
{
	struct place *place = luaL_checkudata(L, 1, PLACE_TYPE);

	if (place->session)
		policy_wait_leave(&place->waiter);
	waits_no_more(place);
	return 0;
}

/* A place in the queue, on the stack's top; the session's userdata is at 1. */
static struct place *new_place(lua_State *L, struct sim_session *session)
{
	struct place *place = lua_newuserdata(L, sizeof(*place));

	*place = (struct place){ .waiter.admitted = place_admitted };
	luaL_getmetatable(L, PLACE_TYPE);
	lua_setmetatable(L, -2);
	lua_createtable(L, 1, 0);
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, 1);
	lua_setfenv(L, -2);
	place->session = session;
	session->waiting++;
	return place;
}

/* The decision of an operation that is to wait: with `place` and `seconds`. */
static int push_waiting(lua_State *L, struct sim_session *session, struct policy_decision *decision)
{
	struct place *place = new_place(L, session);

	if (policy_wait(&place->waiter, session->session, &decision->wait)) {
		waits_no_more(place);
		decision->verdict = POLICY_REJECT;
		return sim_push_decision(L, decision);
	}
	sim_push_decision(L, decision);
	lua_insert(L, -2);
	lua_setfield(L, -2, "place");
	lua_pushnumber(L, decision->wait.seconds);
	lua_setfield(L, -2, "seconds");
	return 1;
}

static int session_admit(lua_State *L)
{
	struct sim_session *session = to_session(L);
	const struct policy_op op = to_op(L, 2);
	struct policy_decision decision;

	policy_op_admit(session->sim->engine, session->session, &op, &decision);
	if (decision.verdict == POLICY_WAIT)
		return push_waiting(L, session, &decision);
	if (decision.verdict != POLICY_REJECT)
		policy_session_begins(session->session);
	return sim_push_decision(L, &decision);
}

/* op_route(op) */
static int session_op_route(lua_State *L)
{
	struct sim_session *session = to_session(L);
	const struct policy_op op = to_op(L, 2);
	struct policy_decision decision;

	policy_op_route(session->sim->engine, session->session, &op, &decision);
	return sim_push_decision(L, &decision);
}

/* { code =, backend =, queue_us =, service_us =, bytes_out =, mirror =, cached = } */
static struct policy_result to_result(lua_State *L, int table)
{
	return (struct policy_result){
		.code = (int)sim_size(L, table, "code", 0),
		.backend = sim_text(L, table, "backend"),
		.queue_us = sim_size(L, table, "queue_us", 0),
		.service_us = sim_size(L, table, "service_us", 0),
		.bytes_out = sim_size(L, table, "bytes_out", 0),
		.mirror = sim_text(L, table, "mirror"),
		.cached = sim_flag(L, table, "cached"),
	};
}

/* failed(op, result) */
static int session_failed(lua_State *L)
{
	struct sim_session *session = to_session(L);
	const struct policy_op op = to_op(L, 2);
	struct policy_result result = to_result(L, 3);
	struct policy_decision decision;

	result.bytes_out = SIZE_MAX; /* as in an agent: there is no answer */
	policy_op_failed(session->sim->engine, session->session, &op, &result, &decision);
	return sim_push_decision(L, &decision);
}

/* ended(): one that was admitted has. */
static int session_ended(lua_State *L)
{
	policy_session_ended(to_session(L)->session);
	return 0;
}

/* told(op, result): op_done is. */
static int session_told(lua_State *L)
{
	struct sim_session *session = to_session(L);
	const struct policy_op op = to_op(L, 2);
	const struct policy_result result = to_result(L, 3);

	policy_op_done(session->sim->engine, session->session, &op, &result);
	return 0;
}

/* done(op, result): both at once. */
static int session_done(lua_State *L)
{
	session_ended(L);
	return session_told(L);
}

struct names {
	const char *list[1024];
	size_t count;
};

static const char *name_of(const void *of, size_t i)
{
	return ((const struct names *)of)->list[i];
}

/* resource({ id =, type =, bytes =, names = { ... } }) */
static int session_resource(lua_State *L)
{
	struct sim_session *session = to_session(L);
	struct names names;
	struct policy_resource resource = {
		.id = (int64_t)sim_size(L, 2, "id", 0),
		.type = sim_text(L, 2, "type"),
		.bytes = sim_size(L, 2, "bytes", SIZE_MAX),
		.name = name_of,
		.of = &names,
	};
	struct policy_decision decision;

	lua_settop(L, 2);
	lua_getfield(L, 2, "names");
	resource.nr_names = lua_isnil(L, 3) ? 0 : sim_list(L, 3, names.list, 1024);
	policy_resource_admit(session->sim->engine, session->session, &resource, &decision);
	return sim_push_decision(L, &decision);
}

static const luaL_Reg session_methods[] = {
	{ "route", session_route },
	{ "on", session_on },
	{ "admit", session_admit },
	{ "done", session_done },
	{ "ended", session_ended },
	{ "told", session_told },
	{ "op_route", session_op_route },
	{ "failed", session_failed },
	{ "close", session_close },
	{ "resource", session_resource },
	{ "drop", session_gc },
	{ "__gc", session_gc },
	{ NULL, NULL },
};

static const luaL_Reg place_methods[] = {
	{ "admitted", place_is_admitted },
	{ "leave", place_leave },
	{ "__gc", place_leave },
	{ NULL, NULL },
};

void sim_session_open(lua_State *L)
{
	sim_new_type(L, SESSION_TYPE, session_methods);
	sim_new_type(L, PLACE_TYPE, place_methods);
}
