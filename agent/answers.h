/*
 * answers.h - answers of operations, kept for equal ones: what cache { } of a policy stands for.
 *
 * A store is found by the number that the policy engine gave it, and counted by the sessions that
 * use it. The agent itself keeps it as long as a script in force has it: then it is emptied, and
 * takes nothing more. An answer is found by a digest of all that it depends on, made under the
 * store's own random key, so nobody can make two that meet, or fall into one bucket. It is counted
 * by the store and by replies under way. What answers take together is bounded; those that were
 * used least recently go. The loop's thread.
 */
#ifndef AGENT_ANSWERS_H
#define AGENT_ANSWERS_H

#include "digest.h"
#include "policy.h"
#include <protobuf-c/protobuf-c.h>

struct agent;

struct answer {
	struct agent *agent;
	unsigned refs;
	uint8_t digest[DIGEST_SIZE];
	const ProtobufCMessageDescriptor *type; /* of the packed message */
	size_t size;				/* of memory */
	size_t bytes_out;			/* of the operation */
	uint64_t kept_us;
	struct answer *next, **at;    /* in its bucket */
	struct answer *newer, *older; /* by when they were used last */
	size_t length;
	uint8_t packed[];
};

struct answers {
	struct agent *agent;
	unsigned refs;
	struct policy_answers what;
	uint8_t key[DIGEST_SIZE];
	bool live;	    /* some script has it */
	size_t used, count; /* bytes, answers */
	struct answer **buckets;
	size_t nr_buckets; /* a power of two */
	struct answer *newest, *oldest;
	struct answers *next, **in_agent;
};

/* The store, as the policy wants it now; counted for the caller. NULL: none, or out of memory. */
struct answers *answers_for(struct agent *agent, const struct policy_answers *what);
struct answers *answers_ref(struct answers *answers);
void answers_unref(struct answers *answers);
/* Other scripts are in force, or none: what they do not have is emptied. */
void answers_settle(struct agent *agent);

/* Counted for the caller; NULL: there is none, or it is too old. */
struct answer *answers_find(struct answers *answers, const uint8_t digest[DIGEST_SIZE]);
/* Keep a copy of a response, if there is room for it and memory to be had. */
void answers_keep(struct answers *answers, const uint8_t digest[DIGEST_SIZE],
		  const ProtobufCMessage *response, size_t bytes_out);
void answer_unref(struct answer *answer);

#endif
