/*
 * mirror.h - operations that run on a second backend too, for what that one would have answered.
 *
 * The caller gets the first one's answer and waits for no more. The second runs on a side (side.h),
 * on a copy of the request; what both would have answered is compared byte by byte, counted, and
 * told to the policy's op_done. Few are in flight for a session, and their bytes are charged to its
 * peer: what is beyond that is not mirrored, and counted. The loop's thread.
 */
#ifndef AGENT_MIRROR_H
#define AGENT_MIRROR_H

#include "operation.h"

enum { MIRROR_INFLIGHT = 8 }; /* of a session */

/* The operation is about to run. */
void mirror_begin(struct operation *operation, struct backend *backend);

/* What either of the two answers; NULL: a failure, as its code says. */
void mirror_answers(struct operation *operation, const ProtobufCMessage *response);

/* The first one leaves memory. */
void mirror_leave(struct operation *operation);

#endif
