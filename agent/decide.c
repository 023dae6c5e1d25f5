/*
 * decide.c - see decide.h.
 */
#include "decide.h"
#include "answers.h"
#include "connection.h"
#include "log.h"
#include "operation.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const transports[] = {
	[TTRPC_UNIX] = "unix",
	[TTRPC_VSOCK] = "vsock",
	[TTRPC_TCP] = "tcp",
};

static struct policy_peer peer_facts(const struct connection *connection)
{
	const struct ttrpc_peer *peer = ttrpc_conn_peer(connection->conn);

	return (struct policy_peer){
		.transport = transports[peer->transport],
		.has_credentials = peer->has_credentials,
		.has_cid = peer->has_cid,
		.uid = (uint32_t)peer->uid,
		.gid = (uint32_t)peer->gid,
		.pid = (uint32_t)peer->pid,
		.cid = peer->cid,
		.addr = peer->addr[0] ? peer->addr : NULL,
		.listener = ttrpc_conn_listener_name(connection->conn),
	};
}

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
	struct policy_peer peer = peer_facts(connection);

	if (!agent->policy)
		return true;
	policy_peer_accept(agent->policy, &peer, decision);
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
	session->answers = answers_for(session->agent, &decision->answers);
	snprintf(plan->where, sizeof(plan->where), "%s", decision->where);
	return true;
}

bool decide_session(struct session *session, struct policy_decision *decision)
{
	struct agent *agent = session->agent;
	struct policy_peer peer = peer_facts(session->connection);

	*decision = (struct policy_decision){ .verdict = POLICY_PASS };
	if (!agent->policy)
		return plan_by_hint(session, decision);
	if (policy_session_new(agent->policy, session->id, session->hint, &peer, &session->policy))
		return refuse(decision, VACCEL_ENOMEM, "out of memory for the policy's view");
	policy_session_route(agent->policy, session->policy, decision);
	switch (decision->verdict) {
	case POLICY_PASS:
		return plan_by_hint(session, decision);
	case POLICY_ROUTE:
		return plan_by_policy(session, decision);
	case POLICY_REJECT:
	case POLICY_WAIT: /* of operations only */
		break;
	}
	if (session_may_log(session))
		log_info("session %" PRId64 " peer=%s %s: code %d", session->id, session->peer,
			 decision->text, decision->code);
	return false;
}

bool decide_resource(struct session *session, uint32_t type, const struct policy_resource *facts,
		     struct policy_decision *decision)
{
	struct policy_resource resource = *facts;
	char name[VACCEL_ENUM_STR_MAX];

	if (!session->policy)
		return true;
	if (type < VACCEL_RESOURCE_MAX)
		resource.type =
			vaccel_resource_type_name((vaccel_resource_type_t)type, name, sizeof(name));
	policy_resource_admit(session->agent->policy, session->policy, &resource, decision);
	if (decision->verdict != POLICY_REJECT)
		return true;
	if (session_may_log(session))
		log_info("session %" PRId64 " peer=%s resource %s: code %d", session->id,
			 session->peer, decision->text, decision->code);
	return false;
}

bool decide_operation(struct operation *operation, struct policy_decision *decision)
{
	struct session *session = operation->session;
	struct policy_op op;
	double left;
	char name[VACCEL_ENUM_STR_MAX];

	decision->verdict = POLICY_PASS;
	if (!operation_is_call(operation))
		return true;
	if (!session->policy || !policy_wants_op_admit(operation->agent->policy))
		return true;
	left = ttrpc_request_left(operation->request);
	op = (struct policy_op){
		.name = vaccel_op_type_name(operation->type, name, sizeof(name)),
		.id = operation->id,
		.backend = session->leg.backend ? session->leg.backend->name : NULL,
		.bytes_in = operation->request->received,
		.has_deadline = left >= 0,
		.deadline = left,
	};
	policy_op_admit(operation->agent->policy, session->policy, &op, decision);
	if (decision->verdict != POLICY_REJECT)
		return true;
	log_debug("session:%" PRId64 " %s: code %d", session->id, decision->text, decision->code);
	return false;
}

void decide_began(const struct operation *operation)
{
	if (operation->session->policy && operation_is_call(operation))
		policy_session_begins(operation->session->policy);
}

void decide_ended(const struct operation *operation)
{
	if (operation->session->policy && operation_is_call(operation))
		policy_session_ended(operation->session->policy);
}

void decide_moved(struct session *session)
{
	if (!session->policy || session->told == session->leg.backend)
		return;
	session->told = session->leg.backend;
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
	ret = 0;

free_known:
	free(known);
	return ret;
}
