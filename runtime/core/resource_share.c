/*
 * resource_share.c - hidden resources: the bytes of one resource for the legs of one backend.
 *
 * A hidden resource has blobs of its own that point at the shared one's bytes and files and own
 * neither, so that a plugin may map or persist them without anybody else seeing it. Its paths and
 * run directory are the shared one's strings. Any thread.
 */
#include "blobs.h"
#include "last_error.h"
#include "resources.h"
#include "rundir.h"
#include <inttypes.h>
#include <stdlib.h>

static int share_blobs(const struct vaccel_resource *shared, struct vaccel_resource *hidden)
{
	int ret = VACCEL_OK;

	if (!shared->nr_blobs)
		return VACCEL_OK;
	hidden->blobs = calloc(shared->nr_blobs, sizeof(struct vaccel_blob *));
	if (!hidden->blobs)
		return VACCEL_ENOMEM;
	for (size_t i = 0; i < shared->nr_blobs && !ret; i++) {
		ret = blob_alias(&hidden->blobs[i], shared->blobs[i]);
		if (!ret)
			hidden->nr_blobs++;
	}
	return ret;
}

/* The blobs own no file of the shared run directory; what a plugin persisted elsewhere goes. */
static void drop(struct vaccel_resource *hidden)
{
	hidden->rundir = NULL;
	resource_drop_blobs(hidden);
	free(hidden);
}

int resource_share(const struct vaccel_resource *shared, struct vaccel_resource **hidden)
{
	struct vaccel_resource *created;
	struct resource_record *record;
	int ret;

	if (!registry_resource(shared))
		return fail(VACCEL_EINVAL, "Cannot share a resource that was released");
	created = calloc(1, sizeof(*created));
	if (!created)
		return VACCEL_ENOMEM;
	created->type = shared->type;
	created->path_type = shared->path_type;
	created->paths = shared->paths;
	created->nr_paths = shared->nr_paths;
	created->rundir = shared->rundir;
	ret = share_blobs(shared, created);
	if (!ret)
		ret = registry_hide_resource(created, shared->id, &record);
	if (ret) {
		drop(created);
		return ret;
	}
	*hidden = created;
	return VACCEL_OK;
}

int resource_load_shared(struct vaccel_resource *hidden)
{
	struct vaccel_resource *shared;
	int ret = vaccel_resource_get_by_id(&shared, hidden->id);

	if (ret)
		return ret;
	ret = resource_load(registry_resource(shared), false);
	if (ret)
		return ret;
	hidden->rundir = shared->rundir;
	return share_blobs(shared, hidden);
}

int resource_unshare(struct vaccel_resource *hidden)
{
	struct resource_record *record = registry_resource(hidden);
	struct registration *registration;
	int ret = VACCEL_OK;

	if (!record || !record->record.hidden || !registry_close(&record->record))
		return fail(VACCEL_EINVAL, "Cannot unshare what is not a hidden resource");
	while ((registration = registry_next_of_resource(record))) {
		const int failed = resource_leave(registration);

		ret = ret ? ret : failed;
	}
	registry_forget_resource(record);
	drop(hidden);
	return ret;
}
