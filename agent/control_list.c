/*
 * control_list.c - what the control socket lists: the agent as a whole, and its sessions.
 */
#include "control.h"
#include "control_answer.h"
#include "reply.h"
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* ---- Info */

static void list_operations(struct control_answer *answer, const struct backend *backend,
			    Luaccel__V1__BackendInfo *info)
{
	char name[VACCEL_ENUM_STR_MAX];
	int type;

	info->operations = control_answer_alloc(answer, VACCEL_OP_MAX * sizeof(*info->operations));
	for (type = 0; info->operations && type < VACCEL_OP_MAX; type++)
		if (backend_knows(backend, (vaccel_op_type_t)type))
			info->operations[info->n_operations++] = control_answer_text(
				answer, "%s",
				vaccel_op_type_name((vaccel_op_type_t)type, name, sizeof(name)));
}

static void list_backends(struct control_answer *answer, const struct agent *agent,
			  Luaccel__V1__InfoResponse *response)
{
	const size_t count = backends_count(agent, false);
	const struct backend *backend;
	Luaccel__V1__BackendInfo *info;

	response->backends = control_answer_alloc(answer, count * sizeof(info));
	for (backend = agent->backends; backend; backend = backend->next) {
		if (backend->retired)
			continue;
		info = control_answer_alloc(answer, sizeof(*info));
		if (!info)
			return;
		luaccel__v1__backend_info__init(info);
		info->name = control_answer_text(answer, "%s", backend->name);
		info->target = control_answer_text(answer, "%s", backend->target);
		info->up = backend->up;
		info->probing = backend_is_probing(backend);
		if (!backend->up)
			info->why = control_answer_text(answer, "%s", backend->why);
		info->inflight = backend->inflight;
		list_operations(answer, backend, info);
		response->backends[response->n_backends++] = info;
	}
}

static void list_policies(struct control_answer *answer, const struct lifecycle *life,
			  Luaccel__V1__InfoResponse *response)
{
	const struct policy_generation *active = policy_active(life->agent->engine);
	const struct option_texts *scripts = &life->options->scripts;
	const size_t count = active ? scripts->count : 0;
	Luaccel__V1__PolicyInfo *info;
	size_t i;

	response->policies = control_answer_alloc(answer, count * sizeof(info));
	for (i = 0; i < count; i++) {
		info = control_answer_alloc(answer, sizeof(*info));
		if (!info)
			return;
		luaccel__v1__policy_info__init(info);
		info->name = control_answer_text(answer, "%s", policy_script_name(active, i));
		info->file = control_answer_text(answer, "%s", scripts->text[i]);
		response->policies[response->n_policies++] = info;
	}
}

static void list_listeners(struct control_answer *answer, const struct agent *agent,
			   Luaccel__V1__InfoResponse *response)
{
	const struct listener *listener;
	Luaccel__V1__ListenerInfo *info;
	size_t count = 0;

	for (listener = agent->listeners.first; listener; listener = listener->next)
		count++;
	response->listeners = control_answer_alloc(answer, count * sizeof(info));
	for (listener = agent->listeners.first; listener; listener = listener->next) {
		info = control_answer_alloc(answer, sizeof(*info));
		if (!info)
			return;
		control_answer_listener(answer, listener, info);
		response->listeners[response->n_listeners++] = info;
	}
}

static void list_loops(struct control_answer *answer, const struct agent *agent,
		       Luaccel__V1__InfoResponse *response)
{
	const struct connection *connection;

	response->loops =
		control_answer_alloc(answer, agent->loops.count * sizeof(*response->loops));
	if (!response->loops)
		return;
	response->n_loops = agent->loops.count;
	for (connection = agent->connections; connection; connection = connection->next)
		response->loops[connection->loop->number]++;
}

/* By all of them, or by the one that uses most. */
static size_t used(const struct agent *agent, const struct limits_entry *entry)
{
	const struct connection *connection;
	size_t most = 0;

	if (entry->level != ACCOUNT_CONNECTION)
		return accounts_most(&agent->accounts, entry->level, entry->kind);
	for (connection = agent->connections; connection; connection = connection->next)
		if (connection->account->used[entry->kind] > most)
			most = connection->account->used[entry->kind];
	return most;
}

