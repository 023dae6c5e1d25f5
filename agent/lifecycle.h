/*
 * lifecycle.h - what signals do to a running agent: drain, stop, reload; and what the service
 * manager is told. The loop's thread.
 *
 *     running ──SIGTERM, SIGINT──▶ draining ──last operation ended──▶ closing ──all gone──▶ left
 *                                      └──drain-timeout, second signal──▶ left at once
 */
#ifndef AGENT_LIFECYCLE_H
#define AGENT_LIFECYCLE_H

#include "agent.h"
#include "options.h"

struct lifecycle {
	struct agent *agent;
	const struct options *options;
	struct ttrpc_listener **listeners; /* NULL-terminated */
	enum { LIFE_RUNNING, LIFE_DRAINING, LIFE_CLOSING } stage;
	ev_signal term, interrupt, hangup;
	ev_timer timeout;
	ev_prepare each_round;
};

/* Install the signal handlers. */
void lifecycle_start(struct lifecycle *life);
void lifecycle_stop(struct lifecycle *life);

/* sd_notify: "READY=1" and the like; nothing without a service manager. */
void lifecycle_notify(const char *state);

#endif
