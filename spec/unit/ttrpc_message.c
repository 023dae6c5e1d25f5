/*
 * ttrpc_message.c - the decoder and the encoder, against protobuf-c's own.
 */
#include "cmocka_all.h"
#include "encode.h"
#include "frame.h"
#include "segments.h"
#include "ttrpc_random.h"

#include "image.pb-c.h"
#include "peer.pb-c.h"
#include "ttrpc.pb-c.h"
#include "ttrpc_defaults.pb-c.h"
#include "ttrpc_types.pb-c.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET = 64 << 20, ROUNDS = 60, FLIPS = 40 };

struct packed {
	uint8_t *data;
	size_t size;
};

static struct packed pack(const ProtobufCMessage *message)
{
	struct packed p = { .size = protobuf_c_message_get_packed_size(message) };

	/* Exactly as long, so that a sanitizer sees a byte too many being read. */
	p.data = malloc(p.size ? p.size : 1);
	assert_int_equal(protobuf_c_message_pack(message, p.data), p.size);
	return p;
}

/*
 * What protobuf-c takes and nobody should: 0 for a field's number, if it is written in two bytes;
 * any wire type for a bool; nesting without end.
 */
static bool is_laxer(const char *err)
{
	static const char *const reasons[] = { "field number 0", "field m has wire type",
					       "field rf has wire type", "nest deeper" };

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strstr(err, reasons[i]))
			return true;
	}
	return false;
}

/* Both decoders on the same bytes: do they agree? */
static void compare_decoders(const ProtobufCMessageDescriptor *type, const uint8_t *data,
			     size_t size, bool compare_content)
{
	uint8_t *exact = malloc(size ? size : 1);
	ProtobufCMessage *ours = NULL, *theirs;
	struct ttrpc_arena arena;
	char err[256] = "";
	int code;

	if (size > 0)
		memcpy(exact, data, size);
	ttrpc_arena_init(&arena, BUDGET);
	code = ttrpc_message_decode(type, exact, size, &arena, &ours, err, sizeof(err));
	theirs = protobuf_c_message_unpack(type, NULL, size, exact);
	assert_true(code == 0 || code == -EBADMSG);
	if (!is_laxer(err))
		assert_int_equal(code == 0, theirs != NULL);
	assert_int_equal(code == 0, err[0] == '\0');
	if (code == 0 && theirs && compare_content)
		assert_true(messages_equal(ours, theirs));
	protobuf_c_message_free_unpacked(theirs, NULL);
	ttrpc_arena_release(&arena);
	assert_int_equal(arena.used, 0);
	free(exact);
}

static void decodes_what_protobuf_c_packed(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_random_types * ROUNDS; i++) {
		const ProtobufCMessageDescriptor *type = random_types[i % nr_random_types];
		ProtobufCMessage *message, *decoded;
		struct ttrpc_arena arena;
		struct packed p;

		ttrpc_arena_init(&arena, BUDGET);
		message = random_message(&arena, type, 0);
		p = pack(message);
		assert_int_equal(
			ttrpc_message_decode(type, p.data, p.size, &arena, &decoded, NULL, 0), 0);
		assert_true(messages_equal(message, decoded));
		compare_decoders(type, p.data, p.size, true);
		free(p.data);
		ttrpc_arena_release(&arena);
	}
}

static void damage(const ProtobufCMessageDescriptor *type, const struct packed *p)
{
	bool compare_content = !has_single_message(type);

	for (size_t size = 0; size < p->size; size += p->size / 200 + 1)
		compare_decoders(type, p->data, size, compare_content);
	for (int i = 0; i < FLIPS && p->size > 0; i++) {
		size_t at = random_u32() % p->size;
		uint8_t was = p->data[at];

		p->data[at] = (uint8_t)random_u32();
		compare_decoders(type, p->data, p->size, compare_content);
		p->data[at] = was;
	}
}

