/*
 * bounds.c - see bounds.h.
 */
#include "bounds.h"
#include <sys/resource.h>

/* Leave descriptors for listeners, plugins and files: 80 % of what there are, at most. */
static unsigned connections_max(const struct limits *limits)
{
	const size_t connections = limits->account[ACCOUNT_TOTAL][ACCOUNT_CONNECTIONS];
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur / 5 * 4 >= connections)
		return (unsigned)connections;
	return (unsigned)(files.rlim_cur / 5 * 4);
}

struct ttrpc_server_limits bounds_of_server(const struct agent *agent)
{
	const struct limits *limits = &agent->limits;

	return (struct ttrpc_server_limits){
		.frame_max = limits->frame,
		.held_max = limits->account[ACCOUNT_CONNECTION][ACCOUNT_HELD],
		.out_max = limits->account[ACCOUNT_CONNECTION][ACCOUNT_HELD],
		.streams_max = (unsigned)limits->account[ACCOUNT_CONNECTION][ACCOUNT_STREAMS],
		.connections_max = connections_max(limits),
		.accepts_max = (unsigned)limits->accepts,
		.frame_timeout = (double)limits->frame_timeout,
		.write_timeout = (double)limits->write_timeout,
		.deadline = (double)limits->deadline,
		.deadline_max = (double)limits->deadline_max,
	};
}

void bounds_set(struct agent *agent, const struct options *options)
{
	struct ttrpc_server_limits server;

	agent->limits = options->limits;
	if (!agent->limits.executing)
		agent->limits.executing = (options->threads + 1) / 2;
	/* Those that are being freed still count there. */
	agent->core->limit_resources(2 * agent->limits.account[ACCOUNT_TOTAL][ACCOUNT_RESOURCES]);
	server = bounds_of_server(agent);
	if (agent->server)
		ttrpc_server_set_limits(agent->server, &server);
}
