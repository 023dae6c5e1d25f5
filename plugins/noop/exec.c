/*
 * exec.c - functions of libraries, which are named in the log and not called, and OpenCV's. Any
 * thread.
 */
#include "noop.h"
#include <string.h>

/* Whether there are as many arguments as is said. */
static bool args_there(const struct vaccel_arg *read, size_t nr_read,
		       const struct vaccel_arg *write, size_t nr_write)
{
	return (read || !nr_read) && (write || !nr_write);
}

/* One argument to write of the size of the first to read, whole ints: it receives a copy. */
static int answer(const struct vaccel_arg *read, size_t nr_read, const struct vaccel_arg *write,
		  size_t nr_write)
{
	if (!nr_read || nr_write != 1 || write->size != read->size || !write->size ||
	    write->size % sizeof(int))
		return VACCEL_OK;
	if (!read->buf || !write->buf)
		return noop_invalid("an argument of %zu bytes has no buffer", write->size);
	noop_debug("will return dummy output = input");
	memmove(write->buf, read->buf, write->size);
	return VACCEL_OK;
}

int noop_exec(struct vaccel_session *sess, const char *library, const char *fn_symbol,
	      struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	if (!sess || !library || !fn_symbol || !args_there(read, nr_read, write, nr_write))
		return noop_invalid("Invalid input arguments");
	noop_debug("Calling exec for session %" PRId64, sess->id);
	noop_debug("Dumping arguments for exec:");
	noop_debug("library: %s symbol: %s", library, fn_symbol);
	noop_debug("nr_read: %zu nr_write: %zu", nr_read, nr_write);
	return answer(read, nr_read, write, nr_write);
}

int noop_exec_with_resource(struct vaccel_session *sess, struct vaccel_resource *object,
			    const char *fn_symbol, struct vaccel_arg *read, size_t nr_read,
			    struct vaccel_arg *write, size_t nr_write)
{
	if (!sess)
		return noop_invalid("Invalid session");
	if (!object || !object->nr_blobs)
		return noop_invalid("Invalid shared object");
	if (!args_there(read, nr_read, write, nr_write))
		return noop_invalid("Invalid input arguments");
	noop_debug("Calling exec_with_resource for session %" PRId64, sess->id);
	noop_debug("Dumping arguments for exec_with_resource:");
	for (size_t i = 0; i < object->nr_blobs; i++) {
		const char *path = object->blobs[i]->path;

		if (!path)
			return noop_invalid("Could not get path of file %zu", i);
		if (i + 1 < object->nr_blobs)
			noop_debug("dep library: %s", path);
		else
			noop_debug("library: %s symbol: %s", path, fn_symbol);
	}
	noop_debug("nr_read: %zu nr_write: %zu", nr_read, nr_write);
	return answer(read, nr_read, write, nr_write);
}

/* The size of what OpenCV would have made, in floats, goes before it. */
static int write_headers(const struct vaccel_arg *write, size_t nr_write)
{
	for (size_t i = 0; i < nr_write; i++) {
		const size_t floats = write[i].size / sizeof(float);

		noop_debug("opencv write[%zu] size: %zu", i, write[i].size);
		if (!write[i].buf || write[i].size < sizeof(floats))
			return noop_invalid(
				"opencv write[%zu] has no room for a header of %zu bytes", i,
				sizeof(floats));
		memcpy(write[i].buf, &floats, sizeof(floats));
	}
	return VACCEL_OK;
}

int noop_opencv(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
		struct vaccel_arg *write, int nr_write)
{
	if (!sess)
		return noop_invalid("Invalid session");
	if (nr_read < 1 || nr_write < 0 || !read || (!write && nr_write) || !read[0].buf ||
	    !read[0].size)
		return noop_invalid("Invalid input arguments");
	noop_debug("Calling opencv for session %" PRId64, sess->id);
	noop_debug("Dumping arguments for opencv:");
	noop_debug("nr_read: %d nr_write: %d", nr_read, nr_write);
	noop_debug("[OpenCV] function: %u", *(const uint8_t *)read[0].buf);
	for (int i = 1; i < nr_read; i++)
		noop_debug("opencv read[%d] size: %zu", i, read[i].size);
	return write_headers(write, (size_t)nr_write);
}
