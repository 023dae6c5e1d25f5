/*
 * settings.c - a file of settings: agent { ... }, run once for what it says.
 *
 * The file sees what a policy sees but for the words of policies, and one function more, which
 * flattens its table into C. A table does not say where its fields stood: their lines are looked
 * for in the text, by name before '=', or, in a list, by the string itself.
 */
#include "engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTINGS_MAX = 512 };

struct loaded {
	struct policy_settings pub;
	struct script script;
	struct policy_setting items[SETTINGS_MAX];
};

struct settings_load {
	const char *function;
	struct loaded *loaded;
	char *text;
	size_t len;
	bool called;
};

static struct settings_load *load_of(lua_State *L)
{
	return lua_touserdata(L, lua_upvalueindex(1));
}

static bool token_is(const struct token *t, char type, const char *text)
{
	return t->type == type && t->len == strlen(text) && !memcmp(t->at, text, t->len);
}

/* Where `name =` or `["name"] =` stands, or the string when it is in a list; else line 0. */
static int line_of(const struct settings_load *load, const char *name, bool in_list)
{
	struct lexer lex = { .at = load->text, .end = load->text + load->len, .line = 1 };
	struct token t = policy_next_token(&lex), after;

	for (; t.type; t = after) {
		after = policy_next_token(&lex);
		if (token_is(&t, 's', name) && (in_list || after.type == ']'))
			return t.line;
		if (token_is(&t, 'a', name) && !in_list && after.type == '=')
			return t.line;
	}
	return 0;
}

static __attribute__((noreturn, format(printf, 4, 5))) void
refuse(lua_State *L, const struct settings_load *load, int line, const char *format, ...)
{
	char text[POLICY_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!line)
		policy_fail(L, "%s", text);
	lua_pushfstring(L, "%s:%d: %s", load->loaded->script.file, line, text);
	lua_error(L);
	__builtin_unreachable();
}

static char *copy(lua_State *L, const struct settings_load *load, const char *text)
{
	char *dup = strdup(text);

	if (!dup)
		refuse(L, load, 0, "out of memory");
	return dup;
}

/* The value at the stack's top, which is not a key, as text. */
static const char *value_text(lua_State *L, const struct settings_load *load, const char *what)
{
	size_t len;
	const char *text;

	switch (lua_type(L, -1)) {
	case LUA_TBOOLEAN:
		return lua_toboolean(L, -1) ? "true" : "false";
	case LUA_TSTRING:
	case LUA_TNUMBER:
		text = lua_tolstring(L, -1, &len);
		if (strlen(text) == len)
			return text;
		refuse(L, load, line_of(load, what, false), "%s has a zero byte in it", what);
	default:
		refuse(L, load, line_of(load, what, false),
		       "%s is a %s; it must be a string, a number or a boolean", what,
		       luaL_typename(L, -1));
	}
}

static struct policy_setting *add_item(lua_State *L, struct settings_load *load, const char *key,
				       const char *name, const char *value)
{
	struct loaded *loaded = load->loaded;
	struct policy_setting *item = &loaded->items[loaded->pub.count];

	if (loaded->pub.count == SETTINGS_MAX)
		refuse(L, load, 0, "more than %d settings", SETTINGS_MAX);
	*item = (struct policy_setting){ .line = line_of(load, name ? name : key, false) };
	if (!item->line)
		item->line = line_of(load, key, false);
	loaded->pub.count++;
	item->key = copy(L, load, key);
	item->name = name ? copy(L, load, name) : NULL;
	item->value = value ? copy(L, load, value) : NULL;
	return item;
}

static void add(lua_State *L, struct settings_load *load, const char *key, const char *name,
		bool in_table)
{
	const char *value = value_text(L, load, name ? name : key);
	struct policy_setting *item = add_item(L, load, key, name, value);
	int line = in_table && !name ? line_of(load, value, true) : 0;

	item->in_table = in_table;
	if (line)
		item->line = line;
}

