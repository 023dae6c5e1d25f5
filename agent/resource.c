/*
 * resource.c - see resource.h.
 */
#include "resource.h"
#include "connection.h"
#include "host_files.h"
#include "log.h"
#include "strand.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct resource *resource_alloc(struct agent *agent, struct account *account)
{
	struct resource *resource = calloc(1, sizeof(*resource));

	if (!resource)
		return NULL;
	resource->agent = agent;
	resource->account = account_ref(account);
	resource->refs = 1;
	return resource;
}

/* From now on others may have the room: the pool frees this before it makes what comes later. */
static void discharge(struct resource *resource)
{
	account_give(resource->account, ACCOUNT_RESOURCES, 1);
	account_give(resource->account, ACCOUNT_MEMORY, resource->memory);
	account_give(resource->account, ACCOUNT_DISK, resource->disk);
	account_unref(resource->account);
	resource->account = NULL;
}

static void resource_free(struct resource *resource)
{
	free(resource->parts);
	free(resource);
}

int resource_new_parts(struct agent *agent, struct account *account, size_t nr_parts,
		       struct resource **resource, char *why, size_t size)
{
	struct resource *new = resource_alloc(agent, account);
	int ret = VACCEL_ENOMEM;

	snprintf(why, size, "out of memory");
	if (!new)
		return ret;
	new->nr_parts = nr_parts;
	new->parts = calloc(nr_parts, sizeof(*new->parts));
	if (new->parts || !nr_parts)
		ret = account_take(account, ACCOUNT_RESOURCES, 1, why, size);
	if (!ret) {
		*resource = new;
		return ret;
	}
	account_unref(account);
	resource_free(new);
	return ret;
}

/* Where the bytes will be: blobs that are to be mapped are written to files. */
int resource_charge(struct resource *resource, vaccel_blob_type_t type, size_t bytes, char *why,
		    size_t size)
{
	const bool memory = type == VACCEL_BLOB_BUFFER;
	int ret = account_take(resource->account, memory ? ACCOUNT_MEMORY : ACCOUNT_DISK, bytes,
			       why, size);

	if (!ret)
		*(memory ? &resource->memory : &resource->disk) += bytes;
	return ret;
}

/* All at once, and be it nothing: an account that has too much already takes nothing more. */
static int charge_blobs(struct resource *resource, const Vaccel__Resource__RegisterRequest *source,
			char *why, size_t size)
{
	size_t memory = 0, disk = 0, i;
	int ret;

	for (i = 0; i < source->n_blobs; i++) {
		const Vaccel__Resource__Blob *blob = source->blobs[i];

		if ((vaccel_blob_type_t)blob->type == VACCEL_BLOB_BUFFER)
			memory += blob->data.len;
		else
			disk += blob->data.len;
	}
	ret = resource_charge(resource, VACCEL_BLOB_BUFFER, memory, why, size);
	return ret ? ret : resource_charge(resource, VACCEL_BLOB_MAPPED, disk, why, size);
}

int resource_new(struct agent *agent, struct account *account,
		 const Vaccel__Resource__RegisterRequest *source, struct resource **resource,
		 char *why, size_t size)
{
	struct resource *new;
	int ret = resource_new_parts(agent, account, 0, &new, why, size);

	if (ret)
		return ret;
	ret = charge_blobs(new, source, why, size);
	if (ret) {
		discharge(new);
		resource_free(new);
		return ret;
	}
	new->type = (vaccel_resource_type_t)source->resource_type;
	new->source = source;
	new->named = !source->n_blobs;
	*resource = new;
	return VACCEL_OK;
}

void resource_charge_fetched(struct resource *resource, size_t size)
{
	if (!resource->named || size < resource->disk)
		return;
	account_set(resource->account, ACCOUNT_DISK, resource->disk, size);
	resource->disk = size;
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
	if (resource->files)
		host_files_free(resource->files);
}

static void reap_done(struct job *job)
{
	struct resource *resource =
		(struct resource *)((char *)job - offsetof(struct resource, reap));
	struct agent *agent = resource->agent;
	size_t i;

	log_debug("Destroyed resource %" PRId64, resource->id);
	for (i = 0; i < resource->nr_parts; i++)
		if (resource->parts[i].content)
			content_unref(resource->parts[i].content);
	resource_free(resource);
	agent->nr_operations--;
}

void resource_unref(struct resource *resource)
{
	if (--resource->refs)
		return;
	discharge(resource);
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

/* What a blob is called whose peer gave it no name: existing agents take such. */
static char unnamed[] = "unnamed";

/* The bytes leave the request here: buffers are copied, mapped blobs are written to files. */
static int make_from_blobs(struct resource *resource)
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
		blobs[i].name = *blob->name ? blob->name : unnamed;
		blobs[i].data = blob->data.data;
		blobs[i].size = blob->data.len;
		blobs[i].data_owned = true; /* have it copied: the request's frame goes */
		list[i] = &blobs[i];
	}
	ret = vaccel_resource_from_blobs(&resource->master, list, source->n_blobs, resource->type);

free_lists:
	free(list);
	free(blobs);
	return ret;
}

/* The bytes stay where the upload has put them. */
static int make_from_parts(struct resource *resource)
{
	struct vaccel_blob *blobs = calloc(resource->nr_parts, sizeof(*blobs));
	const struct vaccel_blob **list = calloc(resource->nr_parts, sizeof(*list));
	int ret = VACCEL_ENOMEM;
	size_t i;

	if (!blobs || !list)
		goto free_lists;
	for (i = 0; i < resource->nr_parts; i++) {
		struct resource_part *part = &resource->parts[i];

		blobs[i].type = part->type;
		blobs[i].name = *part->name ? part->name : unnamed;
		blobs[i].path = part->content->path;
		list[i] = &blobs[i];
	}
	ret = resource->agent->core->resource_from_files(&resource->master, list,
							 resource->nr_parts, resource->type);

free_lists:
	free(list);
	free(blobs);
	return ret;
}

static int make_from_paths(struct resource *resource)
{
	const Vaccel__Resource__RegisterRequest *source = resource->source;
	int ret = host_files_open(resource->agent->allow, source->paths, source->n_paths,
				  &resource->files);

	if (ret)
		return ret;
	ret = vaccel_resource_multi_new(&resource->master, host_files_uris(resource->files),
					source->n_paths, resource->type);
	if (ret) {
		host_files_free(resource->files);
		resource->files = NULL;
	}
	return ret;
}

static int make_master(struct resource *resource)
{
	int ret = resource->named      ? make_from_paths(resource)
		  : resource->nr_parts ? make_from_parts(resource)
				       : make_from_blobs(resource);

	if (!ret) {
		resource->id = resource->master->id;
		resource->source = NULL;
	}
	return ret;
}

/* Bytes of the files in a directory; links, to files of the host, are none of them. */
static size_t size_of_files(const char *path)
{
	DIR *dir = path ? opendir(path) : NULL;
	const struct dirent *entry;
	struct stat st;
	size_t size = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		if (!fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			size += (size_t)st.st_size;
	closedir(dir);
	return size;
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
	if (resource->named)
		replica->fetched = size_of_files(resource->master->rundir);
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
