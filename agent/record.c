/*
 * record.c - see record.h: what the lines say. Who gets them, and how, is in record_send.c.
 */
#include "record.h"
#include "attempt.h"
#include "connection.h"
#include "operation.h"
#include "operation_names.h"
#include <string.h>
#include <time.h>

/* Of the names of a resource, which may be many; and so many are more than scripts are shown. */
enum { NAMES_BYTES = 16 << 10, NAMES_MAX = 1024 };

/* ---- a line, and whose it is */

static struct record_line *begin(struct agent *agent, const char *event)
{
	struct record *record = &agent->record;

	record_line_begin(&record->line);
	record_line_text(&record->line, "e", event);
	record_line_number(&record->line, "t", record->now - record->origin);
	return &record->line;
}

static void give(struct recorder *recorder, bool good)
{
	const struct record *record = &recorder->agent->record;

	recorder->lines++;
	if (good)
		record_queue_push(&recorder->queue, record->now - record->origin, &record->line);
	else
		record_queue_lose(&recorder->queue);
}

static void give_all(struct agent *agent)
{
	const bool good = record_line_end(&agent->record.line);
	struct recorder *recorder;

	for (recorder = agent->record.first; recorder; recorder = recorder->next) {
		give(recorder, good);
		if (recorder->queue.nr_waiting > 1)
			record_send_soon(agent);
	}
}

/* ---- parts of lines */

static void put_peer(struct record_line *line, const struct policy_peer *peer)
{
	record_line_open(line, "peer", '{');
	record_line_text(line, "transport", peer->transport);
	record_line_text(line, "addr", peer->addr);
	record_line_text(line, "listener", peer->listener);
	if (peer->has_credentials) {
		record_line_number(line, "uid", peer->uid);
		record_line_number(line, "gid", peer->gid);
		record_line_number(line, "pid", peer->pid);
	}
	if (peer->has_cid)
		record_line_number(line, "cid", peer->cid);
	record_line_close(line, '}');
}

static void put_decision(struct record_line *line, const struct policy_decision *decision)
{
	static const char *const verdicts[] = {
		[POLICY_PASS] = "pass",	  [POLICY_ROUTE] = "route",   [POLICY_REJECT] = "reject",
		[POLICY_RETRY] = "retry", [POLICY_MIRROR] = "mirror", [POLICY_WAIT] = "wait",
	};
	size_t i;

	record_line_text(line, "verdict", verdicts[decision->verdict]);
	if (decision->verdict == POLICY_PASS)
		return;
	if (decision->where[0])
		record_line_text(line, "where", decision->where);
	if (decision->verdict == POLICY_REJECT) {
		record_line_number(line, "code", (uint64_t)decision->code);
		record_line_text(line, "text", decision->text);
		return;
	}
	if (decision->verdict == POLICY_WAIT)
		return;
	record_line_open(line, "plan", '[');
	for (i = 0; i < decision->nr_backends; i++)
		record_line_text(line, NULL, decision->backends[i]);
	record_line_close(line, ']');
	if (decision->deadline > 0)
		record_line_real(line, "deadline", decision->deadline);
	if (decision->per_op)
		record_line_bool(line, "per_op", true);
}

static void put_left(struct record_line *line, const struct policy_op *op)
{
	if (op->has_deadline)
		record_line_real(line, "deadline", op->deadline);
}

static void put_times(struct record_line *line, uint64_t queue_us, uint64_t service_us)
{
	record_line_number(line, "queue_us", queue_us);
	record_line_number(line, "service_us", service_us);
}

/* The names that scripts see, as far as they are few. */
static void put_names(struct record_line *line, const struct policy_resource *resource)
{
	const size_t most = line->length + NAMES_BYTES;
	size_t i;

	record_line_open(line, "names", '[');
	for (i = 0; i < resource->nr_names && i < NAMES_MAX && line->length < most; i++)
		record_line_text(line, NULL, resource->name(resource->of, i));
	record_line_close(line, ']');
	if (i < resource->nr_names)
		record_line_number(line, "more_names", resource->nr_names - i);
}

/* ---- backends */

