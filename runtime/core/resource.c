/*
 * resource.c - resources: from paths, from bytes, from blobs; and their end.
 *
 * The struct belongs to the caller; what hangs on it (paths, blobs, run directory) and the record
 * behind it are the core's. Any thread; one resource is released by one thread, which waits for
 * others that register or unregister it.
 */
#include "blobs.h"
#include "bootstrap.h"
#include "last_error.h"
#include "logging.h"
#include "resources.h"
#include "rundir.h"
#include "uri.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a resource is created from; fill() does the work on a struct that has its id. */
struct source {
	const char **paths;
	size_t nr_paths;
	const void *buf;
	size_t size;
	const char *filename;
	bool mem_only;
	const struct vaccel_blob **blobs;
	size_t nr_blobs;
	int (*fill)(struct vaccel_resource *res, const struct source *source);
};

int resource_make_rundir(struct vaccel_resource *res)
{
	char path[PATH_MAX];
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "resource.%" PRId64, res->id);
	ret = rundir_make(name, path);
	if (ret)
		return fail(ret, "Could not create rundir for resource %" PRId64 ": %s", res->id,
			    strerror(ret));
	res->rundir = strdup(path);
	if (!res->rundir) {
		rundir_remove(path);
		return VACCEL_ENOMEM;
	}
	log_debug("New rundir for resource %" PRId64 ": %s", res->id, res->rundir);
	return VACCEL_OK;
}

void resource_drop_rundir(struct vaccel_resource *res)
{
	if (res->rundir)
		rundir_remove(res->rundir);
	free(res->rundir);
	res->rundir = NULL;
}

/* In a forked child the files stay: they are its parent's. */
void resource_drop_blobs(struct vaccel_resource *res)
{
	const bool foreign = res->rundir && !rundir_owns(res->rundir);

	for (size_t i = 0; i < res->nr_blobs; i++) {
		if (foreign)
			res->blobs[i]->path_owned = false;
		vaccel_blob_delete(res->blobs[i]);
	}
	free(res->blobs);
	res->blobs = NULL;
	res->nr_blobs = 0;
}

static void drop_paths(struct vaccel_resource *res)
{
	for (size_t i = 0; i < res->nr_paths; i++)
		free(res->paths[i]);
	free(res->paths);
	res->paths = NULL;
	res->nr_paths = 0;
}

static int add_path(struct vaccel_resource *res, const char *uri)
{
	vaccel_path_type_t type;
	char *path;
	int ret;

	if (!uri)
		return VACCEL_EINVAL;
	ret = uri_parse(uri, &path, &type);
	if (ret)
		return ret;
	if (!res->nr_paths)
		res->path_type = type;
	else if (type == VACCEL_PATH_LOCAL_DIR)
		ret = fail(VACCEL_ENOTSUP,
			   "Resources with multiple directory paths are not supported");
	else if (type != res->path_type)
		ret = fail(VACCEL_EINVAL, "Resource paths cannot be of different types");
	if (ret) {
		free(path);
		return ret;
	}
	res->paths[res->nr_paths++] = path;
	return VACCEL_OK;
}

static int fill_paths(struct vaccel_resource *res, const struct source *source)
{
	int ret = VACCEL_OK;

	res->paths = calloc(source->nr_paths, sizeof(char *));
	if (!res->paths)
		return VACCEL_ENOMEM;
	for (size_t i = 0; i < source->nr_paths && !ret; i++)
		ret = add_path(res, source->paths[i]);
	return ret;
}

mode_t resource_file_mode(const struct vaccel_resource *res)
{
	return res->type == VACCEL_RESOURCE_LIB ? BLOB_MODE_LIB : BLOB_MODE_DATA;
}

static int fill_buf(struct vaccel_resource *res, const struct source *source)
{
	int ret = source->mem_only ? VACCEL_OK : resource_make_rundir(res);

	if (ret)
		return ret;
	res->blobs = calloc(1, sizeof(struct vaccel_blob *));
	if (!res->blobs)
		return VACCEL_ENOMEM;
	ret = blob_from_buf(&res->blobs[0], source->buf, source->size, false,
			    source->filename ? source->filename : "file", res->rundir,
			    !source->filename, resource_file_mode(res));
	if (!ret)
		res->nr_blobs = 1;
	return ret;
}

static int copy_blob(struct vaccel_resource *res, const struct vaccel_blob *blob)
{
	struct vaccel_blob **copy = &res->blobs[res->nr_blobs];
	int ret;

	if (blob->type == VACCEL_BLOB_FILE)
		ret = vaccel_blob_new(copy, blob->path);
	else
		ret = blob_from_buf(copy, blob->data, blob->size, blob->data_owned, blob->name,
				    blob->type == VACCEL_BLOB_BUFFER ? NULL : res->rundir, false,
				    resource_file_mode(res));
	if (!ret)
		res->nr_blobs++;
	return ret;
}

