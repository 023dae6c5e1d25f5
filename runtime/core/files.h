/*
 * files.h - files and directories: what the core needs of them. Errors are VACCEL_* codes, with
 * a reason.
 */
#ifndef FILES_H
#define FILES_H

#include "core.h"
#include <sys/types.h>

bool file_is_regular(const char *path);
bool file_is_directory(const char *path);

/* Whether this is one path component that names something: no '/', not "." or "..". */
bool file_name_is_plain(const char *name);

/* The last component of a path. */
const char *file_last_component(const char *path);

/* Create a directory and what is missing above it, mode 0700. */
int file_make_directories(const char *path);

/* Remove a directory and everything in it; links are not followed. 0 or an errno. */
int file_remove_tree(const char *path);

/*
 * Create dir/name and open it for writing. With unique, or when it exists, six random characters
 * go before the extension. *path is the caller's to free.
 */
int file_create(const char *dir, const char *name, bool unique, mode_t mode, char **path, int *fd);

/* Create dir/name as file_create() does, but as a further name of the file at `target`. */
int file_link(const char *dir, const char *name, const char *target, char **path);

int file_write_all(int fd, const uint8_t *data, size_t size);

/* Map a whole file, private and writable. An empty file is EINVAL. */
int file_map(const char *path, uint8_t **data, size_t *size);

/* Whether a mapped file still has its last page, without touching it. */
bool file_mapping_is_whole(const uint8_t *data, size_t size);

/* Call visit for each regular file below dir, in the order of the directory. */
int file_walk(const char *dir, int (*visit)(void *ctx, const char *path), void *ctx);

#endif
