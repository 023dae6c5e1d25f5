/*
 * profile.h - how long the parts of each Genop of a session took, for peers that ask.
 *
 * An operation takes its own samples, on whatever thread runs it; when it has ended they are added
 * to the session's, on the loop. With profiling off (VACCEL_PROFILING_ENABLED, --vaccel-config)
 * there are none.
 */
#ifndef AGENT_PROFILE_H
#define AGENT_PROFILE_H

#include <stdint.h>

enum profile_region {
	PROFILE_READ_ARGS,
	PROFILE_WRITE_ARGS,
	PROFILE_GENOP,
	PROFILE_RESPONSE,
	PROFILE_REGIONS,
};

/* Nanoseconds of the monotonic clock; time 0: not taken. */
struct profile_sample {
	uint64_t start, time;
};

/* Of one operation: NULL with profiling off, and the functions below do nothing then. */
struct profile_samples {
	struct profile_sample region[PROFILE_REGIONS];
};

struct profile;

/* NULL with profiling off, or without memory. free() it. */
struct profile_samples *profile_samples_new(void);
void profile_begin(struct profile_samples *samples, enum profile_region region);
void profile_end(struct profile_samples *samples, enum profile_region region);

/* Add an operation's samples; makes the profile when there is none. What there is no room for is
 * dropped. */
void profile_add(struct profile **profile, const struct profile_samples *samples);
void profile_free(struct profile *profile);

#endif
