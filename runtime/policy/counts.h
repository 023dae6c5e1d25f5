/*
 * counts.h - what a hook has cost and how often it failed, counted where scripts are asked.
 *
 * Reading the clock twice would be felt in a hook of 130 ns, so after the first 64 calls one in 64
 * is timed, and the others count as long as the one that was timed before: counts are exact, sums
 * and buckets only rise, and what is frequent is right. Of the engine's thread.
 */
#ifndef LUACCEL_POLICY_COUNTS_H
#define LUACCEL_POLICY_COUNTS_H

#include "policy.h"

enum { COUNTS_TIMED = 64 }; /* the first calls, and then one in so many */

static inline bool counts_due(const struct policy_counts *counts)
{
	return counts->calls < COUNTS_TIMED || counts->calls % COUNTS_TIMED == 0;
}

/* The call that was timed, and those that follow until another is. */
static inline void counts_time(struct policy_counts *counts, uint64_t ns)
{
	counts->last_ns = ns;
	counts->bucket = 0;
	while (counts->bucket < POLICY_BOUNDS && ns > policy_bounds_us[counts->bucket] * 1000)
		counts->bucket++;
}

static inline void counts_add(struct policy_counts *counts, bool failed)
{
	counts->calls++;
	counts->errors += failed;
	counts->sum_ns += counts->last_ns;
	counts->buckets[counts->bucket]++;
}

#endif