static void agrees_with_protobuf_c_on_damaged_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_random_types * 10; i++) {
		const ProtobufCMessageDescriptor *type = random_types[i % nr_random_types];
		struct ttrpc_arena arena;
		struct packed p;

		ttrpc_arena_init(&arena, BUDGET);
		p = pack(random_message(&arena, type, 1));
		damage(type, &p);
		free(p.data);
		ttrpc_arena_release(&arena);
	}
}

static void agrees_with_protobuf_c_on_noise(void **state)
{
	uint8_t noise[48];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		const ProtobufCMessageDescriptor *type = random_types[(size_t)i % nr_random_types];
		size_t size = random_u32() % sizeof(noise);

		for (size_t k = 0; k < size; k++)
			noise[k] = (uint8_t)random_u32() >> random_u32() % 5;
		compare_decoders(type, noise, size, !has_single_message(type));
	}
}

static ProtobufCMessage *decode_ok(struct ttrpc_arena *arena,
				   const ProtobufCMessageDescriptor *type, const char *bytes,
				   size_t size)
{
	ProtobufCMessage *message = NULL;
	char err[256] = "";

	ttrpc_arena_init(arena, BUDGET);
	if (ttrpc_message_decode(type, (const uint8_t *)bytes, size, arena, &message, err,
				 sizeof(err)))
		fail_msg("%s", err);
	return message;
}

#define DECODE(arena, type, bytes) decode_ok(arena, type, bytes, sizeof(bytes) - 1)

static void last_value_wins_and_messages_merge(void **state)
{
	/* left{value 7, name "x"}, left{name "y"}: one message, and its name is the later one. */
	const char bytes[] = "\x12\x05\x30\x07\x0a\x01x\x12\x03\x0a\x01y\x30\x01\x30\x02";
	struct ttrpc_arena arena;
	Types__Tree *tree = (Types__Tree *)DECODE(&arena, &types__tree__descriptor, bytes);

	(void)state;
	assert_int_equal(tree->value, 2);
	assert_non_null(tree->left);
	assert_int_equal(tree->left->value, 7);
	assert_string_equal(tree->left->name, "y");
	ttrpc_arena_release(&arena);
}

static void the_last_member_of_a_oneof_stays(void **state)
{
	/* number 5, text "ab", then number 6 */
	const char bytes[] = "\xc0\x0c\x05\xca\x0c\x02"
			     "ab\xc0\x0c\x06";
	struct ttrpc_arena arena;
	Types__Scalars *s = (Types__Scalars *)DECODE(&arena, &types__scalars__descriptor, bytes);

	(void)state;
	assert_int_equal(s->choice_case, TYPES__SCALARS__CHOICE_NUMBER);
	assert_int_equal(s->number, 6);
	ttrpc_arena_release(&arena);
}

static void a_message_takes_the_place_of_a_number(void **state)
{
	/* number ~0, then tree{value 7}: what was there is no message. */
	const char bytes[] = "\x09\xff\xff\xff\xff\xff\xff\xff\xff\x12\x02\x30\x07";
	struct ttrpc_arena arena;
	Types__Choice *c = (Types__Choice *)DECODE(&arena, &types__choice__descriptor, bytes);

	(void)state;
	assert_int_equal(c->choice_case, TYPES__CHOICE__CHOICE_TREE);
	assert_int_equal(c->tree->value, 7);
	ttrpc_arena_release(&arena);
}

