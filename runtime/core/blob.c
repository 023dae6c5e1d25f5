/*
 * blob.c - one file or buffer of a resource.
 *
 * A blob owns its name and path strings, and what path_owned and data_owned say. A file that was
 * mapped by vaccel_blob_read() or blob_from_file() is not marked data_owned, as programs expect;
 * that it is ours to unmap is noted beside, under the addresses of the blob and of its data.
 *
 * Any thread, one at a time for each blob.
 */
#include "blobs.h"
#include "files.h"
#include "last_error.h"
#include "logging.h"
#include "table.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct mapping {
	struct table_entry by_data;
	const struct vaccel_blob *blob;
};

static struct {
	pthread_mutex_t lock;
	struct table table;
} mappings = { .lock = PTHREAD_MUTEX_INITIALIZER };

void blob_lock(void)
{
	pthread_mutex_lock(&mappings.lock);
}

void blob_unlock(void)
{
	pthread_mutex_unlock(&mappings.lock);
}

/* Remember that we mapped this blob's data. */
static int note_mapping(const struct vaccel_blob *blob, const uint8_t *data)
{
	struct mapping *mapping = malloc(sizeof(*mapping));
	int ret;

	if (!mapping)
		return VACCEL_ENOMEM;
	mapping->blob = blob;
	blob_lock();
	ret = table_reserve(&mappings.table);
	if (!ret)
		table_insert(&mappings.table, &mapping->by_data, (uintptr_t)data);
	blob_unlock();
	if (ret)
		free(mapping);
	return ret;
}

/* Whether we did; it is forgotten then. */
static bool take_mapping(const struct vaccel_blob *blob)
{
	struct mapping *mapping = NULL;
	struct table_entry *entry;

	blob_lock();
	entry = table_find(&mappings.table, (uintptr_t)blob->data);
	if (entry)
		mapping = container_of(entry, struct mapping, by_data);
	if (mapping && mapping->blob != blob)
		mapping = NULL;
	if (mapping) {
		table_remove(&mappings.table, entry);
		if (!mappings.table.count)
			table_release(&mappings.table);
	}
	blob_unlock();
	free(mapping);
	return mapping != NULL;
}

static int check_name(const char *name)
{
	if (!name)
		return fail(VACCEL_EINVAL, "You need to provide a name for the blob");
	if (!file_name_is_plain(name))
		return fail(VACCEL_EINVAL,
			    "Blob name %.64s is not one path component; give a file name without "
			    "a directory",
			    name);
	return VACCEL_OK;
}

/* Write the blob's bytes to fd and map them back from path. */
static int write_and_map(struct vaccel_blob *blob, int fd, const char *path)
{
	uint8_t *data;
	size_t size;
	int ret = file_write_all(fd, blob->data, blob->size);

	if (ret)
		return fail(VACCEL_EIO, "Could not persist file %s: %s", path, strerror(ret));
	ret = file_map(path, &data, &size);
	if (ret)
		return ret;
	if (blob->type == VACCEL_BLOB_BUFFER && blob->data_owned)
		free(blob->data);
	blob->data = data;
	blob->size = size;
	blob->data_owned = true;
	blob->type = VACCEL_BLOB_MAPPED;
	return VACCEL_OK;
}

static int persist(struct vaccel_blob *blob, const char *dir, const char *filename, bool randomize,
		   mode_t mode)
{
	char *name, *path;
	int fd, ret;

	if (!blob || !blob->data || !blob->size || blob->type >= VACCEL_BLOB_MAX)
		return fail(VACCEL_EINVAL, "Invalid blob");
	ret = check_name(filename);
	if (ret)
		return ret;
	if (!file_is_directory(dir))
		return fail(VACCEL_ENOENT, "Invalid directory %s", dir ? dir : "(null)");
	if (blob->path)
		return fail(VACCEL_EEXIST, "Found path for vAccel blob. Not overwriting");

	ret = file_create(dir, filename, randomize, mode, &path, &fd);
	if (ret)
		return ret;
	/* A blob that bears this name keeps it, even when its file had to be called otherwise. */
	name = strdup(blob->name && strcmp(blob->name, filename) == 0 ? filename
								      : file_last_component(path));
	ret = name ? write_and_map(blob, fd, path) : VACCEL_ENOMEM;
	close(fd);
	if (ret) {
		unlink(path);
		free(path);
		free(name);
		return ret;
	}
	free(blob->name);
	blob->name = name;
	blob->path = path;
	blob->path_owned = true;
	log_debug("Persisting file %s to %s", blob->name, blob->path);
	return VACCEL_OK;
}

