/*
 * regions.h - the library's own profile regions, one for each operation or family of them.
 */
#ifndef REGIONS_H
#define REGIONS_H

#include "profiling.h"

/* Begin a sample of this operation: the region to end it in. */
struct vaccel_prof_region *regions_begin(vaccel_op_type_t type);

/* Print what was measured and forget it. */
void regions_report(void);

/* Forget it alone: in a forked child, whose parent prints it. */
void regions_forget(void);

#endif