static void put_number(struct record_line *line, const char *name, uint64_t was, uint64_t is)
{
	if (was != is)
		record_line_number(line, name, is);
}

/* What differs from what has been told of it. */
static void put_view(struct record_line *line, const struct policy_backend_view *was,
		     const struct policy_backend_view *is)
{
	if (was->up != is->up)
		record_line_bool(line, "up", is->up);
	put_number(line, "inflight", was->inflight, is->inflight);
	put_number(line, "operations", was->operations, is->operations);
	put_number(line, "errors", was->errors, is->errors);
	if (!is->has_latency)
		return;
	put_number(line, "p50_us", was->has_latency ? was->p50_us : UINT64_MAX, is->p50_us);
	put_number(line, "p99_us", was->has_latency ? was->p99_us : UINT64_MAX, is->p99_us);
}

static bool is_same(const struct policy_backend_view *a, const struct policy_backend_view *b)
{
	return a->up == b->up && a->inflight == b->inflight && a->operations == b->operations &&
	       a->errors == b->errors && a->has_latency == b->has_latency &&
	       a->p50_us == b->p50_us && a->p99_us == b->p99_us;
}

/* Scripts can look at any backend in any hook: what has changed since they were last asked. */
static void tell_views(struct agent *agent)
{
	struct policy_backend_view view;
	struct record_line *line;
	struct backend *backend;

	for (backend = agent->backends; backend; backend = backend->next) {
		backend_view(backend, &view);
		if (backend->retired || is_same(&view, &backend->told))
			continue;
		line = begin(agent, "view");
		record_line_text(line, "b", backend->name);
		put_view(line, &backend->told, &view);
		give_all(agent);
		backend->told = view;
	}
}

static void put_operations(struct record_line *line, const struct backend *backend)
{
	char name[VACCEL_ENUM_STR_MAX];
	int type;

	if (backend->remote || !backend->plugin)
		return; /* nobody knows */
	record_line_open(line, "has", '[');
	for (type = 0; type < VACCEL_OP_MAX; type++)
		if (backend_knows(backend, (vaccel_op_type_t)type))
			record_line_text(
				line, NULL,
				vaccel_op_type_name((vaccel_op_type_t)type, name, sizeof(name)));
	record_line_close(line, ']');
}

static void put_backend(struct agent *agent, struct backend *backend)
{
	static const struct policy_backend_view nothing = { .up = false };
	struct record_line *line = begin(agent, "backend");

	backend_view(backend, &backend->told);
	record_line_text(line, "b", backend->name);
	record_line_text(line, "kind", backend->remote ? "remote" : "plugin");
	record_line_bool(line, "declared", backend->target[0]);
	put_view(line, &nothing, &backend->told);
	put_operations(line, backend);
}

static void put_scripts(struct record_line *line, const struct agent *agent)
{
	const struct policy_generation *active = policy_active(agent->engine);
	const struct backend *backend;
	const char *name;
	size_t i;

	record_line_open(line, "scripts", '[');
	for (i = 0; active && (name = policy_script_name(active, i)); i++)
		record_line_text(line, NULL, name);
	record_line_close(line, ']');
	record_line_open(line, "backends", '[');
	for (backend = agent->backends; backend; backend = backend->next)
		if (!backend->retired)
			record_line_text(line, NULL, backend->name);
	record_line_close(line, ']');
}

/* ---- questions */

void record_ask(struct agent *agent)
{
	agent->record.now = agent_now_us();
	policy_hold_clock(agent->engine, agent->record.now * 1000);
	tell_views(agent);
}

static void answered(struct agent *agent)
{
	policy_hold_clock(agent->engine, 0);
	give_all(agent);
}

void record_connection(const struct connection *connection, const struct policy_peer *peer,
		       const struct policy_decision *decision)
{
	struct agent *agent = connection->agent;
	struct record_line *line = begin(agent, "accept");
	struct recorder *recorder;

	record_line_number(line, "c", connection->id);
	put_peer(line, peer);
	put_decision(line, decision);
	answered(agent);
	for (recorder = agent->record.first; recorder; recorder = recorder->next)
		recorder->connections++;
}