static void packed_and_loose_values_mix(void **state)
{
	/* ra: 1, packed {2, 3}, 4 */
	const char bytes[] = "\xe8\x12\x01\xea\x12\x02\x02\x03\xe8\x12\x04";
	struct ttrpc_arena arena;
	Types__Scalars *s = (Types__Scalars *)DECODE(&arena, &types__scalars__descriptor, bytes);

	(void)state;
	assert_int_equal(s->n_ra, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(s->ra[i], i + 1);
	ttrpc_arena_release(&arena);
}

static void defaults_and_presence(void **state)
{
	struct ttrpc_arena arena;
	Defaults__Settings *s =
		(Defaults__Settings *)DECODE(&arena, &defaults__settings__descriptor, "");

	(void)state;
	assert_false(s->has_retries);
	assert_int_equal(s->retries, 3);
	assert_string_equal(s->name, "none");
	assert_memory_equal(s->salt.data, "salt", 4);
	ttrpc_arena_release(&arena);
	s = (Defaults__Settings *)DECODE(&arena, &defaults__settings__descriptor, "\x08\x00");
	assert_true(s->has_retries);
	assert_int_equal(s->retries, 0);
	ttrpc_arena_release(&arena);
}

static void bytes_are_borrowed_from_the_frame(void **state)
{
	const char bytes[] = "\x12\x03"
			     "abc";
	struct ttrpc_arena arena;
	Vaccel__Image__Request *r = (Vaccel__Image__Request *)DECODE(
		&arena, &vaccel__image__request__descriptor, bytes);

	(void)state;
	assert_int_equal(r->image.len, 3);
	assert_ptr_equal(r->image.data, bytes + 2);
	ttrpc_arena_release(&arena);
}

static void nesting_has_an_end(void **state)
{
	/* left{left{left{...}}}: the lengths of 40 levels stay below 128. */
	enum { LEVELS = 40 };
	uint8_t bytes[2 * LEVELS];
	ProtobufCMessage *message;
	struct ttrpc_arena arena;
	char err[128];

	(void)state;
	for (int i = 0; i < LEVELS; i++) {
		bytes[2 * i] = 0x12;
		bytes[2 * i + 1] = (uint8_t)(2 * (LEVELS - 1 - i));
	}
	ttrpc_arena_init(&arena, BUDGET);
	assert_int_equal(ttrpc_message_decode(&types__tree__descriptor, bytes, sizeof(bytes),
					      &arena, &message, err, sizeof(err)),
			 -EBADMSG);
	assert_non_null(strstr(err, "nest deeper"));
	ttrpc_arena_release(&arena);
}

/* 4 MiB of two-byte fields. */
static void amplification_stops_at_the_budget(void **state)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		uint8_t tag;
	} table[] = {
		{ &ttrpc__request__descriptor, 0x2a },		   /* empty submessages */
		{ &luaccel__v1__hello_request__descriptor, 0x22 }, /* empty strings */
	};
	const size_t size = (size_t)4 << 20;
	uint8_t *bytes = calloc(1, size);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t budget = ttrpc_decode_budget(size);
		ProtobufCMessage *message;
		struct ttrpc_arena arena;
		char err[128];

		for (size_t k = 0; k < size; k += 2)
			bytes[k] = table[i].tag;
		ttrpc_arena_init(&arena, budget);
		assert_int_equal(ttrpc_message_decode(table[i].type, bytes, size, &arena, &message,
						      err, sizeof(err)),
				 -ENOBUFS);
		assert_true(arena.used <= budget);
		assert_non_null(strstr(err, "bytes to decode"));
		ttrpc_arena_release(&arena);
	}
	free(bytes);
}

static void budgets_follow_limits_md(void **state)
{
	const size_t mib = (size_t)1 << 20;

	(void)state;
	assert_int_equal(ttrpc_decode_budget(0), mib);
	assert_int_equal(ttrpc_decode_budget(mib), 4 * mib);
	assert_int_equal(ttrpc_decode_budget(5 * mib), 16 * mib);
	assert_int_equal(ttrpc_decode_budget(SIZE_MAX), 16 * mib);
}

static void an_arena_charges_what_it_allocates(void **state)
{
	struct ttrpc_arena arena;
	size_t given = 0;
	char *p;

	(void)state;
	ttrpc_arena_init(&arena, 100000);
	for (size_t size = 1; (p = ttrpc_arena_alloc(&arena, size)); size = (size * 7) % 5000) {
		assert_int_equal((uintptr_t)p % 16, 0);
		memset(p, 0x5a, size);
		given += size;
	}
	assert_int_equal(errno, ENOBUFS);
	assert_true(given <= arena.used && arena.used <= 100000);
	assert_true(given > 60000);
	ttrpc_arena_release(&arena);
	assert_int_equal(arena.used, 0);
}

