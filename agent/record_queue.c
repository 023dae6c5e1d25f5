/*
 * record_queue.c - see record_queue.h.
 */
#include "record_queue.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOST_MAX = 96 };

void record_queue_release(struct record_queue *queue)
{
	struct record_chunk *chunk;

	while ((chunk = record_queue_take(queue, true)))
		record_queue_give(queue, chunk);
}

/* Where so many bytes have room; NULL: nowhere. */
static struct record_chunk *chunk_for(struct record_queue *queue, size_t size)
{
	struct record_chunk *chunk = queue->last;

	if (chunk && size <= sizeof(chunk->text) - chunk->size)
		return chunk;
	if (queue->nr_waiting + queue->nr_taken >= RECORD_CHUNKS)
		return NULL;
	chunk = malloc(sizeof(*chunk));
	if (!chunk)
		return NULL;
	chunk->next = NULL;
	chunk->size = 0;
	*(queue->last ? &queue->last->next : &queue->first) = chunk;
	queue->last = chunk;
	queue->nr_waiting++;
	return chunk;
}

static bool append(struct record_queue *queue, const char *text, size_t size)
{
	struct record_chunk *chunk = chunk_for(queue, size);

	if (!chunk)
		return false;
	memcpy(chunk->text + chunk->size, text, size);
	chunk->size += size;
	return true;
}

void record_queue_tell(struct record_queue *queue, uint64_t t)
{
	char text[LOST_MAX];
	int length;

	if (!queue->untold)
		return;
	length = snprintf(text, sizeof(text),
			  "{\"e\":\"lost\",\"t\":%" PRIu64 ",\"n\":%" PRIu64 "}\n", t,
			  queue->untold);
	if (append(queue, text, (size_t)length))
		queue->untold = 0;
}

void record_queue_lose(struct record_queue *queue)
{
	queue->lost++;
	queue->untold++;
}

void record_queue_push(struct record_queue *queue, uint64_t t, const struct record_line *line)
{
	record_queue_tell(queue, t);
	if (queue->untold || !append(queue, line->text, line->length))
		record_queue_lose(queue);
}

struct record_chunk *record_queue_take(struct record_queue *queue, bool any)
{
	struct record_chunk *chunk = queue->first;

	if (!chunk || (!any && !chunk->next))
		return NULL;
	queue->first = chunk->next;
	if (!queue->first)
		queue->last = NULL;
	queue->nr_waiting--;
	queue->nr_taken++;
	return chunk;
}

void record_queue_give(struct record_queue *queue, struct record_chunk *chunk)
{
	queue->nr_taken--;
	free(chunk);
}
