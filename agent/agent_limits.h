/*
 * agent_limits.h - the bounds of what peers may make the agent hold; names as --limit takes them.
 */
#ifndef AGENT_LIMITS_H
#define AGENT_LIMITS_H

#include <stddef.h>

struct limits {
	size_t connections;	    /* whole agent */
	size_t sessions, resources; /* of one connection */
	size_t sessions_total, resources_total;
	size_t frame;	      /* bytes of one request */
	size_t held;	      /* bytes of requests and replies of one connection */
	size_t streams;	      /* requests open on one connection */
	size_t executing;     /* of those, at once; 0: half of the pool */
	size_t frame_timeout; /* seconds for a frame to complete */
	size_t write_timeout; /* seconds without progress of a reader */
};

extern const struct limits limits_default;

/* "NAME=VALUE,..."; 0, or -EINVAL with a sentence in err. Sizes take k, M and G. */
int limits_parse(struct limits *limits, const char *text, char *err, size_t errsize);

#endif