static void list_limits(struct control_answer *answer, const struct agent *agent,
			Luaccel__V1__InfoResponse *response)
{
	Luaccel__V1__LimitInfo *info;
	struct limits_entry entry;
	size_t count = 0;

	while (limits_entry(&agent->limits, count, &entry))
		count++;
	response->limits = control_answer_alloc(answer, count * sizeof(info));
	while (limits_entry(&agent->limits, response->n_limits, &entry)) {
		info = control_answer_alloc(answer, sizeof(*info));
		if (!info)
			return;
		luaccel__v1__limit_info__init(info);
		info->name = control_answer_text(answer, "%s", entry.name);
		info->max = entry.value;
		info->counted = entry.counted;
		info->used = entry.counted ? used(agent, &entry) : 0;
		response->limits[response->n_limits++] = info;
	}
}

void control_info(struct control *control, struct ttrpc_request *request,
		  const ProtobufCMessage *message)
{
	const struct agent *agent = control->life->agent;
	const size_t *total = agent->accounts.total.used;
	Luaccel__V1__InfoResponse response = LUACCEL__V1__INFO_RESPONSE__INIT;
	struct control_answer *answer = control_answer_new();

	(void)message;
	response.version = control_answer_text(answer, "%s", VACCEL_VERSION);
	response.lua = control_answer_text(answer, "%s", policy_engine_describe(agent->engine));
	response.pid = (uint32_t)getpid();
	response.uptime = (double)(agent_now_us() - agent->started_us) / 1e6;
	response.draining = agent->draining;
	response.connections = total[ACCOUNT_CONNECTIONS];
	response.sessions = total[ACCOUNT_SESSIONS];
	response.operations = agent->nr_operations;
	response.generation = agent->generation;
	list_policies(answer, control->life, &response);
	list_backends(answer, agent, &response);
	list_listeners(answer, agent, &response);
	list_limits(answer, agent, &response);
	list_loops(answer, agent, &response);
	control_answer_send(answer, request, &response.base);
}

/* ---- Sessions */

static void describe(struct control_answer *answer, const struct session *session,
		     Luaccel__V1__SessionInfo *info)
{
	const struct registration *registration;
	const struct plan *plan = &session->plan;
	size_t i;

	luaccel__v1__session_info__init(info);
	info->id = session->id;
	info->peer = control_answer_text(answer, "%s", session->peer);
	info->listener = control_answer_text(answer, "%s", session->listener);
	if (session->leg.session)
		info->backend = control_answer_text(answer, "%s", session->leg.backend->name);
	info->plan = control_answer_alloc(answer, plan->count * sizeof(*info->plan));
	for (i = 0; info->plan && i < plan->count; i++)
		info->plan[info->n_plan++] =
			control_answer_text(answer, "%s", plan->backends[i]->name);
	info->decided = control_answer_text(answer, "%s", plan->where);
	info->moved = control_answer_text(answer, "%s", session->why);
	info->age = (double)(agent_now_us() - session->began_us) / 1e6;
	info->operations = session->operations;
	info->errors = session->errors;
	info->bytes_in = session->bytes_in;
	info->bytes_out = session->bytes_out;
	for (registration = session->registrations; registration; registration = registration->next)
		info->resources++;
	info->running = !strand_idle(&session->strand);
}

/* All, or that of `id`. */
static size_t count_sessions(const struct agent *agent, int64_t id)
{
	const struct connection *at;
	size_t count = 0;

	for (at = agent->connections; at; at = at->next)
		count += id ? connection_session(at, id) != NULL : at->sessions.count;
	return count;
}

static void list_sessions(struct control_answer *answer, const struct connection *connection,
			  int64_t id, Luaccel__V1__SessionsResponse *response)
{
	const struct session *session;
	Luaccel__V1__SessionInfo *info;
	size_t at = 0;

	while ((session = idmap_next(&connection->sessions, &at))) {
		if (id && session->id != id)
			continue;
		info = control_answer_alloc(answer, sizeof(*info));
		if (!info)
			return;
		describe(answer, session, info);
		response->sessions[response->n_sessions++] = info;
	}
}

void control_sessions(struct control *control, struct ttrpc_request *request,
		      const ProtobufCMessage *message)
{
	const struct agent *agent = control->life->agent;
	const int64_t id = ((const Luaccel__V1__SessionRequest *)message)->id;
	const size_t count = count_sessions(agent, id);
	Luaccel__V1__SessionsResponse response = LUACCEL__V1__SESSIONS_RESPONSE__INIT;
	const struct connection *connection = agent->connections;
	struct control_answer *answer;

	if (id && !count)
		return reply_status(request, TTRPC_NOT_FOUND, "there is no session %" PRId64, id);
	answer = control_answer_new();
	response.sessions = control_answer_alloc(answer, count * sizeof(*response.sessions));
	for (; connection; connection = connection->next)
		list_sessions(answer, connection, id, &response);
	control_answer_send(answer, request, &response.base);
}
