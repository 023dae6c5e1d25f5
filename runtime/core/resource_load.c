/*
 * resource_load.c - paths become blobs when a resource is first registered.
 *
 * A local session's plugin opens the files itself; for a remote session their bytes are mapped,
 * to be sent. Any thread; one at a time for each resource.
 */
#include "files.h"
#include "last_error.h"
#include "logging.h"
#include "resources.h"
#include <stdlib.h>

static int add_blob(struct vaccel_resource *res, const char *path)
{
	return vaccel_blob_new(&res->blobs[res->nr_blobs++], path);
}

/* Blobs of a directory: the array grows with the files. */
static int add_file_of_directory(void *ctx, const char *path)
{
	struct vaccel_resource *res = ctx;
	struct vaccel_blob **grown =
		realloc(res->blobs, (res->nr_blobs + 1) * sizeof(struct vaccel_blob *));
	int ret;

	if (!grown)
		return VACCEL_ENOMEM;
	res->blobs = grown;
	ret = add_blob(res, path);
	if (ret)
		res->nr_blobs--;
	return ret;
}

static int load_directory(struct vaccel_resource *res)
{
	int ret = file_walk(res->paths[0], add_file_of_directory, res);

	if (!ret && !res->nr_blobs)
		ret = fail(VACCEL_EINVAL, "Directory %s has no files", res->paths[0]);
	return ret;
}

static int load_files(struct vaccel_resource *res, bool hidden)
{
	int ret = res->rundir || hidden ? VACCEL_OK : resource_make_rundir(res);

	if (ret)
		return ret;
	res->blobs = calloc(res->nr_paths, sizeof(struct vaccel_blob *));
	if (!res->blobs)
		return VACCEL_ENOMEM;
	for (size_t i = 0; i < res->nr_paths && !ret; i++) {
		ret = add_blob(res, res->paths[i]);
		if (ret)
			res->nr_blobs--;
	}
	return ret;
}

static int load_blobs(struct vaccel_resource *res, bool remote, bool hidden)
{
	switch (res->path_type) {
	case VACCEL_PATH_LOCAL_FILE:
		return load_files(res, hidden);
	case VACCEL_PATH_LOCAL_DIR:
		return load_directory(res);
	case VACCEL_PATH_REMOTE_FILE:
		/* The other side downloads. */
		if (remote)
			return VACCEL_OK;
		return fail(VACCEL_ENOTSUP,
			    "Loading %s requires downloads, which this library does not do; "
			    "download it first and give its path",
			    res->paths[0]);
	default:
		return VACCEL_EINVAL;
	}
}

static int read_blobs(struct vaccel_resource *res)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; i < res->nr_blobs && !ret; i++)
		ret = vaccel_blob_read(res->blobs[i]);
	return ret;
}

int resource_load(struct resource_record *record, bool remote)
{
	struct vaccel_resource *res = record->resource;
	int ret = VACCEL_OK;

	pthread_mutex_lock(&record->loading);
	if (!res->nr_blobs) {
		ret = load_blobs(res, remote, record->record.hidden);
		if (ret)
			resource_drop_blobs(res);
	}
	if (!ret && remote)
		ret = read_blobs(res);
	pthread_mutex_unlock(&record->loading);
	return ret;
}