/* The table at the stack's top: a list, or of names. */
static void add_table(lua_State *L, struct settings_load *load, const char *key)
{
	size_t i, count = lua_objlen(L, -1), seen = 0;
	const size_t before = load->loaded->pub.count;
	int table = lua_gettop(L);

	for (i = 1; i <= count; i++) {
		lua_rawgeti(L, table, (int)i);
		add(L, load, key, NULL, true);
		lua_pop(L, 1);
	}
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		if (lua_type(L, -2) == LUA_TSTRING)
			add(L, load, key, lua_tostring(L, -2), true);
		else if (++seen > count)
			refuse(L, load, line_of(load, key, false),
			       "%s is neither a list nor a table of names", key);
	}
	if (load->loaded->pub.count == before)
		add_item(L, load, key, NULL, NULL)->in_table = true;
}

/* agent { ... } */
static int take(lua_State *L)
{
	struct settings_load *load = load_of(L);

	if (load->called)
		refuse(L, load, 0, "%s { } is used twice", load->function);
	if (lua_type(L, 1) != LUA_TTABLE)
		refuse(L, load, 0, "%s takes one table: %s { ... }", load->function,
		       load->function);
	load->called = true;
	lua_settop(L, 1);
	for (lua_pushnil(L); lua_next(L, 1); lua_settop(L, 2)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			refuse(L, load, 0, "%s takes named settings only: threads = 8",
			       load->function);
		if (lua_type(L, -1) == LUA_TTABLE)
			add_table(L, load, lua_tostring(L, -2));
		else
			add(L, load, lua_tostring(L, -2), NULL, false);
	}
	return 0;
}

static void run(lua_State *L, struct policy_engine *engine, void *arg)
{
	static const char *const words[] = { "policy", "backends", "plugin", "route",
					     "reject", "every",	   "after" };
	struct settings_load *load = arg;
	size_t i;

	policy_compile(L, &load->loaded->script, load->text, load->len);
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_ENVIRONMENT]);
	lua_call(L, 0, 1);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		lua_pushnil(L);
		lua_setfield(L, -2, words[i]);
	}
	lua_pushlightuserdata(L, load);
	lua_pushcclosure(L, take, 1);
	lua_setfield(L, -2, load->function);
	lua_setfenv(L, -2);
	lua_call(L, 0, 0);
	if (!load->called)
		luaL_error(L, "no %s { } in this file: nothing would be set", load->function);
}

int policy_settings_load(struct policy_engine *engine, const char *path, const char *function,
			 struct policy_settings **settings, char *err, size_t errsize)
{
	struct settings_load load = { .function = function };
	enum policy_outcome outcome;
	struct script *script;

	load.loaded = calloc(1, sizeof(*load.loaded));
	if (!load.loaded) {
		snprintf(err, errsize, "no memory to read %s", path);
		return -1;
	}
	script = &load.loaded->script;
	policy_script_file(script, path);
	if (policy_read_text(path, "settings", &load.text, &load.len, err, errsize))
		goto free_loaded;
	outcome = policy_enter(engine, script, run, &load, engine->options.load_budget_us);
	free(load.text);
	policy_collect(engine);
	if (outcome != ENTER_OK) {
		snprintf(err, errsize, "%s: %s",
			 engine->error_where[0] ? engine->error_where : script->file,
			 engine->error);
		goto free_loaded;
	}
	load.loaded->pub.file = script->file;
	load.loaded->pub.items = load.loaded->items;
	*settings = &load.loaded->pub;
	return 0;

free_loaded:
	policy_settings_free(&load.loaded->pub);
	return -1;
}

void policy_settings_free(struct policy_settings *settings)
{
	struct loaded *loaded = (struct loaded *)settings;

	while (loaded->pub.count) {
		struct policy_setting *item = &loaded->items[--loaded->pub.count];

		free((char *)item->key);
		free((char *)item->name);
		free((char *)item->value);
	}
	free(loaded);
}
