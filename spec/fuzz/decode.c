/*
 * decode.c - fuzz target: runtime/ttrpc/decode.c, arena.c and encode.c.
 *
 *     input: which message (1 byte) | how much memory (1 byte) | the message
 *
 * Decoding stays within its budget, says why when it fails, and what it understood is packed again
 * to bytes which protobuf-c and we read alike. A frame around it carries these bytes.
 */
#include "encode.h"
#include "frame.h"
#include "fuzz.h"
#include "segments.h"

#include <errno.h>
#include <sanitizer/allocator_interface.h>
#include <stdlib.h>
#include <string.h>

#include "empty.pb-c.h"
#include "error.pb-c.h"
#include "genop.pb-c.h"
#include "image.pb-c.h"
#include "peer.pb-c.h"
#include "profiling.pb-c.h"
#include "resource.pb-c.h"
#include "session.pb-c.h"
#include "tf.pb-c.h"
#include "tflite.pb-c.h"
#include "torch.pb-c.h"
#include "ttrpc.pb-c.h"

/* Every message that either end decodes. */
static const ProtobufCMessageDescriptor *const types[] = {
	&ttrpc__request__descriptor,
	&ttrpc__response__descriptor,
	&vaccel__empty__descriptor,
	&vaccel__error__descriptor,
	&vaccel__session__create_request__descriptor,
	&vaccel__session__create_response__descriptor,
	&vaccel__session__update_request__descriptor,
	&vaccel__session__destroy_request__descriptor,
	&vaccel__resource__register_request__descriptor,
	&vaccel__resource__register_response__descriptor,
	&vaccel__resource__unregister_request__descriptor,
	&vaccel__resource__sync_request__descriptor,
	&vaccel__resource__sync_response__descriptor,
	&vaccel__image__request__descriptor,
	&vaccel__image__response__descriptor,
	&vaccel__genop__request__descriptor,
	&vaccel__genop__response__descriptor,
	&vaccel__tf__model_load_request__descriptor,
	&vaccel__tf__model_load_response__descriptor,
	&vaccel__tf__model_unload_request__descriptor,
	&vaccel__tf__model_unload_response__descriptor,
	&vaccel__tf__model_run_request__descriptor,
	&vaccel__tf__model_run_response__descriptor,
	&vaccel__tflite__model_load_request__descriptor,
	&vaccel__tflite__model_unload_request__descriptor,
	&vaccel__tflite__model_run_request__descriptor,
	&vaccel__tflite__model_run_response__descriptor,
	&vaccel__torch__model_load_request__descriptor,
	&vaccel__torch__model_run_request__descriptor,
	&vaccel__torch__model_run_response__descriptor,
	&luaccel__v1__hello_request__descriptor,
	&luaccel__v1__hello_response__descriptor,
	&vaccel__profiling__request__descriptor,
	&vaccel__profiling__response__descriptor,
};

enum { TYPES = sizeof(types) / sizeof(types[0]), REASON = 160 };

struct bytes {
	uint8_t *data;
	size_t size;
};

static struct bytes pack(const ProtobufCMessage *message)
{
	struct bytes bytes = { .size = protobuf_c_message_get_packed_size(message) };

	/* One more, so that malloc() of nothing is no special case. */
	bytes.data = malloc(bytes.size + 1);
	fuzz_check(bytes.data && protobuf_c_message_pack(message, bytes.data) == bytes.size);
	return bytes;
}

static bool same(const struct bytes *a, const uint8_t *data, size_t size)
{
	return a->size == size && (size == 0 || memcmp(a->data, data, size) == 0);
}

/* protobuf-c reads what was packed as we do. */
static void check_reference(const ProtobufCMessageDescriptor *type, const struct bytes *packed)
{
	ProtobufCMessage *message =
		protobuf_c_message_unpack(type, NULL, packed->size, packed->data);
	struct bytes again;

	fuzz_check(message);
	again = pack(message);
	fuzz_check(same(packed, again.data, again.size));
	free(again.data);
	protobuf_c_message_free_unpacked(message, NULL);
}

static void check_again(const ProtobufCMessageDescriptor *type, const struct bytes *packed)
{
	struct ttrpc_arena arena;
	ProtobufCMessage *message;
	struct bytes again;

	ttrpc_arena_init(&arena, SIZE_MAX / 2);
	fuzz_check(ttrpc_message_decode(type, packed->data, packed->size, &arena, &message, NULL,
					0) == 0);
	again = pack(message);
	fuzz_check(same(packed, again.data, again.size));
	free(again.data);
	ttrpc_arena_release(&arena);
}

/* What a socket that takes a few bytes at a time would get. */
static struct bytes gather(const struct ttrpc_out *out)
{
	struct bytes bytes = { .data = malloc(out->size) };
	struct ttrpc_sending sending;
	struct iovec iov[2];

	fuzz_check(bytes.data);
	ttrpc_sending_init(&sending, out, false);
	for (size_t step = 1; !ttrpc_sending_is_done(&sending); step = step * 2 % 509) {
		size_t n = ttrpc_sending_pending(&sending, out, NULL, iov, 2), sent = 0;

		fuzz_check(n > 0);
		for (size_t i = 0; i < n && sent < step; i++) {
			size_t part = iov[i].iov_len < step - sent ? iov[i].iov_len : step - sent;

			memcpy(bytes.data + bytes.size, iov[i].iov_base, part);
			bytes.size += part;
			sent += part;
		}
		fuzz_check(ttrpc_sending_advance(&sending, out, sent) == 0);
	}
	fuzz_check(bytes.size == out->size);
	return bytes;
}

