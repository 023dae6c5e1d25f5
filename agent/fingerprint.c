/*
 * fingerprint.c - see fingerprint.h.
 */
#include "fingerprint.h"
#include "agent.h"
#include "resource.h"
#include <string.h>

static struct resource *resource_of(struct job *job)
{
	return (struct resource *)((char *)job - offsetof(struct resource, fingerprint.job));
}

/* As an upload's parts have it: the same bytes have the same, however they came. */
static void root_of(const struct resource *resource, size_t i, uint8_t root[DIGEST_SIZE])
{
	const struct vaccel_blob *blob = resource->master->blobs[i];
	struct digest digest;

	if (resource->nr_parts) {
		memcpy(root, resource->parts[i].content->root, DIGEST_SIZE);
		return;
	}
	digest_begin(&digest, resource->agent->contents.key);
	digest_add(&digest, blob->data, blob->size);
	digest_end(&digest, root);
}

static void add_blob(struct digest *digest, const struct resource *resource, size_t i)
{
	const struct vaccel_blob *blob = resource->master->blobs[i];
	const uint64_t facts[] = { (uint64_t)blob->type, strlen(blob->name) };
	uint8_t root[DIGEST_SIZE];

	root_of(resource, i, root);
	digest_add(digest, facts, sizeof(facts));
	digest_add(digest, blob->name, strlen(blob->name));
	digest_add(digest, root, DIGEST_SIZE);
}

static void make(struct resource *resource)
{
	const uint64_t facts[] = { (uint64_t)resource->type, resource->master->nr_blobs };
	struct digest digest;
	size_t i;

	digest_begin(&digest, resource->agent->contents.key);
	digest_add(&digest, facts, sizeof(facts));
	for (i = 0; i < resource->master->nr_blobs; i++)
		add_blob(&digest, resource, i);
	digest_end(&digest, resource->fingerprint.digest);
}

static bool all_in_memory(const struct vaccel_resource *master)
{
	size_t i;

	for (i = 0; i < master->nr_blobs; i++)
		if (!master->blobs[i]->data && master->blobs[i]->size)
			return false;
	return master->nr_blobs > 0;
}

static void hash_run(struct job *job)
{
	make(resource_of(job));
}

static void hash_done(struct job *job)
{
	struct resource *resource = resource_of(job);

	resource->fingerprint.state = FINGERPRINT_MADE;
	resource->agent->nr_operations--;
	resource_unref(resource);
}

static void start(struct resource *resource)
{
	struct fingerprint *fingerprint = &resource->fingerprint;

	if (resource->named) {
		fingerprint->state = FINGERPRINT_NONE;
	} else if (resource->nr_parts) {
		make(resource);
		fingerprint->state = FINGERPRINT_MADE;
	} else if (!all_in_memory(resource->master)) {
		fingerprint->state = FINGERPRINT_NONE;
	} else {
		fingerprint->state = FINGERPRINT_UNDER_WAY;
		fingerprint->job = (struct job){ .run = hash_run, .done = hash_done };
		resource_ref(resource);
		resource->agent->nr_operations++;
		pool_submit(resource->agent->pool, &fingerprint->job);
	}
}

const uint8_t *fingerprint_of(struct resource *resource)
{
	if (resource->fingerprint.state == FINGERPRINT_UNASKED && resource->master)
		start(resource);
	return resource->fingerprint.state == FINGERPRINT_MADE ? resource->fingerprint.digest
							       : NULL;
}
