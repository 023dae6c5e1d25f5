/*
 * aftermath.c - see aftermath.h.
 */
#include "aftermath.h"
#include "agent.h"
#include "attempt.h"
#include "log.h"
#include "operation.h"

enum { AT_A_TIME = 32 };

static void ask_policy(struct agent *agent, const struct aftermath_entry *entry)
{
	struct session *session = entry->session;
	const char *backend = entry->backend ? entry->backend->name : NULL;
	char name[VACCEL_ENUM_STR_MAX];
	struct policy_op op = {
		.id = entry->operation,
		.backend = backend,
		.bytes_in = entry->bytes_in,
		.retries = entry->retries,
	};
	struct policy_result result = {
		.code = entry->code,
		.backend = backend,
		.queue_us = entry->queue_us,
		.service_us = entry->service_us,
		.bytes_out = entry->bytes_out,
		.mirror = entry->mirror,
		.cached = entry->cached,
	};

	if (session ? !session->policy : !agent->policy)
		return; /* it is for those who record */
	if (!session) {
		if (!entry->backend->retired)
			policy_backend_state(agent->policy, backend, entry->up);
		return;
	}
	if (!entry->operation) {
		policy_session_close(agent->policy, session->policy);
		return;
	}
	op.name = vaccel_op_type_name((vaccel_op_type_t)entry->type, name, sizeof(name));
	policy_op_done(agent->policy, session->policy, &op, &result);
}

static void tell(struct agent *agent, const struct aftermath_entry *entry)
{
	const bool records = record_asks(agent);

	ask_policy(agent, entry);
	if (records)
		record_told(agent, entry);
}

static void tell_first(struct aftermath *aftermath)
{
	struct aftermath_entry entry = aftermath->ring[aftermath->first];

	aftermath->first = (aftermath->first + 1) % AFTERMATH_RING;
	aftermath->count--;
	tell(aftermath->agent, &entry);
	if (entry.session)
		session_unref(entry.session);
}

static void on_idle(struct ev_loop *loop, ev_idle *watcher, int events)
{
	struct aftermath *aftermath = watcher->data;
	int n;

	(void)events;
	for (n = 0; n < AT_A_TIME && aftermath->count; n++)
		tell_first(aftermath);
	if (aftermath->count)
		return;
	ev_idle_stop(loop, watcher);
	if (aftermath->dropped)
		log_warn("policy fell behind: op_done was not called for %llu operations",
			 (unsigned long long)aftermath->dropped);
	aftermath->dropped = 0;
}

static void push(struct aftermath *aftermath, const struct aftermath_entry *entry)
{
	if (entry->session)
		session_ref(entry->session);
	aftermath->ring[(aftermath->first + aftermath->count++) % AFTERMATH_RING] = *entry;
	ev_idle_start(loop_current()->ev, &aftermath->idle);
}

void aftermath_init(struct agent *agent)
{
	struct aftermath *aftermath;
	unsigned i;

	for (i = 0; i < agent->loops.count; i++) {
		aftermath = &agent->loops.loop[i]->aftermath;
		aftermath->agent = agent;
		ev_idle_init(&aftermath->idle, on_idle);
		aftermath->idle.data = aftermath;
	}
}

static void push_operation(struct session *session, const struct operation *operation,
			   const char *mirror)
{
	struct aftermath *aftermath = &loop_current()->aftermath;
	const struct work *work = &operation->work;

	if (!session->policy && !record_is_on(operation->agent))
		return;
	if (aftermath->count == AFTERMATH_RING) {
		aftermath->dropped++;
		return;
	}
	push(aftermath,
	     &(struct aftermath_entry){
		     .session = session,
		     .backend = operation->backend,
		     .operation = operation->id,
		     .type = (int)operation->type,
		     .code = operation->code,
		     .retries = attempt_retries(operation),
		     .mirror = mirror,
		     .bytes_in = operation->bytes_in,
		     .bytes_out = operation->bytes_out,
		     .cached = operation->cached,
		     .queue_us = work->ended_us ? work->started_us - operation->received_us : 0,
		     .service_us = work->ended_us - work->started_us,
	     });
}

void aftermath_operation(const struct operation *operation)
{
	push_operation(operation->session, operation, NULL);
}

void aftermath_mirror(const struct operation *operation, const char *outcome)
{
	if (!operation->home->end) /* else the policy has been told of its end */
		push_operation(operation->home, operation, outcome);
}

/* What is always told. */
static void push_surely(const struct aftermath_entry *entry)
{
	struct aftermath *aftermath = &loop_current()->aftermath;

	if (aftermath->count == AFTERMATH_RING)
		tell_first(aftermath);
	push(aftermath, entry);
}

void aftermath_session(struct session *session)
{
	if (!session->is_side && (session->policy || record_is_on(session->agent)))
		push_surely(&(struct aftermath_entry){ .session = session });
}

void aftermath_backend(const struct backend *backend, bool up)
{
	const struct aftermath_entry entry = { .backend = backend, .up = up };

	if (backend->agent->policy || record_is_on(backend->agent))
		push_surely(&entry);
}

void aftermath_finish(struct agent *agent)
{
	struct loop *loop;
	unsigned i;

	for (i = 0; i < agent->loops.count; i++) {
		loop = agent->loops.loop[i];
		while (loop->aftermath.count)
			tell_first(&loop->aftermath);
		ev_idle_stop(loop->ev, &loop->aftermath.idle);
	}
}
