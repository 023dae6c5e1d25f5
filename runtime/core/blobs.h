/*
 * blobs.h - blobs, as resources need them beyond blob.h.
 */
#ifndef BLOBS_H
#define BLOBS_H

#include "core.h"
#include <sys/types.h>

enum {
	BLOB_MODE_DATA = 0600,
	BLOB_MODE_LIB = 0700, /* dlopen() may want to execute it */
};

/* vaccel_blob_from_buf() with a mode for the file. */
int blob_from_buf(struct vaccel_blob **blob, const uint8_t *buf, size_t size, bool own,
		  const char *name, const char *dir, bool randomize, mode_t mode);

/*
 * A blob of a file that stays the caller's, mapped privately: with dir a MAPPED one, by a link
 * there under that name; else a BUFFER.
 */
int blob_from_file(struct vaccel_blob **blob, const char *file, const char *name, const char *dir);

/* A blob of the same bytes and path that owns neither. */
int blob_alias(struct vaccel_blob **alias, const struct vaccel_blob *blob);

/* Around fork(). */
void blob_lock(void);
void blob_unlock(void);

#endif
