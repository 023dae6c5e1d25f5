/*
 * segments.h - a frame on its way out, in one piece or in segments. Private to runtime/ttrpc.
 *
 * Between our own two ends that share memory (shared.h), the body of a frame with the flag
 * TTRPC_SEGMENTED is cut into segments, each behind four bytes, big-endian: its length, and with
 * the highest bit that its bytes are not on the socket but next in the ring. The header says the
 * length of the body as ever. When the ring has no room a short segment goes over the socket, so
 * the only wait is the socket's: nobody waits for the ring.
 *
 * The owner asks for what is to be written, writes, and says how much was. A ring takes one frame
 * after the other, in the order of the socket: a frame is gathered only behind one that `is cut`.
 */
#ifndef TTRPC_SEGMENTS_H
#define TTRPC_SEGMENTS_H

#include "frame.h"
#include "message.h"
#include "shared.h"

enum { TTRPC_SEGMENT_HEAD = 4 };
#define TTRPC_SEGMENT_SHARED (UINT32_C(1) << 31)

struct ttrpc_sending {
	/* private */
	bool begun;    /* some of it has left */
	bool cut;      /* a segment that has not been written */
	size_t iov;    /* first entry of the frame's that has not left */
	size_t offset; /* bytes of it that have */
	size_t piece;  /* bytes from there that go over the socket before the next segment */
	size_t uncut;  /* bytes behind the piece */
	uint8_t head[TTRPC_HEADER_SIZE + TTRPC_SEGMENT_HEAD];
	unsigned head_size, head_sent;
};

void ttrpc_sending_init(struct ttrpc_sending *sending, const struct ttrpc_out *out, bool segmented);

/*
 * Fill up to nr_iov (at least 2) entries with what is to be written next; returns how many.
 * `shared` is needed when the frame goes in segments: bytes may be put there.
 */
size_t ttrpc_sending_pending(struct ttrpc_sending *sending, const struct ttrpc_out *out,
			     struct ttrpc_shared *shared, struct iovec *iov, size_t nr_iov);
/* At most `written` bytes of those have left; returns how many belong to later frames. */
size_t ttrpc_sending_advance(struct ttrpc_sending *sending, const struct ttrpc_out *out,
			     size_t written);

/* All of its segments have been asked for, if not written. */
static inline bool ttrpc_sending_is_cut(const struct ttrpc_sending *sending)
{
	return sending->uncut == 0;
}

static inline bool ttrpc_sending_is_done(const struct ttrpc_sending *sending)
{
	return sending->uncut == 0 && sending->piece == 0 && sending->head_size == 0;
}

#endif
