/*
 * reader.c - see reader.h.
 */
#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A body up to BODY_FIRST is allocated at once; below DIRECT_MIN a copy is cheaper than a call. */
enum { BODY_FIRST = 64 << 10, DIRECT_MIN = 4 << 10 };

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t left(const struct ttrpc_reader *reader)
{
	return reader->header.length - reader->have;
}

/* Room for at least one more byte of a body that is not complete. */
static bool grow(struct ttrpc_reader *reader)
{
	size_t capacity = reader->capacity > 0 ? reader->capacity * 2 : BODY_FIRST;
	uint8_t *body;

	if (reader->have < reader->capacity)
		return true;
	capacity = min_size(capacity, reader->header.length);
	body = realloc(reader->body, capacity);
	if (!body)
		return false;
	reader->body = body;
	reader->capacity = capacity;
	return true;
}

/* Takes bytes until the header is complete; true when it is. */
static bool feed_head(struct ttrpc_reader *reader, const uint8_t **data, size_t *size)
{
	size_t n = min_size(*size, TTRPC_HEADER_SIZE - reader->head_size);

	if (n > 0)
		memcpy(reader->head + reader->head_size, *data, n);
	reader->head_size += (unsigned)n;
	*data += n;
	*size -= n;
	if (reader->head_size < TTRPC_HEADER_SIZE)
		return false;
	ttrpc_frame_header_unpack(reader->head, &reader->header);
	return true;
}

int ttrpc_reader_feed(struct ttrpc_reader *reader, const uint8_t **data, size_t *size)
{
	size_t n;

	if (reader->head_size < TTRPC_HEADER_SIZE)
		return feed_head(reader, data, size) ? READER_HEADER : READER_MORE;
	while (left(reader) > 0 && *size > 0) {
		n = min_size(*size, left(reader));
		if (!reader->discarding) {
			if (!grow(reader))
				return -ENOMEM;
			n = min_size(n, reader->capacity - reader->have);
			memcpy(reader->body + reader->have, *data, n);
		}
		reader->have += n;
		*data += n;
		*size -= n;
	}
	return left(reader) > 0 ? READER_MORE : READER_FRAME;
}

uint8_t *ttrpc_reader_space(struct ttrpc_reader *reader, size_t *size)
{
	if (reader->head_size < TTRPC_HEADER_SIZE || reader->discarding ||
	    left(reader) < DIRECT_MIN || !grow(reader))
		return NULL;
	*size = reader->capacity - reader->have;
	return reader->body + reader->have;
}

void ttrpc_reader_filled(struct ttrpc_reader *reader, size_t size)
{
	reader->have += size;
}

void ttrpc_reader_discard(struct ttrpc_reader *reader)
{
	free(reader->body);
	reader->body = NULL;
	reader->capacity = 0;
	reader->discarding = true;
}

uint8_t *ttrpc_reader_take(struct ttrpc_reader *reader)
{
	uint8_t *body = reader->body;

	memset(reader, 0, sizeof(*reader));
	return body;
}

void ttrpc_reader_release(struct ttrpc_reader *reader)
{
	free(ttrpc_reader_take(reader));
}