/* A place for each blob, and for the files of those that have one. */
static int make_room_for(struct vaccel_resource *res, const struct source *source)
{
	bool files = false;
	int ret = VACCEL_OK;

	for (size_t i = 0; i < source->nr_blobs; i++)
		files |= source->blobs[i]->type != VACCEL_BLOB_BUFFER;
	if (files)
		ret = resource_make_rundir(res);
	if (ret)
		return ret;
	res->blobs = calloc(source->nr_blobs, sizeof(struct vaccel_blob *));
	return res->blobs ? VACCEL_OK : VACCEL_ENOMEM;
}

static int fill_blobs(struct vaccel_resource *res, const struct source *source)
{
	int ret = make_room_for(res, source);

	for (size_t i = 0; i < source->nr_blobs && !ret; i++)
		ret = copy_blob(res, source->blobs[i]);
	return ret;
}

/* As fill_blobs(), of blobs whose bytes are in files. */
static int fill_files(struct vaccel_resource *res, const struct source *source)
{
	int ret = make_room_for(res, source);

	for (size_t i = 0; i < source->nr_blobs && !ret; i++) {
		const struct vaccel_blob *blob = source->blobs[i];

		ret = blob_from_file(&res->blobs[i], blob->path, blob->name,
				     blob->type == VACCEL_BLOB_BUFFER ? NULL : res->rundir);
		if (!ret)
			res->nr_blobs++;
	}
	return ret;
}

static void clear(struct vaccel_resource *res, vaccel_resource_type_t type)
{
	res->remote_id = 0;
	res->type = type;
	res->path_type = VACCEL_PATH_LOCAL_FILE;
	res->paths = NULL;
	res->nr_paths = 0;
	res->rundir = NULL;
	res->blobs = NULL;
	res->nr_blobs = 0;
	res->plugin_priv = NULL;
}

static void drop_all(struct vaccel_resource *res)
{
	resource_drop_blobs(res);
	resource_drop_rundir(res);
	drop_paths(res);
	res->plugin_priv = NULL;
}

static int create(struct vaccel_resource *res, vaccel_resource_type_t type, bool allocated,
		  const struct source *source)
{
	struct resource_record *record;
	int ret;

	ret = registry_new_resource(res, allocated, &record);
	if (ret)
		return ret;
	clear(res, type);
	ret = source->fill(res, source);
	if (ret) {
		drop_all(res);
		registry_forget_resource(record);
		return ret;
	}
	registry_publish_resource(record);
	log_debug("Initialized resource %" PRId64, res->id);
	return VACCEL_OK;
}

/* Checked before anything else, as programs expect. */
static int check_type(const struct vaccel_resource *res, vaccel_resource_type_t type)
{
	if (!registry_started())
		return bootstrap_missing(VACCEL_EPERM);
	return res && type < VACCEL_RESOURCE_MAX ? VACCEL_OK : VACCEL_EINVAL;
}

static int create_from_paths(struct vaccel_resource *res, const char **paths, size_t nr_paths,
			     vaccel_resource_type_t type, bool allocated)
{
	const struct source source = { .paths = paths, .nr_paths = nr_paths, .fill = fill_paths };
	int ret = check_type(res, type);

	if (!ret && (!paths || !nr_paths))
		ret = VACCEL_EINVAL;
	return ret ? ret : create(res, type, allocated, &source);
}

static int create_from_buf(struct vaccel_resource *res, const void *buf, size_t nr_bytes,
			   vaccel_resource_type_t type, const char *filename, bool mem_only,
			   bool allocated)
{
	const struct source source = { .buf = buf,
				       .size = nr_bytes,
				       .filename = filename,
				       .mem_only = mem_only,
				       .fill = fill_buf };
	int ret = check_type(res, type);

	if (!ret && (!buf || !nr_bytes))
		ret = VACCEL_EINVAL;
	return ret ? ret : create(res, type, allocated, &source);
}

static int create_from_blobs(struct vaccel_resource *res, const struct vaccel_blob **blobs,
			     size_t nr_blobs, vaccel_resource_type_t type, bool allocated)
{
	const struct source source = { .blobs = blobs, .nr_blobs = nr_blobs, .fill = fill_blobs };
	int ret = check_type(res, type);

	if (!ret && (!blobs || !nr_blobs))
		ret = VACCEL_EINVAL;
	for (size_t i = 0; !ret && i < nr_blobs; i++) {
		if (!vaccel_blob_valid(blobs[i])) {
			clear(res, type);
			ret = fail(VACCEL_EINVAL,
				   "Blob %zu is invalid: it needs a type, a name, and a path or "
				   "bytes",
				   i);
		}
	}
	return ret ? ret : create(res, type, allocated, &source);
}

int vaccel_resource_init(struct vaccel_resource *res, const char *path, vaccel_resource_type_t type)
{
	return vaccel_resource_init_multi(res, &path, 1, type);
}

