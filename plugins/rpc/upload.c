/*
 * upload.c - a resource's bytes to an agent of ours: in pieces, and only those that it has not.
 *
 * Blobs that are worth it are offered by digest, with the proof that we hold them (digest.h); the
 * agent says which it wants. Pieces refer to the caller's memory, so nothing is copied here. So
 * many are under way as the agent allows; it answers each when it has written it. No lock is held.
 *
 * Bytes that change between the digest and the sending are refused by the agent.
 */
#include "digest.h"
#include "frame.h"
#include "peer.pb-c.h"
#include "rpc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * From so many bytes on a blob is offered. Over a unix socket the digest costs more time than it
 * saves (bench/run.sh), at this size 2 ms; below, the memory and the bytes on the wire that it
 * saves are not worth that, and what is small might be guessed.
 */
enum { OFFER_MIN = 1 << 20 };

struct offered {
	Luaccel__V1__UploadBlob wire;
	uint8_t *bytes;
	uint8_t address[DIGEST_SIZE], proof[DIGEST_SIZE];
};

struct upload {
	struct rpc_connection *conn;
	struct ttrpc_stream *stream;
	Luaccel__V1__UploadRequest request; /* with the offer; refers to the blobs */
	Luaccel__V1__UploadOffer offer;
	struct offered *blobs;
	size_t window, piece_max; /* the agent's terms */
	size_t under_way;	  /* pieces that it has not answered */
	bool ended;		  /* the answer at hand is the last */
};

bool rpc_upload_is_better(const struct rpc_connection *conn, const struct vaccel_resource *res)
{
	size_t total = 0;

	if (!conn->takes_uploads)
		return false;
	for (size_t i = 0; i < res->nr_blobs; i++) {
		if (res->blobs[i]->size >= OFFER_MIN)
			return true;
		total += res->blobs[i]->size; /* of less than that each */
	}
	return total > conn->frame_max / 2;
}

/* Libraries are not shared: they are sent without a digest. */
static void offer_digest(const struct rpc_connection *conn, struct offered *offered)
{
	const size_t size = (size_t)offered->wire.size;
	uint8_t root[DIGEST_SIZE];
	struct digest digest;

	digest_begin(&digest, conn->content_key);
	digest_add(&digest, offered->bytes, size);
	digest_end(&digest, root);
	digest_address(root, offered->address);
	digest_proof(root, conn->content_nonce, offered->proof);
	offered->wire.address = (ProtobufCBinaryData){ DIGEST_SIZE, offered->address };
	offered->wire.proof = (ProtobufCBinaryData){ DIGEST_SIZE, offered->proof };
}

static int offer_blob(const struct rpc_connection *conn, const struct vaccel_resource *res,
		      size_t i, struct offered *offered)
{
	struct vaccel_blob *blob = res->blobs[i];
	size_t size;
	int ret = rpc_resource_bytes(blob, &offered->bytes, &size);

	if (ret != VACCEL_OK)
		return ret;
	luaccel__v1__upload_blob__init(&offered->wire);
	offered->wire.type = (uint32_t)blob->type;
	if (blob->name)
		offered->wire.name = blob->name;
	offered->wire.size = size;
	if (size >= OFFER_MIN && res->type != VACCEL_RESOURCE_LIB)
		offer_digest(conn, offered);
	return VACCEL_OK;
}

/* The next answer, each in its own time. Returns as ttrpc_client_call(). */
static int receive(struct upload *upload, struct ttrpc_answer *answer)
{
	int ret = ttrpc_stream_receive(upload->stream, &luaccel__v1__upload_response__descriptor,
				       answer);

	ttrpc_stream_set_timeout(upload->stream, upload->conn->timeout_ns);
	if (ret)
		return ret == -ENODATA || ret == -ENOBUFS ? -EBADMSG : ret;
	upload->ended =
		answer->status.code != TTRPC_OK ||
		((const Luaccel__V1__UploadResponse *)(void *)answer->response)->resource_id;
	return 0;
}

/* Until no more than so many pieces are under way, or the upload has ended. */
static int await(struct upload *upload, size_t under_way, struct ttrpc_answer *answer)
{
	int ret = 0;

	while (!ret && !upload->ended && upload->under_way > under_way) {
		ret = receive(upload, answer);
		if (ret || upload->ended)
			break;
		ttrpc_answer_release(answer);
		upload->under_way--;
	}
	return ret;
}

static int send_blob(struct upload *upload, const struct offered *offered,
		     struct ttrpc_answer *answer)
{
	Luaccel__V1__UploadRequest request = LUACCEL__V1__UPLOAD_REQUEST__INIT;
	const size_t size = (size_t)offered->wire.size;
	int ret = 0;

