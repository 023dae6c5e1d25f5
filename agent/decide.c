/*
 * decide.c - see decide.h.
 */
#include "decide.h"
#include "answers.h"
#include "attempt.h"
#include "connection.h"
#include "log.h"
#include "operation.h"
#include "operation_names.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(struct policy_decision *decision, int code, const char *text)
{
	decision->verdict = POLICY_REJECT;
	decision->code = code;
	snprintf(decision->text, sizeof(decision->text), "%s", text);
	return false;
}

bool decide_connection(const struct connection *connection, struct policy_decision *decision)
{
	struct agent *agent = connection->agent;
	const struct policy_peer peer = connection_peer(connection);
	const bool records = record_asks(agent);

	decision->verdict = POLICY_PASS;
	if (agent->policy)
		policy_peer_accept(agent->policy, &peer, decision);
	if (records)
		record_connection(connection, &peer, decision);
	return decision->verdict != POLICY_REJECT;
}

static bool plan_by_hint(struct session *session, struct policy_decision *decision)
{
	struct backend *backend = backend_for_hint(session->agent, session->hint);

	if (!backend)
		return refuse(decision, VACCEL_ENOTSUP,
			      "no plugin of the agent serves this session; set VACCEL_PLUGINS or "
			      "declare backends");
	session->plan.backends[0] = backend;
	session->plan.count = 1;
	snprintf(session->plan.where, sizeof(session->plan.where), "hint");
	return true;
}

static bool plan_by_policy(struct session *session, struct policy_decision *decision)
{
	struct plan *plan = &session->plan;
	size_t i;

	for (i = 0; i < decision->nr_backends; i++)
		plan->backends[i] = backend_find(session->agent, decision->backends[i]);
	plan->count = decision->nr_backends;
	plan->deadline = decision->deadline;
	plan->per_op = decision->per_op;
	session->answers = answers_for(session->agent, &decision->answers);
	snprintf(plan->where, sizeof(plan->where), "%s", decision->where);
	return true;
}

static bool plan_session(struct session *session, const struct policy_peer *peer,
			 struct policy_decision *decision)
{
	struct agent *agent = session->agent;

	*decision = (struct policy_decision){ .verdict = POLICY_PASS };
	if (!agent->policy)
		return plan_by_hint(session, decision);
	if (policy_session_new(agent->policy, session->id, session->hint, peer, &session->policy))
		return refuse(decision, VACCEL_ENOMEM, "out of memory for the policy's view");
	policy_session_route(agent->policy, session->policy, decision);
	if (decision->verdict == POLICY_PASS)
		return plan_by_hint(session, decision);
	if (decision->verdict == POLICY_ROUTE)
		return plan_by_policy(session, decision);
	if (session_may_log(session))
		log_info("session %" PRId64 " peer=%s %s: code %d", session->id, session->peer,
			 decision->text, decision->code);
	return false;
}

bool decide_session(struct session *session, struct policy_decision *decision)
{
	const struct policy_peer peer = connection_peer(session->connection);
	const bool records = record_asks(session->agent);
	const bool planned = plan_session(session, &peer, decision);

	if (records)
		record_session(session, &peer, decision);
	return planned;
}

bool decide_resource(struct session *session, uint32_t type, const struct policy_resource *facts,
		     struct policy_decision *decision)
{
	struct policy_resource resource = *facts;
	char name[VACCEL_ENUM_STR_MAX];
	const bool records = record_asks(session->agent);

	decision->verdict = POLICY_PASS;
	if (type < VACCEL_RESOURCE_MAX)
		resource.type =
			vaccel_resource_type_name((vaccel_resource_type_t)type, name, sizeof(name));
	if (session->policy)
		policy_resource_admit(session->agent->policy, session->policy, &resource, decision);
	if (records)
		record_resource(session, &resource, decision);
	if (decision->verdict != POLICY_REJECT)
		return true;
	if (session_may_log(session))
		log_info("session %" PRId64 " peer=%s resource %s: code %d", session->id,
			 session->peer, decision->text, decision->code);
	return false;
}

static struct policy_op op_facts(const struct operation *operation, char name[VACCEL_ENUM_STR_MAX])
{
	const struct backend *backend = operation->session->leg.backend;
	const double left = ttrpc_request_left(operation->request);

	return (struct policy_op){
		.name = vaccel_op_type_name(operation->type, name, VACCEL_ENUM_STR_MAX),
		.id = operation->id,
		.backend = backend ? backend->name : NULL,
		.bytes_in = operation->bytes_in,
		.has_deadline = left >= 0,
		.deadline = left,
		.retries = attempt_retries(operation),
	};
}

bool decide_operation(struct operation *operation, struct policy_decision *decision)
{
	struct session *session = operation->session;
	struct policy_op op;
	char name[VACCEL_ENUM_STR_MAX];
	bool asks, records;

	decision->verdict = POLICY_PASS;
	if (!operation_is_call(operation))
		return true;
	asks = session->policy && policy_wants_op_admit(operation->agent->policy);
	records = record_asks(operation->agent);
	if (!asks && !records)
		return true;
	op = op_facts(operation, name);
	if (asks)
		policy_op_admit(operation->agent->policy, session->policy, &op, decision);
	if (records)
		record_operation(operation, &op, decision);
	if (decision->verdict != POLICY_REJECT)
		return true;
	log_debug("session:%" PRId64 " %s: code %d", session->id, decision->text, decision->code);
	return false;
}

