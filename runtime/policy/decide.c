/*
 * decide.c - the hooks: scripts asked in order, and what counts when one fails.
 *
 *   a hook says nothing    the next script is asked
 *   a refusal              ends it: any script can refuse
 *   a plan                 the first one wins; the rest may still refuse
 *   anything else          is a failure, and the script's on_error decides
 *
 * A hook that three times in ten seconds used up its time or the memory is set aside for ten: its
 * on_error answers at once. Other errors do not count: they cost nobody time, and a peer that
 * could provoke three of them would decide over everybody else.
 */
#include "engine.h"

#include "vaccel/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

enum { ASIDE_SECONDS = 10, FAILURES_PER_SECOND = 3 };

struct question {
	enum policy_hook hook;
	struct script *script;
	const struct policy_session *session;
	const struct policy_op *op;
	const struct policy_result *result;
	/* what the hook said */
	bool answered;
	struct policy_value answer;
	/* or how it failed */
	char error[POLICY_TEXT_MAX], where[POLICY_NAME_MAX];
};

/* ---- asking one hook, inside policy_enter */

static void push_op(lua_State *L, const struct question *q)
{
	policy_push_text(L, q->op->name);
	lua_pushnumber(L, (lua_Number)q->op->id);
	lua_rawgeti(L, LUA_REGISTRYINDEX, q->session->proxy);
	policy_push_text(L, q->op->backend);
	lua_pushnumber(L, (lua_Number)q->op->bytes_in);
}

static void push_result(lua_State *L, const struct policy_result *result)
{
	lua_pushinteger(L, result->code);
	policy_push_text(L, result->backend);
	lua_pushnumber(L, (lua_Number)result->queue_us);
	lua_pushnumber(L, (lua_Number)result->service_us);
	lua_pushnumber(L, (lua_Number)result->bytes_out);
}

/* The value at the top, which may only be nil or what this hook may say. */
static void take_answer(lua_State *L, struct policy_engine *engine, struct question *q)
{
	const struct policy_value *value = policy_to_value(L, engine, -1);
	const char *name = policy_hook_names[q->hook];
	char list[160];

	if (lua_type(L, -1) == LUA_TNIL)
		return;
	if (!value)
		luaL_error(L, "%s returned a %s; it may return %s", name, luaL_typename(L, -1),
			   q->hook == HOOK_SESSION_ROUTE ? "route, reject or nothing"
							 : "reject or nothing");
	if (value->kind == VALUE_PLAN && q->hook != HOOK_SESSION_ROUTE)
		luaL_error(L, "%s returned a route; it may return reject or nothing", name);
	for (size_t i = 0; i < value->nr; i++) {
		if (policy_names_declared(engine->active, value->names[i]))
			continue;
		policy_names_list(engine->active, list, sizeof(list));
		luaL_error(L, "%s:%d: route names \"%s\"; declared: %s", q->script->file,
			   value->line ? value->line : q->script->hooks[q->hook].line,
			   value->names[i], list);
	}
	q->answered = true;
	q->answer = *value;
}

static void ask(lua_State *L, struct policy_engine *engine, void *arg)
{
	struct question *q = arg;
	int hook = q->script->hooks[q->hook].ref;

	switch (q->hook) {
	case HOOK_SESSION_ROUTE:
	case HOOK_SESSION_CLOSE:
		lua_rawgeti(L, LUA_REGISTRYINDEX, hook);
		lua_rawgeti(L, LUA_REGISTRYINDEX, q->session->proxy);
		lua_call(L, 1, 1);
		break;
	case HOOK_OP_ADMIT:
		lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_ENTER_OP]);
		lua_rawgeti(L, LUA_REGISTRYINDEX, hook);
		push_op(L, q);
		lua_call(L, 6, 1);
		break;
	default:
		lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_ENTER_DONE]);
		lua_rawgeti(L, LUA_REGISTRYINDEX, hook);
		push_op(L, q);
		push_result(L, q->result);
		lua_call(L, 11, 0);
		break;
	}
	if (q->hook == HOOK_SESSION_ROUTE || q->hook == HOOK_OP_ADMIT)
		take_answer(L, engine, q);
}

