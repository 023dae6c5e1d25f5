/*
 * histogram.h - how long things took: counts in buckets of 1/8 of a power of two, from 1 us up.
 * 1 kB, no allocation; what is told of them is right within 12 %.
 */
#ifndef LUACCEL_POLICY_HISTOGRAM_H
#define LUACCEL_POLICY_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 8 * 31 };

struct histogram {
	uint64_t count, largest; /* us */
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_bucket(uint64_t us)
{
	unsigned log2;

	if (us < 8)
		return (unsigned)us;
	log2 = 63 - (unsigned)__builtin_clzll(us);
	if (log2 > 32)
		return HISTOGRAM_BUCKETS - 1;
	return (log2 - 2) * 8 + (unsigned)((us >> (log2 - 3)) & 7);
}

static inline void histogram_add(struct histogram *histogram, uint64_t us)
{
	histogram->count++;
	if (us > histogram->largest)
		histogram->largest = us;
	histogram->buckets[histogram_bucket(us)]++;
}

/* The lower end of the bucket below which `percent` of all lie, in us. */
static inline uint64_t histogram_percentile(const struct histogram *histogram, unsigned percent)
{
	uint64_t seen = 0;
	unsigned i;

	for (i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		seen += histogram->buckets[i];
		if (100 * seen >= percent * histogram->count)
			break;
	}
	if (i < 8)
		return i;
	return (uint64_t)(8 + i % 8) << (i / 8 - 1);
}

static inline uint64_t histogram_median(const struct histogram *histogram)
{
	return histogram_percentile(histogram, 50);
}

/* Let everything count for half, so that what comes now counts for more. */
static inline void histogram_fade(struct histogram *histogram)
{
	histogram->count = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		histogram->count += histogram->buckets[i] /= 2;
}

#endif
