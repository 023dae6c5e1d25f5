/*
 * objects.c - the Lua side of sessions: made when a session is, and kept until it goes, whatever
 * happens to the scripts in between.
 */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>

struct new_session {
	struct policy_session *session;
	int64_t id;
	uint32_t hint;
	const struct policy_peer *peer;
};

void policy_push_text(lua_State *L, const char *text)
{
	if (text)
		lua_pushstring(L, text);
	else
		lua_pushnil(L);
}

static void push_number(lua_State *L, bool present, uint32_t number)
{
	if (present)
		lua_pushnumber(L, number);
	else
		lua_pushnil(L);
}

static void make_session(lua_State *L, struct policy_engine *engine, void *arg)
{
	const struct new_session *n = arg;
	const struct policy_peer *peer = n->peer;

	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_NEW_SESSION]);
	lua_pushnumber(L, (lua_Number)n->id);
	lua_pushnumber(L, n->hint);
	policy_push_text(L, peer->transport);
	policy_push_text(L, peer->listener);
	policy_push_text(L, peer->addr);
	push_number(L, peer->has_credentials, peer->uid);
	push_number(L, peer->has_credentials, peer->gid);
	push_number(L, peer->has_credentials, peer->pid);
	push_number(L, peer->has_cid, peer->cid);
	lua_call(L, 9, 2);
	n->session->data = luaL_ref(L, LUA_REGISTRYINDEX);
	n->session->proxy = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void drop_session(lua_State *L, struct policy_engine *engine, void *arg)
{
	const struct policy_session *session = arg;

	(void)engine;
	luaL_unref(L, LUA_REGISTRYINDEX, session->proxy);
	luaL_unref(L, LUA_REGISTRYINDEX, session->data);
}

int policy_session_new(struct policy_engine *engine, int64_t id, uint32_t hint,
		       const struct policy_peer *peer, struct policy_session **out)
{
	struct policy_session *session = malloc(sizeof(*session));
	struct new_session n = { session, id, hint, peer };

	if (!session)
		return -ENOMEM;
	session->proxy = session->data = LUA_NOREF;
	if (policy_enter(engine, NULL, make_session, &n, engine->options.session_budget_us)) {
		policy_session_free(engine, session);
		return -ENOMEM;
	}
	*out = session;
	return 0;
}

void policy_session_free(struct policy_engine *engine, struct policy_session *session)
{
	if (!session)
		return;
	policy_enter(engine, NULL, drop_session, session, engine->options.session_budget_us);
	free(session);
}

struct new_route {
	const struct policy_session *session;
	const char *backend, *plan;
};

static void set_route(lua_State *L, struct policy_engine *engine, void *arg)
{
	const struct new_route *n = arg;

	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_SET_ROUTE]);
	lua_rawgeti(L, LUA_REGISTRYINDEX, n->session->data);
	policy_push_text(L, n->backend);
	policy_push_text(L, n->plan);
	lua_call(L, 3, 0);
}

void policy_session_set_route(struct policy_engine *engine, struct policy_session *session,
			      const char *backend, const char *plan)
{
	struct new_route n = { session, backend, plan };

	if (policy_enter(engine, NULL, set_route, &n, engine->options.session_budget_us))
		policy_log(engine, "policy: the route of a session could not be noted: %s",
			   engine->error);
}
