/*
 * count.h - what a call takes beside time. Both counts are exact. One thread.
 */
#ifndef COUNT_H
#define COUNT_H

#include "vaccel.h"

typedef int count_call(struct vaccel_session *session);

/*
 * Instructions of one call of a function, its return among them, after some calls that nobody
 * counts: a child is stepped through it. -1 when stepping is not possible here.
 */
long count_instructions(count_call *call, struct vaccel_session *session);

/* Allocations of this process so far; always -1 where a sanitizer has malloc() for itself. */
long count_allocations(void);

#endif
