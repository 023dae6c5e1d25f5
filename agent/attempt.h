/*
 * attempt.h - where an operation runs when not simply where its session is: the policy's op_route,
 * and its op_failed after a failure. Only operations that may run twice are asked for.
 *
 * An attempt elsewhere is an operation of its own, on a side (side.h), which has the first one's
 * request and gives its result to it; the first one keeps its turn on its session meanwhile. The
 * loop's thread.
 */
#ifndef AGENT_ATTEMPT_H
#define AGENT_ATTEMPT_H

#include "operation.h"

/* A second, third and fourth time, at most. */
enum { ATTEMPT_RETRIES = 3 };

/* When it is about to run for the first time. True: it has been seen to. */
bool attempt_begin(struct operation *operation);
/* It failed, as its work says. True: it is tried again. */
bool attempt_again(struct operation *operation);

/* Did the last attempt run aside? Then it has been counted. */
bool attempt_was_aside(const struct operation *operation);
unsigned attempt_retries(const struct operation *operation);

#endif
