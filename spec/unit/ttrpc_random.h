/*
 * ttrpc_random.h - random messages of any type, and whether two are equal, from descriptors alone.
 */
#ifndef TTRPC_RANDOM_H
#define TTRPC_RANDOM_H

#include "message.h"

/* Every type that the wire knows, and the tests' own. */
extern const ProtobufCMessageDescriptor *const random_types[];
extern const size_t nr_random_types;

uint32_t random_u32(void);
/* Everything in the message comes from the arena. */
ProtobufCMessage *random_message(struct ttrpc_arena *arena, const ProtobufCMessageDescriptor *type,
				 unsigned depth);
/* Unknown fields do not count. */
bool messages_equal(const ProtobufCMessage *a, const ProtobufCMessage *b);
/* Single messages within, which protobuf-c merges otherwise than the specification has it. */
bool has_single_message(const ProtobufCMessageDescriptor *type);

#endif
