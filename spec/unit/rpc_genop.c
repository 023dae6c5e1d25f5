/*
 * rpc_genop.c - the rpc plugin's operations that travel as lists of arguments: exactly what is
 * sent, what is taken back, answers that lie, and what is not sent at all.
 *
 * Every array is on the heap and as long as it has to be, so that a byte too many is seen.
 */
#include "error.pb-c.h"
#include "frame.h"
#include "genop.pb-c.h"
#include "rpc_fake.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTS = 3, WHAT_SIZE = 1024, ANSWER_SIZE = 256 };

enum lie { HONEST, SHORTER, LONGER, FEWER, MORE, OTHER_TYPE };

struct world {
	struct fake *fake;
	struct vaccel_session sess;
	struct vaccel_resource lib;
	struct vaccel_arg shortened; /* the write argument of operations that pass theirs on */

	/* what was last asked of the agent, and how it answers */
	char what[WHAT_SIZE];
	enum lie lie;

	void *in[OUTS], *out[OUTS];
	size_t size[OUTS]; /* of out */
};

static void say(struct world *world, const char *format, ...)
{
	size_t length = strlen(world->what);
	va_list args;

	va_start(args, format);
	vsnprintf(world->what + length, sizeof(world->what) - length, format, args);
	va_end(args);
}

/* Each number of an argument, or its text, or its bytes. */
static void say_arg(struct world *world, const Vaccel__Genop__Arg *arg)
{
	const uint8_t *at = arg->buf.data, *end = at + arg->buf.len;

	if (arg->size != arg->buf.len)
		say(world, " size %u:", arg->size);
	say(world, " %s", vaccel_arg_type_to_base_str((vaccel_arg_type_t)arg->arg_type));
	if (arg->custom_type_id)
		say(world, "-%u", arg->custom_type_id);
	while (at < end) {
		union {
			int32_t i32;
			int64_t i64;
			float f32;
			double f64;
		} value = { 0 };

		switch (arg->arg_type) {
		case VACCEL_ARG_STRING:
			say(world, ":%.*s%s", (int)(end - at), (const char *)at,
			    end[-1] ? " without a NUL" : "");
			at = end;
			break;
		case VACCEL_ARG_INT32:
		case VACCEL_ARG_INT32_ARRAY:
			memcpy(&value.i32, at, sizeof(value.i32));
			say(world, ":%d", value.i32);
			at += sizeof(value.i32);
			break;
		case VACCEL_ARG_INT64:
			memcpy(&value.i64, at, sizeof(value.i64));
			say(world, ":%ld", (long)value.i64);
			at += sizeof(value.i64);
			break;
		case VACCEL_ARG_FLOAT32:
		case VACCEL_ARG_FLOAT32_ARRAY:
			memcpy(&value.f32, at, sizeof(value.f32));
			say(world, ":%g", (double)value.f32);
			at += sizeof(value.f32);
			break;
		case VACCEL_ARG_FLOAT64:
		case VACCEL_ARG_FLOAT64_ARRAY:
			memcpy(&value.f64, at, sizeof(value.f64));
			say(world, ":%g", value.f64);
			at += sizeof(value.f64);
			break;
		default:
			say(world, ":%02x", *at++);
		}
	}
}

