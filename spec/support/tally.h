/*
 * tally.h - which sessions and resources are alive, as the plugins of the stress program see it.
 *
 * A plugin begins an object when it first hears of it and ends it when it hears that it goes;
 * several may have it begun at once. An id that two objects have at the same time is a twin: it is
 * counted and said on stderr. Any thread; nothing here orders one thread's memory before another's,
 * so that a race detector sees the library's own order and no more.
 */
#ifndef TALLY_H
#define TALLY_H

#include "vaccel.h"

enum tally_kind { TALLY_SESSION, TALLY_RESOURCE, TALLY_KINDS };

void tally_begin(enum tally_kind kind, vaccel_id_t id, const void *object);
void tally_end(enum tally_kind kind, vaccel_id_t id, const void *object);

/* An operation on an object, which has to be begun. */
void tally_use(enum tally_kind kind, vaccel_id_t id, const void *object);

struct tally {
	uint64_t begun;	   /* calls of tally_begin() */
	uint64_t used;	   /* calls of tally_use() */
	uint64_t alive;	   /* ids that are begun now */
	uint64_t twins;	   /* ids that were alive twice */
	uint64_t mistakes; /* ended or used without a beginning, ids out of range */
};

struct tally tally_count(void);

#endif
