/*
 * sim_values.c - the arguments and answers of sim_internal.h.
 */
#include "sim_internal.h"

const char *sim_text(lua_State *L, int table, const char *name)
{
	const char *text;

	lua_getfield(L, table, name);
	if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "%s must be a string", name);
	text = lua_tostring(L, -1); /* the table keeps it */
	lua_pop(L, 1);
	return text;
}

bool sim_number(lua_State *L, int table, const char *name, double most, double *value)
{
	bool present;

	lua_getfield(L, table, name);
	present = !lua_isnil(L, -1);
	*value = present ? lua_tonumber(L, -1) : 0;
	if (present && (lua_type(L, -1) != LUA_TNUMBER || !(*value >= 0 && *value <= most)))
		luaL_error(L, "%s must be a number from 0 to %.0f", name, most);
	lua_pop(L, 1);
	return present;
}

static uint32_t id_field(lua_State *L, int table, const char *name, bool *present)
{
	double value;

	*present = sim_number(L, table, name, UINT32_MAX, &value);
	return (uint32_t)value;
}

size_t sim_size(lua_State *L, int table, const char *name, size_t absent)
{
	double value;

	return sim_number(L, table, name, 0x1p53, &value) ? (size_t)value : absent;
}

bool sim_flag(lua_State *L, int table, const char *name)
{
	bool value;

	lua_getfield(L, table, name);
	value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

struct policy_peer sim_peer(lua_State *L, int table)
{
	struct policy_peer peer = {
		.transport = sim_text(L, table, "transport"),
		.addr = sim_text(L, table, "addr"),
		.listener = sim_text(L, table, "listener"),
	};
	bool ignored;

	peer.uid = id_field(L, table, "uid", &peer.has_credentials);
	peer.gid = id_field(L, table, "gid", &ignored);
	peer.pid = id_field(L, table, "pid", &ignored);
	peer.cid = id_field(L, table, "cid", &peer.has_cid);
	return peer;
}

int sim_push_decision(lua_State *L, const struct policy_decision *decision)
{
	static const char *const verdicts[] = {
		[POLICY_PASS] = "pass",	  [POLICY_ROUTE] = "route",   [POLICY_REJECT] = "reject",
		[POLICY_RETRY] = "retry", [POLICY_MIRROR] = "mirror", [POLICY_WAIT] = "wait",
	};

	lua_newtable(L);
	lua_pushstring(L, verdicts[decision->verdict]);
	lua_setfield(L, -2, "verdict");
	if (decision->where[0]) {
		lua_pushstring(L, decision->where);
		lua_setfield(L, -2, "where");
	}
	if (decision->verdict == POLICY_REJECT || decision->verdict == POLICY_WAIT) {
		lua_pushinteger(L, decision->code);
		lua_setfield(L, -2, "code");
		lua_pushstring(L, decision->text);
		lua_setfield(L, -2, "text");
	}
	if (decision->nr_backends) {
		lua_newtable(L);
		for (size_t i = 0; i < decision->nr_backends; i++) {
			lua_pushstring(L, decision->backends[i]);
			lua_rawseti(L, -2, (int)i + 1);
		}
		lua_setfield(L, -2, "backends");
		if (decision->deadline > 0) {
			lua_pushnumber(L, decision->deadline);
			lua_setfield(L, -2, "deadline");
		}
		lua_pushboolean(L, decision->per_op);
		lua_setfield(L, -2, "per_op");
	}
	return 1;
}

size_t sim_list(lua_State *L, int idx, const char **list, size_t most)
{
	const size_t count = lua_objlen(L, idx);

	luaL_checktype(L, idx, LUA_TTABLE);
	luaL_argcheck(L, count <= most, idx, "too many");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, idx, (int)i + 1);
		luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, idx, "a list of strings");
		list[i] = lua_tostring(L, -1);
		lua_pop(L, 1);
	}
	return count;
}
