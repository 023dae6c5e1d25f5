/*
 * resource_load.c - paths become blobs when a resource is first registered.
 *
 * A local session's plugin opens the files itself, URLs having been downloaded; for a remote
 * session the files' bytes are mapped, to be sent, and URLs are the other side's to download.
 * Any thread; one at a time for each resource.
 *
 * The files are their owner's, who may change them at any time. One that has gone by now is
 * EINVAL, as it is at creation. A mapping shows what is in the file now, and touching what a file
 * that became shorter had at its end kills the process, so this is looked at each time before a
 * remote session is given the bytes: EIO. In the time that sending takes nothing can be done.
 */
#include "files.h"
#include "last_error.h"
#include "logging.h"
#include "resources.h"
#include "url.h"
#include <stdlib.h>
#include <unistd.h>

/* There is room in the array. */
static int add_blob(struct vaccel_resource *res, const char *path)
{
	const int ret = vaccel_blob_new(&res->blobs[res->nr_blobs], path);

	if (!ret)
		res->nr_blobs++;
	return ret;
}

static int add_download(struct vaccel_resource *res, const char *url)
{
	char *path;
	int ret = url_download(url, res->rundir, resource_file_mode(res), &path);

	if (ret)
		return ret;
	ret = add_blob(res, path);
	if (ret)
		unlink(path);
	else
		res->blobs[res->nr_blobs - 1]->path_owned = true;
	free(path);
	return ret;
}

/* Blobs of a directory: the array grows with the files. */
static int add_file_of_directory(void *ctx, const char *path)
{
	struct vaccel_resource *res = ctx;
	struct vaccel_blob **grown =
		realloc(res->blobs, (res->nr_blobs + 1) * sizeof(struct vaccel_blob *));

	if (!grown)
		return VACCEL_ENOMEM;
	res->blobs = grown;
	return add_blob(res, path);
}

static int load_directory(struct vaccel_resource *res)
{
	int ret = file_walk(res->paths[0], add_file_of_directory, res);

	if (!ret && !res->nr_blobs)
		ret = fail(VACCEL_EINVAL, "Directory %s has no files", res->paths[0]);
	return ret;
}

static int load_paths(struct vaccel_resource *res,
		      int (*add)(struct vaccel_resource *res, const char *path))
{
	int ret = VACCEL_OK;

	res->blobs = calloc(res->nr_paths, sizeof(struct vaccel_blob *));
	if (!res->blobs)
		return VACCEL_ENOMEM;
	for (size_t i = 0; i < res->nr_paths && !ret; i++)
		ret = add(res, res->paths[i]);
	return ret;
}

/* With a run directory, which a hidden resource has from the shared one. */
static int load_files(struct vaccel_resource *res, bool hidden,
		      int (*add)(struct vaccel_resource *res, const char *path))
{
	const bool make = !res->rundir && !hidden;
	int ret = make ? resource_make_rundir(res) : VACCEL_OK;

	if (ret)
		return ret;
	ret = load_paths(res, add);
	if (ret) {
		resource_drop_blobs(res);
		if (make)
			resource_drop_rundir(res);
	}
	return ret;
}

static int load_blobs(struct vaccel_resource *res, bool remote, bool hidden)
{
	switch (res->path_type) {
	case VACCEL_PATH_LOCAL_FILE:
		return load_files(res, hidden, add_blob);
	case VACCEL_PATH_LOCAL_DIR:
		return load_directory(res);
	case VACCEL_PATH_REMOTE_FILE:
		if (remote)
			return VACCEL_OK;
		return hidden ? resource_load_shared(res) : load_files(res, false, add_download);
	default:
		return VACCEL_EINVAL;
	}
}

static int read_blob(struct vaccel_blob *blob)
{
	const int ret = vaccel_blob_read(blob);

	if (ret || blob->type != VACCEL_BLOB_MAPPED ||
	    file_mapping_is_whole(blob->data, blob->size))
		return ret;
	return fail(VACCEL_EIO,
		    "File %s became shorter after it was mapped; create the resource anew",
		    blob->path);
}

static int read_blobs(struct vaccel_resource *res)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; i < res->nr_blobs && !ret; i++)
		ret = read_blob(res->blobs[i]);
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
