/*
 * metrics_times.h - the bounds of the histograms, in microseconds: 10 us to 60 s.
 */
#ifndef AGENT_METRICS_TIMES_H
#define AGENT_METRICS_TIMES_H

#include "metrics.h"

static const uint64_t metrics_bounds_us[METRICS_BOUNDS] = {
	10, 100, 250, 1000, 2500, 10000, 25000, 100000, 250000, 1000000, 10000000, 60000000,
};

#endif