/* The request as text; then write argument i is answered with bytes of 'A' + i. */
static bool answer_as_told(const struct fake_call *call)
{
	Vaccel__Genop__Response response = VACCEL__GENOP__RESPONSE__INIT;
	Vaccel__Genop__Arg *list[OUTS + 1], args[OUTS + 1];
	struct world *world = call->fake->user;
	const Vaccel__Genop__Request *request;
	uint8_t bytes[OUTS + 1][ANSWER_SIZE];

	if (strcmp(call->method, "Genop") != 0)
		return false;
	request = (const void *)fake_request(call, &vaccel__genop__request__descriptor);
	world->what[0] = '\0';
	if (request->session_id != world->sess.remote_id)
		say(world, " session %ld", (long)request->session_id);
	for (size_t i = 0; i < request->n_read_args; i++)
		say_arg(world, request->read_args[i]);
	say(world, " |");
	for (size_t i = 0; i < request->n_write_args; i++)
		say_arg(world, request->write_args[i]);
	for (size_t i = 0; i <= request->n_write_args; i++) {
		size_t asked = i < request->n_write_args ? request->write_args[i]->buf.len : 8;

		if (i > OUTS || asked >= ANSWER_SIZE)
			abort();
		memset(bytes[i], 'A' + (int)i, sizeof(bytes[i]));
		vaccel__genop__arg__init(&args[i]);
		args[i].buf.data = bytes[i];
		args[i].buf.len = asked - (world->lie == SHORTER) + (world->lie == LONGER);
		args[i].size = (uint32_t)args[i].buf.len;
		args[i].arg_type = i < request->n_write_args ? request->write_args[i]->arg_type : 0;
		args[i].arg_type += world->lie == OTHER_TYPE;
		list[i] = &args[i];
	}
	response.n_write_args =
		request->n_write_args - (world->lie == FEWER) + (world->lie == MORE);
	response.write_args = list;
	fake_reply(call, &response.base);
	return true;
}

static void world_open(struct world *world, void **state)
{
	static const uint8_t library[] = "no library at all";

	memset(world, 0, sizeof(*world));
	world->fake = *state;
	world->fake->user = world;
	assert_int_equal(vaccel_session_init(&world->sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_init_from_buf(&world->lib, library, sizeof(library),
						       VACCEL_RESOURCE_LIB, "lib.so", true),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&world->lib, &world->sess), VACCEL_OK);
	world->fake->script = answer_as_told;
}

static void free_arrays(struct world *world)
{
	for (size_t i = 0; i < OUTS; i++) {
		free(world->in[i]);
		free(world->out[i]);
		world->in[i] = world->out[i] = NULL;
		world->size[i] = 0;
	}
}

static void world_close(struct world *world)
{
	free_arrays(world);
	assert_int_equal(vaccel_session_release(&world->sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&world->lib), VACCEL_OK);
}

/* The i-th array to read: 1, 2, 3, ... */
static float *floats(struct world *world, size_t i, size_t count)
{
	float *array = malloc(count * sizeof(*array));

	assert_non_null(array);
	free(world->in[i]);
	world->in[i] = array;
	for (size_t j = 0; j < count; j++)
		array[j] = (float)(j + 1);
	return array;
}

/* The i-th to write: zeros. */
static void *out(struct world *world, size_t i, size_t size)
{
	free(world->out[i]);
	world->out[i] = calloc(1, size);
	assert_non_null(world->out[i]);
	world->size[i] = size;
	return world->out[i];
}

static int run_exec(struct world *world)
{
	static char word[] = "hi", pair[] = { 1, 2 };
	struct vaccel_arg read[] = {
		{ .buf = word, .size = sizeof(word), .type = VACCEL_ARG_STRING },
		{ .buf = pair,
		  .size = sizeof(pair),
		  .type = VACCEL_ARG_CUSTOM,
		  .custom_type_id = 7 },
	};
	int ret;

	world->shortened = (struct vaccel_arg){ .buf = out(world, 0, 4), .size = 4 };
	ret = vaccel_exec(&world->sess, "/lib/mine.so", "work", read, 2, &world->shortened, 1);
	return ret;
}

static int run_exec_with_resource(struct world *world)
{
	world->shortened = (struct vaccel_arg){ .buf = out(world, 0, 3), .size = 3 };
	return vaccel_exec_with_resource(&world->sess, &world->lib, "work", NULL, 0,
					 &world->shortened, 1);
}

static int run_opencv(struct world *world)
{
	static uint8_t number = VACCEL_OP_OPENCV;
	static int32_t value = 5;
	struct vaccel_arg read[] = {
		{ .buf = &number, .size = sizeof(number), .type = VACCEL_ARG_UINT8 },
		{ .buf = &value, .size = sizeof(value), .type = VACCEL_ARG_INT32 },
	};

	world->shortened = (struct vaccel_arg){
		.buf = out(world, 0, 8),
		.size = 8,
		.type = VACCEL_ARG_BUFFER,
	};
	return vaccel_genop(&world->sess, read, 2, &world->shortened, 1);
}

