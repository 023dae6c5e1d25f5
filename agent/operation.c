/*
 * operation.c - see operation.h. The life of an operation, as a small machine on the loop's thread:
 * each step asks a backend for one piece of work (operation_work.h) and goes on when it is done.
 *
 *     LEAVE   take every registration off the leg, close it            (moving, or ending)
 *     ENTER   open a leg on the plan's backend, repeat registrations   (creating, registering,
 *             and model loads on it                                     loading, moving)
 *     OWN     what the operation itself is for
 *
 * In the usual case all is entered and one piece of work is left: the operation's own.
 */
#include "operation.h"
#include "attempt.h"
#include "cache.h"
#include "connection.h"
#include "decide.h"
#include "log.h"
#include "operation_end.h"
#include "operation_work.h"
#include "reply.h"
#include "resource.h"
#include "side.h"
#include "waiting.h"
#include <inttypes.h>
#include <stdlib.h>

static void step(struct operation *operation);

void operation_init(struct operation *operation, const struct operation_class *class,
		    struct session *session, struct resource *resource)
{
	operation->class = class;
	operation->agent = session->agent;
	operation->session = session_ref(session);
	operation->resource = resource ? resource_ref(resource) : NULL;
	operation->id = ++session->agent->next_operation;
	session->changing += operation_changes(operation);
}

struct operation *operation_new(const struct operation_class *class, struct session *session,
				struct resource *resource)
{
	struct operation *operation = calloc(1, sizeof(*operation));

	if (operation)
		operation_init(operation, class, session, resource);
	return operation;
}

/* Move the plan on; the session leaves its leg before it enters another. */
static void move_on(struct operation *operation, const char *what, const char *reason)
{
	session_next(operation->session, what, reason);
	operation->moved = true;
	operation->state = OPERATION_QUEUED;
	operation->phase = PHASE_LEAVE;
}

/*
 * What a shared turn may not do: move the session, enter it, or run where operations run one by
 * one. Ask for it again, alone, before those that wait.
 */
static void retry_alone(struct operation *operation)
{
	struct session *session = session_ref(operation->session);
	struct turn shared = { .exclusive = false };

	operation->state = OPERATION_QUEUED; /* what was refused has not run */
	operation->turn.exclusive = true;
	strand_take_first(&session->strand, &operation->turn);
	strand_release(&session->strand, &shared); /* the operation may be gone after it */
	session_unref(session);
}

/* Not so when the resource itself could not be had: made here, or downloaded. */
static bool is_refused_resource(const struct operation *operation)
{
	return operation->at->resource->master && operation->work.code != VACCEL_EINVAL &&
	       operation->work.code != VACCEL_EREMOTEIO;
}

/*
 * Did the backend say no to the session, rather than to these arguments, and is there another that
 * might not? Nothing has run by then. An operation that the backend does not know moves a session
 * only before its first answer: whose answers it gets does not change under its hands.
 */
static bool is_refusal(const struct operation *operation)
{
	const struct work *work = &operation->work;
	const struct session *session = operation->session;

	switch (work->kind) {
	case WORK_OPEN:
		return session_has_next(session);
	case WORK_ADD:
		return is_refused_resource(operation) && session_has_next(session);
	case WORK_LOAD:
	case WORK_RUN:
		return work->code == VACCEL_ENOTSUP && !session->answered &&
		       !backend_knows(session->leg.backend, operation->type) &&
		       session_next_may_know(session, operation->type);
	case WORK_CLOSE:
	case WORK_DROP:
		break;
	}
	return false;
}

/*
 * A model that the session had loaded before it moved does not load here: that is no failure of
 * the operation at hand, and those that run the model are told by the plugin.
 */
static void load_lost(struct operation *operation)
{
	if (session_may_log(operation->session))
		log_warn("session %" PRId64 ": backend %s does not load resource %" PRId64 ": %s",
			 operation->session->id, operation->session->leg.backend->name,
			 operation->at->resource->id, operation->work.reason);
	operation->at->load &= ~operation->work.family;
	step(operation);
}

/* Is the operation to run the model whose load is being repeated? */
static bool needs_load(const struct operation *operation)
{
	return operation->class->kind == OPERATION_RUN &&
	       operation->at->resource == operation->resource;
}

bool operation_is_in_vain(const struct operation *operation)
{
	const struct ttrpc_request *request = operation->request;

	return operation->session->end || (request && request->cut);
}

