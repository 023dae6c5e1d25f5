/*
 * decide.c - the hooks: scripts asked in order, and what counts when one fails.
 *
 *   a hook says nothing    the next script is asked
 *   a refusal              ends it: any script can refuse
 *   a plan                 the first one wins; the rest may still refuse
 *   anything else          is a failure, and the script's on_error decides
 */
#include "counts.h"
#include "registry.h"

#include "vaccel/error.h"

#include <string.h>

struct question {
	enum policy_hook hook;
	struct script *script;
	const struct policy_peer *peer;
	const struct policy_session *session;
	const struct policy_resource *resource;
	const struct policy_op *op;
	const struct policy_result *result;
	const char *backend;
	bool up;
	/* what the hook said */
	const struct policy_value *answer; /* NULL: nothing; good until Lua runs again */
	/* or how it failed */
	struct policy_failure *failure; /* the caller's */
};

/* ---- asking one hook, inside policy_enter */

static void push_op(lua_State *L, const struct question *q)
{
	policy_push_text(L, q->op->name);
	if (q->op->id)
		lua_pushnumber(L, (lua_Number)q->op->id);
	else
		lua_pushnil(L);
	lua_rawgeti(L, LUA_REGISTRYINDEX, q->session->proxy);
	policy_push_text(L, q->op->backend);
	lua_pushnumber(L, (lua_Number)q->op->bytes_in);
	if (q->op->has_deadline)
		lua_pushnumber(L, q->op->deadline);
	else
		lua_pushnil(L);
	lua_pushnumber(L, q->op->retries + 1.0);
}

static void push_result(lua_State *L, const struct policy_result *result)
{
	lua_pushinteger(L, result->code);
	policy_push_text(L, result->backend);
	lua_pushnumber(L, (lua_Number)result->queue_us);
	lua_pushnumber(L, (lua_Number)result->service_us);
	if (result->bytes_out == SIZE_MAX)
		lua_pushnil(L);
	else
		lua_pushnumber(L, (lua_Number)result->bytes_out);
	policy_push_text(L, result->mirror);
	lua_pushboolean(L, result->cached);
}

/* One that is returned often is looked at once in an epoch: only a reload can change what is. */
static void check_names(lua_State *L, struct policy_engine *engine, const struct question *q,
			struct policy_value *value)
{
	char list[160];

	if (value->checked == engine->epoch)
		return;
	for (size_t i = 0; i < value->nr; i++) {
		if (policy_names_declared(engine->active, value->names[i]))
			continue;
		policy_names_list(engine->active, list, sizeof(list));
		luaL_error(L, "%s:%d: %s names \"%s\"; declared: %s", q->script->file,
			   value->line ? value->line : q->script->hooks[q->hook].line,
			   policy_value_names[value->kind], value->names[i], list);
	}
	value->checked = engine->epoch;
}

/* The value at the top, which may only be nil or what this hook may say. */
static void take_answer(lua_State *L, struct policy_engine *engine, struct question *q)
{
	struct policy_value *value = policy_to_value(L, engine, -1);
	const struct policy_hook_info *info = &policy_hooks[q->hook];

	if (lua_type(L, -1) == LUA_TNIL)
		return;
	if (!value)
		luaL_error(L, "%s returned a %s; it may return %s", info->name,
			   luaL_typename(L, -1), info->says);
	if (value->kind != VALUE_WAIT && !(info->kinds & MAY_SAY(value->kind)))
		luaL_error(L, "%s returned a %s; it may return %s", info->name,
			   policy_value_names[value->kind], info->says);
	if (value->kind == VALUE_WAIT && q->hook != HOOK_OP_ADMIT)
		luaL_error(L, "%s returned what concurrency said of an operation; it may return %s",
			   info->name, info->says);
	if (info->of_op &&
	    (value->keep.wanted || value->deadline > 0 || value->per_op || value->cache))
		luaL_error(L,
			   "%s returned a route with sticky, ttl, uses, deadline, per_op or cache, "
			   "which "
			   "are of a session's route",
			   info->name);
	check_names(L, engine, q, value);
	q->answer = value;
}

