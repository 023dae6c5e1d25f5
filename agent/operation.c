/*
 * operation.c - see operation.h. The life of an operation, as a small machine on the loop's thread:
 * each step asks a backend for one piece of work and goes on when it is done.
 *
 *     LEAVE   take every registration off the leg, close it            (moving, or ending)
 *     ENTER   open a leg on the plan's backend, repeat registrations   (creating, registering,
 *             and model loads on it                                     loading, moving)
 *     OWN     what the operation itself is for
 *
 * In the usual case all is entered and one piece of work is left: the operation's own.
 */
#include "operation.h"
#include "connection.h"
#include "decide.h"
#include "log.h"
#include "luaccel.h"
#include "reply.h"
#include "resource.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void step(struct operation *operation);

static void operation_init(struct operation *operation, const struct operation_class *class,
			   struct session *session, struct resource *resource)
{
	operation->class = class;
	operation->agent = session->agent;
	operation->session = session_ref(session);
	operation->resource = resource ? resource_ref(resource) : NULL;
	operation->id = ++session->agent->next_operation;
}

struct operation *operation_new(const struct operation_class *class, struct session *session,
				struct resource *resource)
{
	struct operation *operation = calloc(1, sizeof(*operation));

	if (operation)
		operation_init(operation, class, session, resource);
	return operation;
}

static void drop_result(struct operation *operation)
{
	if (operation->class->release)
		operation->class->release(operation);
	operation->result = NULL;
	operation->bytes_out = 0;
}

static void operation_free(struct operation *operation)
{
	struct agent *agent = operation->agent;

	drop_result(operation);
	if (operation->resource)
		resource_unref(operation->resource);
	session_unref(operation->session);
	free(operation);
	agent->nr_operations--;
}

/* The reply has left, or nobody waits for it any more. */
static void replied(void *arg)
{
	struct operation *operation = arg;

	if (operation->class->kind == OPERATION_RUN || operation->class->kind == OPERATION_LOAD)
		aftermath_operation(operation);
	if (operation->class->kind == OPERATION_DESTROY)
		aftermath_session(operation->session);
	operation_free(operation);
}

void operation_reply(struct operation *operation, const ProtobufCMessage *response)
{
	ttrpc_request_reply(operation->request, response, replied, operation);
}

void operation_reply_failure(struct operation *operation, int code, const char *reason)
{
	operation->code = code;
	reply_vaccel(operation->request, code, reason);
	replied(operation);
}

static void answer(struct operation *operation)
{
	if (!operation->request)
		replied(operation);
	else if (operation->code)
		operation_reply_failure(operation, operation->code, operation->work.reason);
	else
		operation->class->reply(operation);
}

static void count(struct operation *operation)
{
	struct session *session = operation->session;

	if (operation->class->kind != OPERATION_RUN && operation->class->kind != OPERATION_LOAD)
		return;
	session->operations++;
	session->errors += operation->code != 0;
	session->answered =
		session->answered || (!operation->code && operation->class->kind == OPERATION_RUN);
	session->bytes_in += operation->bytes_in;
	session->bytes_out += operation->bytes_out;
	if (!operation->work.ended_us)
		return;
	histogram_add(&session->wait, operation->work.started_us - operation->received_us);
	histogram_add(&session->service, operation->work.ended_us - operation->work.started_us);
}

/* No backend of the plan took it: for the policy it has ended like any other. */
static void not_created(struct operation *operation)
{
	struct session *session = operation->session;

	log_info("session %" PRId64 " peer=%s was not created: code %d: %s", session->id,
		 session->peer, operation->code, operation->work.reason);
	aftermath_session(session);
	connection_drop_session(session, "refused");
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
			log_info("Created session %" PRId64, session->id);
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
		registration = session_registration(session, operation->resource);
		if (operation->code && registration)
			registration->load = false;
		break;
	case OPERATION_RUN:
		break;
	}
}

static void finish(struct operation *operation, int code)
{
	operation->state = OPERATION_DONE;
	operation->code = code;
	count(operation);
	settle(operation);
	strand_release(&operation->session->strand, &operation->turn);
	answer(operation);
}

__attribute__((format(printf, 3, 4))) static void fail(struct operation *operation, int code,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(operation->work.reason, sizeof(operation->work.reason), format, args);
	va_end(args);
	finish(operation, code);
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
		return work->code != VACCEL_EINVAL && session_has_next(session);
	case WORK_LOAD:
	case WORK_RUN:
		return work->code == VACCEL_ENOTSUP && !session->answered &&
		       !backend_knows(session->leg.backend, operation->type) &&
		       session_next_knows(session, operation->type);
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
	log_warn("session %" PRId64 ": backend %s does not load resource %" PRId64 ": %s",
		 operation->session->id, operation->session->leg.backend->name,
		 operation->at->resource->id, operation->work.reason);
	operation->at->load = false;
	step(operation);
}

