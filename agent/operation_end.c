/*
 * operation_end.c - see operation_end.h.
 */
#include "operation_end.h"
#include "attempt.h"
#include "cache.h"
#include "connection.h"
#include "decide.h"
#include "log.h"
#include "mirror.h"
#include "reply.h"
#include "resource.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool operation_is_call(const struct operation *operation)
{
	return operation->class->kind == OPERATION_LOAD ||
	       operation->class->kind == OPERATION_UNLOAD ||
	       operation->class->kind == OPERATION_RUN;
}

bool operation_changes(const struct operation *operation)
{
	return operation->class->kind != OPERATION_RUN;
}

void operation_drop_result(struct operation *operation)
{
	if (operation->class->release)
		operation->class->release(operation);
	operation->result = NULL;
	operation->bytes_out = 0;
}

void operation_free(struct operation *operation)
{
	struct agent *agent = operation->agent;

	operation_drop_result(operation);
	if (operation->mirror)
		mirror_leave(operation);
	cache_forget(operation);
	operation->session->changing -= operation_changes(operation);
	if (operation->resource)
		resource_unref(operation->resource);
	if (operation->home)
		session_unref(operation->home);
	session_unref(operation->session);
	free(operation->attempt);
	free(operation);
	agent->nr_operations--;
}

void operation_refuse(struct operation *operation, int code, const char *text)
{
	operation->code = code;
	metrics_attempt(operation);
	metrics_operation(operation);
	operation->session->operations++;
	operation->session->errors++;
	reply_refused(operation->request, code, text);
	operation_free(operation);
}

/* The reply has left, or nobody waits for it any more. */
static void replied(void *arg)
{
	struct operation *operation = arg;

	if (operation_is_call(operation))
		aftermath_operation(operation);
	if (operation->class->kind == OPERATION_DESTROY)
		aftermath_session(operation->session);
	operation_free(operation);
}

void operation_reply(struct operation *operation, const ProtobufCMessage *response)
{
	cache_keep(operation, response);
	if (operation->mirror)
		mirror_answers(operation, response);
	if (!operation->home)
		ttrpc_request_reply(operation->request, response, replied, operation);
}

void operation_reply_failure(struct operation *operation, int code, const char *reason)
{
	operation->code = code;
	if (operation->mirror)
		mirror_answers(operation, NULL);
	if (operation->home)
		return;
	if (operation->denied)
		reply_refused(operation->request, code, reason);
	else
		reply_vaccel(operation->request, code, reason);
	replied(operation);
}

static void answer_failure(struct operation *operation)
{
	const struct work *work = &operation->work;

	if (work->status < 0)
		return operation_reply_failure(operation, operation->code, work->reason);
	if (operation->mirror)
		mirror_answers(operation, NULL);
	reply_model(operation->request, operation->code, work->status, work->reason);
	replied(operation);
}

static void answer(struct operation *operation)
{
	if (operation->ended)
		operation->ended(operation);
	else if (!operation->request)
		replied(operation);
	else if (operation->code)
		answer_failure(operation);
	else
		operation->class->reply(operation);
}

static void count(struct operation *operation)
{
	struct session *session = operation->session;

	decide_ended(operation);
	if (!operation_is_call(operation))
		return;
	if (!attempt_was_aside(operation))
		metrics_attempt(operation);
	if (operation->home)
		return;
	metrics_operation(operation);
	session->operations++;
	session->errors += operation->code != 0;
	session->answered =
		session->answered || (!operation->code && operation->class->kind == OPERATION_RUN);
	session->bytes_in += operation->bytes_in;
	session->bytes_out += operation->bytes_out;
	if (!operation->work.ended_us || operation->cached)
		return;
	histogram_add(&session->wait, operation->work.started_us - operation->received_us);
	histogram_add(&session->service, operation->work.ended_us - operation->work.started_us);
}

/*
 * No backend of the plan took it: for the policy it has ended like any other, once. When its peer
 * has left meanwhile, the farewell that waits for its turn tells the policy.
 */
static void not_created(struct operation *operation)
{
	struct session *session = operation->session;

	metrics_session(session->agent, session->listener, SESSION_FAILED);
	if (session_may_log(session))
		log_info("session %" PRId64 " peer=%s was not created: code %d: %s", session->id,
			 session->peer, operation->code, operation->work.reason);
	if (session->end)
		return;
	aftermath_session(session);
	connection_drop_session(session, "refused");
}

static void created(const struct session *session)
{
	metrics_session(session->agent, session->listener, SESSION_CREATED);
	if (session_may_log(session))
		log_info("Created session %" PRId64, session->id);
}

/* What the session repeats when it moves. */
static void remember_load(const struct operation *operation)
{
	struct registration *registration =
		session_registration(operation->session, operation->resource);
	unsigned family = operation->class->family;

	if (operation->class->kind == OPERATION_LOAD) {
		registration->load |= family;
		registration->loaded |= family;
	} else {
		registration->load &= ~family;
		registration->loaded &= ~family;
	}
}

/* What must hold for the connection's tables after success or failure. */
static void settle(struct operation *operation)
{
	struct session *session = operation->session;
	struct registration *registration;

	switch (operation->class->kind) {
	case OPERATION_CREATE:
		if (operation->code)
			not_created(operation);
		else
			created(session);
		break;
	case OPERATION_REGISTER:
		registration = session_registration(session, operation->resource);
		if (operation->code && registration && !registration->replica)
			session_forget(session, registration);
		else if (!operation->code &&
			 connection_keep_resource(session->connection, operation->resource))
			operation->code = VACCEL_ENOMEM;
		break;
	case OPERATION_UNREGISTER:
		if (!operation->resource->registrations)
			connection_drop_resource(operation->resource);
		break;
	case OPERATION_DESTROY:
		session_log_end(session);
		break;
	case OPERATION_LOAD:
	case OPERATION_UNLOAD:
		if (!operation->code)
			remember_load(operation);
		break;
	case OPERATION_RUN:
		break;
	}
}

void operation_fail(struct operation *operation, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(operation->work.reason, sizeof(operation->work.reason), format, args);
	va_end(args);
	operation->work.status = -1;
	operation_finish(operation, code);
}

void operation_finish(struct operation *operation, int code)
{
	operation->state = OPERATION_DONE;
	operation->code = code;
	count(operation);
	settle(operation);
	strand_release(&operation->session->strand, &operation->turn);
	answer(operation);
}

void operation_finish_cached(struct operation *operation, const ProtobufCMessage *response)
{
	operation->state = OPERATION_DONE;
	operation->work.started_us = operation->work.ended_us = agent_now_us();
	count(operation);
	operation_reply(operation, response);
}
