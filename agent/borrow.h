/*
 * borrow.h - bytes of a request for a plugin that reads numbers from them: where they are when
 * numbers can be read there, which depends on where the frame has them, and in a copy otherwise.
 * Any thread.
 */
#ifndef AGENT_BORROW_H
#define AGENT_BORROW_H

#include "vaccel.h"
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BORROW_ALIGNMENT = 8 };

/* *copy is to be freed once *data is not used any more; NULL when there is none. Or ENOMEM. */
static inline int borrow(void *bytes, size_t size, void **data, void **copy)
{
	*data = bytes;
	*copy = NULL;
	if (!((uintptr_t)bytes % BORROW_ALIGNMENT))
		return VACCEL_OK;
	*copy = malloc(size ? size : 1);
	if (!*copy)
		return VACCEL_ENOMEM;
	memcpy(*copy, bytes, size);
	*data = *copy;
	return VACCEL_OK;
}

#endif
