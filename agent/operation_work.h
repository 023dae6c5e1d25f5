/*
 * operation_work.h - one piece of work of an operation, for operation.c, which has them done one
 * after another.
 *
 *     turn on the model ─▶ pass of the peer ─▶ backend ─▶ account ─▶ operation_worked()
 *       its replica's        gate.h, when it     submit()   what the loop knows of leg,
 *       strand               may take long                  replica and registration
 *
 * The loop's thread.
 */
#ifndef AGENT_OPERATION_WORK_H
#define AGENT_OPERATION_WORK_H

#include "operation.h"

/*
 * Give it to the backend that the session's leg is on. `about` has the replica whose strand the
 * work needs; NULL when it needs none. The operation may be gone afterwards.
 */
void operation_submit(struct operation *operation, enum work_kind kind, struct registration *about);

/* operation.c: it is done, with the code that counts; the reason of a failure is in its work. */
void operation_worked(struct operation *operation, int code);

/* May it run on its session, as it is entered, and on its model while others do? */
bool operation_is_reentrant(const struct operation *operation);

/* Why one that is in vain has not run. */
void operation_say_in_vain(char *text, size_t size, const struct operation *operation);

#endif
