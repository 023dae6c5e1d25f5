/*
 * metrics.h - what the agent counts for Prometheus, and the text that it makes of it.
 *
 * Counting costs an addition or two and needs no memory, but for the first session of a listener.
 * Everything is counted, and read, on the loop's thread. The names are those of docs/operating.md,
 * and stay.
 */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include "tally.h"
#include "vaccel.h"
#include <stddef.h>
#include <stdint.h>

struct agent;
struct operation;

enum { METRICS_BOUNDS = 12, METRICS_LIMITS = 48 };

/* How long something took: so many at most as long as each bound, the last being any time. */
struct metrics_times {
	uint64_t count, sum_us;
	uint64_t within[METRICS_BOUNDS];
};

struct metrics_operation {
	uint64_t failed, cached; /* the latter came to no backend */
	struct metrics_times times;
};

/* What became of operations that this backend was the mirror of; see mirror.h. */
enum metrics_mirrored {
	MIRROR_EQUAL,
	MIRROR_DIFFERS,
	MIRROR_FAILED,	/* it did not run there */
	MIRROR_DROPPED, /* it was not begun: no room, or the backend is down */
	MIRROR_OUTCOMES,
};

/* Of a backend, or of operations that came to none. */
struct metrics_backend {
	struct metrics_operation operations[VACCEL_OP_MAX];
	struct metrics_times queue;
	uint64_t mirrored[MIRROR_OUTCOMES];
	struct tally tally; /* of what ran there; what policies see */
};

enum metrics_outcome {
	SESSION_CREATED,
	SESSION_REFUSED, /* by a policy, or for want of a backend */
	SESSION_LIMITED,
	SESSION_DRAINING,
	SESSION_FAILED, /* no backend of its plan took it */
	SESSION_OUTCOMES,
};

struct metrics_listener {
	char name[64];
	uint64_t sessions[SESSION_OUTCOMES];
	struct metrics_listener *next;
};

struct metrics {
	uint64_t bytes_in, bytes_out;
	uint64_t limit_hits[METRICS_LIMITS]; /* by the limit's number */
	struct metrics_backend nowhere;
	struct metrics_listener *listeners;
};

void metrics_session(struct agent *agent, const char *listener, enum metrics_outcome outcome);
/* An operation has run on its backend, or came to none. */
void metrics_attempt(const struct operation *operation);
/* It has ended, after one attempt or several. */
void metrics_operation(const struct operation *operation);
/* Somebody was refused, or has gone, for a limit: a sentence that begins with "limit NAME". */
void metrics_limit(struct agent *agent, const char *why);
void metrics_release(struct metrics *metrics);

/* All of it as Prometheus reads it: malloc()ed, and its size. NULL: out of memory. */
char *metrics_text(const struct agent *agent, size_t *size);

#endif
