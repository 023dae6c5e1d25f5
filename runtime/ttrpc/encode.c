/*
 * encode.c - frames as lists of iovecs.
 *
 * The two envelopes are written here by hand: they are small, and their payload is a message that
 * would otherwise be packed twice. The payload itself is packed by protobuf-c into a buffer that
 * collects iovecs: short pieces are copied into blocks of our own, long ones referenced. Lengths
 * come first, so everything is sized before anything is packed. Pure; the list has one owner.
 */
#include "encode.h"
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_MIN = 1024, IOV_MIN = 8, VARINT_MAX = 10 };
enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

struct ttrpc_out_block {
	struct ttrpc_out_block *next;
	size_t size, used;
	uint8_t data[];
};

static int push_iov(struct ttrpc_out *out, void *base, size_t size)
{
	if (out->nr_iov == out->capacity) {
		size_t capacity = out->capacity ? out->capacity * 2 : IOV_MIN;
		struct iovec *iov = reallocarray(out->iov, capacity, sizeof(*iov));

		if (!iov)
			return -ENOMEM;
		out->iov = iov;
		out->capacity = capacity;
	}
	out->iov[out->nr_iov++] = (struct iovec){ .iov_base = base, .iov_len = size };
	out->size += size;
	return 0;
}

/* Room for `size` bytes in the newest block. */
static struct ttrpc_out_block *block_for(struct ttrpc_out *out, size_t size)
{
	struct ttrpc_out_block *block = out->blocks;
	size_t want = size > BLOCK_MIN ? size : BLOCK_MIN;

	if (block && block->size - block->used >= size)
		return block;
	block = malloc(sizeof(*block) + want);
	if (!block)
		return NULL;
	block->size = want;
	block->used = 0;
	block->next = out->blocks;
	out->blocks = block;
	return block;
}

static int put(struct ttrpc_out *out, const void *data, size_t size)
{
	struct iovec *last = out->nr_iov > 0 ? &out->iov[out->nr_iov - 1] : NULL;
	struct ttrpc_out_block *block;
	uint8_t *to;

	if (size == 0)
		return 0;
	block = block_for(out, size);
	if (!block)
		return -ENOMEM;
	to = block->data + block->used;
	memcpy(to, data, size);
	block->used += size;
	if (!last || (uint8_t *)last->iov_base + last->iov_len != to)
		return push_iov(out, to, size);
	last->iov_len += size;
	out->size += size;
	return 0;
}

static unsigned varint_size(uint64_t value)
{
	unsigned size = 1;

	for (; value > 0x7f; value >>= 7)
		size++;
	return size;
}

static int put_varint(struct ttrpc_out *out, uint64_t value)
{
	uint8_t bytes[VARINT_MAX];
	unsigned n = 0;

	for (; value > 0x7f; value >>= 7)
		bytes[n++] = (uint8_t)(value | 0x80);
	bytes[n++] = (uint8_t)value;
	return put(out, bytes, n);
}

/* Fields of the envelopes all have numbers below 16: one byte of tag. */
static int put_tag(struct ttrpc_out *out, unsigned number, unsigned wire_type)
{
	uint8_t tag = (uint8_t)(number << 3 | wire_type);

	return put(out, &tag, sizeof(tag));
}

static size_t number_field_size(uint64_t value)
{
	return value ? 1 + varint_size(value) : 0;
}

static int put_number_field(struct ttrpc_out *out, unsigned number, uint64_t value)
{
	int err;

	if (value == 0)
		return 0;
	err = put_tag(out, number, WIRE_VARINT);
	return err ? err : put_varint(out, value);
}

static size_t bytes_field_size(size_t size)
{
	return 1 + varint_size(size) + size;
}

/* Tag and length; the bytes follow. */
static int put_bytes_head(struct ttrpc_out *out, unsigned number, size_t size)
{
	int err = put_tag(out, number, WIRE_BYTES);

	return err ? err : put_varint(out, size);
}

static size_t string_field_size(const char *text)
{
	return text && *text ? bytes_field_size(strlen(text)) : 0;
}

static int put_string_field(struct ttrpc_out *out, unsigned number, const char *text)
{
	size_t size = text ? strlen(text) : 0;
	int err;

	if (size == 0)
		return 0;
	err = put_bytes_head(out, number, size);
	return err ? err : put(out, text, size);
}

/* The buffer that protobuf-c packs into. */
struct collector {
	ProtobufCBuffer base;
	struct ttrpc_out *out;
	int err;
};

static void collect(ProtobufCBuffer *buffer, size_t size, const uint8_t *data)
{
	struct collector *collector = (struct collector *)(void *)buffer;

	if (collector->err)
		return;
	if (size >= TTRPC_REFERENCE_MIN)
		collector->err = push_iov(collector->out, (void *)data, size);
	else
		collector->err = put(collector->out, data, size);
}

static size_t payload_size(const ProtobufCMessage *payload)
{
	return payload ? protobuf_c_message_get_packed_size(payload) : 0;
}

