/*
 * decide_by_hand.c - decisions for the agent's fuzz targets without scripts; see decide_by_hand.h.
 * It defines the functions of agent/decide.h that the agent's services call, so that the linker
 * takes these and leaves agent/decide.c out.
 */
#include "decide_by_hand.h"
#include "agent.h"
#include "backend.h"
#include "connection.h"
#include "fuzz.h"
#include "operation.h"
#include "record.h"
#include "session.h"

#include <stdio.h>
#include <string.h>

static size_t nr_running;

size_t decide_running(void)
{
	return nr_running;
}

bool decide_connection(const struct connection *connection, struct policy_decision *decision)
{
	(void)connection;
	(void)decision;
	return true;
}

bool decide_session(struct session *session, struct policy_decision *decision)
{
	const struct policy_peer peer = connection_peer(session->connection);
	struct plan *plan = &session->plan;

	*decision = (struct policy_decision){ .verdict = POLICY_PASS };
	if (record_asks(session->agent))
		record_session(session, &peer, decision);
	if (session->hint & 0x4000) {
		*decision = (struct policy_decision){ .code = VACCEL_EPERM };
		snprintf(decision->text, sizeof(decision->text), "refused by policy fuzz");
		return false;
	}
	if (session->hint & 0x1000)
		plan->backends[plan->count++] = backend_find(session->agent, "shaky");
	if (!(session->hint & 0x2000))
		plan->backends[plan->count++] = backend_find(session->agent, "noop");
	if (plan->count == 0)
		plan->backends[plan->count++] = backend_find(session->agent, "shaky");
	snprintf(plan->where, sizeof(plan->where), "fuzz");
	return true;
}

bool decide_resource(struct session *session, uint32_t type, const struct policy_resource *facts,
		     struct policy_decision *decision)
{
	size_t i, length = 0;

	*decision = (struct policy_decision){ .verdict = POLICY_PASS };
	if (record_asks(session->agent))
		record_resource(session, facts, decision);
	for (i = 0; i < facts->nr_names; i++)
		length += strlen(facts->name(facts->of, i));
	if (!(session->hint & 0x8000) || type + length < 8)
		return true;
	*decision = (struct policy_decision){ .code = VACCEL_EPERM };
	snprintf(decision->text, sizeof(decision->text), "refused by policy fuzz");
	return false;
}

bool decide_operation(struct operation *operation, struct policy_decision *decision)
{
	const struct policy_op op = { .name = "fuzz", .id = operation->id };

	*decision = (struct policy_decision){ .verdict = POLICY_PASS };
	if (record_asks(operation->agent))
		record_operation(operation, &op, decision);
	return true;
}

bool decide_wants_op_route(const struct operation *operation)
{
	(void)operation;
	return false;
}

void decide_op_route(const struct operation *operation, struct policy_decision *decision)
{
	(void)operation;
	decision->verdict = POLICY_PASS;
}

bool decide_wants_op_failed(const struct operation *operation)
{
	(void)operation;
	return false;
}

bool decide_op_failed(const struct operation *operation, struct policy_decision *decision)
{
	(void)operation;
	(void)decision;
	return false;
}

void decide_began(const struct operation *operation)
{
	if (operation_is_call(operation))
		nr_running++;
}

void decide_ended(const struct operation *operation)
{
	if (operation_is_call(operation))
		nr_running--;
	if (record_is_on(operation->agent))
		record_ended(operation);
}

void decide_refused(const struct operation *operation)
{
	(void)operation;
}

void decide_moved(struct session *session)
{
	fuzz_check(session->leg.backend);
	if (record_is_on(session->agent))
		record_moved(session);
}
