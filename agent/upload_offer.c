/*
 * upload_offer.c - an upload begins: what is offered is checked as RegisterResource checks it, and
 * looked up among the contents that are here; the rest is asked for, if it may come.
 */
#include "admit.h"
#include "pressure.h"
#include "reply.h"
#include "upload.h"
#include <stdio.h>

/* What a blob may be, as RegisterResource has it; the upload has been refused otherwise. */
static bool is_blob(struct upload *upload, const Luaccel__V1__UploadBlob *blob)
{
	const bool plain = !blob->address.len && !blob->proof.len;
	const bool proved = blob->address.len == DIGEST_SIZE && blob->proof.len == DIGEST_SIZE;
	char reason[160];

	if (!plain && !proved)
		return upload_refuse(upload, "an address and its proof have %d bytes each",
				     DIGEST_SIZE);
	if (blob->size && blob->size <= SIZE_MAX &&
	    (blob->type == VACCEL_BLOB_BUFFER || blob->type == VACCEL_BLOB_MAPPED))
		return true;
	snprintf(reason, sizeof(reason), "blob \"%.80s\" %s", blob->name,
		 blob->size ? "is of a type that has no bytes" : "is empty");
	return upload_refuse_code(upload, VACCEL_EINVAL, reason);
}

/* May it be had at all? The upload has been refused otherwise. */
static bool is_acceptable(struct upload *upload, struct connection *connection)
{
	const Luaccel__V1__UploadOffer *offer = upload->offer;
	struct ttrpc_request *request;
	char why[160];
	size_t i;
	int ret;

	if (!connection->ours)
		return upload_refuse(upload, "it comes before Hello");
	if (!offer || !offer->n_blobs)
		return upload_refuse(upload, "no blob is offered");
	if (offer->resource_type >= VACCEL_RESOURCE_MAX)
		return upload_refuse_code(upload, VACCEL_EINVAL,
					  "there is no such type of resource");
	for (i = 0; i < offer->n_blobs; i++)
		if (!is_blob(upload, offer->blobs[i]))
			return false;
	ret = pressure_refuses_resources(upload->agent, why, sizeof(why));
	if (ret)
		return upload_refuse_limit(upload, ret, why);
	if (upload->agent->draining) {
		reply_draining(upload_give_up(upload));
		return false;
	}
	request = upload_give_up(upload); /* these answer for themselves */
	for (i = 0; i < offer->n_blobs; i++)
		if (!service_takes_name(request, offer->blobs[i]->name))
			return false;
	if (!service_session(connection, offer->session_id, request) ||
	    !service_takes_type(upload->agent, request, offer->resource_type))
		return false;
	upload->done = false;
	ev_timer_again(ttrpc_conn_loop(upload->request->conn), &upload->idle);
	return true;
}

/* Is what is offered here? Libraries are not shared: a process loads one file once. */
static void find_part(const struct upload *upload, const struct connection *connection, size_t i)
{
	const Luaccel__V1__UploadBlob *blob = upload->offer->blobs[i];
	struct resource_part *part = &upload->resource->parts[i];

	part->type = (vaccel_blob_type_t)blob->type;
	part->name = blob->name;
	part->size = (size_t)blob->size;
	if (blob->address.len && upload->resource->type != VACCEL_RESOURCE_LIB)
		part->content = content_find(upload->agent, blob->address.data, part->size,
					     blob->proof.data, connection->nonce);
}

/* Is there room for so many bytes? They are charged when they come. */
static int check_room(const struct resource *resource, enum account_kind kind, size_t claimed,
		      char *why, size_t size)
{
	int ret = account_take(resource->account, kind, claimed, why, size);

	if (!ret)
		account_give(resource->account, kind, claimed);
	return ret;
}

static int check_claims(const struct upload *upload, char *why, size_t size)
{
	struct resource *resource = upload->resource;
	size_t memory = 0, disk = 0, i;
	int ret = VACCEL_OK;

	for (i = 0; !ret && i < resource->nr_parts; i++) {
		const struct resource_part *part = &resource->parts[i];
		size_t *sum = part->type == VACCEL_BLOB_BUFFER ? &memory : &disk;

		if (part->content)
			ret = resource_charge(resource, part->type, part->size, why, size);
		else if (__builtin_add_overflow(*sum, part->size, sum))
			*sum = SIZE_MAX;
	}
	if (!ret)
		ret = check_room(resource, ACCOUNT_MEMORY, memory, why, size);
	return ret ? ret : check_room(resource, ACCOUNT_DISK, disk, why, size);
}

/* Say which parts are to come. */
static bool ask(struct upload *upload)
{
	const struct resource *resource = upload->resource;
	Luaccel__V1__UploadResponse response = LUACCEL__V1__UPLOAD_RESPONSE__INIT;
	size_t i;

	response.wanted = ttrpc_arena_alloc(&upload->request->arena,
					    resource->nr_parts * sizeof(*response.wanted));
	if (!response.wanted)
		return upload_refuse_code(upload, VACCEL_ENOMEM, "out of memory");
	for (i = 0; i < resource->nr_parts; i++)
		if (!resource->parts[i].content)
			response.wanted[response.n_wanted++] = (uint32_t)i;
	upload->nr_wanted = response.n_wanted;
	response.window = UPLOAD_WINDOW;
	response.piece_max = UPLOAD_PIECE_MAX;
	return !upload->nr_wanted || upload_answer(upload, &response);
}

bool upload_take_offer(struct upload *upload, const Luaccel__V1__UploadOffer *offer)
{
	struct connection *connection = ttrpc_conn_user(upload->request->conn);
	struct policy_decision decision;
	char why[160];
	size_t i;
	int ret;

	upload->offer = offer;
	if (!is_acceptable(upload, connection))
		return false;
	if (!admit_offer(connection_session(connection, offer->session_id), offer, &decision)) {
		reply_refused(upload_give_up(upload), decision.code, decision.text);
		return false;
	}
	ret = resource_new_parts(upload->agent, connection->account, offer->n_blobs,
				 &upload->resource, why, sizeof(why));
	if (ret)
		return upload_refuse_limit(upload, ret, why);
	upload->resource->type = (vaccel_resource_type_t)offer->resource_type;
	for (i = 0; i < offer->n_blobs; i++)
		find_part(upload, connection, i);
	ret = check_claims(upload, why, sizeof(why));
	return ret ? upload_refuse_limit(upload, ret, why) : ask(upload);
}