	for (size_t at = 0; !ret && at < size; at += request.piece.len) {
		request.piece.data = offered->bytes + at;
		request.piece.len = size - at < upload->piece_max ? size - at : upload->piece_max;
		ret = await(upload, upload->window - 1, answer);
		if (ret || upload->ended)
			break;
		ret = ttrpc_stream_send(upload->stream, &request.base);
		upload->under_way++;
	}
	return ret;
}

/* The agent may ask for blobs that there are, in their order. */
static int take_terms(struct upload *upload, const Luaccel__V1__UploadResponse *terms)
{
	for (size_t i = 0; i < terms->n_wanted; i++)
		if (terms->wanted[i] >= upload->offer.n_blobs ||
		    (i > 0 && terms->wanted[i] <= terms->wanted[i - 1]))
			return -EBADMSG;
	upload->window = terms->window;
	upload->piece_max = terms->piece_max;
	return terms->n_wanted && terms->window && terms->piece_max ? 0 : -EBADMSG;
}

/* The last answer; without a resource it is no answer. */
static int finish(struct upload *upload, struct ttrpc_answer *answer)
{
	int ret = await(upload, 0, answer);

	if (ret || upload->ended)
		return ret;
	ret = receive(upload, answer);
	if (ret || upload->ended)
		return ret;
	ttrpc_answer_release(answer);
	return -EBADMSG;
}

static int send_wanted(struct upload *upload, const Luaccel__V1__UploadResponse *terms,
		       struct ttrpc_answer *answer)
{
	int ret = take_terms(upload, terms);

	for (size_t i = 0; !ret && !upload->ended && i < terms->n_wanted; i++)
		ret = send_blob(upload, &upload->blobs[terms->wanted[i]], answer);
	if (!ret && !upload->ended)
		ret = ttrpc_stream_close(upload->stream);
	/* The agent may refuse it before it has all: its answer says why. */
	return ret && ret != -EPIPE ? ret : finish(upload, answer);
}

/* Returns as ttrpc_client_call(). */
static int exchange(struct upload *upload, struct ttrpc_answer *answer)
{
	struct ttrpc_answer terms;
	int ret = ttrpc_stream_open(upload->conn->client, RPC_SERVICE_PEER, "Upload",
				    &upload->request.base, true, 0, &upload->stream);

	if (ret)
		return ret;
	ttrpc_stream_set_timeout(upload->stream, upload->conn->timeout_ns);
	ret = receive(upload, answer);
	if (ret || upload->ended)
		return ret;
	terms = *answer;
	ret = send_wanted(upload, (const Luaccel__V1__UploadResponse *)(void *)terms.response,
			  answer);
	ttrpc_answer_release(&terms);
	return ret;
}

static int settle(struct upload *upload, int64_t *remote_id)
{
	struct ttrpc_answer answer;
	int ret = exchange(upload, &answer);

	if (ret && upload->stream)
		ttrpc_stream_close(upload->stream); /* the agent need not wait for the rest */
	ttrpc_stream_free(upload->stream);
	ret = rpc_outcome(upload->conn, "Upload", &upload->request.base, ret, &answer);
	if (ret != VACCEL_OK)
		return ret;
	*remote_id = ((const Luaccel__V1__UploadResponse *)(void *)answer.response)->resource_id;
	ttrpc_answer_release(&answer);
	return rpc_resource_check_id(upload->conn, "Upload", *remote_id);
}

int rpc_upload(struct rpc_session *session, int64_t session_id, const struct vaccel_resource *res,
	       int64_t *remote_id)
{
	struct offered *blobs = calloc(res->nr_blobs, sizeof(*blobs));
	Luaccel__V1__UploadBlob **list = calloc(res->nr_blobs, sizeof(*list));
	struct upload upload = {
		.conn = session->conn,
		.request = LUACCEL__V1__UPLOAD_REQUEST__INIT,
		.offer = LUACCEL__V1__UPLOAD_OFFER__INIT,
		.blobs = blobs,
	};
	int ret = VACCEL_OK;

	if (!blobs || !list)
		ret = rpc_fail(VACCEL_ENOMEM, "no memory to register %zu blobs", res->nr_blobs);
	for (size_t i = 0; ret == VACCEL_OK && i < res->nr_blobs; i++) {
		list[i] = &blobs[i].wire;
		ret = offer_blob(session->conn, res, i, &blobs[i]);
	}
	upload.request.offer = &upload.offer;
	upload.offer.session_id = session_id;
	upload.offer.resource_type = (uint32_t)res->type;
	upload.offer.n_blobs = res->nr_blobs;
	upload.offer.blobs = list;
	if (ret == VACCEL_OK)
		ret = settle(&upload, remote_id);
	free(list);
	free(blobs);
	return ret;
}
