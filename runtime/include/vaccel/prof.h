/*
 * prof.h - how long named regions of a program took.
 *
 * Nothing is measured, and every function returns at once with success, unless profiling was
 * enabled (VACCEL_PROFILING_ENABLED=1). Times are nanoseconds of CLOCK_MONOTONIC_RAW.
 *
 * Threads may use a region together. It keeps 1048576 samples; later ones are counted and summed
 * in what is printed, but not kept.
 */
#ifndef VACCEL_PROF_H
#define VACCEL_PROF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vaccel_prof_sample {
	/* when it began */
	uint64_t start;

	/* how long it took */
	uint64_t time;
};

struct vaccel_prof_region {
	/* its name, for people */
	const char *name;

	/* true if the name is freed with the region */
	bool name_owned;

	/* samples kept */
	size_t nr_entries;

	/* the samples */
	struct vaccel_prof_sample *samples;

	/* how many there is memory for */
	size_t size;
};

/* A region in static memory. */
#define VACCEL_PROF_REGION_INIT(name)                                                              \
	{                                                                                          \
		(name), false, 0, NULL, 0                                                          \
	}

/* Whether anything is measured. */
bool vaccel_prof_enabled(void);

/* Begin a sample. */
int vaccel_prof_region_start(struct vaccel_prof_region *region);

/*
 * End the sample that this thread began last, or else the region's last. VACCEL_ENOENT: there is
 * none.
 */
int vaccel_prof_region_stop(const struct vaccel_prof_region *region);

/* Log one line with the region's total. */
int vaccel_prof_region_print(const struct vaccel_prof_region *region);

/* An empty region; the name is the caller's, NULL gives an empty one of 256 bytes to write to. */
int vaccel_prof_region_init(struct vaccel_prof_region *region, const char *name);

/* Free samples and what else the region owns. */
int vaccel_prof_region_release(struct vaccel_prof_region *region);

/* The same for an array of regions; by name: VACCEL_EINVAL when none has it. */
int vaccel_prof_regions_start_by_name(struct vaccel_prof_region *regions, int nregions,
				      const char *name);
int vaccel_prof_regions_stop_by_name(struct vaccel_prof_region *regions, int nregions,
				     const char *name);
int vaccel_prof_regions_init(struct vaccel_prof_region *regions, int nregions);
int vaccel_prof_regions_release(struct vaccel_prof_region *regions, int nregions);
int vaccel_prof_regions_print_all(struct vaccel_prof_region *regions, int nregions);

/*
 * The lines of all regions as text, each ended by a NUL. Without tbuf returns the bytes that takes;
 * with it allocates tbuf_len bytes, which the caller frees, and returns the number of regions.
 */
int vaccel_prof_regions_print_all_to_buf(char **tbuf, size_t tbuf_len,
					 struct vaccel_prof_region *regions, int size);

#ifdef __cplusplus
}
#endif

#endif
