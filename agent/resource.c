/*
 * resource.c - see resource.h.
 */
#include "resource.h"
#include "connection.h"
#include "log.h"
#include "strand.h"
#include <inttypes.h>
#include <stdlib.h>

struct resource *resource_new(struct agent *agent, const Vaccel__Resource__RegisterRequest *source)
{
	struct resource *resource = calloc(1, sizeof(*resource));

	if (!resource)
		return NULL;
	resource->agent = agent;
	resource->refs = 1;
	resource->type = (vaccel_resource_type_t)source->resource_type;
	resource->source = source;
	agent->nr_resources++;
	return resource;
}

struct resource *resource_ref(struct resource *resource)
{
	resource->refs++;
	return resource;
}

/* Unlinking files and giving back gigabytes takes time: a worker does it. */
static void reap_run(struct job *job)
{
	struct resource *resource =
		(struct resource *)((char *)job - offsetof(struct resource, reap));

	if (resource->master)
		vaccel_resource_delete(resource->master);
}

static void reap_done(struct job *job)
{
	struct resource *resource =
		(struct resource *)((char *)job - offsetof(struct resource, reap));
	struct agent *agent = resource->agent;

	log_debug("Destroyed resource %" PRId64, resource->id);
	free(resource);
	agent->nr_resources--;
	agent->nr_operations--;
}

void resource_unref(struct resource *resource)
{
	if (--resource->refs)
		return;
	resource->agent->nr_operations++;
	resource->reap = (struct job){ .run = reap_run, .done = reap_done };
	pool_submit(resource->agent->pool, &resource->reap);
}

struct replica *replica_get(struct resource *resource, struct backend *backend)
{
	struct replica *replica;

	for (replica = resource->replicas; replica; replica = replica->next)
		if (replica->backend == backend)
			break;
	if (!replica) {
		replica = calloc(1, sizeof(*replica));
		if (!replica)
			return NULL;
		replica->resource = resource;
		replica->backend = backend;
		strand_init(&replica->strand);
		replica->next = resource->replicas;
		resource->replicas = replica;
	}
	replica->refs++;
	return replica;
}

void replica_unref(struct replica *replica)
{
	struct replica **at = &replica->resource->replicas;

	if (--replica->refs)
		return;
	while (*at != replica)
		at = &(*at)->next;
	*at = replica->next;
	free(replica);
}

/* The bytes leave the request here: buffers are copied, mapped blobs are written to files. */
static int make_master(struct resource *resource)
{
	const Vaccel__Resource__RegisterRequest *source = resource->source;
	struct vaccel_blob *blobs = calloc(source->n_blobs, sizeof(*blobs));
	const struct vaccel_blob **list = calloc(source->n_blobs, sizeof(*list));
	int ret = VACCEL_ENOMEM;
	size_t i;

	if (!blobs || !list)
		goto free_lists;
	for (i = 0; i < source->n_blobs; i++) {
		const Vaccel__Resource__Blob *blob = source->blobs[i];

		blobs[i].type = (vaccel_blob_type_t)blob->type;
		blobs[i].name = blob->name;
		blobs[i].data = blob->data.data;
		blobs[i].size = blob->data.len;
		blobs[i].data_owned = true; /* have it copied: the request's frame goes */
		list[i] = &blobs[i];
	}
	ret = vaccel_resource_from_blobs(&resource->master, list, source->n_blobs, resource->type);
	if (!ret) {
		resource->id = resource->master->id;
		resource->source = NULL;
	}

free_lists:
	free(list);
	free(blobs);
	return ret;
}

int replica_add(struct replica *replica, struct vaccel_session *leg)
{
	struct resource *resource = replica->resource;
	int ret = VACCEL_OK;

	if (!resource->master)
		ret = make_master(resource);
	if (!ret && !replica->hidden)
		ret = resource->agent->core->resource_share(resource->master, &replica->hidden);
	if (ret)
		return ret;
	ret = vaccel_resource_register(replica->hidden, leg);
	if (ret && !replica->legs) {
		resource->agent->core->resource_unshare(replica->hidden);
		replica->hidden = NULL;
	}
	return ret;
}

int replica_drop(struct replica *replica, struct vaccel_session *leg, bool last)
{
	int ret = vaccel_resource_unregister(replica->hidden, leg);

	if (last) {
		replica->resource->agent->core->resource_unshare(replica->hidden);
		replica->hidden = NULL;
	}
	return ret;
}
