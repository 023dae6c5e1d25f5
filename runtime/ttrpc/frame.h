/*
 * frame.h - the bytes of ttrpc on a stream socket.
 *
 *     0        4          8      9      10
 *     | length | stream   | type | flags | body of `length` bytes ...
 *
 * Numbers are big-endian. A request body is a ttrpc.Request, a response body a ttrpc.Response.
 * No allocation here follows from a length that a peer claims: see reader.h.
 */
#ifndef TTRPC_FRAME_H
#define TTRPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TTRPC_HEADER_SIZE = 10 };

/* What vAccel peers accept at most, what any ttrpc peer accepts, and our default. */
#define TTRPC_FRAME_MAX	    ((size_t)1 << 30)
#define TTRPC_FRAME_PLAIN   ((size_t)4 << 20)
#define TTRPC_FRAME_DEFAULT ((size_t)256 << 20)

/* The last of each is ours: from an agent that offers memory (shared.h), and between both ends
 * then. */
enum ttrpc_frame_type { TTRPC_REQUEST = 1, TTRPC_RESPONSE = 2, TTRPC_DATA = 3, TTRPC_OFFER = 128 };
enum ttrpc_frame_flag {
	TTRPC_REMOTE_CLOSED = 1,
	TTRPC_REMOTE_OPEN = 2,
	TTRPC_NO_DATA = 4,
	TTRPC_SEGMENTED = 128, /* segments.h */
};

struct ttrpc_frame_header {
	uint32_t length;
	uint32_t stream_id;
	uint8_t type;
	uint8_t flags;
};

void ttrpc_frame_header_pack(const struct ttrpc_frame_header *header,
			     uint8_t out[TTRPC_HEADER_SIZE]);
void ttrpc_frame_header_unpack(const uint8_t in[TTRPC_HEADER_SIZE],
			       struct ttrpc_frame_header *header);

/*
 * Status codes of a ttrpc.Response: gRPC's numbers.
 */
enum ttrpc_code {
	TTRPC_OK = 0,
	TTRPC_CANCELLED = 1,
	TTRPC_UNKNOWN = 2,
	TTRPC_INVALID_ARGUMENT = 3,
	TTRPC_DEADLINE_EXCEEDED = 4,
	TTRPC_NOT_FOUND = 5,
	TTRPC_ALREADY_EXISTS = 6,
	TTRPC_PERMISSION_DENIED = 7,
	TTRPC_RESOURCE_EXHAUSTED = 8,
	TTRPC_FAILED_PRECONDITION = 9,
	TTRPC_ABORTED = 10,
	TTRPC_OUT_OF_RANGE = 11,
	TTRPC_UNIMPLEMENTED = 12,
	TTRPC_INTERNAL = 13,
	TTRPC_UNAVAILABLE = 14,
};

#endif
