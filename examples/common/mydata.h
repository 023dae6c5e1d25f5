/*
 * mydata.h - a type of a program's own, and how it becomes bytes: its count and its numbers, 32
 * bits each, as they are in memory.
 */
#ifndef EXAMPLE_MYDATA_H
#define EXAMPLE_MYDATA_H

#include <stddef.h>
#include <stdint.h>

struct mydata {
	uint32_t count;
	uint32_t *array;
};

enum { MYDATA_TYPE_ID = 100 };

/* A vaccel_arg_serializer_fn: *buf is new memory of the caller's. */
int mydata_serialize(const void *data, size_t data_size, uint32_t custom_id, void **buf,
		     size_t *size);

/* A vaccel_arg_deserializer_fn: fills a struct mydata, whose array the caller frees. */
int mydata_deserialize(const void *buf, size_t size, uint32_t custom_id, size_t data_size,
		       void *data);

#endif
