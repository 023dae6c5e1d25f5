/*
 * segments.c - see segments.h. A frame that is not cut is one piece without a head.
 */
#include "segments.h"

#include <arpa/inet.h>
#include <string.h>

/*
 * A segment in the ring is short enough for both ends to copy at the same time, and not so short
 * that telling of it costs more than it does. One on the socket lasts until the ring has room.
 */
enum { SHARED_MIN = 32 << 10, SHARED_MAX = 256 << 10, SOCKET_MAX = 16 << 10 };

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* `size` bytes of the frame have left. */
static void step(struct ttrpc_sending *sending, const struct ttrpc_out *out, size_t size)
{
	while (size > 0) {
		size_t n = min_size(size, out->iov[sending->iov].iov_len - sending->offset);

		sending->offset += n;
		size -= n;
		if (sending->offset < out->iov[sending->iov].iov_len)
			continue;
		sending->iov++;
		sending->offset = 0;
	}
}

/* The frame's own header goes into the head, where its flag does not disturb who packed it. */
static void take_header(struct ttrpc_sending *sending, const struct ttrpc_out *out)
{
	struct ttrpc_frame_header header;

	ttrpc_frame_header_unpack(out->iov[0].iov_base, &header);
	header.flags |= TTRPC_SEGMENTED;
	ttrpc_frame_header_pack(&header, sending->head);
	sending->head_size = TTRPC_HEADER_SIZE;
	step(sending, out, TTRPC_HEADER_SIZE);
}

void ttrpc_sending_init(struct ttrpc_sending *sending, const struct ttrpc_out *out, bool segmented)
{
	memset(sending, 0, sizeof(*sending));
	if (!segmented) {
		sending->piece = out->size;
		return;
	}
	take_header(sending, out);
	sending->uncut = out->size - TTRPC_HEADER_SIZE;
}

static void put_shared(struct ttrpc_sending *sending, const struct ttrpc_out *out,
		       struct ttrpc_shared *shared, size_t size)
{
	while (size > 0) {
		const struct iovec *iov = &out->iov[sending->iov];
		size_t n = min_size(size, iov->iov_len - sending->offset);

		ttrpc_shared_put(shared, (const uint8_t *)iov->iov_base + sending->offset, n);
		step(sending, out, n);
		size -= n;
	}
}

/* The next segment: into the ring, or to be written. */
static void cut(struct ttrpc_sending *sending, const struct ttrpc_out *out,
		struct ttrpc_shared *shared)
{
	size_t room = ttrpc_shared_room(shared);
	bool fits = room >= min_size(sending->uncut, SHARED_MIN);
	size_t size = min_size(sending->uncut, fits ? min_size(room, SHARED_MAX) : SOCKET_MAX);
	uint32_t head = htonl((uint32_t)size | (fits ? TTRPC_SEGMENT_SHARED : 0));

	memcpy(sending->head + sending->head_size, &head, sizeof(head));
	sending->head_size += TTRPC_SEGMENT_HEAD;
	sending->uncut -= size;
	sending->cut = true;
	sending->begun |= fits;
	if (fits)
		put_shared(sending, out, shared, size);
	else
		sending->piece = size;
}

/* The bytes of the piece, where they lie. */
static size_t fill(const struct ttrpc_sending *sending, const struct ttrpc_out *out,
		   struct iovec *iov, size_t nr_iov)
{
	size_t offset = sending->offset, left = sending->piece, n = 0;

	for (size_t i = sending->iov; left > 0 && n < nr_iov; i++, n++) {
		iov[n].iov_base = (uint8_t *)out->iov[i].iov_base + offset;
		iov[n].iov_len = min_size(left, out->iov[i].iov_len - offset);
		left -= iov[n].iov_len;
		offset = 0;
	}
	return n;
}

size_t ttrpc_sending_pending(struct ttrpc_sending *sending, const struct ttrpc_out *out,
			     struct ttrpc_shared *shared, struct iovec *iov, size_t nr_iov)
{
	size_t n = 0;

	if (sending->uncut > 0 && !sending->cut)
		cut(sending, out, shared);
	if (sending->head_size > 0) {
		iov[0].iov_base = sending->head + sending->head_sent;
		iov[0].iov_len = sending->head_size - sending->head_sent;
		n = 1;
	}
	return n + fill(sending, out, iov + n, nr_iov - n);
}

static size_t advance_head(struct ttrpc_sending *sending, size_t written)
{
	size_t n = min_size(written, sending->head_size - sending->head_sent);

	sending->head_sent += (unsigned)n;
	if (sending->head_sent == sending->head_size)
		sending->head_size = sending->head_sent = 0;
	return written - n;
}

size_t ttrpc_sending_advance(struct ttrpc_sending *sending, const struct ttrpc_out *out,
			     size_t written)
{
	size_t n;

	sending->begun |= written > 0;
	written = advance_head(sending, written);
	n = min_size(written, sending->piece);
	step(sending, out, n);
	sending->piece -= n;
	if (sending->piece == 0 && sending->head_size == 0)
		sending->cut = false;
	return written - n;
}
