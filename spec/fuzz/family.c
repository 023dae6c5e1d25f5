/*
 * family.c - see family.h. FAMILY has the tables of methods.
 */
#include "family.h"

const struct family fuzz_family = { { FAMILY } };
