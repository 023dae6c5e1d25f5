/*
 * lua.c - the commands that are written in Lua: policy test, policy explain, policy replay. Their
 * modules lie in share/luaccel/lua beside the folder of this program; each gives a function, which
 * gets the command line as a table and returns the exit status.
 */
#include "luaccel.h"
#include "sim.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool share_folder(char *path, size_t size)
{
	const ssize_t length = readlink("/proc/self/exe", path, size - 1);
	int i;

	if (length < 0)
		return false;
	path[length] = '\0';
	for (i = 0; i < 2; i++) { /* the program, its folder */
		char *slash = strrchr(path, '/');

		if (!slash)
			return false;
		*slash = '\0';
	}
	strncat(path, "/share/luaccel/lua", size - strlen(path) - 1);
	return true;
}

/* ---- on the Lua state's stack */

static void set_path(lua_State *L)
{
	char folder[4096];

	if (!share_folder(folder, sizeof(folder)))
		luaL_error(L, "/proc/self/exe cannot be read, so the Lua files are not found");
	lua_getglobal(L, "package");
	lua_getfield(L, -1, "path");
	lua_pushfstring(L, "%s/?.lua;%s", folder, lua_tostring(L, -1));
	lua_setfield(L, -3, "path");
	lua_pop(L, 1);
	lua_getfield(L, -1, "preload");
	lua_pushcfunction(L, luaopen_luaccel_engine);
	lua_setfield(L, -2, "luaccel.engine");
	lua_pop(L, 2);
}

static void push_list(lua_State *L, const char *name, const char *const *list)
{
	int i;

	lua_newtable(L);
	for (i = 0; list[i]; i++) {
		lua_pushstring(L, list[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, name);
}

static void push_text(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text ? text : "");
	lua_setfield(L, -2, name);
}

struct program {
	const char *module;
	const struct luaccel *luaccel;
	char **words;
	int status;
};

static int run(lua_State *L)
{
	struct program *program = lua_touserdata(L, 1);
	const struct luaccel *luaccel = program->luaccel;

	luaL_openlibs(L);
	set_path(L);
	lua_getglobal(L, "require");
	lua_pushstring(L, program->module);
	lua_call(L, 1, 1);
	lua_newtable(L);
	push_list(L, "words", (const char *const *)program->words);
	push_list(L, "sessions", luaccel->sessions);
	push_list(L, "ops", luaccel->ops);
	push_text(L, "backends", luaccel->backends);
	push_text(L, "down", luaccel->down);
	lua_pushinteger(L, (lua_Integer)luaccel->show);
	lua_setfield(L, -2, "show");
	lua_pushboolean(L, luaccel->json);
	lua_setfield(L, -2, "json");
	lua_call(L, 1, 1);
	program->status = (int)lua_tointeger(L, -1);
	return 0;
}

static int lua_command(const struct luaccel *luaccel, const char *module, char **words)
{
	struct program program = { module, luaccel, words, STATUS_FAILED };
	lua_State *L = luaL_newstate();

	if (!L)
		return say_error(STATUS_FAILED, "out of memory");
	if (lua_cpcall(L, run, &program))
		say_error(STATUS_FAILED, "%s", lua_tostring(L, -1));
	lua_close(L);
	return program.status;
}

int policy_test_command(const struct luaccel *luaccel, char **words)
{
	return lua_command(luaccel, "luaccel.test", words);
}

int policy_explain_command(const struct luaccel *luaccel, char **words)
{
	return lua_command(luaccel, "luaccel.explain", words);
}

int policy_replay_command(const struct luaccel *luaccel, char **words)
{
	return lua_command(luaccel, "luaccel.replay", words);
}
