/*
 * family.c - see family.h. FAMILY has the tables of methods, FAMILY_CONTROL the control socket.
 */
#include "family.h"

#ifndef FAMILY_CONTROL
#define FAMILY_CONTROL NULL
#endif

const struct family fuzz_family = { { FAMILY }, FAMILY_CONTROL };