static void work_failed(struct operation *operation)
{
	struct work *work = &operation->work;

	if (work->kind == WORK_LOAD && operation->at->resource != operation->resource) {
		load_lost(operation);
	} else if (operation->session->end || !is_refusal(operation)) {
		finish(operation, work->code);
	} else if (!operation->turn.exclusive) {
		operation->refused = operation->session->leg.backend;
		retry_alone(operation);
	} else {
		move_on(operation, "refused", work->reason);
		step(operation);
	}
}

static void leave_replica(struct registration *registration)
{
	replica_unref(registration->replica);
	registration->replica = NULL;
	registration->loaded = false;
}

/* Bring what the loop knows up to what the worker did. Returns the code that counts. */
static int account(struct work *work)
{
	struct operation *operation = work->operation;
	struct registration *at = operation->at;

	switch (work->kind) {
	case WORK_OPEN:
		work->leg->session = work->code ? NULL : work->opened;
		break;
	case WORK_CLOSE:
		work->leg->session = NULL;
		return 0; /* it is gone, whatever the plugin said */
	case WORK_ADD:
		if (work->code)
			leave_replica(at);
		else
			work->replica->legs++;
		break;
	case WORK_DROP:
		work->replica->legs--;
		leave_replica(at);
		if (operation->class->kind == OPERATION_UNREGISTER &&
		    operation->phase == PHASE_OWN) {
			session_forget(operation->session, at);
			break;
		}
		return 0;
	case WORK_LOAD:
		at->loaded = !work->code;
		break;
	case WORK_RUN:
		break;
	}
	return work->code;
}

static void work_done(struct work *work)
{
	struct operation *operation = work->operation;
	struct replica *replica = work->replica;
	int code;

	if (work->kind == WORK_RUN)
		gate_leave(operation->session->gate);
	if (replica)
		replica->refs++; /* account() may let go of it */
	code = account(work);
	if (replica) {
		strand_release(&replica->strand, &operation->model_turn);
		replica_unref(replica);
	}
	if (code)
		work_failed(operation);
	else
		step(operation);
}

static void model_granted(struct turn *turn)
{
	struct operation *operation =
		(struct operation *)((char *)turn - offsetof(struct operation, model_turn));
	struct work *work = &operation->work;

	work->last = work->replica && work->replica->legs == 1;
	if (work->kind == WORK_RUN)
		gate_enter(operation->session->gate, &operation->pass);
	else
		work->leg->backend->class->submit(work->leg->backend, work);
}

/* There is room for one more of this peer's operations. It may have left while this one waited. */
static void admitted(struct pass *pass)
{
	struct operation *operation =
		(struct operation *)((char *)pass - offsetof(struct operation, pass));
	struct work *work = &operation->work;

	if (!operation->session->end) {
		work->leg->backend->class->submit(work->leg->backend, work);
		return;
	}
	work->code = VACCEL_ESESS;
	snprintf(work->reason, sizeof(work->reason), "session %" PRId64 " has ended",
		 operation->session->id);
	work_done(work);
}

static bool is_reentrant(const struct operation *operation)
{
	const struct session *session = operation->session;

	return operation->class->kind == OPERATION_RUN && session->leg.session &&
	       (session->leg.backend->reentrant & LUACCEL_OP(operation->type));
}

/* `about` has the replica whose strand the work needs; NULL when it needs none. */
static void submit(struct operation *operation, enum work_kind kind, struct registration *about)
{
	struct work *work = &operation->work;

	work->kind = kind;
	work->operation = operation;
	work->leg = &operation->session->leg;
	operation->backend = work->leg->backend;
	work->replica = about ? about->replica : NULL;
	work->done = work_done;
	operation->at = about;
	operation->pass.admitted = admitted;
	operation->model_turn.granted = model_granted;
	operation->model_turn.exclusive = kind != WORK_RUN || !is_reentrant(operation);
	if (work->replica)
		strand_take(&work->replica->strand, &operation->model_turn);
	else
		model_granted(&operation->model_turn);
}