/* Rows further apart than they are long: the last one ends where it ends. */
static int run_sgemm(struct world *world)
{
	return vaccel_sgemm(&world->sess, 2, 3, 2, 1.5f, floats(world, 0, 5), 3,
			    floats(world, 1, 7), 4, -2.0f, out(world, 0, 8 * sizeof(float)), 5);
}

static int run_arraycopy(struct world *world)
{
	int *a = malloc(3 * sizeof(*a));

	assert_non_null(a);
	free(world->in[0]);
	world->in[0] = a;
	a[0] = -1;
	a[1] = INT_MAX;
	a[2] = 7;
	return vaccel_fpga_arraycopy(&world->sess, a, out(world, 0, 3 * sizeof(*a)), 3);
}

static int run_mmult(struct world *world)
{
	return vaccel_fpga_mmult(&world->sess, floats(world, 0, 4), floats(world, 1, 4),
				 out(world, 0, 4 * sizeof(float)), 4);
}

static int run_parallel(struct world *world)
{
	return vaccel_fpga_parallel(&world->sess, floats(world, 0, 2), floats(world, 1, 2),
				    out(world, 0, 2 * sizeof(float)),
				    out(world, 1, 2 * sizeof(float)), 2);
}

static int run_vadd(struct world *world)
{
	return vaccel_fpga_vadd(&world->sess, floats(world, 0, 3), floats(world, 1, 3),
				out(world, 0, 3 * sizeof(float)), 3, 3);
}

static int run_minmax(struct world *world)
{
	double *data = malloc(2 * sizeof(*data));

	assert_non_null(data);
	free(world->in[0]);
	world->in[0] = data;
	data[0] = 2.5;
	data[1] = -4;
	return vaccel_minmax(&world->sess, data, 2, -10, 10, out(world, 0, 2 * sizeof(double)),
			     out(world, 1, sizeof(double)), out(world, 2, sizeof(double)));
}

static const struct operation {
	int (*run)(struct world *world);
	bool shortens; /* may answer less than it was given */
	const char *sent;
} operations[] = {
	{ run_exec, true,
	  " UINT8:01 STRING:/lib/mine.so STRING:work STRING:hi CUSTOM-7:01:02 | RAW:00:00:00:00" },
	{ run_exec_with_resource, true, " UINT8:02 INT64:1001 STRING:work | RAW:00:00:00" },
	{ run_opencv, true, " UINT8:17 INT32:5 | BUFFER:00:00:00:00:00:00:00:00" },
	{ run_sgemm, false,
	  " UINT8:11 INT64:2 INT64:3 INT64:2 FLOAT32:1.5 FLOAT32_ARRAY:1:2:3:4:5 INT64:3"
	  " FLOAT32_ARRAY:1:2:3:4:5:6:7 INT64:4 FLOAT32:-2 INT64:5 |"
	  " FLOAT32_ARRAY:0:0:0:0:0:0:0:0" },
	{ run_arraycopy, false, " UINT8:12 INT32_ARRAY:-1:2147483647:7 | INT32_ARRAY:0:0:0" },
	{ run_mmult, false,
	  " UINT8:13 FLOAT32_ARRAY:1:2:3:4 FLOAT32_ARRAY:1:2:3:4 | FLOAT32_ARRAY:0:0:0:0" },
	{ run_parallel, false,
	  " UINT8:14 FLOAT32_ARRAY:1:2 FLOAT32_ARRAY:1:2 | FLOAT32_ARRAY:0:0 FLOAT32_ARRAY:0:0" },
	{ run_vadd, false,
	  " UINT8:15 FLOAT32_ARRAY:1:2:3 FLOAT32_ARRAY:1:2:3 | FLOAT32_ARRAY:0:0:0" },
	{ run_minmax, false,
	  " UINT8:16 FLOAT64_ARRAY:2.5:-4 INT32:2 INT32:-10 INT32:10 |"
	  " FLOAT64_ARRAY:0:0 FLOAT64:0 FLOAT64:0" },
};