/* The hook ended by an error: its op and result are closed here instead. */
static void expire(lua_State *L, struct policy_engine *engine, void *arg)
{
	(void)arg;
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_EXPIRE]);
	lua_call(L, 0, 0);
}

/* ---- failures */

static void note_overrun(struct policy_engine *engine, struct question *q)
{
	struct hook *hook = &q->script->hooks[q->hook];
	uint64_t now = policy_now();

	hook->overruns[0] = hook->overruns[1];
	hook->overruns[1] = hook->overruns[2];
	hook->overruns[2] = now;
	if (!hook->overruns[0] || now - hook->overruns[0] > ASIDE_SECONDS * SECOND)
		return;
	hook->set_aside_until = now + ASIDE_SECONDS * SECOND;
	memset(hook->overruns, 0, sizeof(hook->overruns));
	policy_log(engine,
		   "policy %s: %s is set aside for %d s after three overruns; its on_error answers",
		   q->script->name, policy_hook_names[q->hook], ASIDE_SECONDS);
}

static void log_failure(struct policy_engine *engine, struct question *q)
{
	struct hook *hook = &q->script->hooks[q->hook];
	unsigned suppressed;

	if (!policy_rate_take(&hook->failures, FAILURES_PER_SECOND, &suppressed))
		return;
	if (suppressed)
		policy_log(engine, "policy %s: %u more failures of %s were not written",
			   q->script->name, suppressed, policy_hook_names[q->hook]);
	policy_log(engine, "policy %s (%s): %s failed: %s", q->script->name, q->where,
		   policy_hook_names[q->hook], q->error);
}

static bool set_aside(struct hook *hook)
{
	if (!hook->set_aside_until)
		return false;
	if (policy_now() < hook->set_aside_until)
		return true;
	hook->set_aside_until = 0;
	return false;
}

/* snprintf for texts that may well be cut. */
__attribute__((format(printf, 3, 4))) static void write_text(char *text, size_t size,
							     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
}

static void write_where(char *where, const struct script *script, int line)
{
	write_text(where, POLICY_NAME_MAX, "%s:%d", script->file, line);
}

/* Ask the question's hook. False when it failed: q says how, and on_error is to decide. */
static bool ask_hook(struct policy_engine *engine, struct question *q)
{
	struct hook *hook = &q->script->hooks[q->hook];
	bool of_op = q->hook == HOOK_OP_ADMIT || q->hook == HOOK_OP_DONE;
	enum policy_outcome outcome;

	q->answered = false;
	if (set_aside(hook)) {
		write_text(q->error, sizeof(q->error), "set aside after three overruns");
		write_where(q->where, q->script, hook->line);
		return false;
	}
	outcome = policy_enter(engine, q->script, ask, q,
			       of_op ? engine->options.op_budget_us
				     : engine->options.session_budget_us);
	if (outcome == ENTER_OK)
		return true;
	write_text(q->error, sizeof(q->error), "%s", engine->error);
	write_text(q->where, sizeof(q->where), "%s", engine->error_where);
	if (!q->where[0])
		write_where(q->where, q->script, hook->line);
	if (of_op)
		policy_enter(engine, NULL, expire, NULL, engine->options.op_budget_us);
	log_failure(engine, q);
	if (outcome != ENTER_FAILED)
		note_overrun(engine, q);
	return false;
}

/* ---- decisions */

static void refuse(struct policy_decision *decision, const struct script *script, int code,
		   const char *where, const char *reason)
{
	decision->verdict = POLICY_REJECT;
	decision->code = code;
	write_text(decision->where, sizeof(decision->where), "%s", where);
	write_text(decision->text, sizeof(decision->text), "refused by policy %s (%s): %s",
		   script->name, where, reason);
}

