/*
 * decode.c - protobuf bytes to the generated structs, for any descriptor.
 *
 * One pass. A field is read off the wire without knowing its meaning, then stored as its
 * descriptor says; what no descriptor names is skipped. Arrays grow by doubling within the arena,
 * their capacity follows from their length. All that a peer can make us allocate is charged to
 * the arena's budget. Messages are merged and the last value wins, as protobuf has it; a known
 * field of another wire type is malformed. proto2's `required` is not checked: we have none.
 */
#include "message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 32, ARRAY_FIRST = 4, LENGTH_VARINT = 5, VARINT = 10 };
enum { ONEOF = PROTOBUF_C_FIELD_FLAG_ONEOF };

struct decoding {
	struct ttrpc_arena *arena;
	const uint8_t *start;
	unsigned depth;
	char *err;
	size_t errsize;
};

struct cursor {
	const uint8_t *at, *end;
};

/* One field as it stands on the wire. */
struct wire_field {
	const uint8_t *at;
	uint32_t number;
	unsigned type;	     /* ProtobufCWireType */
	uint64_t value;	     /* varint, 32bit, 64bit */
	struct cursor bytes; /* length-prefixed */
};

size_t ttrpc_decode_budget(size_t frame_length)
{
	const size_t most = (size_t)16 << 20, base = (size_t)1 << 20;

	return frame_length < (most - base) / 3 ? 3 * frame_length + base : most;
}

__attribute__((format(printf, 4, 5))) static int malformed(const struct decoding *d,
							   const ProtobufCMessageDescriptor *type,
							   const uint8_t *at, const char *reason,
							   ...)
{
	va_list args;
	int n;

	if (!d->err || d->errsize == 0)
		return -EBADMSG;
	n = snprintf(d->err, d->errsize, "%s is malformed at byte %td: ", type->name,
		     at - d->start);
	if (n < 0 || (size_t)n >= d->errsize)
		return -EBADMSG;
	va_start(args, reason);
	vsnprintf(d->err + n, d->errsize - (size_t)n, reason, args);
	va_end(args);
	return -EBADMSG;
}

/* Allocate; errno (ENOBUFS or ENOMEM) tells why not. */
static void *take(struct decoding *d, size_t size)
{
	void *p = ttrpc_arena_alloc(d->arena, size);

	if (!p && d->err && d->errsize > 0)
		snprintf(d->err, d->errsize,
			 errno == ENOBUFS ? "the message needs more than %zu bytes to decode"
					  : "out of memory within %zu bytes for a message",
			 d->arena->budget);
	return p;
}

static bool read_varint(struct cursor *c, unsigned longest, uint64_t *value)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < longest && c->at < c->end; i++) {
		uint8_t byte = *c->at++;

		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80)) {
			*value = v;
			return true;
		}
	}
	return false;
}

static bool read_fixed(struct cursor *c, unsigned size, uint64_t *value)
{
	if ((size_t)(c->end - c->at) < size)
		return false;
	*value = 0;
	for (unsigned i = 0; i < size; i++)
		*value |= (uint64_t)c->at[i] << (8 * i);
	c->at += size;
	return true;
}

static bool read_bytes(struct cursor *c, struct cursor *bytes)
{
	uint64_t size;

	if (!read_varint(c, LENGTH_VARINT, &size) || size > INT32_MAX ||
	    size > (size_t)(c->end - c->at))
		return false;
	bytes->at = c->at;
	bytes->end = c->at + size;
	c->at = bytes->end;
	return true;
}

static bool read_wire(struct cursor *c, unsigned type, struct wire_field *field)
{
	switch (type) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		return read_varint(c, VARINT, &field->value);
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		return read_fixed(c, 8, &field->value);
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		return read_fixed(c, 4, &field->value);
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		return read_bytes(c, &field->bytes);
	default:
		return false;
	}
}

static int read_field(struct decoding *d, const ProtobufCMessageDescriptor *type, struct cursor *c,
		      struct wire_field *field)
{
	uint64_t tag;