/* The bytes of a frame. */
static struct packed flatten(const struct ttrpc_out *out)
{
	struct packed p = { .data = malloc(out->size) };

	for (size_t i = 0; i < out->nr_iov; i++) {
		memcpy(p.data + p.size, out->iov[i].iov_base, out->iov[i].iov_len);
		p.size += out->iov[i].iov_len;
	}
	assert_int_equal(p.size, out->size);
	return p;
}

static void assert_frame(const struct ttrpc_out *out, uint32_t stream_id, uint8_t type,
			 const ProtobufCMessage *envelope)
{
	struct packed frame = flatten(out), body = pack(envelope);
	struct ttrpc_frame_header header;

	ttrpc_frame_header_unpack(frame.data, &header);
	assert_int_equal(header.length, body.size);
	assert_int_equal(header.stream_id, stream_id);
	assert_int_equal(header.type, type);
	assert_int_equal(header.flags, 0);
	assert_int_equal(frame.size, TTRPC_HEADER_SIZE + body.size);
	assert_memory_equal(frame.data + TTRPC_HEADER_SIZE, body.data, body.size);
	free(frame.data);
	free(body.data);
}

static void packs_requests_as_protobuf_c_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_random_types * 10; i++) {
		Ttrpc__Request envelope = TTRPC__REQUEST__INIT;
		struct ttrpc_arena arena;
		ProtobufCMessage *message;
		struct packed payload;
		struct ttrpc_out out;

		ttrpc_arena_init(&arena, BUDGET);
		message = random_message(&arena, random_types[i % nr_random_types], 0);
		payload = pack(message);
		envelope.service = "vaccel.sync.agent.AgentService";
		envelope.method = "CreateSession";
		envelope.timeout_nano = i % 2 ? (int64_t)i * 1000003 : 0;
		envelope.payload =
			(ProtobufCBinaryData){ .data = payload.data, .len = payload.size };
		assert_int_equal(ttrpc_out_request(&out, (uint32_t)i, envelope.service,
						   envelope.method, envelope.timeout_nano, message,
						   SIZE_MAX),
				 0);
		assert_frame(&out, (uint32_t)i, TTRPC_REQUEST, &envelope.base);
		ttrpc_out_release(&out);
		free(payload.data);
		ttrpc_arena_release(&arena);
	}
}

static void packs_responses_as_protobuf_c_does(void **state)
{
	uint8_t image[5000] = "bulk";
	Vaccel__Image__Response tags = VACCEL__IMAGE__RESPONSE__INIT;
	struct ttrpc_status failure = {
		.code = TTRPC_INTERNAL,
		.message = "FFI error: 22",
		.detail_type_url = "type.googleapis.com/vaccel.ProtoError",
		.detail = (const uint8_t *)"\x10\x16",
		.detail_size = 2,
	};
	Ttrpc__Any detail = TTRPC__ANY__INIT, *details[] = { &detail };
	Ttrpc__Status status = TTRPC__STATUS__INIT;
	Ttrpc__Response envelope = TTRPC__RESPONSE__INIT;
	struct packed payload;
	struct ttrpc_out out;

	(void)state;
	tags.tags = (ProtobufCBinaryData){ .data = image, .len = sizeof(image) };
	payload = pack(&tags.base);
	envelope.status = &status;
	envelope.payload = (ProtobufCBinaryData){ .data = payload.data, .len = payload.size };
	assert_int_equal(ttrpc_out_response(&out, 7, NULL, &tags.base, SIZE_MAX), 0);
	assert_frame(&out, 7, TTRPC_RESPONSE, &envelope.base);
	/* The bulk is where it was, in one piece. */
	assert_int_equal(out.nr_iov, 2);
	assert_ptr_equal(out.iov[1].iov_base, image);
	ttrpc_out_release(&out);
	free(payload.data);

	status.code = TTRPC_INTERNAL;
	status.message = (char *)failure.message;
	status.details = details;
	status.n_details = 1;
	detail.type_url = (char *)failure.detail_type_url;
	detail.value = (ProtobufCBinaryData){ .data = (uint8_t *)failure.detail, .len = 2 };
	envelope.payload = (ProtobufCBinaryData){ 0 };
	assert_int_equal(ttrpc_out_response(&out, 9, &failure, NULL, SIZE_MAX), 0);
	assert_frame(&out, 9, TTRPC_RESPONSE, &envelope.base);
	ttrpc_out_release(&out);
}

