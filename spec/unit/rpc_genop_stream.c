/*
 * rpc_genop_stream.c - the rpc plugin's GenopStream: when it is used, and exactly what is sent.
 */
#include "cmocka_all.h"
#include "frame.h"
#include "genop.pb-c.h"
#include "rpc_fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CHUNK = 4194304 - 64, MIB = 1 << 20, WHAT_SIZE = 2048, NAME_SIZE = 64 };

struct world {
	struct fake *fake;
	struct vaccel_session sess;
	char reason[256];     /* of the last detection */
	char what[WHAT_SIZE]; /* of each request of the stream: its arguments */
	uint64_t hash;	      /* of the bytes of those to read */
	int refuse_after;     /* requests, or 0 */
};

static void say(struct world *world, const char *format, ...)
{
	size_t length = strlen(world->what);
	va_list args;

	va_start(args, format);
	vsnprintf(world->what + length, sizeof(world->what) - length, format, args);
	va_end(args);
}

static uint64_t hash_on(uint64_t hash, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static void say_args(struct world *world, const char *kind, Vaccel__Genop__Arg *const *args,
		     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		say(world, " %s %zu/%u type %u", kind, args[i]->buf.len, args[i]->size,
		    args[i]->arg_type);
		if (args[i]->parts || args[i]->part_no)
			say(world, " part %u/%u", args[i]->part_no, args[i]->parts);
		if (*kind == 'r')
			world->hash = hash_on(world->hash, args[i]->buf.data, args[i]->buf.len);
	}
}

static void read_all(int fd, void *to, size_t size)
{
	assert_int_equal(recv(fd, to, size, MSG_WAITALL), size);
}

/* One request of the stream, noted; false at its end, or when the client goes on without it. */
static bool read_request(const struct fake_call *call, struct world *world)
{
	uint8_t bytes[TTRPC_HEADER_SIZE], *body;
	struct ttrpc_frame_header header;
	Vaccel__Genop__Request *request;

	assert_int_equal(recv(call->fd, bytes, sizeof(bytes), MSG_WAITALL | MSG_PEEK),
			 sizeof(bytes));
	ttrpc_frame_header_unpack(bytes, &header);
	if (world->refuse_after && header.type != TTRPC_DATA)
		return false;
	read_all(call->fd, bytes, sizeof(bytes));
	assert_int_equal(header.type, TTRPC_DATA);
	assert_int_equal(header.stream_id, call->stream_id);
	if (header.flags) {
		assert_int_equal(header.flags, TTRPC_REMOTE_CLOSED | TTRPC_NO_DATA);
		assert_int_equal(header.length, 0);
		return false;
	}
	assert_in_range(header.length, 1, 4 * MIB);
	body = malloc(header.length);
	read_all(call->fd, body, header.length);
	request = vaccel__genop__request__unpack(NULL, header.length, body);
	assert_non_null(request);
	assert_int_equal(request->session_id, world->sess.remote_id);
	say(world, "|");
	say_args(world, "r", request->read_args, request->n_read_args);
	say_args(world, "w", request->write_args, request->n_write_args);
	vaccel__genop__request__free_unpacked(request, NULL);
	free(body);
	return true;
}

/* The name that comes back is the number of requests. */
static bool serve(const struct fake_call *call)
{
	const struct ttrpc_status refusal = { .code = TTRPC_RESOURCE_EXHAUSTED,
					      .message = "not so long" };
	Vaccel__Genop__Response response = VACCEL__GENOP__RESPONSE__INIT;
	Vaccel__Genop__Arg arg = VACCEL__GENOP__ARG__INIT, *list = &arg;
	struct world *world = call->fake->user;
	uint8_t name[NAME_SIZE] = "";
	int requests = 0;

	if (strcmp(call->method, "GenopStream") != 0)
		return false;
	assert_int_equal(call->payload.len, 0);
	while (read_request(call, world)) {
		if (++requests == world->refuse_after)
			fake_fail(call, &refusal);
	}
	if (world->refuse_after)
		return true;
	snprintf((char *)name, sizeof(name), "%d", requests);
	arg.buf = (ProtobufCBinaryData){ .data = name, .len = sizeof(name) };
	arg.size = sizeof(name);
	arg.arg_type = VACCEL_ARG_UCHAR_ARRAY;
	response.n_write_args = 1;
	response.write_args = &list;
	fake_reply(call, &response.base);
	return true;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world || rig_setup((void **)&world->fake))
		return -1;
	world->fake->service = FAKE_ASYNC;
	world->fake->plain = true;
	world->fake->user = world;
	atomic_store(&world->fake->script, serve);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	struct fake *fake = world->fake;

	free(world);
	return rig_teardown((void **)&fake);
}