/* Of an operation that changes something each time it runs nothing is asked. */
bool decide_wants_op_route(const struct operation *operation)
{
	const struct agent *agent = operation->agent;

	return (policy_wants_op_route(agent->policy) || record_is_on(agent)) &&
	       operation_is_idempotent((int)operation->type);
}

void decide_op_route(const struct operation *operation, struct policy_decision *decision)
{
	char name[VACCEL_ENUM_STR_MAX];
	const bool records = record_asks(operation->agent);
	const struct policy_op op = op_facts(operation, name);

	policy_op_route(operation->agent->policy, operation->session->policy, &op, decision);
	if (records)
		record_op_route(operation, &op, decision);
}

bool decide_wants_op_failed(const struct operation *operation)
{
	return operation->session->policy && policy_wants_op_failed(operation->agent->policy) &&
	       operation_is_idempotent((int)operation->type);
}

static void ask_op_failed(const struct operation *operation, struct policy_decision *decision)
{
	const bool records = record_asks(operation->agent);
	const struct work *work = &operation->work;
	char name[VACCEL_ENUM_STR_MAX];
	const struct policy_op op = op_facts(operation, name);
	const struct policy_result result = {
		.code = work->code,
		.backend = operation->backend ? operation->backend->name : NULL,
		.queue_us = work->ended_us ? work->started_us - operation->received_us : 0,
		.service_us = work->ended_us - work->started_us,
		.bytes_out = SIZE_MAX,
	};

	decision->verdict = POLICY_PASS;
	if (operation->session->policy)
		policy_op_failed(operation->agent->policy, operation->session->policy, &op, &result,
				 decision);
	if (records)
		record_op_failed(operation, &op, &result, decision);
}

bool decide_op_failed(const struct operation *operation, struct policy_decision *decision)
{
	if (!decide_wants_op_failed(operation) &&
	    !(record_is_on(operation->agent) && operation_is_idempotent((int)operation->type)))
		return false;
	ask_op_failed(operation, decision);
	return decision->verdict == POLICY_RETRY;
}

void decide_began(const struct operation *operation)
{
	if (operation->session->policy && operation_is_call(operation))
		policy_session_begins(operation->session->policy);
}

void decide_ended(const struct operation *operation)
{
	if (!operation->home && record_is_on(operation->agent) && operation_is_call(operation))
		record_ended(operation);
	if (operation->session->policy && operation_is_call(operation))
		policy_session_ended(operation->session->policy);
}

void decide_refused(const struct operation *operation)
{
	if (record_is_on(operation->agent))
		record_ended(operation);
}

void decide_moved(struct session *session)
{
	if (session->is_side || session->told == session->leg.backend)
		return;
	session->told = session->leg.backend;
	if (record_is_on(session->agent))
		record_moved(session);
	if (session->policy)
		policy_session_set_route(session->agent->policy, session->policy,
					 session->leg.backend->name, session->plan.where);
}

bool decide_backend(const struct agent *agent, const char *name, struct policy_backend_view *view)
{
	const struct backend *backend = backend_find(agent, name);

	if (backend)
		backend_view(backend, view);
	return backend;
}

enum policy_support decide_supports(const struct agent *agent, const char *name,
				    const char *operation)
{
	const struct backend *backend = backend_find(agent, name);

	return backend ? backend_supports(backend, operation) : POLICY_SUPPORT_UNKNOWN;
}

static int declare_backends(struct agent *agent, const struct policy_generation *generation,
			    char *err, size_t errsize)
{
	const struct policy_backend *declared;
	size_t i, count;
	int ret = 0;

	declared = policy_backends(generation, &count);
	for (i = 0; i < count && !ret; i++)
		ret = backend_declare(agent, &declared[i], err, errsize);
	backends_settle(agent, !ret);
	if (ret == -ENOMEM)
		snprintf(err, errsize, "out of memory");
	return ret;
}

/* Backends that are there without being declared: plugins of VACCEL_PLUGINS. */
static size_t undeclared(const struct agent *agent, const char **names)
{
	const struct backend *backend;
	size_t count = 0;

	for (backend = agent->backends; backend; backend = backend->next)
		if (!backend->target[0])
			names[count++] = backend->name;
	return count;
}

int decide_load(struct agent *agent, const char *const *scripts, size_t nr_scripts, char *err,
		size_t errsize)
{
	struct policy_generation *generation;
	const char **known = calloc(backends_count(agent, false) + 1, sizeof(*known));
	const char *name;
	size_t i;
	int ret = -1;

	if (!known) {
		snprintf(err, errsize, "out of memory");
		return -1;
	}
	if (policy_load(agent->policy, scripts, nr_scripts, known, undeclared(agent, known),
			&generation, err, errsize))
		goto free_known;
	if (declare_backends(agent, generation, err, errsize)) {
		policy_generation_free(agent->policy, generation);
		goto free_known;
	}
	for (i = 0; (name = policy_script_name(generation, i)); i++)
		log_info("policy %s: %s", name, scripts[i]);
	policy_activate(agent->policy, generation);
	agent->generation++;
	if (record_is_on(agent))
		record_loaded(agent);
	ret = 0;

free_known:
	free(known);
	return ret;
}