static void work_failed(struct operation *operation)
{
	struct work *work = &operation->work;

	if (operation_is_in_vain(operation)) {
		operation_finish(operation, work->code);
	} else if (work->kind == WORK_LOAD && !needs_load(operation)) {
		load_lost(operation);
	} else if (!is_refusal(operation)) {
		if (operation->home || !attempt_again(operation))
			operation_finish(operation, work->code);
	} else if (!operation->turn.exclusive) {
		operation->refused = operation->session->leg.backend;
		retry_alone(operation);
	} else {
		move_on(operation, "refused", work->reason);
		step(operation);
	}
}

void operation_worked(struct operation *operation, int code)
{
	if (code)
		work_failed(operation);
	else
		step(operation);
}

static void step_leave(struct operation *operation)
{
	struct session *session = operation->session;
	struct registration *registration;

	for (registration = session->registrations; registration; registration = registration->next)
		if (registration->replica)
			return operation_submit(operation, WORK_DROP, registration);
	if (session->leg.session)
		return operation_submit(operation, WORK_CLOSE, NULL);
	if (operation->class->kind == OPERATION_DESTROY) {
		while (session->registrations)
			session_forget(session, session->registrations);
		return operation_finish(operation, 0);
	}
	operation->phase = PHASE_ENTER;
	step(operation);
}

static void open_leg(struct operation *operation)
{
	struct session *session = operation->session;
	const struct plan *plan = &session->plan;

	while (session_has_next(session) && !plan->backends[session->at]->up) {
		session_next(session, "down", plan->backends[session->at]->why);
		operation->moved = true;
	}
	if (!plan->backends[session->at]->up)
		return operation_fail(
			operation, VACCEL_ENODEV, "no backend can serve the session: %s:down: %s",
			plan->backends[session->at]->name, plan->backends[session->at]->why);
	session->leg.backend = plan->backends[session->at];
	operation_submit(operation, WORK_OPEN, NULL);
}

static void add_replica(struct operation *operation, struct registration *registration)
{
	registration->replica =
		replica_get(registration->resource, operation->session->leg.backend);
	if (!registration->replica)
		return operation_fail(operation, VACCEL_ENOMEM, "out of memory");
	operation_submit(operation, WORK_ADD, registration);
}

static void step_enter(struct operation *operation)
{
	struct session *session = operation->session;
	struct registration *registration;

	if (!session->leg.session)
		return open_leg(operation);
	for (registration = session->registrations; registration; registration = registration->next)
		if (!registration->replica)
			return add_replica(operation, registration);
	for (registration = session->registrations; registration; registration = registration->next)
		if (registration->load & ~registration->loaded)
			return operation_submit(operation, WORK_LOAD, registration);
	if (operation->moved && session_may_log(session))
		log_info("session %" PRId64 ": backend %s serves, not %s (%s)", session->id,
			 session->leg.backend->name, session->plan.backends[0]->name, session->why);
	operation->moved = false;
	decide_moved(session);
	operation->phase = PHASE_OWN;
	step(operation);
}

/* A call happens once; the step after it finds it done. */
static void step_own(struct operation *operation)
{
	struct session *session = operation->session;
	struct registration *model = NULL;

	if (!operation_is_call(operation) || operation->state == OPERATION_RUNNING)
		return operation_finish(operation, 0);
	if (operation->resource) {
		model = session_registration(session, operation->resource);
		if (!model)
			return operation_fail(operation, VACCEL_EPERM,
					      "resource %" PRId64
					      " is not registered with session %" PRId64,
					      operation->resource->id, session->id);
	} else {
		model = session_first_model(session);
	}
	operation_drop_result(operation); /* of a backend that refused */
	if (!operation->home && attempt_begin(operation))
		return;
	operation->state = OPERATION_RUNNING;
	operation_submit(operation, WORK_RUN, model);
}

void operation_run_again(struct operation *operation)
{
	operation->state = OPERATION_QUEUED;
	step(operation);
}

static void step(struct operation *operation)
{
	switch (operation->phase) {
	case PHASE_LEAVE:
		return step_leave(operation);
	case PHASE_ENTER:
		return step_enter(operation);
	case PHASE_OWN:
		return step_own(operation);
	}
}

static void start_register(struct operation *operation)
{
	struct session *session = operation->session;

	if (!session_registration(session, operation->resource) &&
	    !session_register(session, operation->resource))
		return operation_fail(operation, VACCEL_ENOMEM, "out of memory");
	step(operation);
}

