/*
 * family.h - which family of requests a program of the fuzz target agent.c is for. family.c is
 * compiled once for each, and everything else once for all.
 */
#ifndef FAMILY_H
#define FAMILY_H

#include "service.h"

enum { FAMILY_PARTS = 5 };

/* Tables of methods; NULL after the last. */
struct family {
	const struct method *parts[FAMILY_PARTS];
};

extern const struct family fuzz_family;

#endif
