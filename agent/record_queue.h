/*
 * record_queue.h - lines that wait for one recorder, in chunks of whole lines.
 *
 * It is bounded: a line for which there is no room is counted instead, and a line that says how
 * many were lost comes first when there is room again. What has been taken stays in the bound until
 * it is given back. The loop's thread.
 */
#ifndef AGENT_RECORD_QUEUE_H
#define AGENT_RECORD_QUEUE_H

#include "record_line.h"

enum { RECORD_CHUNK = 64 << 10, RECORD_CHUNKS = 64 };

struct record_chunk {
	struct record_chunk *next;
	void *owner; /* whoever has taken it may say who that is */
	size_t size;
	char text[RECORD_CHUNK];
};

struct record_queue {
	struct record_chunk *first, *last;
	unsigned nr_waiting, nr_taken;
	uint64_t lost;	 /* in all */
	uint64_t untold; /* of those: not said in a line yet */
};

/* A queue that is all zero is empty. Let go of what waits; nothing may be taken then. */
void record_queue_release(struct record_queue *queue);

/* Append a line that is about nanosecond t; or count it. */
void record_queue_push(struct record_queue *queue, uint64_t t, const struct record_line *line);
/* A line that there is no line for: it did not fit into one. */
void record_queue_lose(struct record_queue *queue);
/* Say what was lost and not said yet, if there is room. */
void record_queue_tell(struct record_queue *queue, uint64_t t);

/* The oldest chunk, if it is whole, or whatever it holds when `any`; NULL: there is none. */
struct record_chunk *record_queue_take(struct record_queue *queue, bool any);
/* One that was taken has been sent, or never will be. */
void record_queue_give(struct record_queue *queue, struct record_chunk *chunk);

#endif
