/*
 * timers.h - every() and after() of policies: the loop calls them when they are due, one at a time.
 *
 * Any hook may set one, so the loop looks at the nearest each time before it waits. The loop's
 * thread.
 */
#ifndef AGENT_TIMERS_H
#define AGENT_TIMERS_H

#include <ev.h>
#include <stdint.h>

struct agent;

struct timers {
	ev_prepare before_waiting;
	ev_timer timer;
	uint64_t set_to; /* what the timer waits for; 0: it has come */
};

void timers_start(struct agent *agent);
void timers_stop(struct agent *agent);

#endif