static void plan(struct policy_decision *decision, const char *where,
		 const char (*names)[POLICY_NAME_MAX], size_t nr)
{
	if (decision->verdict == POLICY_ROUTE)
		return; /* the first one wins */
	decision->verdict = POLICY_ROUTE;
	write_text(decision->where, sizeof(decision->where), "%s", where);
	memcpy(decision->backends, names, nr * POLICY_NAME_MAX);
	decision->nr_backends = nr;
}

static void apply_answer(struct policy_decision *decision, const struct question *q)
{
	char where[POLICY_NAME_MAX];

	if (!q->answered)
		return;
	write_where(where, q->script,
		    q->answer.line ? q->answer.line : q->script->hooks[q->hook].line);
	if (q->answer.kind == VALUE_REJECT)
		refuse(decision, q->script, q->answer.code, where, q->answer.text);
	else
		plan(decision, where, q->answer.names, q->answer.nr);
}

static void apply_on_error(struct policy_decision *decision, const struct question *q)
{
	const struct script *script = q->script;
	char text[POLICY_TEXT_MAX], where[POLICY_NAME_MAX];

	if (script->on_error == ON_ERROR_REJECT) {
		write_text(text, sizeof(text), "%s failed: %s", policy_hook_names[q->hook],
			   q->error);
		refuse(decision, script, VACCEL_EPERM, q->where, text);
	} else if (script->on_error == ON_ERROR_DEFAULT && q->hook == HOOK_SESSION_ROUTE) {
		write_where(where, script, script->line);
		plan(decision, where, &script->fallback, 1);
	}
}

static bool wants(const struct policy_engine *engine, enum policy_hook hook)
{
	return engine->active && engine->active->has_hook[hook];
}

static void ask_all(struct policy_engine *engine, struct question *q,
		    struct policy_decision *decision)
{
	for (size_t i = 0; i < engine->active->nr_scripts; i++) {
		q->script = &engine->active->scripts[i];
		if (q->script->hooks[q->hook].ref == LUA_NOREF)
			continue;
		if (!ask_hook(engine, q)) {
			if (decision)
				apply_on_error(decision, q);
		} else if (decision) {
			apply_answer(decision, q);
		}
		if (decision && decision->verdict == POLICY_REJECT)
			return;
	}
}

static void pass(struct policy_decision *decision)
{
	decision->verdict = POLICY_PASS;
	decision->code = 0;
	decision->nr_backends = 0;
	decision->text[0] = decision->where[0] = '\0';
}

void policy_session_route(struct policy_engine *engine, struct policy_session *session,
			  struct policy_decision *decision)
{
	struct question q = { .hook = HOOK_SESSION_ROUTE, .session = session };

	pass(decision);
	if (wants(engine, q.hook))
		ask_all(engine, &q, decision);
}

bool policy_wants_op_admit(const struct policy_engine *engine)
{
	return wants(engine, HOOK_OP_ADMIT);
}

void policy_op_admit(struct policy_engine *engine, struct policy_session *session,
		     const struct policy_op *op, struct policy_decision *decision)
{
	struct question q;

	pass(decision);
	if (!wants(engine, HOOK_OP_ADMIT))
		return;
	q.hook = HOOK_OP_ADMIT;
	q.session = session;
	q.op = op;
	ask_all(engine, &q, decision);
}

void policy_op_done(struct policy_engine *engine, struct policy_session *session,
		    const struct policy_op *op, const struct policy_result *result)
{
	struct question q;

	if (!wants(engine, HOOK_OP_DONE))
		return;
	q.hook = HOOK_OP_DONE;
	q.session = session;
	q.op = op;
	q.result = result;
	ask_all(engine, &q, NULL);
}

void policy_session_close(struct policy_engine *engine, struct policy_session *session)
{
	struct question q = { .hook = HOOK_SESSION_CLOSE, .session = session };

	if (wants(engine, q.hook))
		ask_all(engine, &q, NULL);
}
