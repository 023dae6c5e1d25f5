/*
 * operation_work.c - see operation_work.h.
 */
#include "operation_work.h"
#include "luaccel.h"
#include "resource.h"
#include <inttypes.h>
#include <stdio.h>

static void leave_replica(struct registration *registration)
{
	replica_unref(registration->replica);
	registration->replica = NULL;
	registration->loaded = 0;
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
		resource_charge_fetched(work->replica->resource, work->replica->fetched);
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
		if (!work->code)
			at->loaded |= work->family;
		break;
	case WORK_RUN:
		break;
	}
	return work->code;
}

/*
 * What takes as long as the peer likes: its operations, its models and what it has downloaded.
 * Clearing up after it never waits.
 */
static bool is_gated(enum work_kind kind)
{
	return kind == WORK_ADD || kind == WORK_LOAD || kind == WORK_RUN;
}

static void work_done(struct work *work)
{
	struct operation *operation = work->operation;
	struct replica *replica = work->replica;
	int code;

	if (is_gated(work->kind))
		gate_leave(operation->session->account->gate);
	if (replica)
		replica->refs++; /* account() may let go of it */
	code = account(work);
	if (replica) {
		strand_release(&replica->strand, &operation->model_turn);
		replica_unref(replica);
	}
	operation_worked(operation, code);
}

static void model_granted(struct turn *turn)
{
	struct operation *operation =
		(struct operation *)((char *)turn - offsetof(struct operation, model_turn));
	struct work *work = &operation->work;

	work->last = work->replica && work->replica->legs == 1;
	if (is_gated(work->kind))
		gate_enter(operation->session->account->gate, &operation->pass);
	else
		work->leg->backend->class->submit(work->leg->backend, work);
}

void operation_say_in_vain(char *text, size_t size, const struct operation *operation)
{
	if (operation->session->end)
		snprintf(text, size, "session %" PRId64 " has ended", operation->session->id);
	else
		snprintf(text, size, "its deadline passed before it began");
}

/* There is room for one more of this peer's operations. It may have left while this one waited. */
static void admitted(struct pass *pass)
{
	struct operation *operation =
		(struct operation *)((char *)pass - offsetof(struct operation, pass));
	struct work *work = &operation->work;

	if (!operation_is_in_vain(operation)) {
		work->leg->backend->class->submit(work->leg->backend, work);
		return;
	}
	work->code = VACCEL_ESESS;
	work->status = -1;
	operation_say_in_vain(work->reason, sizeof(work->reason), operation);
	work_done(work);
}

bool operation_is_reentrant(const struct operation *operation)
{
	const struct session *session = operation->session;

	return operation->class->kind == OPERATION_RUN && session->leg.session &&
	       (session->leg.backend->reentrant & LUACCEL_OP(operation->type));
}

void operation_submit(struct operation *operation, enum work_kind kind, struct registration *about)
{
	struct work *work = &operation->work;
	struct replica *replica;

	work->kind = kind;
	work->operation = operation;
	work->leg = &operation->session->leg;
	operation->backend = work->leg->backend;
	work->replica = about ? about->replica : NULL;
	if (kind == WORK_LOAD)
		work->family = model_first(about->load & ~about->loaded);
	work->done = work_done;
	operation->at = about;
	operation->pass.admitted = admitted;
	operation->model_turn.granted = model_granted;
	operation->model_turn.exclusive = kind != WORK_RUN || !operation_is_reentrant(operation);
	if (!work->replica)
		return model_granted(&operation->model_turn);
	replica = work->replica;
	replica->refs++; /* the session may have ended: then it and the operation go meanwhile */
	strand_take(&replica->strand, &operation->model_turn);
	replica_unref(replica);
}
