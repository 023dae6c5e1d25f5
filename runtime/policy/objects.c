/*
 * objects.c - the Lua side of sessions: made when a session is, and kept until it goes, whatever
 * happens to the scripts in between.
 */
#include "operation_names.h"
#include "registry.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { RESOURCE_NAMES_MAX = 1024, RESOURCE_NAME_MAX = 1024 };

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

void policy_push_peer(lua_State *L, const struct policy_engine *engine,
		      const struct policy_peer *peer)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_NEW_PEER]);
	policy_push_text(L, peer->transport);
	policy_push_text(L, peer->listener);
	policy_push_text(L, peer->addr);
	push_number(L, peer->has_credentials, peer->uid);
	push_number(L, peer->has_credentials, peer->gid);
	push_number(L, peer->has_credentials, peer->pid);
	push_number(L, peer->has_cid, peer->cid);
	lua_call(L, 7, 1);
}

/*
 * Each script gets a list of its own, which may do with it what it likes. What a peer can make too
 * large is an error before it costs time or memory, which would count as overruns of the hook.
 */
static void push_names(lua_State *L, const struct policy_resource *resource)
{
	if (resource->nr_names > RESOURCE_NAMES_MAX)
		luaL_error(L, "the resource has %d files; scripts are shown %d at most",
			   (int)(resource->nr_names > INT_MAX ? INT_MAX : resource->nr_names),
			   RESOURCE_NAMES_MAX);
	lua_createtable(L, (int)resource->nr_names, 0);
	for (size_t i = 0; i < resource->nr_names; i++) {
		const char *name = resource->name(resource->of, i);

		if (strnlen(name, RESOURCE_NAME_MAX + 1) > RESOURCE_NAME_MAX)
			luaL_error(L, "a file of the resource has a name of more than %d bytes",
				   RESOURCE_NAME_MAX);
		lua_pushstring(L, name);
		lua_rawseti(L, -2, (int)i + 1);
	}
}

void policy_push_resource(lua_State *L, const struct policy_engine *engine,
			  const struct policy_resource *resource)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_NEW_RESOURCE]);
	if (resource->id)
		lua_pushnumber(L, (lua_Number)resource->id);
	else
		lua_pushnil(L);
	policy_push_text(L, resource->type);
	if (resource->bytes == SIZE_MAX)
		lua_pushnil(L);
	else
		lua_pushnumber(L, (lua_Number)resource->bytes);
	push_names(L, resource);
	lua_call(L, 4, 1);
}

static void make_session(lua_State *L, struct policy_engine *engine, void *arg)
{
	const struct new_session *n = arg;
	struct session_life *life;

	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_NEW_SESSION]);
	lua_pushnumber(L, (lua_Number)n->id);
	lua_pushnumber(L, n->hint);
	policy_push_peer(L, engine, n->peer);
	life = lua_newuserdata(L, sizeof(*life));
	*life = (struct session_life){ .began = policy_clock(engine) };
	lua_call(L, 4, 2);
	n->session->data = luaL_ref(L, LUA_REGISTRYINDEX);
	life->session = n->session;
	n->session->life = life; /* only now that it stays */
	n->session->proxy = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void drop_session(lua_State *L, struct policy_engine *engine, void *arg)
{
	const struct policy_session *session = arg;

	if (session->life)
		session->life->ended = policy_clock(engine);
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
	*session = (struct policy_session){
		.counting = ATOMIC_FLAG_INIT,
		.proxy = LUA_NOREF,
		.data = LUA_NOREF,
		.id = id,
		.has_cid = peer->has_cid,
		.has_uid = peer->has_credentials,
		.cid = peer->cid,
		.uid = peer->uid,
		.addr = peer->addr ? policy_hash_text(peer->addr) : 0,
		.listener = peer->listener ? policy_hash_text(peer->listener) : 0,
	};
	policy_who_init(&session->who, hint, peer);
	session->next = engine->sessions;
	session->link = &engine->sessions;
	if (session->next)
		session->next->link = &session->next;
	engine->sessions = session;
	if (policy_crowds_join(engine, session) ||
	    policy_enter(engine, NULL, make_session, &n, engine->options.session_budget_us)) {
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
	if (session->life) { /* what has not ended by now never will */
		policy_crowds_count(session, -(long)session->life->inflight);
		session->life->session = NULL;
	}
	policy_crowds_leave(engine, session);
	*session->link = session->next;
	if (session->next)
		session->next->link = session->link;
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

void policy_session_begins(struct policy_session *session)
{
	policy_crowds_count(session, 1);
}

void policy_session_ended(struct policy_session *session)
{
	policy_crowds_count(session, -1);
}

/* ---- fields that are looked up when they are read; objects.lua passes a session's life */

int policy_lua_session_age(lua_State *L)
{
	const struct session_life *life = lua_touserdata(L, 1);
	const uint64_t until = life->ended ? life->ended : policy_clock(policy_engine_of(L));

	lua_pushnumber(L, (lua_Number)(until - life->began) / 1e9);
	return 1;
}

int policy_lua_session_inflight(lua_State *L)
{
	const struct session_life *life = lua_touserdata(L, 1);

	lua_pushnumber(L, (lua_Number)atomic_load_explicit(&life->inflight, memory_order_relaxed));
	return 1;
}

int policy_lua_is_idempotent(lua_State *L)
{
	lua_pushboolean(L, operation_is_idempotent(operation_by_name(lua_tostring(L, 1))));
	return 1;
}