static void start_unregister(struct operation *operation)
{
	struct session *session = operation->session;
	struct registration *registration = session_registration(session, operation->resource);

	if (!registration)
		return operation_fail(operation, VACCEL_EINVAL,
				      "resource %" PRId64
				      " is not registered with session %" PRId64,
				      operation->resource->id, session->id);
	operation->phase = PHASE_OWN;
	sides_unregister(session, operation->resource, operation->class);
	if (registration->replica)
		return operation_submit(operation, WORK_DROP, registration);
	session_forget(session, registration);
	operation_finish(operation, 0);
}

/* The load is the operation's own work, whether there was one before or not. */
static void start_load(struct operation *operation)
{
	struct registration *registration =
		session_registration(operation->session, operation->resource);

	if (registration) {
		registration->load &= ~operation->class->family;
		registration->loaded &= ~operation->class->family;
	}
	step(operation);
}

/* Another operation may have moved the session meanwhile. */
static void start_refused(struct operation *operation)
{
	struct session *session = operation->session;

	if (session->leg.backend == operation->refused && session_has_next(session))
		move_on(operation, "refused", operation->work.reason);
	operation->refused = NULL;
	step(operation);
}

/* Decided again when the turn has come: the session may have moved since it was asked for. */
static bool may_share(const struct operation *operation)
{
	return session_is_entered(operation->session) && operation_is_reentrant(operation);
}

static void granted(struct turn *turn)
{
	struct operation *operation =
		(struct operation *)((char *)turn - offsetof(struct operation, turn));
	char why[80];

	if (operation->class->kind == OPERATION_DESTROY) {
		operation->phase = PHASE_LEAVE;
		return step(operation);
	}
	if (operation_is_in_vain(operation)) {
		operation_say_in_vain(why, sizeof(why), operation);
		return operation_fail(operation, VACCEL_ESESS, "%s", why);
	}
	if (operation->home && side_follow(operation->session, operation->home))
		return operation_fail(operation, VACCEL_ENOMEM, "out of memory");
	if (!operation->turn.exclusive && !may_share(operation))
		return retry_alone(operation);
	operation->phase = PHASE_ENTER;
	if (operation->refused)
		return start_refused(operation);
	switch (operation->class->kind) {
	case OPERATION_REGISTER:
		return start_register(operation);
	case OPERATION_UNREGISTER:
		return start_unregister(operation);
	case OPERATION_LOAD:
		return start_load(operation);
	default:
		return step(operation);
	}
}

void operation_go_on(struct operation *operation)
{
	struct session *session;

	if (cache_answers(operation))
		return;
	session = session_ref(operation->session);

	operation->state = OPERATION_QUEUED;
	operation->turn.granted = granted;
	operation->turn.exclusive = !operation_is_reentrant(operation);
	strand_take(&session->strand, &operation->turn); /* the operation may be gone after it */
	session_unref(session);
}

/* What a draining agent takes on no more; what ends things goes on. */
static bool begins_work(enum operation_kind kind)
{
	return kind == OPERATION_REGISTER || kind == OPERATION_LOAD || kind == OPERATION_RUN;
}

void operation_admit(struct operation *operation)
{
	struct policy_decision decision;

	if (!decide_operation(operation, &decision))
		return operation_refuse(operation, decision.code, decision.text);
	if (decision.verdict == POLICY_WAIT)
		return waiting_begin(operation, &decision);
	decide_began(operation);
	operation_go_on(operation);
}

void operation_start(struct operation *operation, struct ttrpc_request *request,
		     const ProtobufCMessage *message)
{
	operation->request = request;
	operation->arena = &request->arena;
	operation->message = message;
	operation->bytes_in = request->received;
	operation->received_us = agent_now_us();
	operation->agent->nr_operations++;
	log_debug("session:%" PRId64 " %s", operation->session->id, operation->class->method);

	if (operation->agent->draining && begins_work(operation->class->kind)) {
		reply_draining(request);
		return operation_free(operation);
	}
	if (operation->session->plan.deadline > 0 && operation_is_call(operation))
		ttrpc_request_within(request, operation->session->plan.deadline);
	operation_admit(operation);
}

void operation_start_own(struct operation *operation)
{
	operation->received_us = agent_now_us();
	operation->agent->nr_operations++;
	operation_go_on(operation);
}

void operation_end_session(struct session *session, const char *why, struct ttrpc_request *request,
			   const struct operation_class *class)
{
	struct operation *operation = session_farewell(session, class);

	sides_end(session, why, class);
	connection_drop_session(session, why);
	operation->request = request;
	waiting_session_ended(session);
	operation_start_own(operation);
}