/* The envelope of a frame that was packed; it lives in the arena and in `bytes`. */
static ProtobufCMessage *open_frame(const struct ttrpc_out *out, uint8_t type,
				    const ProtobufCMessageDescriptor *envelope,
				    struct ttrpc_arena *arena, struct bytes *bytes)
{
	struct ttrpc_frame_header header;
	ProtobufCMessage *message;

	*bytes = gather(out);
	ttrpc_frame_header_unpack(bytes->data, &header);
	fuzz_check(header.length == bytes->size - TTRPC_HEADER_SIZE && header.type == type &&
		   header.stream_id == 77 && header.flags == 0);
	ttrpc_arena_init(arena, SIZE_MAX / 2);
	fuzz_check(ttrpc_message_decode(envelope, bytes->data + TTRPC_HEADER_SIZE, header.length,
					arena, &message, NULL, 0) == 0);
	return message;
}

static void check_request_frame(const ProtobufCMessage *message, const struct bytes *packed)
{
	struct ttrpc_out out;
	struct ttrpc_arena arena;
	struct bytes bytes;
	const Ttrpc__Request *envelope;

	fuzz_check(ttrpc_out_request(&out, 1, "service", "method", -1, message, TTRPC_FRAME_MAX) ==
		   0);
	ttrpc_out_set_stream(&out, 77, 0);
	envelope = (const void *)open_frame(&out, TTRPC_REQUEST, &ttrpc__request__descriptor,
					    &arena, &bytes);
	fuzz_check(same(packed, envelope->payload.data, envelope->payload.len) &&
		   strcmp(envelope->service, "service") == 0 && envelope->timeout_nano == -1);
	ttrpc_out_release(&out);
	ttrpc_arena_release(&arena);
	free(bytes.data);
}

static void check_response_frame(const ProtobufCMessage *message, const struct bytes *packed)
{
	const struct ttrpc_status status = {
		.code = (int)(packed->size % 16),
		.message = "why",
		.detail_type_url = "type",
		.detail = packed->data,
		.detail_size = packed->size,
	};
	struct ttrpc_out out;
	struct ttrpc_arena arena;
	struct bytes bytes;
	const Ttrpc__Response *envelope;

	fuzz_check(ttrpc_out_response(&out, 77, &status, message, TTRPC_FRAME_MAX) == 0);
	envelope = (const void *)open_frame(&out, TTRPC_RESPONSE, &ttrpc__response__descriptor,
					    &arena, &bytes);
	fuzz_check(same(packed, envelope->payload.data, envelope->payload.len) &&
		   envelope->status->code == status.code && envelope->status->n_details == 1 &&
		   same(packed, envelope->status->details[0]->value.data,
			envelope->status->details[0]->value.len));
	ttrpc_out_release(&out);
	ttrpc_arena_release(&arena);
	free(bytes.data);
}

static void check_data_frame(const ProtobufCMessage *message, const struct bytes *packed)
{
	struct ttrpc_out out;
	struct bytes bytes;

	fuzz_check(ttrpc_out_data(&out, 77, 0, message, TTRPC_FRAME_MAX) == 0);
	bytes = gather(&out);
	fuzz_check(same(packed, bytes.data + TTRPC_HEADER_SIZE, bytes.size - TTRPC_HEADER_SIZE));
	ttrpc_out_release(&out);
	free(bytes.data);
}

static void check_message(const ProtobufCMessageDescriptor *type, const ProtobufCMessage *message)
{
	struct bytes packed = pack(message);

	check_reference(type, &packed);
	check_again(type, &packed);
	check_request_frame(message, &packed);
	check_response_frame(message, &packed);
	check_data_frame(message, &packed);
	free(packed.data);
}

/* What libFuzzer's own thread may allocate meanwhile; leaks are LeakSanitizer's affair. */
enum { OTHERS = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, data + size };
	const ProtobufCMessageDescriptor *type = types[fuzz_byte(&input) % TYPES];
	size_t memory = fuzz_byte(&input), left = fuzz_left(&input);
	/* An odd number is little memory. */
	size_t budget = memory % 2 ? 8 * memory : ttrpc_decode_budget(left);
	size_t before = __sanitizer_get_current_allocated_bytes();
	struct ttrpc_arena arena;
	ProtobufCMessage *message;
	char reason[REASON] = "";
	int code;

	ttrpc_arena_init(&arena, budget);
	code = ttrpc_message_decode(type, input.at, left, &arena, &message, reason, sizeof(reason));
	fuzz_check(arena.used <= budget);
	fuzz_check(__sanitizer_get_current_allocated_bytes() <= before + arena.used + OTHERS);
	fuzz_check(code == 0 || ((code == -EBADMSG || code == -ENOBUFS) && reason[0]));
	fuzz_check(code != -ENOBUFS || memory % 2 || left > (size_t)64 << 10);
	if (code == 0)
		check_message(type, message);
	ttrpc_arena_release(&arena);
	return 0;
}
