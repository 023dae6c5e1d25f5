/*
 * tally.h - how operations on one backend have ended, and how long those took that succeeded. For
 * whoever fills a struct policy_backend_view. One thread at a time; no allocation.
 */
#ifndef LUACCEL_POLICY_TALLY_H
#define LUACCEL_POLICY_TALLY_H

#include "histogram.h"
#include "policy.h"

enum { TALLY_RECENT = 2048 }; /* then what was counts for half, so that percentiles are recent */

struct tally {
	uint64_t operations, errors;
	struct histogram recent;
	uint64_t since;		 /* so many came since the percentiles were looked up */
	uint64_t p50_us, p99_us; /* a look takes 100 ns, so not for each operation */
};

/* An operation has ended with this VACCEL_* code, after so long. */
static inline void tally_add(struct tally *tally, int code, uint64_t us)
{
	tally->operations++;
	if (code) { /* often at once, which must not make a backend look fast */
		tally->errors++;
		return;
	}
	histogram_add(&tally->recent, us);
	if (tally->recent.count >= TALLY_RECENT)
		histogram_fade(&tally->recent);
	if (++tally->since <= tally->recent.count / 64)
		return;
	tally->since = 0;
	tally->p50_us = histogram_percentile(&tally->recent, 50);
	tally->p99_us = histogram_percentile(&tally->recent, 99);
}

static inline void tally_view(const struct tally *tally, struct policy_backend_view *view)
{
	view->operations = tally->operations;
	view->errors = tally->errors;
	view->has_latency = tally->recent.count > 0;
	view->p50_us = tally->p50_us;
	view->p99_us = tally->p99_us;
}

#endif
