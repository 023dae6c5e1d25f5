/*
 * admit.c - see admit.h.
 */
#include "admit.h"
#include "decide.h"
#include "host_files.h"
#include "resource.h"

static const char *requested_name(const void *of, size_t i)
{
	const Vaccel__Resource__RegisterRequest *request = of;

	return request->n_blobs ? request->blobs[i]->name : request->paths[i];
}

bool admit_request(struct session *session, const Vaccel__Resource__RegisterRequest *request,
		   struct policy_decision *decision)
{
	struct policy_resource facts = {
		.bytes = request->n_blobs ? 0 : SIZE_MAX,
		.nr_names = request->n_blobs ? request->n_blobs : request->n_paths,
		.name = requested_name,
		.of = request,
	};
	size_t i;

	for (i = 0; i < request->n_blobs; i++)
		facts.bytes += request->blobs[i]->data.len;
	return decide_resource(session, request->resource_type, &facts, decision);
}

static const char *offered_name(const void *of, size_t i)
{
	const Luaccel__V1__UploadOffer *offer = of;

	return offer->blobs[i]->name;
}

/* Sizes of an offer are claims, which may well be more than there is memory in the world. */
bool admit_offer(struct session *session, const Luaccel__V1__UploadOffer *offer,
		 struct policy_decision *decision)
{
	struct policy_resource facts = {
		.nr_names = offer->n_blobs,
		.name = offered_name,
		.of = offer,
	};
	size_t i;

	for (i = 0; i < offer->n_blobs; i++)
		if (__builtin_add_overflow(facts.bytes, offer->blobs[i]->size, &facts.bytes))
			facts.bytes = SIZE_MAX - 1;
	return decide_resource(session, offer->resource_type, &facts, decision);
}

static const char *known_name(const void *of, size_t i)
{
	const struct resource *resource = of;

	return resource->named ? host_files_asked(resource->files, i)
			       : resource->master->blobs[i]->name;
}

bool admit_known(struct session *session, const struct resource *resource,
		 struct policy_decision *decision)
{
	const struct policy_resource facts = {
		.id = resource->id,
		.bytes = resource->named ? SIZE_MAX : resource->memory + resource->disk,
		.nr_names =
			resource->named ? resource->master->nr_paths : resource->master->nr_blobs,
		.name = known_name,
		.of = resource,
	};

	return decide_resource(session, resource->type, &facts, decision);
}
