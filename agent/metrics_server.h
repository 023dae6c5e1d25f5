/*
 * metrics_server.h - --metrics: HTTP for Prometheus on the agent's loop.
 *
 * libluaccel-metrics.so is loaded when it is asked for, so that an agent without it needs no
 * libmicrohttpd. The loop waits for the module's descriptor and calls it: no other thread sees what
 * the metrics are made of.
 */
#ifndef AGENT_METRICS_SERVER_H
#define AGENT_METRICS_SERVER_H

#include "agent.h"

struct metrics_server;

/* Serve at `text`, as listen_parse() takes it. 0, or -1 with the sentence in err. */
int metrics_server_new(struct agent *agent, const char *text, struct metrics_server **server,
		       char *err, size_t errsize);
/* NULL is fine. */
void metrics_server_free(struct metrics_server *server);

#endif
