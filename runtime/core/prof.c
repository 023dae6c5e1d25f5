/*
 * prof.c - the samples of regions: begun, ended, summed, forgotten.
 *
 * A region is its caller's memory and has no room for a lock, so one lock guards them all; a
 * sample's time is taken outside of the wait for it. Any thread.
 *
 * Threads may be in one region at once: each remembers the samples that it began, the newest
 * OPEN_MAX of them, and ends its own. One that began none ends the region's last, so that a sample
 * can be ended by another thread than began it.
 *
 * A region keeps SAMPLES_MAX samples. What comes after them is not kept but counted and summed, in
 * one more element behind the last, so that the totals that are printed stay whole.
 */
#include "logging.h"
#include "profiling.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAMPLES_MIN = 1024, SAMPLES_MAX = 1 << 20, OPEN_MAX = 16 };

/* A sample that the thread began. */
struct open_sample {
	const struct vaccel_prof_region *region;
	size_t index; /* SAMPLES_MAX: not kept */
	uint64_t start;
};

atomic_bool prof_on;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct open_sample open_samples[OPEN_MAX];
static _Thread_local size_t nr_open;

void prof_enable(bool on)
{
	atomic_store(&prof_on, on);
}

void prof_lock(void)
{
	pthread_mutex_lock(&lock);
}

void prof_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void forget_open(size_t i)
{
	nr_open--;
	memmove(&open_samples[i], &open_samples[i + 1], (nr_open - i) * sizeof(open_samples[0]));
}

static void remember_open(struct open_sample sample)
{
	if (nr_open == OPEN_MAX)
		forget_open(0);
	open_samples[nr_open++] = sample;
}

/* The thread's newest of this region, which it no longer remembers then. */
static bool take_open(const struct vaccel_prof_region *region, struct open_sample *sample)
{
	for (size_t i = nr_open; i-- > 0;) {
		if (open_samples[i].region == region) {
			*sample = open_samples[i];
			forget_open(i);
			return true;
		}
	}
	return false;
}

/* The element that sums what is not kept; it is there when the region cannot grow. */
static struct vaccel_prof_sample *rest(const struct vaccel_prof_region *region)
{
	return region->size == SAMPLES_MAX ? &region->samples[SAMPLES_MAX] : NULL;
}

/* Room for one more sample, or none if there are enough. */
static int grow(struct vaccel_prof_region *region)
{
	struct vaccel_prof_sample *grown;
	size_t size;

	if (region->nr_entries < region->size || rest(region))
		return VACCEL_OK;
	size = region->size ? region->size * 2 : SAMPLES_MIN;
	grown = realloc(region->samples, (size + (size == SAMPLES_MAX)) * sizeof(*grown));
	if (!grown)
		return VACCEL_ENOMEM;
	region->samples = grown;
	region->size = size;
	if (rest(region))
		*rest(region) = (struct vaccel_prof_sample){ .start = 0 };
	return VACCEL_OK;
}

int prof_begin(struct vaccel_prof_region *region)
{
	struct open_sample sample = { .region = region, .index = SAMPLES_MAX };
	int ret;

	log_debug("Start profiling region %s", region->name);
	prof_lock();
	ret = grow(region);
	if (ret)
		goto unlock;
	sample.start = now_ns();
	if (region->nr_entries < region->size) {
		sample.index = region->nr_entries++;
		region->samples[sample.index] =
			(struct vaccel_prof_sample){ .start = sample.start };
	} else {
		rest(region)->start++; /* the number of them */
	}
	remember_open(sample);
unlock:
	prof_unlock();
	return ret;
}

/* False: the region's samples are not those any more that the thread began this one in. */
static bool end_own(const struct vaccel_prof_region *region, const struct open_sample *own,
		    uint64_t now)
{
	struct vaccel_prof_sample *sample = rest(region);

	if (own->index == SAMPLES_MAX && sample) {
		sample->time += now - own->start;
		return true;
	}
	if (own->index >= region->nr_entries)
		return false;
	sample = &region->samples[own->index];
	if (sample->start != own->start)
		return false;
	sample->time = now - sample->start;
	return true;
}

static int end_last(const struct vaccel_prof_region *region, uint64_t now)
{
	struct vaccel_prof_sample *last;

	if (!region->nr_entries)
		return VACCEL_ENOENT;
	last = &region->samples[region->nr_entries - 1];
	if (!rest(region) || !rest(region)->start)
		last->time = now - last->start;
	return VACCEL_OK;
}

int prof_end(const struct vaccel_prof_region *region)
{
	const uint64_t now = now_ns();
	struct open_sample own;
	int ret = VACCEL_OK;

	log_debug("Stop profiling region %s", region->name);
	prof_lock();
	if (!take_open(region, &own) || !end_own(region, &own, now))
		ret = end_last(region, now);
	prof_unlock();
	return ret;
}

struct prof_totals prof_sum(const struct vaccel_prof_region *region)
{
	struct prof_totals totals = { .time = 0 };

	prof_lock();
	totals.entries = region->nr_entries;
	for (size_t i = 0; i < region->nr_entries; i++)
		totals.time += region->samples[i].time;
	if (rest(region)) {
		totals.entries += rest(region)->start;
		totals.time += rest(region)->time;
	}
	prof_unlock();
	return totals;
}

void prof_forget(struct vaccel_prof_region *region)
{
	struct open_sample own;

	prof_lock();
	while (take_open(region, &own))
		;
	free(region->samples);
	region->samples = NULL;
	region->nr_entries = 0;
	region->size = 0;
	prof_unlock();
}
