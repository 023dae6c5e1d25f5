/*
 * timers.h - every() and after() of policies: the loop calls them when they are due, one at a time.
 *
 * Any hook may set one, so each loop looks at the nearest before it waits; the first waits for it.
 * Their threads.
 */
#ifndef AGENT_TIMERS_H
#define AGENT_TIMERS_H

#include "loop.h"
#include <stdint.h>

struct agent;

struct timers {
	ev_prepare before_waiting[LOOPS_MAX];
	ev_timer timer;
	uint64_t set_to; /* what the timer waits for; 0: it has come */
};

void timers_start(struct agent *agent);
void timers_stop(struct agent *agent);

#endif
