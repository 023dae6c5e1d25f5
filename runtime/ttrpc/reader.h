/*
 * reader.h - frames out of a stream of bytes, for both ends. Private to runtime/ttrpc.
 *
 * The owner receives bytes either into a buffer of its own, and feeds them, or, within a long
 * body, straight into the frame's buffer. That buffer grows with the bytes that arrived: a header
 * that claims a gigabyte costs nothing. A reader belongs to one thread at a time; it does no I/O.
 *
 * With shared memory, a body that comes in segments (segments.h) is put together here, so that
 * nobody above knows how it came: what lies in a ring counts as arrived when the socket says so.
 */
#ifndef TTRPC_READER_H
#define TTRPC_READER_H

#include "frame.h"
#include "shared.h"

enum ttrpc_reader_event {
	READER_MORE,   /* everything was taken; more bytes are needed */
	READER_HEADER, /* a header is complete: the owner may ask to discard its body */
	READER_FRAME,  /* a body is complete (or has been discarded): take it */
};

struct ttrpc_reader {
	struct ttrpc_frame_header header;
	size_t have; /* bytes of the body that arrived */
	bool discarding;
	bool segmented;		     /* its body comes in segments */
	struct ttrpc_shared *shared; /* the owner's; NULL: no body comes in segments */
	/* private */
	size_t piece; /* bytes of the body until the next segment */
	bool in_ring; /* they lie there */
	uint8_t segment[4];
	unsigned segment_size;
	uint8_t head[TTRPC_HEADER_SIZE];
	unsigned head_size;
	uint8_t *body;
	size_t capacity;
};

/* True from the first byte of a header to the last of its body. */
static inline bool ttrpc_reader_within_frame(const struct ttrpc_reader *reader)
{
	return reader->head_size > 0;
}

/*
 * Consume from *data; an event, or -ENOMEM (discard, and feed on), or -EPROTO: no such segment can
 * be. Call until READER_MORE.
 */
int ttrpc_reader_feed(struct ttrpc_reader *reader, const uint8_t **data, size_t *size);

/*
 * Where to receive the rest of a long body directly. NULL when the owner's own buffer serves
 * better (or memory is short, which feeding will say). Then ttrpc_reader_filled() and feed on.
 */
uint8_t *ttrpc_reader_space(struct ttrpc_reader *reader, size_t *size);
void ttrpc_reader_filled(struct ttrpc_reader *reader, size_t size);

/* All that was received has been fed: its room in the ring can be used again. */
static inline void ttrpc_reader_settle(struct ttrpc_reader *reader)
{
	if (reader->shared)
		ttrpc_shared_publish(reader->shared);
}

/* Skip what is left of this frame's body; frees what has arrived. */
void ttrpc_reader_discard(struct ttrpc_reader *reader);

/* After READER_FRAME: the body (malloc'ed, NULL if empty or discarded); ready for the next. */
uint8_t *ttrpc_reader_take(struct ttrpc_reader *reader);

void ttrpc_reader_release(struct ttrpc_reader *reader);

#endif
