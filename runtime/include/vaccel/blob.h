/*
 * blob.h - one file or buffer of a resource.
 *
 * A blob is a FILE (a path, nothing read), a BUFFER (bytes in memory without a path) or MAPPED
 * (a file with its bytes mapped). Its name is one path component.
 */
#ifndef VACCEL_BLOB_H
#define VACCEL_BLOB_H

#include "utils/enum.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_BLOB_TYPE_ENUM_LIST(ITEM)                                                           \
	ITEM(FILE, 0, VACCEL_BLOB)                                                                 \
	ITEM(BUFFER, VACCEL_BLOB)                                                                  \
	ITEM(MAPPED, VACCEL_BLOB)

VACCEL_ENUM_DEF_WITH_STR_FUNCS(vaccel_blob_type, VACCEL_BLOB, VACCEL_BLOB_TYPE_ENUM_LIST)

struct vaccel_blob {
	/* which of the three it is; VACCEL_BLOB_MAX once released */
	vaccel_blob_type_t type;

	/* file name, without a directory */
	char *name;

	/* file, for FILE and MAPPED */
	char *path;

	/* true if the file is removed with the blob */
	bool path_owned;

	/* bytes, for BUFFER and MAPPED */
	uint8_t *data;

	/* true if the bytes are freed or unmapped with the blob */
	bool data_owned;

	/* number of bytes */
	size_t size;
};

/* Write a buffer into dir under filename and map it; randomize makes the name unique. */
int vaccel_blob_persist(struct vaccel_blob *blob, const char *dir, const char *filename,
			bool randomize);

/* A FILE blob of a regular file. */
int vaccel_blob_init(struct vaccel_blob *blob, const char *path);

/* A BUFFER of buf (a copy if own), or with dir a MAPPED blob of a new file there. */
int vaccel_blob_init_from_buf(struct vaccel_blob *blob, const uint8_t *buf, size_t size, bool own,
			      const char *filename, const char *dir, bool randomize);

/* Free, unmap and remove what the blob owns. */
int vaccel_blob_release(struct vaccel_blob *blob);

/* The same two on a new blob, to be given back by vaccel_blob_delete(). */
int vaccel_blob_new(struct vaccel_blob **blob, const char *path);
int vaccel_blob_from_buf(struct vaccel_blob **blob, const uint8_t *buf, size_t size, bool own,
			 const char *filename, const char *dir, bool randomize);

/* Release and free a blob. */
int vaccel_blob_delete(struct vaccel_blob *blob);

/* Map a FILE blob; nothing to do if it has its bytes. */
int vaccel_blob_read(struct vaccel_blob *blob);

/* The bytes, mapped first if need be; NULL when they cannot be had. size may be NULL. */
uint8_t *vaccel_blob_data(struct vaccel_blob *blob, size_t *size);

/* The path of a FILE or MAPPED blob, else NULL. */
const char *vaccel_blob_path(struct vaccel_blob *blob);

/* Whether it has a type, a name, and a path or bytes. */
bool vaccel_blob_valid(const struct vaccel_blob *blob);

#ifdef __cplusplus
}
#endif

#endif