static void ask(lua_State *L, struct policy_engine *engine, void *arg)
{
	struct question *q = arg;
	int hook = q->script->hooks[q->hook].ref;

	switch (q->hook) {
	case HOOK_PEER_ACCEPT:
		lua_rawgeti(L, LUA_REGISTRYINDEX, hook);
		policy_push_peer(L, engine, q->peer);
		lua_call(L, 1, 1);
		break;
	case HOOK_SESSION_ROUTE:
	case HOOK_SESSION_CLOSE:
		lua_rawgeti(L, LUA_REGISTRYINDEX, hook);
		lua_rawgeti(L, LUA_REGISTRYINDEX, q->session->proxy);
		lua_call(L, 1, 1);
		break;
	case HOOK_BACKEND_STATE:
		lua_rawgeti(L, LUA_REGISTRYINDEX, hook);
		policy_push_backend(L, engine, q->backend);
		lua_pushboolean(L, q->up);
		lua_call(L, 2, 0);
		break;
	case HOOK_RESOURCE_ADMIT:
		lua_rawgeti(L, LUA_REGISTRYINDEX, hook);
		lua_rawgeti(L, LUA_REGISTRYINDEX, q->session->proxy);
		policy_push_resource(L, engine, q->resource);
		lua_call(L, 2, 1);
		break;
	case HOOK_OP_ADMIT:
	case HOOK_OP_ROUTE:
		lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_ENTER_OP]);
		lua_rawgeti(L, LUA_REGISTRYINDEX, hook);
		push_op(L, q);
		lua_call(L, 8, 1);
		break;
	default:
		lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_ENTER_DONE]);
		lua_rawgeti(L, LUA_REGISTRYINDEX, hook);
		push_result(L, q->result);
		push_op(L, q);
		lua_call(L, 15, 1);
		break;
	}
	if (policy_hooks[q->hook].says)
		take_answer(L, engine, q);
}

/* The hook ended by an error: its op and result are closed here instead. */
static void expire(lua_State *L, struct policy_engine *engine, void *arg)
{
	(void)arg;
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->functions[FN_EXPIRE]);
	lua_call(L, 0, 0);
}

/* ---- asking */

/* Its session_route need not be asked when it said what still holds. */
static const struct policy_value *recall(struct policy_engine *engine, const struct question *q)
{
	if (!q->script->hooks[q->hook].remembers)
		return NULL;
	return policy_remembered(engine, q->script, q->session);
}

/* Ask the question's hook. False when it failed: q says how, and on_error is to decide. */
static bool ask_hook(struct policy_engine *engine, struct question *q)
{
	struct hook *hook = &q->script->hooks[q->hook];
	unsigned budget_us = policy_hooks[q->hook].of_op ? engine->options.op_budget_us
							 : engine->options.session_budget_us;
	struct policy_asked asked = { .engine = engine, .session = q->session };
	bool good;

	if (hook->object) {
		asked.now = policy_clock(engine);
		q->answer = hook->object->kind->ask(hook->object, &asked);
		return true;
	}
	q->answer = recall(engine, q);
	if (q->answer)
		return true;
	engine->asked = &asked;
	engine->asking = q->hook;
	good = policy_call(engine, q->script, hook, ask, q, budget_us, q->failure);
	engine->asked = NULL;
	if (good && q->answer && q->answer->keep.wanted) {
		hook->remembers = true;
		policy_remember(engine, q->script, q->session, q->answer);
	}
	if (good)
		return true;
	if (policy_hooks[q->hook].of_op)
		policy_enter(engine, NULL, expire, NULL, budget_us);
	return false;
}

static bool ask_and_count(struct policy_engine *engine, struct question *q)
{
	struct policy_counts *counts = &q->script->hooks[q->hook].counts;
	const bool timed = counts_due(counts);
	const uint64_t start = timed ? policy_now() : 0;
	const bool good = ask_hook(engine, q);

	if (timed)
		counts_time(counts, policy_now() - start);
	counts_add(counts, !good);
	return good;
}

/* ---- decisions */

static void refuse(struct policy_decision *decision, const struct script *script, int code,
		   const char *where, const char *reason)
{
	const char *end = decision->text + sizeof(decision->text);
	char *at = policy_put(decision->text, end, "refused by policy ");

	decision->verdict = POLICY_REJECT;
	decision->code = code;
	memcpy(decision->where, where, sizeof(decision->where));
	at = policy_put(policy_put(at, end, script->name), end, " (");
	policy_put(policy_put(policy_put(at, end, where), end, "): "), end, reason);
}

/* A route, retry or mirror. */
static void choose(struct policy_decision *decision, enum policy_verdict verdict, const char *where,
		   const char (*names)[POLICY_NAME_MAX], size_t nr)
{
	decision->verdict = verdict;
	memcpy(decision->where, where, sizeof(decision->where));
	memcpy(decision->backends, names, nr * POLICY_NAME_MAX);
	decision->nr_backends = nr;
}

static void apply_answer(struct policy_decision *decision, const struct question *q)
{
	static const enum policy_verdict verdicts[] = {
		[VALUE_PLAN] = POLICY_ROUTE,
		[VALUE_REJECT] = POLICY_REJECT,
		[VALUE_RETRY] = POLICY_RETRY,
		[VALUE_MIRROR] = POLICY_MIRROR,
	};
	const struct policy_value *answer = q->answer;
	const bool waits = decision->verdict == POLICY_WAIT;
	char written[POLICY_NAME_MAX];
	const char *where = written;

	if (!answer)
		return;
	if (answer->where[0])
		where = answer->where;
	else
		policy_write_where(written, q->script,
				   answer->line ? answer->line : q->script->hooks[q->hook].line);
	if (answer->kind == VALUE_REJECT || answer->kind == VALUE_WAIT) {
		refuse(decision, q->script, answer->code, where, answer->text);
		if (answer->kind == VALUE_WAIT && !waits) { /* for one thing at a time */
			decision->verdict = POLICY_WAIT;
			decision->wait = answer->wait;
		}
		return;
	}
	if (decision->verdict != POLICY_PASS)
		return; /* the first one wins */
	choose(decision, verdicts[answer->kind], where, answer->names, answer->nr);
	decision->deadline = answer->deadline;
	decision->per_op = answer->per_op;
	if (answer->cache)
		decision->answers = policy_answers_of(answer->cache);
}

