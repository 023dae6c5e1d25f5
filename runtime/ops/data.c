/*
 * data.c - tensors of TensorFlow, TensorFlow Lite and Torch, buffers of the first and the last: the
 * families of tensor_family.h and buffer_family.h.
 */
#include "data.h"
#include <string.h>

enum { DIMS_MAX = 1 << 20 }; /* no tensor has as many: beyond is ENOMEM */

int data_copy_dims(void **copy, const void *dims, int64_t count, size_t size)
{
	if (count < 1)
		return VACCEL_EINVAL;
	*copy = count <= DIMS_MAX ? calloc((size_t)count, size) : NULL;
	if (!*copy)
		return VACCEL_ENOMEM;
	if (dims)
		memcpy(*copy, dims, (size_t)count * size);
	return VACCEL_OK;
}

#define FAMILY	tf
#define NR_DIMS int
#define DIM	int64_t
#include "tensor_family.h"

#define FAMILY	tflite
#define NR_DIMS int
#define DIM	int32_t
#include "tensor_family.h"

#define FAMILY	torch
#define NR_DIMS int64_t
#define DIM	int64_t
#include "tensor_family.h"

#define FAMILY tf
#define BYTE   void
#include "buffer_family.h"

#define FAMILY torch
#define BYTE   char
#include "buffer_family.h"
