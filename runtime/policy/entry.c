/*
 * entry.c - the one protected entry into Lua, and the words for what goes wrong there.
 *
 *   policy_enter ── arm ── lua_pcall(entry) ── body ── the script
 *                                └ error ── policy_entry_error: text and line into the engine
 *
 * Nothing is pushed outside but copies of the two functions that lie on the stack for good, so
 * nothing allocates there. The error function reads the error without running any of the
 * script's code (no __tostring) and without allocating: what cannot be told is named by its type.
 */
#include "engine.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool policy_script_line(lua_State *L, int level, lua_Debug *ar)
{
	for (; lua_getstack(L, level, ar); level++)
		if (lua_getinfo(L, "Sl", ar) && ar->source[0] == '@' && ar->currentline > 0)
			return true;
	return false;
}

void policy_fail(lua_State *L, const char *format, ...)
{
	char text[POLICY_TEXT_MAX];
	lua_Debug ar;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (policy_script_line(L, 0, &ar))
		lua_pushfstring(L, "%s:%d: %s", ar.short_src, ar.currentline, text);
	else
		lua_pushstring(L, text);
	lua_error(L);
	__builtin_unreachable();
}

void policy_check_deadline(lua_State *L)
{
	struct policy_engine *engine = policy_engine_of(L);

	if (!watchdog_fired(&engine->watchdog))
		return;
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->timeout_text);
	lua_error(L);
}

void policy_clean(char *dst, size_t size, const char *src, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)src[i];
		bool plain = c >= 0x20 && c != 0x7f;

		if (n + (plain ? 1 : 4) >= size)
			break;
		if (plain) {
			dst[n++] = (char)c;
			continue;
		}
		dst[n++] = '\\';
		dst[n++] = 'x';
		dst[n++] = hex[c >> 4];
		dst[n++] = hex[c & 15];
	}
	dst[n] = '\0';
}

void policy_log(struct policy_engine *engine, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (!engine->options.log)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	engine->options.log(engine->options.ctx, line);
}

bool policy_rate_take(const struct policy_engine *engine, struct policy_rate *rate,
		      unsigned per_second, unsigned *suppressed)
{
	uint64_t now = policy_clock(engine);

	if (rate->window == 0 || now - rate->window >= UINT64_C(1000000000)) {
		rate->window = now;
		rate->used = 0;
	}
	if (rate->used >= per_second) {
		rate->suppressed++;
		return false;
	}
	rate->used++;
	*suppressed = rate->suppressed;
	rate->suppressed = 0;
	return true;
}

/* "p.lua:12: text": where the position ends, or NULL. */
static const char *position_end(const char *message)
{
	for (const char *p = strchr(message, ':'); p; p = strchr(p + 1, ':')) {
		const char *q = p + 1;

		while (isdigit((unsigned char)*q))
			q++;
		if (q > p + 1 && q[0] == ':' && q[1] == ' ')
			return q;
	}
	return NULL;
}

static void take_message(struct policy_engine *engine, const char *message, size_t len)
{
	const char *end = position_end(message);
	const char *text = end ? end + 2 : message;
	bool ours = strncmp(message, POLICY_LIBRARY, strlen(POLICY_LIBRARY)) == 0;

	/* An error in the library is told with the line that called it. */
	if (end && !ours && (size_t)(end - message) < sizeof(engine->error_where)) {
		memcpy(engine->error_where, message, (size_t)(end - message));
		engine->error_where[end - message] = '\0';
	}
	policy_clean(engine->error, sizeof(engine->error), text, len - (size_t)(text - message));
}

static void take_line(struct policy_engine *engine, lua_State *L)
{
	lua_Debug ar;

	if (policy_script_line(L, 0, &ar))
		snprintf(engine->error_where, sizeof(engine->error_where), "%.50s:%d", ar.short_src,
			 ar.currentline);
}

int policy_entry_error(lua_State *L)
{
	struct policy_engine *engine = policy_engine_of(L);

	if (watchdog_fired(&engine->watchdog)) {
		take_line(engine, L);
	} else if (lua_type(L, 1) == LUA_TSTRING) {
		size_t len;
		const char *message = lua_tolstring(L, 1, &len);

		take_message(engine, message, len);
		if (!engine->error_where[0])
			take_line(engine, L);
	} else {
		take_line(engine, L);
		snprintf(engine->error, sizeof(engine->error), "the error is a %s value",
			 luaL_typename(L, 1));
	}
	return 1;
}

int policy_entry_call(lua_State *L)
{
	struct policy_engine *engine = policy_engine_of(L);

	engine->body(L, engine, engine->arg);
	return 0;
}

static void run(struct policy_engine *engine, policy_body body, void *arg, int *status)
{
	lua_State *L = engine->L;

	engine->body = body;
	engine->arg = arg;
	lua_pushvalue(L, STACK_ENTRY);
	*status = lua_pcall(L, 0, 0, STACK_ERROR);
	lua_settop(L, STACK_BASE);
}

static void collect(lua_State *L, struct policy_engine *engine, void *arg)
{
	(void)engine;
	(void)arg;
	lua_gc(L, LUA_GCCOLLECT, 0);
}

void policy_collect(struct policy_engine *engine)
{
	int ignored;

	run(engine, collect, NULL, &ignored);
}

enum policy_outcome policy_enter(struct policy_engine *engine, struct script *script,
				 policy_body body, void *arg, unsigned budget_us)
{
	int status;
	bool fired;

	engine->script = script;
	engine->error[0] = engine->error_where[0] = '\0';
	if (engine->jit)
		policy_jit_enter(engine);
	watchdog_arm(&engine->watchdog, (uint64_t)budget_us * 1000);
	run(engine, body, arg, &status);
	fired = watchdog_disarm(&engine->watchdog);
	if (fired)
		lua_sethook(engine->L, NULL, 0, 0);
	engine->script = NULL;
	if (status == 0)
		return ENTER_OK;
	if (status == LUA_ERRMEM) {
		snprintf(engine->error, sizeof(engine->error),
			 "out of memory: policies have %zu KiB, an eighth of it for one value",
			 engine->options.memory_max >> 10);
		policy_collect(engine); /* so that the next call finds room */
		return ENTER_MEMORY;
	}
	if (fired) {
		snprintf(engine->error, sizeof(engine->error), "ran longer than %u ms",
			 (budget_us + 999) / 1000);
		return ENTER_OVERRUN;
	}
	/* Of all errors, only this one leaves no room to take it down. */
	if (status == LUA_ERRERR)
		snprintf(engine->error, sizeof(engine->error),
			 "stack overflow: a recursion without end");
	return ENTER_FAILED;
}