int vaccel_blob_persist(struct vaccel_blob *blob, const char *dir, const char *filename,
			bool randomize)
{
	const unsigned mark = error_mark();

	return error_settle(mark, persist(blob, dir, filename, randomize, BLOB_MODE_DATA));
}

static int init_from_file(struct vaccel_blob *blob, const char *path)
{
	struct vaccel_blob filled = { .type = VACCEL_BLOB_FILE };

	if (!blob || !path)
		return VACCEL_EINVAL;
	if (!file_is_regular(path))
		return fail(VACCEL_EINVAL, "Invalid file %s", path);
	filled.path = strdup(path);
	filled.name = strdup(file_last_component(path));
	if (!filled.path || !filled.name) {
		free(filled.path);
		free(filled.name);
		return VACCEL_ENOMEM;
	}
	*blob = filled;
	return VACCEL_OK;
}

int vaccel_blob_init(struct vaccel_blob *blob, const char *path)
{
	const unsigned mark = error_mark();

	return error_settle(mark, init_from_file(blob, path));
}

/* A BUFFER of buf, or of a copy. */
static int fill_buffer(struct vaccel_blob *blob, const uint8_t *buf, size_t size, bool own,
		       const char *name)
{
	uint8_t *copy = own ? malloc(size) : NULL;

	blob->name = strdup(name);
	if (!blob->name || (own && !copy)) {
		free(blob->name);
		free(copy);
		return VACCEL_ENOMEM;
	}
	if (own)
		memcpy(copy, buf, size);
	blob->data = own ? copy : (uint8_t *)(uintptr_t)buf;
	blob->data_owned = own;
	return VACCEL_OK;
}

static int init_from_buf(struct vaccel_blob *blob, const uint8_t *buf, size_t size, bool own,
			 const char *name, const char *dir, bool randomize, mode_t mode)
{
	struct vaccel_blob filled = { .type = VACCEL_BLOB_BUFFER, .size = size };
	int ret;

	if (!blob || !buf || !size)
		return VACCEL_EINVAL;
	ret = check_name(name);
	if (ret)
		return ret;
	if (dir) {
		filled.data = (uint8_t *)(uintptr_t)buf;
		ret = persist(&filled, dir, name, randomize, mode);
	} else {
		ret = fill_buffer(&filled, buf, size, own, name);
	}
	*blob = ret ? (struct vaccel_blob){ .type = VACCEL_BLOB_MAX } : filled;
	return ret;
}

int vaccel_blob_init_from_buf(struct vaccel_blob *blob, const uint8_t *buf, size_t size, bool own,
			      const char *filename, const char *dir, bool randomize)
{
	const unsigned mark = error_mark();

	return error_settle(mark, init_from_buf(blob, buf, size, own, filename, dir, randomize,
						BLOB_MODE_DATA));
}

static int release(struct vaccel_blob *blob)
{
	bool mapped;

	if (!blob)
		return VACCEL_EINVAL;
	if (blob->type >= VACCEL_BLOB_MAX)
		return fail(VACCEL_EINVAL, "Cannot release uninitialized blob");
	mapped = blob->data && take_mapping(blob);
	if (mapped || (blob->data_owned && blob->type == VACCEL_BLOB_MAPPED)) {
		if (munmap(blob->data, blob->size))
			log_error("Failed to unmap file %s (size=%zu): %m",
				  blob->path ? blob->path : blob->name, blob->size);
	} else if (blob->data_owned) {
		free(blob->data);
	}
	if (blob->path && blob->path_owned) {
		log_debug("Removing file %s", blob->path);
		if (unlink(blob->path))
			log_warn("Could not remove file %s", blob->path);
	}
	free(blob->path);
	free(blob->name);
	*blob = (struct vaccel_blob){ .type = VACCEL_BLOB_MAX };
	return VACCEL_OK;
}

int vaccel_blob_release(struct vaccel_blob *blob)
{
	const unsigned mark = error_mark();

	return error_settle(mark, release(blob));
}

int vaccel_blob_new(struct vaccel_blob **blob, const char *path)
{
	const unsigned mark = error_mark();
	struct vaccel_blob *created;
	int ret;

	if (!blob)
		return error_settle(mark, VACCEL_EINVAL);
	created = malloc(sizeof(*created));
	ret = created ? init_from_file(created, path) : VACCEL_ENOMEM;
	if (ret)
		free(created);
	else
		*blob = created;
	return error_settle(mark, ret);
}

