/*
 * attempt.c - see attempt.h.
 */
#include "attempt.h"
#include "decide.h"
#include "metrics.h"
#include "mirror.h"
#include "operation_end.h"
#include "side.h"
#include <stdlib.h>

struct attempt {
	bool decided; /* where it runs: op_route is not asked again */
	bool aside;   /* the last one was not where the session is */
	unsigned retries;
	/* What is left of the plan for it begins at `at`. */
	struct backend *backends[POLICY_PLAN_MAX];
	size_t count, at;
	/* Of a class whose run() writes into its message: one for the next attempt. */
	const ProtobufCMessage *fresh;
};

static struct attempt *attempt_of(struct operation *operation)
{
	if (!operation->attempt)
		operation->attempt = calloc(1, sizeof(*operation->attempt));
	return operation->attempt;
}

static void out_of_memory(struct operation *operation)
{
	operation_fail(operation, VACCEL_ENOMEM, "out of memory");
}

static void take_plan(struct operation *operation, const struct policy_decision *decision)
{
	struct attempt *attempt = operation->attempt;
	size_t i;

	for (i = 0; i < decision->nr_backends; i++)
		attempt->backends[i] = backend_find(operation->agent, decision->backends[i]);
	attempt->count = decision->nr_backends;
	attempt->at = 0;
	attempt->decided = true;
}

static struct backend *next_backend(struct operation *operation)
{
	struct attempt *attempt = operation->attempt;
	struct backend *backend;

	while (attempt->at < attempt->count) {
		backend = attempt->backends[attempt->at++];
		if (backend->up && !backend_lacks(backend, operation->type))
			return backend;
	}
	return NULL;
}

/* What it came to is what the first one came to. */
static void aside_ended(struct operation *aside)
{
	struct operation *first = aside->first;
	const int code = aside->code;

	first->backend = aside->backend;
	first->work = aside->work;
	first->work.code = code;
	operation_drop_result(first);
	first->result = aside->result;
	first->bytes_out = aside->bytes_out;
	aside->result = NULL;
	operation_free(aside);
	if (!code || !attempt_again(first))
		operation_finish(first, code);
}

static void run_aside(struct operation *operation, struct backend *backend)
{
	struct session *side = side_get(operation->session, backend);
	struct operation *aside =
		side ? operation_new(operation->class, side, operation->resource) : NULL;

	if (!aside)
		return out_of_memory(operation);
	aside->id = operation->id;
	aside->type = operation->type;
	aside->request = operation->request;
	aside->arena = operation->arena;
	aside->message = operation->message;
	aside->home = session_ref(operation->session);
	aside->first = operation;
	aside->ended = aside_ended;
	operation->attempt->aside = true;
	operation_start_own(aside);
}

static void run_on(struct operation *operation, struct backend *backend)
{
	if (backend != operation->session->leg.backend)
		return run_aside(operation, backend);
	operation->attempt->aside = false;
	operation_run_again(operation);
}

/* ---- op_route */

static void refuse(struct operation *operation, const struct policy_decision *decision)
{
	operation->denied = true;
	operation_fail(operation, decision->code, "%s", decision->text);
}

static void follow(struct operation *operation, const struct policy_decision *decision)
{
	struct backend *backend;

	if (!attempt_of(operation))
		return out_of_memory(operation);
	take_plan(operation, decision);
	backend = next_backend(operation);
	if (backend)
		return run_on(operation, backend);
	operation_fail(operation, VACCEL_ENODEV,
		       "no backend can serve the operation: %s names %s%s", decision->where,
		       decision->backends[0],
		       decision->nr_backends > 1 ? " and others, none of which is up and has it"
						 : ", which is down or does not have it");
}

static bool ask_route(struct operation *operation)
{
	struct policy_decision decision;

	decide_op_route(operation, &decision);
	switch (decision.verdict) {
	case POLICY_ROUTE:
		follow(operation, &decision);
		return true;
	case POLICY_REJECT:
		refuse(operation, &decision);
		return true;
	case POLICY_MIRROR:
		mirror_begin(operation, backend_find(operation->agent, decision.backends[0]));
		return false;
	case POLICY_RETRY:
	case POLICY_WAIT:
	case POLICY_PASS:
		break;
	}
	return false;
}

/* Before run() writes into it. */
static void preserve(struct operation *operation)
{
	if (operation->class->copy && attempt_of(operation))
		operation->attempt->fresh =
			operation->class->copy(operation->message, operation->arena);
}

bool attempt_begin(struct operation *operation)
{
	const struct session *session = operation->session;

	if (!session->policy || operation->class->kind != OPERATION_RUN ||
	    (operation->attempt && operation->attempt->decided))
		return false;
	if (decide_wants_op_failed(operation))
		preserve(operation);
	return session->plan.per_op && decide_wants_op_route(operation) && ask_route(operation);
}

/* ---- op_failed */

/* The backend has not run it: the next in the plan may. */
static bool was_refused(const struct operation *operation)
{
	return operation->work.kind != WORK_RUN || operation->work.code == VACCEL_ENOTSUP;
}

static bool may_retry(const struct operation *operation)
{
	const struct attempt *attempt = operation->attempt;

	if (attempt && attempt->retries == ATTEMPT_RETRIES)
		return false;
	return !operation->class->copy || (attempt && attempt->fresh) ||
	       !decide_wants_op_failed(operation); /* nothing was kept, as nobody will say so */
}

/* A message that nobody has written into. */
static void refresh(struct operation *operation)
{
	struct attempt *attempt = operation->attempt;

	if (!attempt->fresh)
		return;
	operation->message = attempt->fresh;
	attempt->fresh = attempt->retries < ATTEMPT_RETRIES
				 ? operation->class->copy(operation->message, operation->arena)
				 : NULL;
}

/* Where the policy wants it tried again; NULL: nowhere. */
static struct backend *ask_failed(struct operation *operation)
{
	struct policy_decision decision;

	if (!may_retry(operation) || !decide_op_failed(operation, &decision) ||
	    !attempt_of(operation))
		return NULL;
	take_plan(operation, &decision);
	return next_backend(operation);
}

bool attempt_again(struct operation *operation)
{
	struct attempt *attempt = operation->attempt;
	struct backend *backend = NULL;

	if (operation->class->kind != OPERATION_RUN || operation_is_in_vain(operation))
		return false;
	if (attempt && was_refused(operation))
		backend = next_backend(operation);
	if (!backend) {
		backend = ask_failed(operation);
		if (!backend)
			return false;
		operation->attempt->retries++;
	}
	if (!operation->attempt->aside) {
		operation->code = operation->work.code;
		metrics_attempt(operation);
	}
	refresh(operation);
	run_on(operation, backend);
	return true;
}

bool attempt_was_aside(const struct operation *operation)
{
	return operation->attempt && operation->attempt->aside;
}

unsigned attempt_retries(const struct operation *operation)
{
	return operation->attempt ? operation->attempt->retries : 0;
}
