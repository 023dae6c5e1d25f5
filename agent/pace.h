/*
 * pace.h - is a kind of work short enough to be run where it is, rather than handed to a worker?
 * It is learned from how long it took before. The loop's thread.
 */
#ifndef AGENT_PACE_H
#define AGENT_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* One kind of work, zeroed at first: nothing is known of it, so it is not short. */
struct pace {
	unsigned runs;		/* how many the sum is of, once there have been enough */
	uint64_t sum_us;	/* of the last of them; older ones fade */
	uint64_t not_before_us; /* it pays until then for having held up the loop */
};

/* Microseconds, of any clock that the runs are told in, too. */
bool pace_is_short(const struct pace *pace, uint64_t now_us);

/* It has run: where it was (`stayed`), or on a worker. */
void pace_add(struct pace *pace, uint64_t started_us, uint64_t ended_us, bool stayed);

#endif