int blob_from_buf(struct vaccel_blob **blob, const uint8_t *buf, size_t size, bool own,
		  const char *name, const char *dir, bool randomize, mode_t mode)
{
	struct vaccel_blob *created = malloc(sizeof(*created));
	int ret = VACCEL_ENOMEM;

	if (created)
		ret = init_from_buf(created, buf, size, own, name, dir, randomize, mode);
	if (ret)
		free(created);
	else
		*blob = created;
	return ret;
}

int vaccel_blob_from_buf(struct vaccel_blob **blob, const uint8_t *buf, size_t size, bool own,
			 const char *filename, const char *dir, bool randomize)
{
	const unsigned mark = error_mark();

	if (!blob)
		return error_settle(mark, VACCEL_EINVAL);
	return error_settle(mark, blob_from_buf(blob, buf, size, own, filename, dir, randomize,
						BLOB_MODE_DATA));
}

int blob_alias(struct vaccel_blob **alias, const struct vaccel_blob *blob)
{
	struct vaccel_blob *created = malloc(sizeof(*created));

	if (!created)
		return VACCEL_ENOMEM;
	*created = *blob;
	created->path_owned = false;
	created->data_owned = false;
	created->name = strdup(blob->name);
	created->path = blob->path ? strdup(blob->path) : NULL;
	if (!created->name || (blob->path && !created->path)) {
		free(created->name);
		free(created->path);
		free(created);
		return VACCEL_ENOMEM;
	}
	*alias = created;
	return VACCEL_OK;
}

int vaccel_blob_delete(struct vaccel_blob *blob)
{
	const int ret = vaccel_blob_release(blob);

	if (!ret)
		free(blob);
	return ret;
}

/* Map a file as the blob's bytes. */
static int map_file(struct vaccel_blob *blob, const char *path)
{
	uint8_t *data;
	size_t size;
	int ret = file_map(path, &data, &size);

	if (ret)
		return ret;
	ret = note_mapping(blob, data);
	if (ret) {
		munmap(data, size);
		return ret;
	}
	blob->data = data;
	blob->size = size;
	return VACCEL_OK;
}

static int read_file(struct vaccel_blob *blob)
{
	int ret;

	if (!blob || blob->type >= VACCEL_BLOB_MAX)
		return VACCEL_EINVAL;
	if (blob->data)
		return VACCEL_OK;
	if (!blob->path)
		return VACCEL_EINVAL;
	ret = map_file(blob, blob->path);
	if (!ret)
		blob->type = VACCEL_BLOB_MAPPED;
	return ret;
}

int vaccel_blob_read(struct vaccel_blob *blob)
{
	const unsigned mark = error_mark();

	return error_settle(mark, read_file(blob));
}

/* Of a blob that is empty; what was filled in is released with it when this fails. */
static int fill_from_file(struct vaccel_blob *blob, const char *file, const char *name,
			  const char *dir)
{
	int ret = check_name(name);

	if (!ret && dir)
		ret = file_link(dir, name, file, &blob->path);
	if (ret)
		return ret;
	blob->path_owned = dir != NULL;
	blob->type = dir ? VACCEL_BLOB_MAPPED : VACCEL_BLOB_BUFFER;
	blob->name = strdup(dir ? file_last_component(blob->path) : name);
	return blob->name ? map_file(blob, file) : VACCEL_ENOMEM;
}

int blob_from_file(struct vaccel_blob **blob, const char *file, const char *name, const char *dir)
{
	struct vaccel_blob *created = calloc(1, sizeof(*created));
	int ret;

	if (!created)
		return VACCEL_ENOMEM;
	ret = fill_from_file(created, file, name, dir);
	if (ret) {
		release(created);
		free(created);
		return ret;
	}
	*blob = created;
	return VACCEL_OK;
}

uint8_t *vaccel_blob_data(struct vaccel_blob *blob, size_t *size)
{
	if (!blob || blob->type >= VACCEL_BLOB_MAX || vaccel_blob_read(blob))
		return NULL;
	if (size)
		*size = blob->size;
	return blob->data;
}

const char *vaccel_blob_path(struct vaccel_blob *blob)
{
	if (!blob || (blob->type != VACCEL_BLOB_MAPPED && blob->type != VACCEL_BLOB_FILE))
		return NULL;
	return blob->path;
}

bool vaccel_blob_valid(const struct vaccel_blob *blob)
{
	return blob && blob->type < VACCEL_BLOB_MAX && blob->name &&
	       (blob->path || (blob->data && blob->size));
}