static void step_leave(struct operation *operation)
{
	struct session *session = operation->session;
	struct registration *registration;

	for (registration = session->registrations; registration; registration = registration->next)
		if (registration->replica)
			return submit(operation, WORK_DROP, registration);
	if (session->leg.session)
		return submit(operation, WORK_CLOSE, NULL);
	if (operation->class->kind == OPERATION_DESTROY) {
		while (session->registrations)
			session_forget(session, session->registrations);
		return finish(operation, 0);
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
		return fail(operation, VACCEL_ENODEV,
			    "no backend can serve the session: %s:down: %s",
			    plan->backends[session->at]->name, plan->backends[session->at]->why);
	session->leg.backend = plan->backends[session->at];
	submit(operation, WORK_OPEN, NULL);
}

static void add_replica(struct operation *operation, struct registration *registration)
{
	registration->replica =
		replica_get(registration->resource, operation->session->leg.backend);
	if (!registration->replica)
		return fail(operation, VACCEL_ENOMEM, "out of memory");
	submit(operation, WORK_ADD, registration);
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
		if (registration->load && !registration->loaded)
			return submit(operation, WORK_LOAD, registration);
	if (operation->moved) {
		log_info("session %" PRId64 ": backend %s serves, not %s (%s)", session->id,
			 session->leg.backend->name, session->plan.backends[0]->name, session->why);
		operation->moved = false;
	}
	decide_moved(session);
	operation->phase = PHASE_OWN;
	step(operation);
}

/* A RUN happens once; the step after it finds it done. */
static void step_own(struct operation *operation)
{
	struct session *session = operation->session;
	struct registration *model = NULL;

	if (operation->class->kind != OPERATION_RUN || operation->state == OPERATION_RUNNING)
		return finish(operation, 0);
	if (operation->resource) {
		model = session_registration(session, operation->resource);
		if (!model)
			return fail(operation, VACCEL_EPERM,
				    "resource %" PRId64 " is not registered with session %" PRId64,
				    operation->resource->id, session->id);
	} else {
		model = session_first_model(session);
	}
	drop_result(operation); /* of a backend that refused */
	operation->state = OPERATION_RUNNING;
	submit(operation, WORK_RUN, model);
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
		return fail(operation, VACCEL_ENOMEM, "out of memory");
	step(operation);
}

static void start_unregister(struct operation *operation)
{
	struct session *session = operation->session;
	struct registration *registration = session_registration(session, operation->resource);

	if (!registration)
		return fail(operation, VACCEL_EINVAL,
			    "resource %" PRId64 " is not registered with session %" PRId64,
			    operation->resource->id, session->id);
	operation->phase = PHASE_OWN;
	if (registration->replica)
		return submit(operation, WORK_DROP, registration);
	session_forget(session, registration);
	finish(operation, 0);
}

static void start_load(struct operation *operation)
{
	struct registration *registration =
		session_registration(operation->session, operation->resource);

	if (!registration)
		return fail(operation, VACCEL_EPERM,
			    "resource %" PRId64 " is not registered with session %" PRId64,
			    operation->resource->id, operation->session->id);
	registration->load = true;
	registration->loaded = false;
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
	return session_is_entered(operation->session) && is_reentrant(operation);
}

static void granted(struct turn *turn)
{
	struct operation *operation =
		(struct operation *)((char *)turn - offsetof(struct operation, turn));

	if (operation->class->kind == OPERATION_DESTROY) {
		operation->phase = PHASE_LEAVE;
		return step(operation);
	}
	if (operation->session->end)
		return fail(operation, VACCEL_ESESS, "session %" PRId64 " has ended",
			    operation->session->id);
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

static void enqueue(struct operation *operation)
{
	struct session *session = session_ref(operation->session);

	operation->state = OPERATION_QUEUED;
	operation->turn.granted = granted;
	operation->turn.exclusive = !is_reentrant(operation);
	strand_take(&session->strand, &operation->turn); /* the operation may be gone after it */
	session_unref(session);
}

/* What a draining agent takes on no more; what ends things goes on. */
static bool begins_work(enum operation_kind kind)
{
	return kind == OPERATION_REGISTER || kind == OPERATION_LOAD || kind == OPERATION_RUN;
}

void operation_start(struct operation *operation, struct ttrpc_request *request,
		     const ProtobufCMessage *message)
{
	struct policy_decision decision;

	operation->request = request;
	operation->message = message;
	operation->bytes_in = request->frame_size;
	operation->received_us = agent_now_us();
	operation->agent->nr_operations++;
	log_debug("session:%" PRId64 " %s", operation->session->id, operation->class->method);

	if (operation->agent->draining && begins_work(operation->class->kind)) {
		reply_draining(request);
		return operation_free(operation);
	}
	if (!decide_operation(operation, &decision)) {
		operation->session->operations++;
		operation->session->errors++;
		reply_refused(request, decision.code, decision.text);
		return operation_free(operation);
	}
	enqueue(operation);
}

void operation_end_session(struct session *session, const char *why, struct ttrpc_request *request,
			   const struct operation_class *class)
{
	struct operation *operation = session->farewell;

	session->farewell = NULL;
	operation_init(operation, class, session, NULL);
	connection_drop_session(session, why);
	operation->request = request;
	operation->received_us = agent_now_us();
	operation->agent->nr_operations++;
	enqueue(operation);
}
