/*
 * reshape.c - a library for vaccel_exec() whose functions change their first write argument itself,
 * not only its bytes.
 */
#include "vaccel.h"
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int shorten(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		   size_t nr_write);
EXPORT int replace(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		   size_t nr_write);
EXPORT int lengthen(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		    size_t nr_write);

int shorten(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	(void)read;
	(void)nr_read;
	if (nr_write != 1 || write->size < 3)
		return 1;
	memcpy(write->buf, "abc", 3);
	write->size = 3;
	return 0;
}

/* The new memory is the argument's own. */
int replace(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	struct vaccel_arg made;

	(void)read;
	(void)nr_read;
	if (nr_write != 1 || vaccel_arg_init(&made, "other", 5, VACCEL_ARG_BUFFER, 0))
		return 1;
	*write = made;
	return 0;
}

int lengthen(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	const int ret = replace(read, nr_read, write, nr_write);

	if (!ret)
		write->size = 1000; /* which the caller has no room for, and the memory neither */
	return ret;
}
