/*
 * ttrpc_random.c - see ttrpc_random.h. One thread.
 */
#include "ttrpc_random.h"

#include "empty.pb-c.h"
#include "error.pb-c.h"
#include "genop.pb-c.h"
#include "image.pb-c.h"
#include "peer.pb-c.h"
#include "resource.pb-c.h"
#include "session.pb-c.h"
#include "torch.pb-c.h"
#include "ttrpc.pb-c.h"
#include "ttrpc_defaults.pb-c.h"
#include "ttrpc_types.pb-c.h"

#include <string.h>

const ProtobufCMessageDescriptor *const random_types[] = {
	&ttrpc__request__descriptor,
	&ttrpc__response__descriptor,
	&vaccel__session__create_request__descriptor,
	&vaccel__session__create_response__descriptor,
	&vaccel__session__update_request__descriptor,
	&vaccel__session__destroy_request__descriptor,
	&vaccel__resource__blob__descriptor,
	&vaccel__resource__register_request__descriptor,
	&vaccel__resource__register_response__descriptor,
	&vaccel__resource__unregister_request__descriptor,
	&vaccel__resource__sync_request__descriptor,
	&vaccel__resource__sync_response__descriptor,
	&vaccel__image__request__descriptor,
	&vaccel__image__response__descriptor,
	&vaccel__genop__request__descriptor,
	&vaccel__genop__response__descriptor,
	&vaccel__torch__model_load_request__descriptor,
	&vaccel__torch__model_run_request__descriptor,
	&vaccel__torch__model_run_response__descriptor,
	&vaccel__error__descriptor,
	&vaccel__status__descriptor,
	&vaccel__empty__descriptor,
	&luaccel__v1__hello_request__descriptor,
	&luaccel__v1__hello_response__descriptor,
	&defaults__settings__descriptor,
	&types__scalars__descriptor,
	&types__tree__descriptor,
	&types__choice__descriptor,
};
const size_t nr_random_types = sizeof(random_types) / sizeof(random_types[0]);

enum { ONEOF = PROTOBUF_C_FIELD_FLAG_ONEOF, REPEAT_MAX = 9, BYTES_MAX = 40, DEPTH_MAX = 4 };

static uint64_t seed = 0x9e3779b97f4a7c15u;

uint32_t random_u32(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

/* Small, large, and those at the ends of their range. */
static uint64_t random_number(void)
{
	uint64_t number = (uint64_t)random_u32() << 32 | random_u32();

	switch (random_u32() % 4) {
	case 0:
		return number % 200;
	case 1:
		return UINT64_MAX - number % 3;
	default:
		return number >> random_u32() % 64;
	}
}

static size_t size_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return 8;
	default:
		return 4;
	}
}

static void random_value(struct ttrpc_arena *arena, const ProtobufCFieldDescriptor *field,
			 void *member, unsigned depth)
{
	size_t size = random_u32() % BYTES_MAX;
	ProtobufCBinaryData *bytes = member;
	uint64_t number = random_number();
	char *text;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		text = ttrpc_arena_alloc(arena, size + 1);
		for (size_t i = 0; i < size; i++)
			text[i] = (char)('a' + random_u32() % 26);
		text[size] = '\0';
		*(char **)member = text;
		return;
	case PROTOBUF_C_TYPE_BYTES:
		bytes->len = size;
		bytes->data = ttrpc_arena_alloc(arena, size);
		for (size_t i = 0; i < size; i++)
			bytes->data[i] = (uint8_t)random_u32();
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)member = random_message(arena, field->descriptor, depth + 1);
		return;
	case PROTOBUF_C_TYPE_BOOL:
		number &= 1;
		break;
	default:
		break;
	}
	memcpy(member, &number, size_of(field->type));
}

static void random_repeated(struct ttrpc_arena *arena, const ProtobufCFieldDescriptor *field,
			    ProtobufCMessage *message, unsigned depth)
{
	size_t n = random_u32() % REPEAT_MAX, size = size_of(field->type);
	char *array = ttrpc_arena_alloc(arena, n * size);

	memset(array, 0, n * size);
	for (size_t i = 0; i < n; i++)
		random_value(arena, field, array + i * size, depth);
	*(size_t *)(void *)((char *)message + field->quantifier_offset) = n;
	*(char **)(void *)((char *)message + field->offset) = n ? array : NULL;
}

ProtobufCMessage *random_message(struct ttrpc_arena *arena, const ProtobufCMessageDescriptor *type,
				 unsigned depth)
{
	ProtobufCMessage *message = ttrpc_arena_alloc(arena, type->sizeof_message);

	protobuf_c_message_init(type, message);
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		void *quantifier = (char *)message + field->quantifier_offset;

		if (random_u32() % 3 == 0 ||
		    (field->type == PROTOBUF_C_TYPE_MESSAGE && depth >= DEPTH_MAX))
			continue;
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			random_repeated(arena, field, message, depth);
			continue;
		}
		random_value(arena, field, (char *)message + field->offset, depth);
		if (field->flags & ONEOF)
			*(uint32_t *)quantifier = field->id;
		else if (field->quantifier_offset)
			*(protobuf_c_boolean *)quantifier = 1;
	}
	return message;
}

static bool values_equal(const ProtobufCFieldDescriptor *field, const void *a, const void *b)
{
	const ProtobufCBinaryData *bytes_a = a, *bytes_b = b;
	const ProtobufCMessage *message_a, *message_b;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return strcmp(*(char *const *)a, *(char *const *)b) == 0;
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_a->len == bytes_b->len &&
		       (bytes_a->len == 0 ||
			memcmp(bytes_a->data, bytes_b->data, bytes_a->len) == 0);
	case PROTOBUF_C_TYPE_MESSAGE:
		message_a = *(ProtobufCMessage *const *)a;
		message_b = *(ProtobufCMessage *const *)b;
		if (!message_a || !message_b)
			return message_a == message_b;
		return messages_equal(message_a, message_b);
	default:
		return memcmp(a, b, size_of(field->type)) == 0;
	}
}

static bool fields_equal(const ProtobufCFieldDescriptor *field, const char *a, const char *b)
{
	const void *quantifier_a = a + field->quantifier_offset;
	const void *quantifier_b = b + field->quantifier_offset;
	const char *array_a, *array_b;
	size_t n;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		n = *(const size_t *)quantifier_a;
		if (n != *(const size_t *)quantifier_b)
			return false;
		array_a = *(char *const *)(const void *)(a + field->offset);
		array_b = *(char *const *)(const void *)(b + field->offset);
		for (size_t i = 0; i < n; i++) {
			size_t at = i * size_of(field->type);

			if (!values_equal(field, array_a + at, array_b + at))
				return false;
		}
		return true;
	}
	if (field->quantifier_offset &&
	    *(const uint32_t *)quantifier_a != *(const uint32_t *)quantifier_b)
		return false;
	if ((field->flags & ONEOF) && *(const uint32_t *)quantifier_a != field->id)
		return true;
	return values_equal(field, a + field->offset, b + field->offset);
}

bool messages_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	const ProtobufCMessageDescriptor *type = a->descriptor;

	if (b->descriptor != type)
		return false;
	for (unsigned i = 0; i < type->n_fields; i++) {
		if (!fields_equal(&type->fields[i], (const char *)a, (const char *)b))
			return false;
	}
	return true;
}

bool has_single_message(const ProtobufCMessageDescriptor *type)
{
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (field->label != PROTOBUF_C_LABEL_REPEATED ||
		    (field->descriptor != type && has_single_message(field->descriptor)))
			return true;
	}
	return false;
}