enum { OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

static void assert_outs(const struct world *world, bool written, size_t short_by)
{
	for (size_t i = 0; i < OUTS; i++) {
		const uint8_t *bytes = world->out[i];

		for (size_t j = 0; j < world->size[i]; j++)
			assert_int_equal(bytes[j],
					 written && j < world->size[i] - short_by ? 'A' + i : 0);
	}
}

static void test_what_is_sent_and_taken_back(void **state)
{
	struct world world;

	world_open(&world, state);
	for (size_t i = 0; i < OPERATIONS; i++) {
		assert_int_equal(operations[i].run(&world), VACCEL_OK);
		assert_string_equal(world.what, operations[i].sent);
		assert_outs(&world, true, 0);
		free_arrays(&world);
	}
	assert_int_equal(world.fake->genops, OPERATIONS);
	world_close(&world);
}

static void test_answers_that_lie(void **state)
{
	static const enum lie lies[] = { LONGER, FEWER, MORE, OTHER_TYPE };
	struct world world;

	world_open(&world, state);
	for (size_t i = 0; i < OPERATIONS; i++) {
		for (size_t j = 0; j < sizeof(lies) / sizeof(lies[0]); j++) {
			world.lie = lies[j];
			assert_int_equal(operations[i].run(&world), VACCEL_EBACKEND);
			assert_non_null(strstr(rig_reason(), "the agent answered an operation"));
			assert_outs(&world, false, 0);
			free_arrays(&world);
		}
	}
	world_close(&world);
}

/* An array of numbers is whole or nothing; a function may shorten what it was given. */
static void test_shorter_answers(void **state)
{
	struct world world;

	world_open(&world, state);
	world.lie = SHORTER;
	for (size_t i = 0; i < OPERATIONS; i++) {
		int ret = operations[i].run(&world);

		if (operations[i].shortens) {
			assert_int_equal(ret, VACCEL_OK);
			assert_int_equal(world.shortened.size, world.size[0] - 1);
			assert_outs(&world, true, 1);
		} else {
			assert_int_equal(ret, VACCEL_EBACKEND);
			assert_outs(&world, false, 0);
		}
		free_arrays(&world);
	}
	world_close(&world);
}

static bool refuse(const struct fake_call *call)
{
	Vaccel__Status status = VACCEL__STATUS__INIT;
	Vaccel__Error error = VACCEL__ERROR__INIT;
	struct ttrpc_status failure = { .code = TTRPC_PERMISSION_DENIED };
	char sentence[] = "not without --allow exec";
	uint8_t detail[128];

	if (strcmp(call->method, "Genop") != 0)
		return false;
	status.code = VACCEL_EPERM;
	status.message = sentence;
	error.type = VACCEL__ERROR_TYPE__FFI_WITH_STATUS;
	error.optional_ffi_error_case = VACCEL__ERROR__OPTIONAL_FFI_ERROR_FFI_ERROR;
	error.ffi_error = VACCEL_EPERM;
	error.status = &status;
	failure.message = sentence;
	failure.detail_type_url = "type.googleapis.com/vaccel.ProtoError";
	failure.detail = detail;
	failure.detail_size = vaccel__error__pack(&error, detail);
	fake_fail(call, &failure);
	return true;
}

static void test_refusals(void **state)
{
	struct world world;

	world_open(&world, state);
	world.fake->script = refuse;
	for (size_t i = 0; i < OPERATIONS; i++) {
		assert_int_equal(operations[i].run(&world), VACCEL_EPERM);
		assert_string_equal(rig_reason(), "not without --allow exec");
		assert_outs(&world, false, 0);
		free_arrays(&world);
	}
	world_close(&world);
}

static void test_matrices_that_are_none(void **state)
{
	static const struct {
		int64_t m, n, k, lda, ldb, ldc;
		const char *reason;
	} shapes[] = {
		{ 0, 1, 1, 1, 1, 1, "\"a\" cannot have 0 rows of 1" },
		{ -1, 1, 1, 1, 1, 1, "\"a\" cannot have -1 rows" },
		{ 1, 1, 0, 1, 1, 1, "\"a\" cannot have 1 rows of 0" },
		{ 1, 0, 1, 1, 1, 1, "\"b\" cannot have 1 rows of 0" },
		{ 1, INT64_MIN, 1, 1, 1, 1, "\"b\" cannot" },
		{ 1, 1, 2, 1, 1, 1, "\"a\" cannot have 1 rows of 2 elements, 1 from one" },
		{ 1, 2, 1, 1, 1, 2, "\"b\" cannot have 1 rows of 2 elements, 1 from one" },
		{ 1, 2, 1, 1, 2, 1, "\"c\" cannot have 1 rows of 2 elements, 1 from one" },
		{ 2, 1, 1, -1, 1, 1, "\"a\" cannot have 2 rows of 1 elements, -1 from one" },
		{ INT64_MAX, 1, 1, INT64_MAX, 1, 1, "\"a\" of 9223372036854775807 rows" },
		{ INT64_MAX, 1, 1, 1, 1, 1, "array \"a\" cannot have 9223372036854775807" },
		{ 1, 1, INT64_MAX / 8, INT64_MAX / 8, 1, 1, "does not fit a frame" },
	};
	float a = 0, b = 0, c = 0;
	struct world world;

	world_open(&world, state);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		assert_int_equal(vaccel_sgemm(&world.sess, shapes[i].m, shapes[i].n, shapes[i].k, 1,
					      &a, shapes[i].lda, &b, shapes[i].ldb, 1, &c,
					      shapes[i].ldc),
				 VACCEL_EINVAL);
		assert_non_null(strstr(rig_reason(), shapes[i].reason));
	}
	assert_int_equal(vaccel_sgemm(&world.sess, 1, 1, 1, 1, NULL, 1, &b, 1, 1, &c, 1),
			 VACCEL_EINVAL);
	assert_non_null(strstr(rig_reason(), "\"a\" is missing"));
	assert_int_equal(vaccel_sgemm(&world.sess, 1, 1, 1, 1, &a, 1, &b, 1, 1, NULL, 1),
			 VACCEL_EINVAL);
	assert_non_null(strstr(rig_reason(), "\"c\" is missing"));
	assert_int_equal(world.fake->genops, 0);
	world_close(&world);
}

