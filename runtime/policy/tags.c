/*
 * tags.c - tags that objects tell sessions apart by: quota { key = "tag:tenant", ... }.
 *
 * Scripts write tags at any time, and C must know them without entering Lua. So a tag that an
 * object has for its key gets a slot of the engine, and each session keeps there what it has
 * written last: as a number, like any other key, and as a crowd (crowds.c). objects.lua tells of
 * each write to a tag that has a slot, and of no other. When a tag gets its slot, every session is
 * asked for what it has. A slot belongs to the generations whose objects look at it; it is free
 * when the last of them has gone, and what sessions have in it then is overwritten by the next. On
 * the engine's thread.
 */
#include "registry.h"

#include <string.h>

/* What a session without the tag has. */
enum { NO_TAG = 0 };

/* The value at idx, which set_tag of objects.lua has let through. */
static uint64_t key_of_value(lua_State *L, int idx)
{
	const char *text;
	lua_Number number;
	uint64_t bits;
	size_t len;

	switch (lua_type(L, idx)) {
	case LUA_TSTRING:
		text = lua_tolstring(L, idx, &len);
		bits = policy_hash_bytes(text, len);
		break;
	case LUA_TNUMBER:
		number = lua_tonumber(L, idx);
		number += 0.0; /* one zero */
		memcpy(&bits, &number, sizeof(bits));
		break;
	case LUA_TBOOLEAN:
		bits = lua_toboolean(L, idx) ? 1 : 2;
		break;
	default:
		return NO_TAG;
	}
	/* 1, "1" and true are not the same. */
	bits = policy_hash_mix(bits ^ policy_hash_mix((uint64_t)lua_type(L, idx)));
	return bits == NO_TAG ? 1 : bits;
}

static void change(lua_State *L, struct policy_session *session, unsigned slot, int idx)
{
	if (policy_crowds_move(policy_engine_of(L), session, slot, key_of_value(L, idx)))
		policy_fail(L, "no memory for a tag that tells sessions apart");
}

int policy_lua_tag_changed(lua_State *L)
{
	const struct session_life *life = lua_touserdata(L, 1);

	if (life->session)
		change(L, life->session, (unsigned)lua_tointeger(L, 2), 3);
	return 0;
}

/* Of all sessions that there are. */
static void fill(lua_State *L, struct policy_engine *engine, unsigned slot)
{
	struct policy_session *session;

	for (session = engine->sessions; session; session = session->next) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_TAG_OF]);
		lua_rawgeti(L, LUA_REGISTRYINDEX, session->data);
		lua_pushstring(L, engine->tags[slot].name);
		lua_call(L, 2, 1);
		change(L, session, slot, -1);
		lua_pop(L, 1);
	}
}

/* The slot of the name, or one that is free. */
static unsigned slot_for(const struct policy_engine *engine, const char *name)
{
	unsigned unused = TAG_SLOTS;

	for (unsigned slot = 0; slot < TAG_SLOTS; slot++) {
		if (!engine->tags[slot].uses)
			unused = slot;
		else if (strcmp(engine->tags[slot].name, name) == 0)
			return slot;
	}
	return unused;
}

static void set_slot(lua_State *L, const struct policy_engine *engine, unsigned slot, bool watched)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->watched);
	lua_pushstring(L, engine->tags[slot].name);
	if (watched)
		lua_pushinteger(L, (lua_Integer)slot);
	else
		lua_pushnil(L);
	lua_rawset(L, -3);
	lua_pop(L, 1);
}

int policy_tag_watch(lua_State *L, const char *name, size_t len)
{
	struct policy_engine *engine = policy_engine_of(L);
	struct policy_generation *gen = engine->loading;
	struct watched_tag *tag;
	unsigned slot;

	if (!policy_is_name(name, len))
		policy_fail(L,
			    "a tag that is a key has a name of 1 to %d letters, digits, '_', '-' "
			    "and '.'",
			    POLICY_NAME_MAX - 1);
	slot = slot_for(engine, name);
	if (slot < TAG_SLOTS && engine->tags[slot].uses && gen->tags >> slot & 1)
		return KEY_TAGS + (int)slot;
	if (slot == TAG_SLOTS || __builtin_popcount(gen->tags) == TAGS_MAX)
		policy_fail(L, "tag:%s: more than %d tags are keys of objects", name, TAGS_MAX);
	tag = &engine->tags[slot];
	if (!tag->uses) {
		memcpy(tag->name, name, len + 1);
		fill(L, engine, slot);
		set_slot(L, engine, slot, true); /* nothing after it fails */
	}
	tag->uses++;
	gen->tags |= 1U << slot;
	return KEY_TAGS + (int)slot;
}

void policy_tags_unwatch(lua_State *L, struct policy_engine *engine,
			 const struct policy_generation *gen)
{
	for (unsigned slot = 0; slot < TAG_SLOTS; slot++)
		if (gen->tags >> slot & 1 && --engine->tags[slot].uses == 0)
			set_slot(L, engine, slot, false); /* the name is in Lua already */
}

void policy_tags_open(lua_State *L, struct policy_engine *engine)
{
	lua_newtable(L);
	lua_pushvalue(L, -1);
	engine->watched = luaL_ref(L, LUA_REGISTRYINDEX);
}
