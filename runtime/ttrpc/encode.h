/*
 * encode.h - what the senders of frames need beside message.h. Private to runtime/ttrpc.
 */
#ifndef TTRPC_ENCODE_H
#define TTRPC_ENCODE_H

#include "message.h"

/*
 * Bulk of at least so many bytes is referenced where it lies; what is shorter is copied. Nothing
 * that protobuf-c builds on its stack is nearly as long.
 */
enum { TTRPC_REFERENCE_MIN = 512 };

/* Give a packed frame its stream id. */
void ttrpc_out_set_stream(struct ttrpc_out *out, uint32_t stream_id);

/* How much of a frame has been written. */
struct ttrpc_out_position {
	size_t iov;    /* first entry that is not complete */
	size_t offset; /* bytes of it that have left */
};

/* Fill up to nr_iov entries with what is still to be written; returns how many. */
size_t ttrpc_out_pending(const struct ttrpc_out *out, const struct ttrpc_out_position *position,
			 struct iovec *iov, size_t nr_iov);
/* Advance by at most `written` bytes; returns how many of them belong to later frames. */
size_t ttrpc_out_advance(const struct ttrpc_out *out, struct ttrpc_out_position *position,
			 size_t written);

static inline bool ttrpc_out_written(const struct ttrpc_out *out,
				     const struct ttrpc_out_position *position)
{
	return position->iov == out->nr_iov;
}

#endif