	field->at = c->at;
	if (!read_varint(c, LENGTH_VARINT, &tag))
		return malformed(d, type, field->at, "a tag does not end");
	field->number = (uint32_t)(tag >> 3);
	field->type = (unsigned)(tag & 7);
	if (field->number == 0)
		return malformed(d, type, field->at, "field number 0");
	if (!read_wire(c, field->type, field))
		return malformed(d, type, field->at,
				 "field %" PRIu32 " of wire type %u is cut short", field->number,
				 field->type);
	return 0;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
						  uint32_t number)
{
	for (unsigned i = 0; i < type->n_field_ranges; i++) {
		const ProtobufCIntRange *range = &type->field_ranges[i];
		uint32_t first = (uint32_t)range[0].start_value;

		if (number >= first && number - first < range[1].orig_index - range[0].orig_index)
			return &type->fields[range->orig_index + (number - first)];
	}
	return NULL;
}

static unsigned wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return PROTOBUF_C_WIRE_TYPE_32BIT;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return PROTOBUF_C_WIRE_TYPE_64BIT;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
	default:
		return PROTOBUF_C_WIRE_TYPE_VARINT;
	}
}

static size_t element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return sizeof(uint32_t);
	}
}

static void store_number(ProtobufCType type, uint64_t raw, void *member)
{
	uint32_t low = (uint32_t)raw;

	switch (type) {
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)member = raw != 0;
		return;
	case PROTOBUF_C_TYPE_SINT32:
		low = (low >> 1) ^ (0U - (low & 1));
		break;
	case PROTOBUF_C_TYPE_SINT64:
		raw = (raw >> 1) ^ (UINT64_C(0) - (raw & 1));
		break;
	default:
		break;
	}
	if (element_size(type) == sizeof(raw))
		memcpy(member, &raw, sizeof(raw));
	else
		memcpy(member, &low, sizeof(low));
}

static int store_string(struct decoding *d, struct cursor bytes, char **member)
{
	size_t size = (size_t)(bytes.end - bytes.at);
	char *copy;

	if (size == 0) {
		*member = (char *)protobuf_c_empty_string;
		return 0;
	}
	copy = take(d, size + 1);
	if (!copy)
		return -errno;
	memcpy(copy, bytes.at, size);
	copy[size] = '\0';
	*member = copy;
	return 0;
}

static void store_bytes(struct cursor bytes, ProtobufCBinaryData *member)
{
	member->len = (size_t)(bytes.end - bytes.at);
	member->data = member->len > 0 ? (uint8_t *)bytes.at : NULL;
}

static int decode_fields(struct decoding *d, struct cursor c, ProtobufCMessage *message);

static int new_message(struct decoding *d, const ProtobufCMessageDescriptor *type,
		       ProtobufCMessage **message)
{
	*message = take(d, type->sizeof_message);
	if (!*message)
		return -errno;
	protobuf_c_message_init(type, *message);
	return 0;
}

static int store_message(struct decoding *d, const ProtobufCMessageDescriptor *type,
			 struct cursor bytes, ProtobufCMessage **member)
{
	int err = 0;

	if (!*member)
		err = new_message(d, type, member);
	if (err)
		return err;
	if (d->depth == DEPTH_MAX)
		return malformed(d, type, bytes.at, "messages nest deeper than %d", DEPTH_MAX);
	d->depth++;
	err = decode_fields(d, bytes, *member);
	d->depth--;
	return err;
}

/* One value into the place that is its own: a member, or a slot of an array. */
static int store_value(struct decoding *d, const ProtobufCMessageDescriptor *type,
		       const ProtobufCFieldDescriptor *field, const struct wire_field *wire,
		       void *member)
{
	if (wire->type != wire_type_of(field->type))
		return malformed(d, type, wire->at, "field %s has wire type %u", field->name,
				 wire->type);
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return store_string(d, wire->bytes, member);
	case PROTOBUF_C_TYPE_BYTES:
		store_bytes(wire->bytes, member);
		return 0;
	case PROTOBUF_C_TYPE_MESSAGE:
		return store_message(d, field->descriptor, wire->bytes, member);
	default:
		store_number(field->type, wire->value, member);
		return 0;
	}
}

