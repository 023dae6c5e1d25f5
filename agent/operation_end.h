/*
 * operation_end.h - the end of an operation, for operation.c: what the session and its connection
 * keep of it, the answer to the peer, and what is told of it afterwards. The loop's thread.
 */
#ifndef AGENT_OPERATION_END_H
#define AGENT_OPERATION_END_H

#include "operation.h"

/*
 * It has ended with this code, the reason being in its work: its turn is over, and it is answered.
 * It may be gone after that.
 */
void operation_finish(struct operation *operation, int code);

/* The same, with a reason for the peer. */
__attribute__((format(printf, 3, 4))) void operation_fail(struct operation *operation, int code,
							  const char *format, ...);
/* It has had no turn, as the answer was there already. It may be gone after that. */
void operation_finish_cached(struct operation *operation, const ProtobufCMessage *response);

/* What run() has made. */
void operation_drop_result(struct operation *operation);

/* Of one that has been answered otherwise. */
void operation_free(struct operation *operation);

#endif
