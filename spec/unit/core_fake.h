/*
 * core_fake.h - what the tests and their fake plugins share.
 */
#ifndef CORE_FAKE_H
#define CORE_FAKE_H

#include <stdint.h>
#include <vaccel.h>

/* What a fake plugin exports as `fake`: calls counted, and what they return. */
struct fake {
	int inits, finis;
	int session_inits, session_releases, session_updates;
	int registers, unregisters, syncs;
	int session_init_ret, register_ret, unregister_ret;
	uint32_t flags;
	const void *data; /* of the first blob, when the resource was registered */
	int data_mapped;
};

#endif