/* An array of n elements has room for ARRAY_FIRST or the next power of two. */
static size_t array_capacity(size_t n)
{
	size_t capacity = ARRAY_FIRST;

	if (n == 0)
		return 0;
	while (capacity < n)
		capacity *= 2;
	return capacity;
}

/* The slot behind the last element of a repeated field, zeroed; counts it. */
static void *append_slot(struct decoding *d, const ProtobufCFieldDescriptor *field,
			 ProtobufCMessage *message)
{
	size_t *n = (size_t *)(void *)((char *)message + field->quantifier_offset);
	char **array = (char **)(void *)((char *)message + field->offset);
	size_t size = element_size(field->type);
	size_t capacity = array_capacity(*n + 1);
	char *slot;

	if (capacity != array_capacity(*n)) {
		char *larger = take(d, capacity * size);

		if (!larger)
			return NULL;
		if (*n > 0)
			memcpy(larger, *array, *n * size);
		*array = larger;
	}
	slot = *array + *n * size;
	memset(slot, 0, size);
	(*n)++;
	return slot;
}

static int store_packed(struct decoding *d, const ProtobufCFieldDescriptor *field,
			struct cursor bytes, ProtobufCMessage *message)
{
	unsigned type = wire_type_of(field->type);
	struct wire_field wire = { .type = type };

	while (bytes.at < bytes.end) {
		const uint8_t *at = bytes.at;
		void *slot;

		if (!read_wire(&bytes, type, &wire))
			return malformed(d, message->descriptor, at,
					 "a packed value of field %s is cut short", field->name);
		slot = append_slot(d, field, message);
		if (!slot)
			return -errno;
		store_number(field->type, wire.value, slot);
	}
	return 0;
}

static int store_repeated(struct decoding *d, const ProtobufCFieldDescriptor *field,
			  const struct wire_field *wire, ProtobufCMessage *message)
{
	bool packable = wire_type_of(field->type) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
	void *slot;

	if (packable && wire->type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
		return store_packed(d, field, wire->bytes, message);
	slot = append_slot(d, field, message);
	if (!slot)
		return -errno;
	return store_value(d, message->descriptor, field, wire, slot);
}

static int store_single(struct decoding *d, const ProtobufCFieldDescriptor *field,
			const struct wire_field *wire, ProtobufCMessage *message)
{
	void *member = (char *)message + field->offset;
	void *quantifier = (char *)message + field->quantifier_offset;
	int err;

	if (field->flags & ONEOF) {
		uint32_t *chosen = quantifier;

		/* Another member of the union held these bytes. */
		if (*chosen != field->id)
			memset(member, 0, element_size(field->type));
		*chosen = field->id;
	}
	if (field->type == PROTOBUF_C_TYPE_MESSAGE && *(void **)member == field->default_value)
		*(void **)member = NULL;
	err = store_value(d, message->descriptor, field, wire, member);
	if (!err && field->label == PROTOBUF_C_LABEL_OPTIONAL && !(field->flags & ONEOF) &&
	    field->quantifier_offset != 0)
		*(protobuf_c_boolean *)quantifier = true;
	return err;
}

static int decode_fields(struct decoding *d, struct cursor c, ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;

	while (c.at < c.end) {
		const ProtobufCFieldDescriptor *field;
		struct wire_field wire;
		int err = read_field(d, type, &c, &wire);

		if (err)
			return err;
		field = find_field(type, wire.number);
		if (!field)
			continue;
		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			err = store_repeated(d, field, &wire, message);
		else
			err = store_single(d, field, &wire, message);
		if (err)
			return err;
	}
	return 0;
}

int ttrpc_message_decode(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size,
			 struct ttrpc_arena *arena, ProtobufCMessage **message, char *err,
			 size_t errsize)
{
	struct decoding d = { .arena = arena, .start = data, .err = err, .errsize = errsize };
	struct cursor c = { .at = data, .end = size > 0 ? data + size : data };
	int code = new_message(&d, type, message);

	return code ? code : decode_fields(&d, c, *message);
}
