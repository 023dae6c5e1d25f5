/*
 * bounds.h - the operator's limits, brought to where they are kept: the accounts, the server, the
 * core. The loop's thread.
 */
#ifndef AGENT_BOUNDS_H
#define AGENT_BOUNDS_H

#include "agent.h"
#include "options.h"

/* From now on; how many operations run at once stays as it is for peers that are there. */
void bounds_set(struct agent *agent, const struct options *options);

/* The server's part of the agent's limits. */
struct ttrpc_server_limits bounds_of_server(const struct agent *agent);

#endif