static void apply_on_error(struct policy_decision *decision, const struct question *q)
{
	const struct script *script = q->script;
	char text[POLICY_TEXT_MAX], where[POLICY_NAME_MAX];

	if (policy_hooks[q->hook].late)
		return;
	if (script->on_error == ON_ERROR_REJECT) {
		policy_format(text, sizeof(text), "%s failed: %s", policy_hooks[q->hook].name,
			      q->failure->error);
		refuse(decision, script, VACCEL_EPERM, q->failure->where, text);
	} else if (script->on_error == ON_ERROR_DEFAULT && decision->verdict == POLICY_PASS &&
		   (policy_hooks[q->hook].kinds & MAY_SAY(VALUE_PLAN))) {
		policy_write_where(where, script, script->line);
		choose(decision, POLICY_ROUTE, where, &script->fallback, 1);
	}
}

static bool wants(const struct policy_engine *engine, enum policy_hook hook)
{
	return engine->active && engine->active->has_hook[hook];
}

static void ask_each(struct policy_engine *engine, struct question *q,
		     struct policy_decision *decision)
{
	for (size_t i = 0; i < engine->active->nr_scripts; i++) {
		q->script = &engine->active->scripts[i];
		if (q->script->hooks[q->hook].ref == LUA_NOREF)
			continue;
		if (!ask_and_count(engine, q)) {
			if (decision)
				apply_on_error(decision, q);
		} else if (decision) {
			apply_answer(decision, q);
		}
		if (decision && decision->verdict == POLICY_REJECT)
			return;
	}
}

static void ask_all(struct policy_engine *engine, struct question *q,
		    struct policy_decision *decision)
{
	struct policy_failure failure;

	q->failure = &failure;
	ask_each(engine, q, decision);
	q->failure = NULL;
}

static void pass(struct policy_decision *decision)
{
	decision->verdict = POLICY_PASS;
	decision->code = 0;
	decision->nr_backends = 0;
	decision->deadline = 0;
	decision->per_op = false;
	decision->answers.id = 0;
	decision->text[0] = decision->where[0] = '\0';
}

void policy_peer_accept(struct policy_engine *engine, const struct policy_peer *peer,
			struct policy_decision *decision)
{
	struct question q = { .hook = HOOK_PEER_ACCEPT, .peer = peer };

	pass(decision);
	if (wants(engine, q.hook))
		ask_all(engine, &q, decision);
}

void policy_session_route(struct policy_engine *engine, struct policy_session *session,
			  struct policy_decision *decision)
{
	struct question q = { .hook = HOOK_SESSION_ROUTE, .session = session };

	pass(decision);
	if (wants(engine, q.hook))
		ask_all(engine, &q, decision);
}

void policy_resource_admit(struct policy_engine *engine, struct policy_session *session,
			   const struct policy_resource *resource, struct policy_decision *decision)
{
	struct question q = { .hook = HOOK_RESOURCE_ADMIT,
			      .session = session,
			      .resource = resource };

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

bool policy_wants_op_route(const struct policy_engine *engine)
{
	return wants(engine, HOOK_OP_ROUTE);
}

void policy_op_route(struct policy_engine *engine, struct policy_session *session,
		     const struct policy_op *op, struct policy_decision *decision)
{
	struct question q = { .hook = HOOK_OP_ROUTE, .session = session, .op = op };

	pass(decision);
	if (wants(engine, q.hook))
		ask_all(engine, &q, decision);
}

bool policy_wants_op_failed(const struct policy_engine *engine)
{
	return wants(engine, HOOK_OP_FAILED);
}

void policy_op_failed(struct policy_engine *engine, struct policy_session *session,
		      const struct policy_op *op, const struct policy_result *result,
		      struct policy_decision *decision)
{
	struct question q = {
		.hook = HOOK_OP_FAILED, .session = session, .op = op, .result = result
	};

	pass(decision);
	if (wants(engine, q.hook))
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

void policy_backend_state(struct policy_engine *engine, const char *name, bool up)
{
	struct question q = { .hook = HOOK_BACKEND_STATE, .backend = name, .up = up };

	if (wants(engine, q.hook) && policy_names_declared(engine->active, name))
		ask_all(engine, &q, NULL);
	policy_epoch_advance(engine); /* plans that were made before the scripts knew */
}
