/*
 * rpc_upload.c - the rpc plugin's Upload: when it is used, exactly what is sent, how much of it
 * ahead of the agent's answers, and what becomes of an agent that lies.
 */
#include "digest.h"
#include "frame.h"
#include "peer.pb-c.h"
#include "rpc_fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MIB = 1 << 20, BIG = 1700 << 10, WINDOW = 3, PIECE = 512 << 10, LATE_US = 300000 };

static uint8_t key[DIGEST_SIZE] = { 7 }, nonce[DIGEST_SIZE] = { 8 };

/* What the agent does, and has seen. */
struct world {
	struct fake *fake;
	struct vaccel_session sess;
	struct vaccel_resource res;
	char feature[8]; /* what its Hello says */
	uint8_t *bytes;
	uint32_t wanted[4];
	size_t nr_wanted;
	uint32_t window, piece_max;
	int64_t id;	  /* of the resource; 0: says nothing of it at the end */
	bool at_once;	  /* wants nothing */
	int refuse_after; /* pieces, or 0 */
	int vanish_after; /* likewise */
	bool mute;	  /* answers no piece */
	bool slow;	  /* answers them all, each late */
	char offer[256];
	bool proved; /* of the first blob: address and proof are right */
	uint8_t *came;
	size_t nr_came;
	int pieces, most_ahead;
};

static void note_offer(struct world *world, const Luaccel__V1__UploadOffer *offer)
{
	size_t length = 0;

	assert_non_null(offer);
	assert_int_equal(offer->session_id, world->sess.remote_id);
	world->offer[0] = '\0';
	for (size_t i = 0; i < offer->n_blobs; i++) {
		const Luaccel__V1__UploadBlob *blob = offer->blobs[i];

		length += (size_t)snprintf(world->offer + length, sizeof(world->offer) - length,
					   "%s%s type %u of %u size %zu address %zu", i ? "; " : "",
					   blob->name, blob->type, offer->resource_type,
					   (size_t)blob->size, blob->address.len);
	}
}

static void check_proof(struct world *world, const Luaccel__V1__UploadBlob *blob)
{
	uint8_t root[DIGEST_SIZE], address[DIGEST_SIZE], proof[DIGEST_SIZE];
	struct digest digest;

	if (!blob->address.len)
		return;
	digest_begin(&digest, key);
	digest_add(&digest, world->bytes, (size_t)blob->size);
	digest_end(&digest, root);
	digest_address(root, address);
	digest_proof(root, nonce, proof);
	world->proved = blob->proof.len == DIGEST_SIZE &&
			digest_equal(address, blob->address.data) &&
			digest_equal(proof, blob->proof.data);
}