static void put_session(struct record_line *line, const struct session *session,
			const struct policy_peer *peer)
{
	const struct backend *hinted = backend_for_hint(session->agent, session->hint);

	record_line_number(line, "s", (uint64_t)session->id);
	record_line_number(line, "c", session->connection->id);
	record_line_number(line, "hint", session->hint);
	record_line_text(line, "hinted", hinted ? hinted->name : NULL);
	put_peer(line, peer);
}

void record_session(const struct session *session, const struct policy_peer *peer,
		    const struct policy_decision *decision)
{
	struct agent *agent = session->agent;
	struct record_line *line = begin(agent, "session");
	struct recorder *recorder;

	put_session(line, session, peer);
	put_decision(line, decision);
	answered(agent);
	for (recorder = agent->record.first; recorder; recorder = recorder->next)
		recorder->sessions++;
}

void record_resource(const struct session *session, const struct policy_resource *resource,
		     const struct policy_decision *decision)
{
	struct agent *agent = session->agent;
	struct record_line *line = begin(agent, "resource");
	struct recorder *recorder;

	record_line_number(line, "s", (uint64_t)session->id);
	if (resource->id)
		record_line_number(line, "id", (uint64_t)resource->id);
	record_line_text(line, "type", resource->type);
	if (resource->bytes != SIZE_MAX)
		record_line_number(line, "bytes", resource->bytes);
	put_names(line, resource);
	put_decision(line, decision);
	answered(agent);
	for (recorder = agent->record.first; recorder; recorder = recorder->next)
		recorder->resources++;
}

void record_operation(const struct operation *operation, const struct policy_op *op,
		      const struct policy_decision *decision)
{
	struct agent *agent = operation->agent;
	struct record_line *line = begin(agent, "op");
	struct recorder *recorder;

	record_line_number(line, "s", (uint64_t)operation->session->id);
	record_line_number(line, "o", (uint64_t)op->id);
	record_line_text(line, "name", op->name);
	record_line_text(line, "b", op->backend);
	record_line_number(line, "in", op->bytes_in);
	put_left(line, op);
	put_decision(line, decision);
	answered(agent);
	for (recorder = agent->record.first; recorder; recorder = recorder->next)
		recorder->operations++;
}

void record_op_route(const struct operation *operation, const struct policy_op *op,
		     const struct policy_decision *decision)
{
	struct record_line *line = begin(operation->agent, "route");

	record_line_number(line, "s", (uint64_t)operation->session->id);
	record_line_number(line, "o", (uint64_t)op->id);
	record_line_text(line, "b", op->backend);
	put_left(line, op);
	put_decision(line, decision);
	answered(operation->agent);
}

void record_op_failed(const struct operation *operation, const struct policy_op *op,
		      const struct policy_result *result, const struct policy_decision *decision)
{
	struct record_line *line = begin(operation->agent, "failed");

	record_line_number(line, "s", (uint64_t)operation->session->id);
	record_line_number(line, "o", (uint64_t)op->id);
	record_line_number(line, "attempt", op->retries + 1);
	record_line_text(line, "home", op->backend);
	record_line_text(line, "b", result->backend);
	record_line_number(line, "code", (uint64_t)result->code);
	put_times(line, result->queue_us, result->service_us);
	put_left(line, op);
	put_decision(line, decision);
	answered(operation->agent);
}

/* ---- what became of it */

void record_moved(const struct session *session)
{
	struct agent *agent = session->agent;
	struct record_line *line;

	agent->record.now = agent_now_us();
	line = begin(agent, "on");
	record_line_number(line, "s", (uint64_t)session->id);
	record_line_text(line, "b", session->leg.backend->name);
	give_all(agent);
}

void record_ended(const struct operation *operation)
{
	struct agent *agent = operation->agent;
	const struct work *work = &operation->work;
	struct record_line *line;

	agent->record.now = agent_now_us();
	line = begin(agent, "end");
	record_line_number(line, "o", (uint64_t)operation->id);
	record_line_text(line, "b", operation->backend ? operation->backend->name : NULL);
	record_line_number(line, "code", (uint64_t)operation->code);
	if (attempt_retries(operation))
		record_line_number(line, "attempt", attempt_retries(operation) + 1);
	put_times(line, work->ended_us ? work->started_us - operation->received_us : 0,
		  work->ended_us - work->started_us);
	record_line_number(line, "in", operation->bytes_in);
	record_line_number(line, "out", operation->bytes_out);
	if (operation->cached)
		record_line_bool(line, "cached", true);
	give_all(agent);
}

