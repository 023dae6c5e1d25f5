/*
 * core_fake.h - what the tests and their fake plugins share.
 */
#ifndef CORE_FAKE_H
#define CORE_FAKE_H

#include <stdint.h>
#include <string.h>
#include <vaccel.h>

enum { FAKE_WORDS = 16 };

/* The arguments of one operation as the plugin got them: pointers, numbers and bits of floats. */
struct fake_call {
	vaccel_op_type_t op;
	size_t count;
	uint64_t words[FAKE_WORDS];
};

/* What a fake plugin exports as `fake`: calls counted, and what they return. */
struct fake {
	int inits, finis;
	int session_inits, session_releases, session_updates;
	int registers, unregisters, syncs;
	int session_init_ret, register_ret, unregister_ret;
	uint32_t flags;
	const void *data; /* of the first blob, when the resource was registered */
	int data_mapped;
	int op_calls, op_ret;
	struct fake_call op_call; /* the last */
};

static inline void fake_pointer(struct fake_call *call, const void *pointer)
{
	call->words[call->count++] = (uintptr_t)pointer;
}

static inline void fake_number(struct fake_call *call, int64_t number)
{
	call->words[call->count++] = (uint64_t)number;
}

static inline void fake_float(struct fake_call *call, float number)
{
	uint32_t bits;

	memcpy(&bits, &number, sizeof(bits));
	call->words[call->count++] = bits;
}

/* One argument of an operation, by its type; a type that has no place here does not compile. */
#define FAKE_WORD(call, value)                                                                     \
	_Generic((value), int                                                                      \
		 : fake_number, int64_t                                                            \
		 : fake_number, size_t                                                             \
		 : fake_number, float                                                              \
		 : fake_float, default                                                             \
		 : fake_pointer)((call), (value))

#endif
