/*
 * hooks.c - the hooks in one table: their names, what each may say, and its budget. What is said
 * of hooks in error texts is made from it.
 */
#include "engine.h"

#include <stdio.h>
#include <string.h>

const struct policy_hook_info policy_hooks[NR_HOOKS] = {
	[HOOK_PEER_ACCEPT] = {
		.name = "peer_accept",
		.arguments = "peer",
		.when = "when a connection arrives",
		.says = "reject or nothing",
		.kinds = MAY_SAY(VALUE_REJECT),
		.agent_only = true,
	},
	[HOOK_SESSION_ROUTE] = {
		.name = "session_route",
		.arguments = "s",
		.when = "when a session is created",
		.says = "route, reject or nothing",
		.kinds = MAY_SAY(VALUE_PLAN) | MAY_SAY(VALUE_REJECT),
	},
	[HOOK_RESOURCE_ADMIT] = {
		.name = "resource_admit",
		.arguments = "s, res",
		.when = "when a model, a library or data is registered with a session",
		.says = "reject or nothing",
		.kinds = MAY_SAY(VALUE_REJECT),
	},
	[HOOK_OP_ADMIT] = {
		.name = "op_admit",
		.arguments = "op",
		.when = "before each operation",
		.says = "reject or nothing",
		.kinds = MAY_SAY(VALUE_REJECT),
		.of_op = true,
	},
	[HOOK_OP_ROUTE] = {
		.name = "op_route",
		.arguments = "op",
		.when = "before an operation that may run twice, in a session whose route says per_op",
		.says = "route, mirror or nothing",
		.kinds = MAY_SAY(VALUE_PLAN) | MAY_SAY(VALUE_MIRROR),
		.of_op = true,
		.agent_only = true,
	},
	[HOOK_OP_FAILED] = {
		.name = "op_failed",
		.arguments = "op, result",
		.when = "when an operation that may run twice has failed, before anybody is told",
		.says = "retry or nothing",
		.kinds = MAY_SAY(VALUE_RETRY),
		.of_op = true,
		.agent_only = true,
		.late = true,
	},
	[HOOK_OP_DONE] = {
		.name = "op_done",
		.arguments = "op, result",
		.when = "after each operation, when its answer has been sent",
		.of_op = true,
	},
	[HOOK_SESSION_CLOSE] = {
		.name = "session_close",
		.arguments = "s",
		.when = "when a session has ended, also one that no backend took",
	},
	[HOOK_BACKEND_STATE] = {
		.name = "backend_state",
		.arguments = "b, up",
		.when = "when a backend has come up or gone down",
		.agent_only = true,
	},
};

int policy_hook_by_name(const char *name)
{
	for (int i = 0; i < NR_HOOKS; i++)
		if (strcmp(policy_hooks[i].name, name) == 0)
			return i;
	return -1;
}

void policy_hooks_list(char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (int i = 0; i < NR_HOOKS && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "",
				      policy_hooks[i].name);
}