static void put_mirror(struct record_line *line, const struct aftermath_entry *entry)
{
	record_line_number(line, "s", (uint64_t)entry->session->id);
	record_line_number(line, "o", (uint64_t)entry->operation);
	record_line_text(line, "b", entry->backend ? entry->backend->name : NULL);
	record_line_text(line, "mirror", entry->mirror);
	record_line_number(line, "code", (uint64_t)entry->code);
	put_times(line, entry->queue_us, entry->service_us);
	record_line_number(line, "out", entry->bytes_out);
}

void record_told(struct agent *agent, const struct aftermath_entry *entry)
{
	struct record_line *line;

	if (!entry->session && entry->backend->retired)
		return policy_hold_clock(agent->engine, 0);
	if (!entry->session) {
		line = begin(agent, "state");
		record_line_text(line, "b", entry->backend->name);
		record_line_bool(line, "up", entry->up);
	} else if (entry->mirror) {
		line = begin(agent, "mirror");
		put_mirror(line, entry);
	} else if (entry->operation) {
		line = begin(agent, "done");
		record_line_number(line, "o", (uint64_t)entry->operation);
		record_line_number(line, "code", (uint64_t)entry->code);
	} else {
		line = begin(agent, "close");
		record_line_number(line, "s", (uint64_t)entry->session->id);
	}
	answered(agent);
}

/* ---- what there is */

void record_loaded(struct agent *agent)
{
	struct backend *backend;

	agent->record.now = agent_now_us();
	put_scripts(begin(agent, "load"), agent);
	give_all(agent);
	for (backend = agent->backends; backend; backend = backend->next) {
		if (backend->retired)
			continue;
		put_backend(agent, backend);
		give_all(agent);
	}
}

static void give_first_line(struct recorder *recorder)
{
	struct agent *agent = recorder->agent;
	struct record_line *line = &agent->record.line;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	record_line_begin(line);
	record_line_number(line, "luaccel_recording", RECORDING_VERSION);
	record_line_text(line, "agent", VACCEL_VERSION);
	record_line_number(line, "t", agent->record.now - agent->record.origin);
	record_line_real(line, "time", (double)now.tv_sec + (double)(now.tv_nsec / 1000) / 1e6);
	put_scripts(line, agent);
	give(recorder, record_line_end(line));
}

/* Sessions that were there before; what was decided about them then, as they know it. */
static void give_known_session(struct recorder *recorder, const struct session *session)
{
	const struct policy_peer peer = connection_peer(session->connection);
	const struct plan *plan = &session->plan;
	struct record_line *line = begin(recorder->agent, "known");
	size_t i;

	put_session(line, session, &peer);
	record_line_text(line, "where", plan->where);
	record_line_text(line, "b", session->told ? session->told->name : NULL);
	record_line_open(line, "plan", '[');
	for (i = 0; i < plan->count; i++)
		record_line_text(line, NULL, plan->backends[i]->name);
	record_line_close(line, ']');
	if (plan->per_op)
		record_line_bool(line, "per_op", true);
	give(recorder, record_line_end(line));
}

void record_describe(struct recorder *recorder)
{
	struct agent *agent = recorder->agent;
	const struct connection *connection;
	const struct session *session;
	struct backend *backend;
	size_t at;

	agent->record.now = agent_now_us();
	if (!agent->record.first)
		agent->record.origin = agent->record.now;
	tell_views(agent); /* to the others: from here on all know the same */
	give_first_line(recorder);
	for (backend = agent->backends; backend; backend = backend->next) {
		if (backend->retired)
			continue;
		put_backend(agent, backend);
		give(recorder, record_line_end(&agent->record.line));
	}
	for (connection = agent->connections; connection; connection = connection->next) {
		at = 0;
		while ((session = idmap_next(&connection->sessions, &at)))
			give_known_session(recorder, session);
	}
}