int vaccel_resource_init_multi(struct vaccel_resource *res, const char **paths, size_t nr_paths,
			       vaccel_resource_type_t type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, create_from_paths(res, paths, nr_paths, type, false));
}

int vaccel_resource_init_from_buf(struct vaccel_resource *res, const void *buf, size_t nr_bytes,
				  vaccel_resource_type_t type, const char *filename, bool mem_only)
{
	const unsigned mark = error_mark();

	return error_settle(mark,
			    create_from_buf(res, buf, nr_bytes, type, filename, mem_only, false));
}

int vaccel_resource_init_from_blobs(struct vaccel_resource *res, const struct vaccel_blob **blobs,
				    size_t nr_blobs, vaccel_resource_type_t type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, create_from_blobs(res, blobs, nr_blobs, type, false));
}

/* New memory for a resource; *res is checked first. */
static int allocate(struct vaccel_resource **res, struct vaccel_resource **created)
{
	if (!res)
		return VACCEL_EINVAL;
	*created = calloc(1, sizeof(**created));
	return *created ? VACCEL_OK : VACCEL_ENOMEM;
}

/* Hand it out, or free it. */
static int publish(struct vaccel_resource **res, struct vaccel_resource *created, int ret)
{
	if (ret)
		free(created);
	else
		*res = created;
	return ret;
}

int vaccel_resource_new(struct vaccel_resource **res, const char *path, vaccel_resource_type_t type)
{
	return vaccel_resource_multi_new(res, &path, 1, type);
}

int vaccel_resource_multi_new(struct vaccel_resource **res, const char **paths, size_t nr_paths,
			      vaccel_resource_type_t type)
{
	const unsigned mark = error_mark();
	struct vaccel_resource *created;
	int ret = allocate(res, &created);

	if (!ret)
		ret = publish(res, created,
			      create_from_paths(created, paths, nr_paths, type, true));
	return error_settle(mark, ret);
}

int vaccel_resource_from_buf(struct vaccel_resource **res, const void *buf, size_t nr_bytes,
			     vaccel_resource_type_t type, const char *filename, bool mem_only)
{
	const unsigned mark = error_mark();
	struct vaccel_resource *created;
	int ret = allocate(res, &created);

	if (!ret)
		ret = publish(
			res, created,
			create_from_buf(created, buf, nr_bytes, type, filename, mem_only, true));
	return error_settle(mark, ret);
}

int vaccel_resource_from_blobs(struct vaccel_resource **res, const struct vaccel_blob **blobs,
			       size_t nr_blobs, vaccel_resource_type_t type)
{
	const unsigned mark = error_mark();
	struct vaccel_resource *created;
	int ret = allocate(res, &created);

	if (!ret)
		ret = publish(res, created,
			      create_from_blobs(created, blobs, nr_blobs, type, true));
	return error_settle(mark, ret);
}

int resource_from_files(struct vaccel_resource **res, const struct vaccel_blob **blobs,
			size_t nr_blobs, vaccel_resource_type_t type)
{
	const struct source source = { .blobs = blobs, .nr_blobs = nr_blobs, .fill = fill_files };
	struct vaccel_resource *created;
	int ret = type < VACCEL_RESOURCE_MAX ? allocate(res, &created) : VACCEL_EINVAL;

	return ret ? ret : publish(res, created, create(created, type, true, &source));
}

/* Every session of a resource that is closing. Without force the first failure ends it. */
static int unregister_all(struct resource_record *record, bool force)
{
	struct registration *registration;
	int ret = VACCEL_OK;

	while ((force || !ret) && (registration = registry_next_of_resource(record))) {
		const int failed = resource_leave(registration);

		ret = ret ? ret : failed;
	}
	return ret;
}

int resource_release(struct resource_record *record, bool force)
{
	struct vaccel_resource *res = record->resource;
	const vaccel_id_t id = res->id;
	int ret;

	if (!registry_close(&record->record))
		return fail(VACCEL_EINVAL, "Resource %" PRId64 " is being released already", id);
	ret = unregister_all(record, force);
	if (ret && !force) {
		registry_reopen(&record->record);
		return ret;
	}
	drop_all(res);
	registry_forget_resource(record);
	log_debug("Released resource %" PRId64, id);
	return ret;
}

static int release_public(struct vaccel_resource *res)
{
	struct resource_record *record;

	if (!registry_started())
		return bootstrap_missing(VACCEL_EPERM);
	if (!res)
		return VACCEL_EINVAL;
	record = registry_resource(res);
	if (!record)
		return fail(VACCEL_EINVAL, "Cannot release uninitialized resource");
	return resource_release(record, false);
}

int vaccel_resource_release(struct vaccel_resource *res)
{
	const unsigned mark = error_mark();

	return error_settle(mark, release_public(res));
}

int vaccel_resource_delete(struct vaccel_resource *res)
{
	const int ret = vaccel_resource_release(res);

	if (!ret)
		free(res);
	return ret;
}
