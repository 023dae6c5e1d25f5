/*
 * reader.c - see reader.h.
 */
#include "reader.h"
#include "segments.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A body up to BODY_FIRST is allocated at once: 64 KiB and the message around them. Below
 * DIRECT_MIN a copy is cheaper than a call.
 */
enum { BODY_FIRST = 68 << 10, DIRECT_MIN = 4 << 10 };

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

/* Takes bytes until `to`, of which *have are there, has `want`; true when it has. */
static bool collect(uint8_t *to, unsigned *have, unsigned want, const uint8_t **data, size_t *size)
{
	size_t n = min_size(*size, want - *have);

	if (n == 0) /* *data may be NULL */
		return false;
	memcpy(to + *have, *data, n);
	*have += (unsigned)n;
	*data += n;
	*size -= n;
	return *have == want;
}

static bool feed_head(struct ttrpc_reader *reader, const uint8_t **data, size_t *size)
{
	if (!collect(reader->head, &reader->head_size, TTRPC_HEADER_SIZE, data, size))
		return false;
	ttrpc_frame_header_unpack(reader->head, &reader->header);
	/* Without shared memory a body is one piece, whatever its flags. */
	reader->segmented = reader->shared && (reader->header.flags & TTRPC_SEGMENTED);
	if (reader->segmented)
		reader->header.flags &= (uint8_t)~TTRPC_SEGMENTED;
	else
		reader->piece = reader->header.length;
	return true;
}

/* 0 when the next segment is known. */
static int feed_segment(struct ttrpc_reader *reader, const uint8_t **data, size_t *size)
{
	uint32_t word;

	if (!collect(reader->segment, &reader->segment_size, sizeof(reader->segment), data, size))
		return -EAGAIN;
	memcpy(&word, reader->segment, sizeof(word));
	word = ntohl(word);
	reader->segment_size = 0;
	reader->in_ring = word & TTRPC_SEGMENT_SHARED;
	reader->piece = word & ~TTRPC_SEGMENT_SHARED;
	return reader->piece > 0 && reader->piece <= left(reader) ? 0 : -EPROTO;
}

/* Some of the piece, from where it lies. Nothing: more must come; else 0 or as feeding. */
static int feed_piece(struct ttrpc_reader *reader, const uint8_t **data, size_t *size)
{
	size_t n = reader->in_ring ? reader->piece : min_size(*size, reader->piece);
	uint8_t *to = NULL;

	if (n == 0)
		return -EAGAIN;
	if (!reader->discarding) {
		if (!grow(reader))
			return -ENOMEM;
		n = min_size(n, reader->capacity - reader->have);
		to = reader->body + reader->have;
	}
	if (reader->in_ring) {
		if (!ttrpc_shared_take(reader->shared, to, n))
			return -EPROTO;
	} else {
		if (to)
			memcpy(to, *data, n);
		*data += n;
		*size -= n;
	}
	reader->have += n;
	reader->piece -= n;
	return 0;
}

int ttrpc_reader_feed(struct ttrpc_reader *reader, const uint8_t **data, size_t *size)
{
	int err = 0;

	if (reader->head_size < TTRPC_HEADER_SIZE)
		return feed_head(reader, data, size) ? READER_HEADER : READER_MORE;
	while (left(reader) > 0 && !err) {
		if (reader->piece == 0)
			err = feed_segment(reader, data, size);
		if (!err)
			err = feed_piece(reader, data, size);
	}
	if (err == -EAGAIN)
		return READER_MORE;
	return err ? err : READER_FRAME;
}

uint8_t *ttrpc_reader_space(struct ttrpc_reader *reader, size_t *size)
{
	if (reader->head_size < TTRPC_HEADER_SIZE || reader->discarding || reader->in_ring ||
	    reader->piece < DIRECT_MIN || !grow(reader))
		return NULL;
	*size = min_size(reader->capacity - reader->have, reader->piece);
	return reader->body + reader->have;
}

void ttrpc_reader_filled(struct ttrpc_reader *reader, size_t size)
{
	reader->have += size;
	reader->piece -= size;
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
	struct ttrpc_shared *shared = reader->shared;

	memset(reader, 0, sizeof(*reader));
	reader->shared = shared;
	return body;
}

void ttrpc_reader_release(struct ttrpc_reader *reader)
{
	free(ttrpc_reader_take(reader));
}
