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

/* Its kind and name; what follows is of a known length. */
static void add_blob(struct digest *digest, const struct vaccel_blob *blob, size_t size)
{
	const uint64_t facts[] = { (uint64_t)blob->type, strlen(blob->name), size };

	digest_add(digest, facts, sizeof(facts));
	digest_add(digest, blob->name, strlen(blob->name));
}

static void begin(struct digest *digest, const struct resource *resource)
{
	const uint64_t facts[] = { (uint64_t)resource->type, resource->master->nr_blobs,
				   resource->nr_parts };

	digest_begin(digest, resource->agent->contents.key);
	digest_add(digest, facts, sizeof(facts));
}

static void from_roots(struct resource *resource)
{
	struct digest digest;
	size_t i;

	begin(&digest, resource);
	for (i = 0; i < resource->nr_parts; i++) {
		add_blob(&digest, resource->master->blobs[i], resource->parts[i].size);
		digest_add(&digest, resource->parts[i].content->root, DIGEST_SIZE);
	}
	digest_end(&digest, resource->fingerprint.digest);
	resource->fingerprint.state = FINGERPRINT_MADE;
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
	struct resource *resource = resource_of(job);
	const struct vaccel_resource *master = resource->master;
	struct digest digest;
	size_t i;

	begin(&digest, resource);
	for (i = 0; i < master->nr_blobs; i++) {
		add_blob(&digest, master->blobs[i], master->blobs[i]->size);
		digest_add(&digest, master->blobs[i]->data, master->blobs[i]->size);
	}
	digest_end(&digest, resource->fingerprint.digest);
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
		from_roots(resource);
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