static int put_payload_field(struct ttrpc_out *out, unsigned number,
			     const ProtobufCMessage *payload, size_t size)
{
	struct collector collector = { .base = { .append = collect }, .out = out };

	if (size == 0)
		return 0;
	collector.err = put_bytes_head(out, number, size);
	protobuf_c_message_pack_to_buffer(payload, &collector.base);
	return collector.err;
}

/* Start a frame whose body will be `size` bytes. */
static int begin(struct ttrpc_out *out, uint32_t stream_id, uint8_t type, size_t size, size_t max)
{
	struct ttrpc_frame_header header = { .stream_id = stream_id, .type = type };
	uint8_t bytes[TTRPC_HEADER_SIZE];

	memset(out, 0, sizeof(*out));
	if (size > max || size > UINT32_MAX)
		return -EMSGSIZE;
	header.length = (uint32_t)size;
	ttrpc_frame_header_pack(&header, bytes);
	return put(out, bytes, sizeof(bytes));
}

static int finish(struct ttrpc_out *out, int err)
{
	if (err)
		ttrpc_out_release(out);
	return err;
}

int ttrpc_out_request(struct ttrpc_out *out, uint32_t stream_id, const char *service,
		      const char *method, int64_t timeout_nano, const ProtobufCMessage *payload,
		      size_t max)
{
	size_t size = payload_size(payload);
	size_t body = string_field_size(service) + string_field_size(method) +
		      (size ? bytes_field_size(size) : 0) +
		      number_field_size((uint64_t)timeout_nano);
	int err = begin(out, stream_id, TTRPC_REQUEST, body, max);

	if (!err)
		err = put_string_field(out, 1, service);
	if (!err)
		err = put_string_field(out, 2, method);
	if (!err)
		err = put_payload_field(out, 3, payload, size);
	if (!err)
		err = put_number_field(out, 4, (uint64_t)timeout_nano);
	return finish(out, err);
}

static size_t detail_body_size(const struct ttrpc_status *status)
{
	return string_field_size(status->detail_type_url) +
	       (status->detail_size ? bytes_field_size(status->detail_size) : 0);
}

static size_t status_body_size(const struct ttrpc_status *status)
{
	return number_field_size((uint64_t)status->code) + string_field_size(status->message) +
	       (status->detail_type_url ? bytes_field_size(detail_body_size(status)) : 0);
}

static int put_detail(struct ttrpc_out *out, const struct ttrpc_status *status)
{
	int err = put_bytes_head(out, 3, detail_body_size(status));

	if (!err)
		err = put_string_field(out, 1, status->detail_type_url);
	if (err || status->detail_size == 0)
		return err;
	err = put_bytes_head(out, 2, status->detail_size);
	return err ? err : put(out, status->detail, status->detail_size);
}

/* A success has a status as well, and an empty one: existing clients look for it. */
static int put_status(struct ttrpc_out *out, const struct ttrpc_status *status)
{
	int err = put_bytes_head(out, 1, status_body_size(status));

	if (!err)
		err = put_number_field(out, 1, (uint64_t)status->code);
	if (!err)
		err = put_string_field(out, 2, status->message);
	if (!err && status->detail_type_url)
		err = put_detail(out, status);
	return err;
}

int ttrpc_out_response(struct ttrpc_out *out, uint32_t stream_id, const struct ttrpc_status *status,
		       const ProtobufCMessage *payload, size_t max)
{
	static const struct ttrpc_status ok = { .code = TTRPC_OK };
	size_t size = payload_size(payload);
	size_t body;
	int err;

	if (!status)
		status = &ok;
	body = bytes_field_size(status_body_size(status)) + (size ? bytes_field_size(size) : 0);
	err = begin(out, stream_id, TTRPC_RESPONSE, body, max);
	if (!err)
		err = put_status(out, status);
	if (!err)
		err = put_payload_field(out, 2, payload, size);
	return finish(out, err);
}

int ttrpc_out_data(struct ttrpc_out *out, uint32_t stream_id, uint8_t flags,
		   const ProtobufCMessage *message, size_t max)
{
	struct collector collector = { .base = { .append = collect }, .out = out };
	int err = begin(out, stream_id, TTRPC_DATA, payload_size(message), max);

	if (!err && message) {
		protobuf_c_message_pack_to_buffer(message, &collector.base);
		err = collector.err;
	}
	if (!err)
		ttrpc_out_set_stream(out, stream_id, flags);
	return finish(out, err);
}

int ttrpc_out_header(struct ttrpc_out *out, uint8_t type)
{
	return finish(out, begin(out, 0, type, 0, 0));
}

void ttrpc_out_release(struct ttrpc_out *out)
{
	struct ttrpc_out_block *block;

	while ((block = out->blocks)) {
		out->blocks = block->next;
		free(block);
	}
	free(out->iov);
	memset(out, 0, sizeof(*out));
}

void ttrpc_out_set_stream(struct ttrpc_out *out, uint32_t stream_id, uint8_t flags)
{
	struct ttrpc_frame_header header;
	uint8_t *bytes = out->iov[0].iov_base;

	ttrpc_frame_header_unpack(bytes, &header);
	header.stream_id = stream_id;
	header.flags = flags;
	ttrpc_frame_header_pack(&header, bytes);
}