/* The next piece; false at the end of the stream, or when the client goes on without it. */
static bool read_piece(const struct fake_call *call, struct world *world)
{
	uint8_t bytes[TTRPC_HEADER_SIZE], *body;
	struct ttrpc_frame_header header;
	Luaccel__V1__UploadRequest *request;

	if (recv(call->fd, bytes, sizeof(bytes), MSG_WAITALL | MSG_PEEK) != sizeof(bytes))
		return false;
	ttrpc_frame_header_unpack(bytes, &header);
	if (header.type != TTRPC_DATA)
		return false;
	assert_int_equal(header.stream_id, call->stream_id);
	assert_int_equal(recv(call->fd, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
	if (header.flags & TTRPC_REMOTE_CLOSED)
		return false;
	body = malloc(header.length);
	if (recv(call->fd, body, header.length, MSG_WAITALL) != (ssize_t)header.length) {
		free(body);
		return false;
	}
	request = luaccel__v1__upload_request__unpack(NULL, header.length, body);
	assert_non_null(request);
	assert_null(request->offer);
	assert_in_range(request->piece.len, 1, world->piece_max);
	memcpy(world->came + world->nr_came, request->piece.data, request->piece.len);
	world->nr_came += request->piece.len;
	luaccel__v1__upload_request__free_unpacked(request, NULL);
	free(body);
	return true;
}

static bool has_more(const struct fake_call *call)
{
	uint8_t byte;

	return recv(call->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Answers come late: as few as the client can do with. */
static void take_pieces(const struct fake_call *call, struct world *world)
{
	const struct ttrpc_status refusal = { .code = TTRPC_RESOURCE_EXHAUSTED,
					      .message = "enough of it" };
	Luaccel__V1__UploadResponse written = LUACCEL__V1__UPLOAD_RESPONSE__INIT;
	int ahead = 0;

	while (read_piece(call, world)) {
		if (++world->pieces == world->refuse_after)
			fake_fail(call, &refusal);
		if (world->pieces == world->vanish_after)
			fake_close(call);
		if (world->slow)
			usleep(LATE_US);
		if (++ahead > world->most_ahead)
			world->most_ahead = ahead;
		for (; ahead && !world->mute && (ahead >= WINDOW || world->slow || !has_more(call));
		     ahead--)
			fake_send(call, &written.base);
	}
}

static bool serve(const struct fake_call *call)
{
	Luaccel__V1__UploadResponse response = LUACCEL__V1__UPLOAD_RESPONSE__INIT;
	struct world *world = call->fake->user;
	const Luaccel__V1__UploadRequest *request;

	if (strcmp(call->method, "Upload") != 0)
		return false;
	request = (const void *)fake_request(call, &luaccel__v1__upload_request__descriptor);
	note_offer(world, request->offer);
	check_proof(world, request->offer->blobs[0]);
	response.resource_id = world->id;
	if (world->at_once) {
		fake_reply(call, &response.base);
		return true;
	}
	response.resource_id = 0;
	response.wanted = world->wanted;
	response.n_wanted = world->nr_wanted;
	response.window = world->window;
	response.piece_max = world->piece_max;
	fake_send(call, &response.base);
	take_pieces(call, world);
	if (world->refuse_after || world->vanish_after)
		return true;
	response = (Luaccel__V1__UploadResponse)LUACCEL__V1__UPLOAD_RESPONSE__INIT;
	response.resource_id = world->id;
	fake_reply(call, &response.base);
	return true;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world || rig_setup((void **)&world->fake))
		return -1;
	world->fake->feature = world->feature;
	strcpy(world->feature, "upload");
	world->fake->content_key = (ProtobufCBinaryData){ sizeof(key), key };
	world->fake->content_nonce = (ProtobufCBinaryData){ sizeof(nonce), nonce };
	world->fake->user = world;
	world->bytes = malloc(2 * BIG);
	world->came = calloc(2, BIG);
	for (size_t i = 0; i < 2 * BIG; i++)
		world->bytes[i] = (uint8_t)(i * 7 + i / 4096);
	world->nr_wanted = 1;
	world->window = WINDOW;
	world->piece_max = PIECE;
	world->id = 77;
	atomic_store(&world->fake->script, serve);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	struct fake *fake = world->fake;
	int ret = rig_teardown((void **)&fake);

	free(world->bytes);
	free(world->came);
	free(world);
	return ret;
}

/* Register so many bytes; the session lives until settle(). */
static int enroll(struct world *world, vaccel_resource_type_t type, size_t size)
{
	assert_int_equal(vaccel_session_init(&world->sess, 0), VACCEL_OK);
	assert_int_equal(
		vaccel_resource_init_from_buf(&world->res, world->bytes, size, type, "m.pt", true),
		VACCEL_OK);
	return vaccel_resource_register(&world->res, &world->sess);
}

static void settle(struct world *world)
{
	assert_int_equal(vaccel_resource_release(&world->res), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&world->sess), VACCEL_OK);
}

static void big_ones_come_in_pieces(void **state)
{
	struct world *world = *state;

	assert_int_equal(enroll(world, VACCEL_RESOURCE_MODEL, BIG), VACCEL_OK);
	assert_string_equal(world->offer, "m.pt type 1 of 2 size 1740800 address 32");
	assert_true(world->proved);
	assert_int_equal(world->nr_came, BIG);
	assert_memory_equal(world->came, world->bytes, BIG);
	assert_int_equal(world->pieces, 4);
	assert_in_range(world->most_ahead, 1, WINDOW);
	assert_int_equal(world->res.remote_id, 77);
	assert_int_equal(atomic_load(&world->fake->registers), 0);
	settle(world);
	assert_int_equal(atomic_load(&world->fake->unregisters), 1);
}

static void small_ones_go_as_ever(void **state)
{
	struct world *world = *state;

	assert_int_equal(enroll(world, VACCEL_RESOURCE_MODEL, MIB - 1), VACCEL_OK);
	assert_int_equal(atomic_load(&world->fake->uploads), 0);
	assert_int_equal(atomic_load(&world->fake->registers), 1);
	settle(world);
}

static void what_the_agent_has_is_not_sent(void **state)
{
	struct world *world = *state;

	world->at_once = true;
	assert_int_equal(enroll(world, VACCEL_RESOURCE_MODEL, BIG), VACCEL_OK);
	assert_true(world->proved);
	assert_int_equal(world->nr_came, 0);
	assert_int_equal(world->res.remote_id, 77);
	settle(world);
}

static void of_several_those_that_are_wanted(void **state)
{
	struct world *world = *state;
	struct vaccel_blob blobs[3];
	const struct vaccel_blob *list[] = { &blobs[0], &blobs[1], &blobs[2] };

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(vaccel_blob_init_from_buf(&blobs[i], world->bytes + i * 1000,
							   i == 1 ? 5 : MIB, false,
							   i == 1 ? "note" : "w.bin", NULL, false),
				 VACCEL_OK);
	world->wanted[0] = 1;
	world->wanted[1] = 2;
	world->nr_wanted = 2;
	assert_int_equal(vaccel_session_init(&world->sess, 0), VACCEL_OK);
	assert_int_equal(
		vaccel_resource_init_from_blobs(&world->res, list, 3, VACCEL_RESOURCE_DATA),
		VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&world->res, &world->sess), VACCEL_OK);
	assert_string_equal(world->offer, "w.bin type 1 of 1 size 1048576 address 32; "
					  "note type 1 of 1 size 5 address 0; "
					  "w.bin type 1 of 1 size 1048576 address 32");
	assert_int_equal(world->nr_came, 5 + MIB);
	assert_memory_equal(world->came, world->bytes + 1000, 5);
	assert_memory_equal(world->came + 5, world->bytes + 2000, MIB);
	settle(world);
	for (size_t i = 0; i < 3; i++)
		vaccel_blob_release(&blobs[i]);
}

static void libraries_have_no_digest(void **state)
{
	struct world *world = *state;

	assert_int_equal(enroll(world, VACCEL_RESOURCE_LIB, BIG), VACCEL_OK);
	assert_string_equal(world->offer, "m.pt type 1 of 0 size 1740800 address 0");
	assert_memory_equal(world->came, world->bytes, BIG);
	settle(world);
}

static void registered_as_before(struct world *world)
{
	assert_int_equal(enroll(world, VACCEL_RESOURCE_MODEL, BIG), VACCEL_OK);
	assert_int_equal(atomic_load(&world->fake->uploads), 0);
	assert_int_equal(atomic_load(&world->fake->registers), 1);
	settle(world);
}

static void an_agent_without_the_feature_sees_nothing_of_it(void **state)
{
	struct world *world = *state;

	strcpy(world->feature, "noop");
	registered_as_before(world);
}

static void nor_one_without_a_key(void **state)
{
	struct world *world = *state;

	world->fake->content_key.len = 16;
	registered_as_before(world);
}

static void nor_a_plain_peer(void **state)
{
	struct world *world = *state;

	world->fake->plain = true;
	registered_as_before(world);
}

static void fails(struct world *world, int code, const char *words)
{
	assert_int_equal(enroll(world, VACCEL_RESOURCE_MODEL, BIG), code);
	if (!strstr(rig_reason(), words))
		fail_msg("\"%s\" has no \"%s\"", rig_reason(), words);
	assert_int_equal(world->res.remote_id, 0);
	settle(world);
}

static void a_refusal_ends_it_at_any_time(void **state)
{
	struct world *world = *state;

	world->refuse_after = 1;
	fails(world, VACCEL_EIO, "enough of it");
}

static void nor_is_a_lost_connection_waited_for(void **state)
{
	struct world *world = *state;

	world->vanish_after = 2;
	fails(world, VACCEL_ESESS, "is lost");
}

/* LUACCEL_RPC_TIMEOUT is for each answer, not for all of it. */
static void nor_an_agent_that_says_nothing(void **state)
{
	struct world *world = *state;

	setenv("LUACCEL_RPC_TIMEOUT", "1", 1);
	world->mute = true;
	fails(world, VACCEL_EIO, "has not answered Upload within 1 s");
	assert_int_equal(world->pieces, WINDOW);
	world->mute = false;
	world->slow = true;
	world->nr_came = 0;
	assert_int_equal(enroll(world, VACCEL_RESOURCE_MODEL, BIG), VACCEL_OK);
	assert_memory_equal(world->came, world->bytes, BIG);
	settle(world);
	unsetenv("LUACCEL_RPC_TIMEOUT");
}

static void an_agent_that_asks_for_what_there_is_not(void **state)
{
	struct world *world = *state;

	world->wanted[0] = 1;
	fails(world, VACCEL_EIO, "does not decode");
}

static void one_that_asks_twice(void **state)
{
	struct world *world = *state;

	world->nr_wanted = 2;
	fails(world, VACCEL_EIO, "does not decode");
}

static void one_that_leaves_no_room(void **state)
{
	struct world *world = *state;

	world->window = 0;
	fails(world, VACCEL_EIO, "does not decode");
}

static void one_that_wants_pieces_of_nothing(void **state)
{
	struct world *world = *state;

	world->piece_max = 0;
	fails(world, VACCEL_EIO, "does not decode");
}

static void one_that_says_nothing_at_the_end(void **state)
{
	struct world *world = *state;

	world->id = 0;
	fails(world, VACCEL_EIO, "does not decode");
}

static void one_whose_resource_is_none(void **state)
{
	struct world *world = *state;

	world->id = -3;
	fails(world, VACCEL_EBACKEND, "answered Upload with -3");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(big_ones_come_in_pieces),
		TEST(small_ones_go_as_ever),
		TEST(what_the_agent_has_is_not_sent),
		TEST(of_several_those_that_are_wanted),
		TEST(libraries_have_no_digest),
		TEST(an_agent_without_the_feature_sees_nothing_of_it),
		TEST(nor_one_without_a_key),
		TEST(nor_a_plain_peer),
		TEST(a_refusal_ends_it_at_any_time),
		TEST(nor_is_a_lost_connection_waited_for),
		TEST(nor_an_agent_that_says_nothing),
		TEST(an_agent_that_asks_for_what_there_is_not),
		TEST(one_that_asks_twice),
		TEST(one_that_leaves_no_room),
		TEST(one_that_wants_pieces_of_nothing),
		TEST(one_that_says_nothing_at_the_end),
		TEST(one_whose_resource_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