static void test_arrays_that_are_none(void **state)
{
	float f[2] = { 0 };
	struct world world;
	double d = 0;
	int i = 0;

	world_open(&world, state);
	assert_int_equal(vaccel_fpga_arraycopy(&world.sess, NULL, &i, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_fpga_arraycopy(&world.sess, &i, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_fpga_arraycopy(&world.sess, &i, &i, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_fpga_arraycopy(&world.sess, &i, &i, SIZE_MAX / 2), VACCEL_EINVAL);
	assert_non_null(strstr(rig_reason(), "array \"a\" cannot have"));
	assert_int_equal(vaccel_fpga_arraycopy(&world.sess, &i, &i, SIZE_MAX / 4), VACCEL_EINVAL);
	assert_non_null(strstr(rig_reason(), "does not fit a frame"));
	assert_int_equal(vaccel_fpga_mmult(&world.sess, f, NULL, f, 2), VACCEL_EINVAL);
	assert_int_equal(vaccel_fpga_parallel(&world.sess, f, f, f, NULL, 2), VACCEL_EINVAL);
	assert_int_equal(vaccel_fpga_vadd(&world.sess, f, f, f, 2, 1), VACCEL_EINVAL);
	assert_non_null(strstr(rig_reason(), "arrays of 2 and 1 elements"));
	assert_int_equal(vaccel_fpga_vadd(&world.sess, f, f, f, 1, 2), VACCEL_EINVAL);
	assert_int_equal(vaccel_minmax(&world.sess, &d, -1, 0, 1, &d, &d, &d), VACCEL_EINVAL);
	assert_int_equal(vaccel_minmax(&world.sess, &d, 0, 0, 1, &d, &d, &d), VACCEL_EINVAL);
	assert_int_equal(vaccel_minmax(&world.sess, &d, 1, 0, 1, &d, NULL, &d), VACCEL_EINVAL);
	assert_int_equal(vaccel_minmax(&world.sess, &d, 1, 0, 1, &d, &d, NULL), VACCEL_EINVAL);
	assert_int_equal(world.fake->genops, 0);
	world_close(&world);
}

static void test_lists_that_are_none(void **state)
{
	struct vaccel_arg hollow = { .size = 4 }, vast = { .size = SIZE_MAX - 10 }, empty = { 0 };
	struct vaccel_resource other;
	struct world world;
	uint8_t byte = 1;

	vast.buf = &byte;
	empty.buf = &byte;
	world_open(&world, state);
	assert_int_equal(vaccel_exec(&world.sess, NULL, "f", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_exec(&world.sess, "l", NULL, NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_exec(&world.sess, "l", "f", NULL, 1, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_exec(&world.sess, "l", "f", &hollow, SIZE_MAX, NULL, 0),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_exec(&world.sess, "l", "f", &hollow, 1, NULL, 0), VACCEL_EINVAL);
	assert_non_null(strstr(rig_reason(), "argument 3 of an operation has 4 bytes"));
	assert_int_equal(vaccel_exec(&world.sess, "l", "f", &empty, 1, NULL, 0), VACCEL_EINVAL);
	assert_non_null(strstr(rig_reason(), "argument 3 of an operation has 0 bytes"));
	assert_int_equal(vaccel_exec(&world.sess, "l", "f", NULL, 0, &hollow, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_exec(&world.sess, "l", "f", &vast, 1, NULL, 0), VACCEL_EINVAL);
	assert_non_null(strstr(rig_reason(), "does not fit a frame"));
	assert_int_equal(vaccel_exec_with_resource(&world.sess, &world.lib, NULL, NULL, 0, NULL, 0),
			 VACCEL_EINVAL);
	/* a library that another session may have, but not this one */
	assert_int_equal(
		vaccel_resource_init_from_buf(&other, &byte, 1, VACCEL_RESOURCE_LIB, "o", true),
		VACCEL_OK);
	assert_int_equal(vaccel_exec_with_resource(&world.sess, &other, "f", NULL, 0, NULL, 0),
			 VACCEL_EPERM);
	assert_int_equal(vaccel_resource_release(&other), VACCEL_OK);
	assert_int_equal(world.fake->genops, 0);
	world_close(&world);
}

/* vAccel's protocol has no noop: it is sent to agents alone whose Hello says that they take it. */
static void test_noop(void **state)
{
	struct fake *fake = *state;
	static char feature[] = "noop";
	struct world world;

	fake->feature = feature;
	world_open(&world, state);
	assert_int_equal(vaccel_noop(&world.sess), VACCEL_OK);
	assert_string_equal(world.what, " UINT8:00 |");
	world.fake->script = refuse;
	assert_int_equal(vaccel_noop(&world.sess), VACCEL_EPERM);
	world_close(&world);
}

static void test_operations_without_a_remote_form(void **state)
{
	uint8_t number = VACCEL_OP_TORCH_SGEMM;
	struct vaccel_arg read = { .buf = &number, .size = 1, .type = VACCEL_ARG_UINT8 };
	static char other[] = "nooper";
	struct world world;

	((struct fake *)*state)->feature = other;
	world_open(&world, state);
	assert_int_equal(vaccel_noop(&world.sess), VACCEL_ENOTSUP);
	assert_non_null(strstr(rig_reason(), "noop has no form in vAccel's protocol"));
	/* libvaccel finds no function and says which */
	assert_int_equal(vaccel_torch_sgemm(&world.sess, NULL, NULL, NULL, 1, 1, 1, NULL),
			 VACCEL_ENOTSUP);
	assert_non_null(strstr(rig_reason(), "torch_sgemm"));
	assert_int_equal(vaccel_genop(&world.sess, &read, 1, NULL, 0), VACCEL_ENOTSUP);
	assert_int_equal(world.fake->genops, 0);
	world_close(&world);
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_what_is_sent_and_taken_back),
		RIG(test_answers_that_lie),
		RIG(test_shorter_answers),
		RIG(test_refusals),
		RIG(test_matrices_that_are_none),
		RIG(test_arrays_that_are_none),
		RIG(test_lists_that_are_none),
		RIG(test_noop),
		RIG(test_operations_without_a_remote_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
