/*
 * message.h - protobuf messages in and out of frames without copying bulk bytes.
 *
 * Out: a message is packed into a list of iovecs; `bytes` fields (and strings) of 512 bytes or more
 * are referenced where they lie and must live until the frame is written. In: one decoder, driven
 * by protobuf-c's descriptors, fills the generated structs; `bytes` fields point into the frame,
 * everything else comes from an arena with a budget. A decoded message is never passed to
 * protobuf_c_message_free_unpacked(): it goes with its arena.
 */
#ifndef TTRPC_MESSAGE_H
#define TTRPC_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Memory that is freed at once, and refuses to grow beyond its budget. */
struct ttrpc_arena {
	struct arena_block *blocks;
	size_t used; /* bytes charged so far, headers of blocks included */
	size_t budget;
};

void ttrpc_arena_init(struct ttrpc_arena *arena, size_t budget);
/* Aligned for any type, not zeroed; NULL over budget or out of memory. */
void *ttrpc_arena_alloc(struct ttrpc_arena *arena, size_t size);
void ttrpc_arena_release(struct ttrpc_arena *arena);

/* What decoding a frame of this length may cost beside its bulk bytes (limits.md). */
size_t ttrpc_decode_budget(size_t frame_length);

/*
 * Decode `size` bytes as a message of type `type`. 0 and *message, or -EBADMSG (malformed; the
 * sentence in err says what and where), -ENOBUFS (over the arena's budget), -ENOMEM. `data` must
 * outlive the message.
 */
int ttrpc_message_decode(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size,
			 struct ttrpc_arena *arena, ProtobufCMessage **message, char *err,
			 size_t errsize);

/* A frame being written: header and small fields in `own`, bulk bytes by reference. */
struct ttrpc_out {
	struct iovec *iov; /* none of them is empty */
	size_t nr_iov;
	size_t size; /* bytes of all iovecs */
	/* private */
	struct ttrpc_out_block *blocks;
	size_t capacity;
};

/*
 * Pack a request or response frame around `payload` (may be NULL). -ENOMEM, or -EMSGSIZE when its
 * body would exceed `max`. ttrpc_out_release() frees what the list owns, never what it references.
 */
int ttrpc_out_request(struct ttrpc_out *out, uint32_t stream_id, const char *service,
		      const char *method, int64_t timeout_nano, const ProtobufCMessage *payload,
		      size_t max);

struct ttrpc_status {
	int code;		     /* enum ttrpc_code; TTRPC_OK with no other field set */
	const char *message;	     /* NULL or text */
	const char *detail_type_url; /* NULL: no detail */
	const uint8_t *detail;
	size_t detail_size;
};

int ttrpc_out_response(struct ttrpc_out *out, uint32_t stream_id, const struct ttrpc_status *status,
		       const ProtobufCMessage *payload, size_t max);
void ttrpc_out_release(struct ttrpc_out *out);

#endif
