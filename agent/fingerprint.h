/*
 * fingerprint.h - what a resource's bytes are, in 32 bytes: equal ones have equal fingerprints, and
 * nobody can make others that have the same.
 *
 * Of an upload the parts' roots are known (content.h). Bytes that came with the request are hashed
 * when somebody asks for the first time, by a worker: until then there is no answer. What is named
 * by paths or URLs has none, as it may change under its name. The loop's thread.
 */
#ifndef AGENT_FINGERPRINT_H
#define AGENT_FINGERPRINT_H

#include "digest.h"
#include "pool.h"
#include <stdbool.h>

struct resource;

struct fingerprint {
	enum {
		FINGERPRINT_UNASKED,
		FINGERPRINT_UNDER_WAY,
		FINGERPRINT_NONE,
		FINGERPRINT_MADE
	} state;
	uint8_t digest[DIGEST_SIZE];
	struct job job;
};

/* Of a resource that has been made; NULL: it has none, or none yet. */
const uint8_t *fingerprint_of(struct resource *resource);

#endif
