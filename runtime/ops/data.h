/*
 * data.h - what the families of tensors and buffers share: their names, and memory for extents.
 *
 * tensor_family.h and buffer_family.h are included once for each family; data.c does that.
 */
#ifndef DATA_H
#define DATA_H

#include "last_error.h"
#include "logging.h"
#include <stdlib.h>

/* vaccel_FAMILY_NAME, of the FAMILY that is defined where this is used. */
#define OF_FAMILY(name)		     NAME_IN_FAMILY(FAMILY, name)
#define NAME_IN_FAMILY(family, name) JOIN_NAMES(family, name)
#define JOIN_NAMES(family, name)     vaccel_##family##_##name

/*
 * *copy = count extents of size bytes each, zeros without dims. EINVAL: a tensor has at least one
 * dimension; ENOMEM.
 */
int data_copy_dims(void **copy, const void *dims, int64_t count, size_t size);

#endif
