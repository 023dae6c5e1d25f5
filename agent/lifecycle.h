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

struct control;

struct lifecycle {
	struct agent *agent;
	struct options *options;
	int argc; /* the command line, for a reload */
	char **argv;
	struct control *control; /* NULL: no control socket */
	bool drains;
	ev_signal term, interrupt, hangup;
	ev_timer timeout, tick;
	ev_prepare each_round;
};

/* Install the signal handlers. */
void lifecycle_start(struct lifecycle *life);
void lifecycle_stop(struct lifecycle *life);

/* Begin to drain; nothing when it has begun. `why` is for the log: "SIGTERM". */
void lifecycle_drain(struct lifecycle *life, const char *why);

/* Read settings and policies again. 0, or -1 with the sentence in err: all is as it was. */
int lifecycle_reload(struct lifecycle *life, const char *why, char *err, size_t errsize);

/* sd_notify: "READY=1" and the like; nothing without a service manager. */
void lifecycle_notify(const char *state);

#endif