static void refuses_frames_over_the_limit(void **state)
{
	uint8_t image[1000] = "";
	Vaccel__Image__Request r = VACCEL__IMAGE__REQUEST__INIT;
	struct ttrpc_out out;
	size_t body;

	(void)state;
	r.image = (ProtobufCBinaryData){ .data = image, .len = sizeof(image) };
	assert_int_equal(ttrpc_out_request(&out, 1, "s", "m", 0, &r.base, SIZE_MAX), 0);
	body = out.size - TTRPC_HEADER_SIZE;
	ttrpc_out_release(&out);
	assert_int_equal(ttrpc_out_request(&out, 1, "s", "m", 0, &r.base, body), 0);
	ttrpc_out_release(&out);
	assert_int_equal(ttrpc_out_request(&out, 1, "s", "m", 0, &r.base, body - 1), -EMSGSIZE);
	/* protobuf-c would cut this length to 32 bits. */
	r.image.len = ((size_t)1 << 32) + 10;
	assert_int_equal(ttrpc_out_request(&out, 1, "s", "m", 0, &r.base, SIZE_MAX), -EMSGSIZE);
}

static void positions_walk_through_a_frame(void **state)
{
	uint8_t image[700];
	Vaccel__Image__Request r = VACCEL__IMAGE__REQUEST__INIT;
	struct ttrpc_out out;
	struct packed whole;

	(void)state;
	memset(image, 0x77, sizeof(image));
	r.image = (ProtobufCBinaryData){ .data = image, .len = sizeof(image) };
	assert_int_equal(ttrpc_out_request(&out, 1, "service", "method", 5, &r.base, SIZE_MAX), 0);
	whole = flatten(&out);
	for (size_t step = 1; step <= out.size; step++) {
		struct ttrpc_sending sending;
		size_t done = 0;

		ttrpc_sending_init(&sending, &out, false);
		while (!ttrpc_sending_is_done(&sending)) {
			struct iovec iov[2];
			size_t n = ttrpc_sending_pending(&sending, &out, NULL, iov, 2), take;

			assert_true(n > 0);
			assert_memory_equal(iov[0].iov_base, whole.data + done, iov[0].iov_len);
			take = step < out.size - done ? step : out.size - done;
			assert_int_equal(ttrpc_sending_advance(&sending, &out, take), 0);
			done += take;
		}
		assert_int_equal(done, out.size);
		assert_int_equal(ttrpc_sending_advance(&sending, &out, 3), 3);
	}
	free(whole.data);
	ttrpc_out_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_protobuf_c_packed),
		cmocka_unit_test(agrees_with_protobuf_c_on_damaged_bytes),
		cmocka_unit_test(agrees_with_protobuf_c_on_noise),
		cmocka_unit_test(last_value_wins_and_messages_merge),
		cmocka_unit_test(the_last_member_of_a_oneof_stays),
		cmocka_unit_test(a_message_takes_the_place_of_a_number),
		cmocka_unit_test(packed_and_loose_values_mix),
		cmocka_unit_test(defaults_and_presence),
		cmocka_unit_test(bytes_are_borrowed_from_the_frame),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(amplification_stops_at_the_budget),
		cmocka_unit_test(budgets_follow_limits_md),
		cmocka_unit_test(an_arena_charges_what_it_allocates),
		cmocka_unit_test(packs_requests_as_protobuf_c_does),
		cmocka_unit_test(packs_responses_as_protobuf_c_does),
		cmocka_unit_test(refuses_frames_over_the_limit),
		cmocka_unit_test(positions_walk_through_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