/* Detect in an image of so many bytes, and see that they are what came if they came in a stream. */
static int detect(struct world *world, size_t size, char name[NAME_SIZE])
{
	const uint8_t number = VACCEL_OP_IMAGE_DETECT;
	uint8_t *image = malloc(size);
	int ret;

	for (size_t i = 0; i < size; i++)
		image[i] = (uint8_t)(i * 7 + i / 4096);
	assert_int_equal(vaccel_session_init(&world->sess, 0), VACCEL_OK);
	ret = vaccel_image_detection(&world->sess, image, (unsigned char *)name, size, NAME_SIZE);
	snprintf(world->reason, sizeof(world->reason), "%s", rig_reason());
	if (atomic_load(&world->fake->genop_streams) && !world->refuse_after)
		assert_true(world->hash == hash_on(hash_on(0, &number, 1), image, size));
	assert_int_equal(vaccel_session_release(&world->sess), VACCEL_OK);
	free(image);
	return ret;
}

static void what_fits_is_one_request(void **state)
{
	struct world *world = *state;
	char name[NAME_SIZE];

	assert_int_equal(detect(world, 4 * MIB - 1000, name), VACCEL_OK);
	assert_int_equal(atomic_load(&world->fake->genops), 1);
	assert_int_equal(atomic_load(&world->fake->genop_streams), 0);
}

static void what_does_not_fit_comes_in_chunks(void **state)
{
	struct world *world = *state;
	char name[NAME_SIZE];

	assert_int_equal(detect(world, 2 * CHUNK + 77, name), VACCEL_OK);
	assert_string_equal(name, "5");
	assert_string_equal(world->what, "| r 1/1 type 9"
					 "| r 4194240/8388557 type 28 part 1/3"
					 "| r 4194240/8388557 type 28 part 2/3"
					 "| r 77/8388557 type 28 part 3/3"
					 "| w 64/64 type 26");
	assert_int_equal(atomic_load(&world->fake->genops), 0);
	assert_int_equal(atomic_load(&world->fake->genop_streams), 1);
}

static void an_argument_that_fits_goes_with_the_others(void **state)
{
	struct world *world = *state;
	struct vaccel_arg read[4], write;
	uint8_t *bytes = calloc(1, 3 * MIB);
	uint8_t number = VACCEL_OP_OPENCV;
	char name[NAME_SIZE] = "";

	read[0] = (struct vaccel_arg){ .buf = &number, .size = 1, .type = VACCEL_ARG_UINT8 };
	for (int i = 1; i < 4; i++)
		read[i] = (struct vaccel_arg){
			.buf = bytes,
			.size = 3 * MIB,
			.type = VACCEL_ARG_RAW,
		};
	read[2].size = MIB / 2;
	write = (struct vaccel_arg){ .buf = name,
				     .size = sizeof(name),
				     .type = VACCEL_ARG_UCHAR_ARRAY };
	assert_int_equal(vaccel_session_init(&world->sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_genop(&world->sess, read, 4, &write, 1), VACCEL_OK);
	assert_string_equal(world->what,
			    "| r 1/1 type 9 r 3145728/3145728 type 0 r 524288/524288 type 0"
			    "| r 3145728/3145728 type 0 part 1/1"
			    "| w 64/64 type 26");
	assert_string_equal(name, "3");
	assert_int_equal(vaccel_session_release(&world->sess), VACCEL_OK);
	free(bytes);
}

static void a_refusal_amid_the_stream_is_the_answer(void **state)
{
	struct world *world = *state;
	char name[NAME_SIZE];

	world->refuse_after = 2;
	assert_int_equal(detect(world, 40 * MIB, name), VACCEL_EIO);
	assert_string_equal(world->reason, "not so long");
	/* the connection goes on */
	world->refuse_after = 0;
	world->hash = 0;
	assert_int_equal(detect(world, 5 * MIB, name), VACCEL_OK);
	assert_int_equal(atomic_load(&world->fake->connections), 1);
}

/* One of ours takes as much as its Hello says; the synchronous agent has no streams. */
static void other_agents_get_one_request(void **state)
{
	struct world *world = *state;
	char name[NAME_SIZE];

	world->fake->plain = false;
	assert_int_equal(detect(world, 5 * MIB, name), VACCEL_OK);
	fake_hang_up(world->fake);
	world->fake->plain = true;
	world->fake->service = FAKE_SYNC;
	assert_int_equal(detect(world, 5 * MIB, name), VACCEL_OK);
	assert_int_equal(atomic_load(&world->fake->genops), 2);
	assert_int_equal(atomic_load(&world->fake->genop_streams), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_fits_is_one_request, setup, teardown),
		cmocka_unit_test_setup_teardown(what_does_not_fit_comes_in_chunks, setup, teardown),
		cmocka_unit_test_setup_teardown(an_argument_that_fits_goes_with_the_others, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_refusal_amid_the_stream_is_the_answer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(other_agents_get_one_request, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
