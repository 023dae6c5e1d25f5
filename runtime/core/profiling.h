/*
 * profiling.h - how the library itself measures: with profiling off a load and a branch.
 */
#ifndef PROFILING_H
#define PROFILING_H

#include "core.h"
#include <stdatomic.h>

/* Whether regions are measured; prof_enable() sets it. */
extern atomic_bool prof_on;

static inline bool prof_enabled(void)
{
	return atomic_load_explicit(&prof_on, memory_order_relaxed);
}

/* What the settings in force say; bootstrap and cleanup call this. */
void prof_enable(bool on);

/* Begin a sample of this thread. ENOMEM. */
int prof_begin(struct vaccel_prof_region *region);

/* End the one that this thread began last, or else the region's last. ENOENT: there is none. */
int prof_end(const struct vaccel_prof_region *region);

/* What is printed of a region. */
struct prof_totals {
	uint64_t time; /* ns */
	size_t entries;
};

struct prof_totals prof_sum(const struct vaccel_prof_region *region);

/* Free all samples; the region stays. */
void prof_forget(struct vaccel_prof_region *region);

/* Around fork(): no region is half changed in the child. */
void prof_lock(void);
void prof_unlock(void);

#endif
