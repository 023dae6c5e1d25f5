/*
 * rpc_tf.c - TensorFlow and TensorFlow Lite through the rpc plugin: what is sent, the status that
 * comes back beside a code, tensors, and tensors that lie.
 */
#include "error.pb-c.h"
#include "frame.h"
#include "rpc_fake.h"
#include "tf.pb-c.h"
#include "tflite.pb-c.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTS = 2, LIST = 4, WHAT_SIZE = 512 };

/* How a call ends. */
enum end { DONE, DONE_WITH_STATUS, FAILED, FAILED_WITH_STATUS, FAILED_PLAINLY };

struct world {
	struct fake *fake;
	struct vaccel_session sess;
	struct vaccel_resource model;

	char what[WHAT_SIZE]; /* what was last asked of the agent */

	/* how it answers */
	enum end end;
	uint32_t status_code;
	const char *status_text;
	size_t n_tensors, n_dims, size;
};

static const float numbers[] = { 1.5f, -2.0f, 3.25f, 0.0f, 5.0f, 6.0f };

static void say(struct world *world, const char *format, ...)
{
	size_t length = strlen(world->what);
	va_list args;

	va_start(args, format);
	vsnprintf(world->what + length, sizeof(world->what) - length, format, args);
	va_end(args);
}

static void fail_as_told(const struct fake_call *call, Vaccel__Status *status)
{
	struct ttrpc_status failure = { .code = TTRPC_INTERNAL, .message = "FFI error: 22" };
	const struct world *world = call->fake->user;
	Vaccel__Error error = VACCEL__ERROR__INIT;
	uint8_t detail[128];

	error.optional_ffi_error_case = VACCEL__ERROR__OPTIONAL_FFI_ERROR_FFI_ERROR;
	error.ffi_error = VACCEL_EINVAL;
	if (world->end == FAILED_WITH_STATUS) {
		error.type = VACCEL__ERROR_TYPE__FFI_WITH_STATUS;
		error.status = status;
	}
	if (world->end != FAILED_PLAINLY) {
		failure.detail_type_url = "type.googleapis.com/vaccel.ProtoError";
		failure.detail_size = vaccel__error__pack(&error, detail);
		failure.detail = detail;
	}
	fake_fail(call, &failure);
}

static void answer_load(const struct fake_call *call, Vaccel__Status *status)
{
	const Vaccel__Tf__ModelLoadRequest *request =
		(const void *)fake_request(call, &vaccel__tf__model_load_request__descriptor);
	Vaccel__Tf__ModelLoadResponse response = VACCEL__TF__MODEL_LOAD_RESPONSE__INIT;
	struct world *world = call->fake->user;

	say(world, " session %ld model %ld", (long)request->session_id, (long)request->model_id);
	response.status = status;
	fake_reply(call, &response.base);
}

static void answer_unload(const struct fake_call *call, Vaccel__Status *status)
{
	const Vaccel__Tf__ModelUnloadRequest *request =
		(const void *)fake_request(call, &vaccel__tf__model_unload_request__descriptor);
	Vaccel__Tf__ModelUnloadResponse response = VACCEL__TF__MODEL_UNLOAD_RESPONSE__INIT;
	struct world *world = call->fake->user;

	say(world, " session %ld model %ld", (long)request->session_id, (long)request->model_id);
	response.status = status;
	fake_reply(call, &response.base);
}

static uint8_t tensor_bytes[64] = { 1, 2, 3, 4 };

static void answer_run(const struct fake_call *call, Vaccel__Status *status)
{
	const Vaccel__Tf__ModelRunRequest *request =
		(const void *)fake_request(call, &vaccel__tf__model_run_request__descriptor);
	Vaccel__Tf__ModelRunResponse response = VACCEL__TF__MODEL_RUN_RESPONSE__INIT;
	Vaccel__Tf__Tensor tensor = VACCEL__TF__TENSOR__INIT;
	Vaccel__Tf__Tensor *list[LIST] = { &tensor, &tensor, &tensor, &tensor };
	struct world *world = call->fake->user;
	int64_t dims[] = { INT64_MAX, -1, 7 };

	say(world, " session %ld model %ld", (long)request->session_id, (long)request->model_id);
	if (request->optional_run_options_case)
		say(world, " options %.*s", (int)request->run_options.len,
		    (const char *)request->run_options.data);
	for (size_t i = 0; i < request->n_in_nodes; i++)
		say(world, " in %s:%d", request->in_nodes[i]->name, request->in_nodes[i]->id);
	for (size_t i = 0; i < request->n_out_nodes; i++)
		say(world, " out %s:%d", request->out_nodes[i]->name, request->out_nodes[i]->id);
	for (size_t i = 0; i < request->n_in_tensors; i++) {
		const Vaccel__Tf__Tensor *in = request->in_tensors[i];

		say(world, " tensor of type %u, %zu bytes%s,", in->type, in->data.len,
		    in->data.len && memcmp(in->data.data, numbers, in->data.len) ? "?" : "");
		for (size_t j = 0; j < in->n_dims; j++)
			say(world, " %ld", (long)in->dims[j]);
	}
	tensor.data.data = tensor_bytes;
	tensor.data.len = world->size;
	tensor.n_dims = world->n_dims;
	tensor.dims = dims;
	tensor.type = VACCEL_TF_HALF;
	response.n_out_tensors = world->n_tensors;
	response.out_tensors = list;
	response.status = status;
	fake_reply(call, &response.base);
}

static void answer_lite_run(const struct fake_call *call, Vaccel__Status *status)
{
	const Vaccel__Tflite__ModelRunRequest *request =
		(const void *)fake_request(call, &vaccel__tflite__model_run_request__descriptor);
	Vaccel__Tflite__ModelRunResponse response = VACCEL__TFLITE__MODEL_RUN_RESPONSE__INIT;
	Vaccel__Tflite__Tensor tensor = VACCEL__TFLITE__TENSOR__INIT;
	Vaccel__Tflite__Tensor *list[LIST] = { &tensor, &tensor, &tensor, &tensor };
	struct world *world = call->fake->user;
	int32_t dims[] = { INT32_MAX, -1, 7 };

	say(world, " session %ld model %ld outputs %ld", (long)request->session_id,
	    (long)request->model_id, (long)request->nr_out_tensors);
	for (size_t i = 0; i < request->n_in_tensors; i++) {
		const Vaccel__Tflite__Tensor *in = request->in_tensors[i];

		say(world, " tensor of type %u, %zu bytes%s,", in->type, in->data.len,
		    in->data.len && memcmp(in->data.data, numbers, in->data.len) ? "?" : "");
		for (size_t j = 0; j < in->n_dims; j++)
			say(world, " %d", in->dims[j]);
	}
	tensor.data.data = tensor_bytes;
	tensor.data.len = world->size;
	tensor.n_dims = world->n_dims;
	tensor.dims = dims;
	tensor.type = VACCEL_TFLITE_INT4;
	response.n_out_tensors = world->n_tensors;
	response.out_tensors = list;
	response.status = status;
	fake_reply(call, &response.base);
}

static bool answer_as_told(const struct fake_call *call)
{
	static const struct {
		const char *method;
		void (*answer)(const struct fake_call *call, Vaccel__Status *status);
	} methods[] = {
		{ "TensorflowModelLoad", answer_load },
		{ "TensorflowModelUnload", answer_unload },
		{ "TensorflowModelRun", answer_run },
		{ "TensorflowLiteModelRun", answer_lite_run },
	};
	struct world *world = call->fake->user;
	Vaccel__Status status = VACCEL__STATUS__INIT;
	char text[64];

	if (!strstr(call->method, "Model"))
		return false;
	snprintf(world->what, sizeof(world->what), "%s", call->method);
	snprintf(text, sizeof(text), "%s", world->status_text ? world->status_text : "");
	status.code = world->status_code;
	status.message = text;
	if (world->end >= FAILED) {
		fail_as_told(call, &status);
		return true;
	}
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].method, call->method) != 0)
			continue;
		methods[i].answer(call, world->end == DONE_WITH_STATUS ? &status : NULL);
		return true;
	}
	return false;
}

static void world_open(struct world *world, void **state)
{
	static const uint8_t model[] = "not really a model";

	memset(world, 0, sizeof(*world));
	world->fake = *state;
	world->fake->user = world;
	world->n_tensors = OUTS;
	world->n_dims = 3;
	world->size = 4;
	assert_int_equal(vaccel_session_init(&world->sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_init_from_buf(&world->model, model, sizeof(model),
						       VACCEL_RESOURCE_MODEL, "m.tf", true),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&world->model, &world->sess), VACCEL_OK);
	world->fake->script = answer_as_told;
}

static void world_close(struct world *world)
{
	assert_int_equal(vaccel_session_release(&world->sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&world->model), VACCEL_OK);
}

/* Two inputs, one of them without data; two outputs. */
static int run_tf(struct world *world, const char *options, struct vaccel_tf_tensor *outs[OUTS],
		  struct vaccel_tf_status *status)
{
	static char x[] = "x", y[] = "y", z[] = "z", w[] = "w";
	static int64_t dims[] = { 2, 3 }, none[] = { 0 };
	const struct vaccel_tf_buffer buffer = { (void *)options, options ? strlen(options) : 0 };
	const struct vaccel_tf_node in[] = { { x, 0 }, { y, -1 } }, out[] = { { z, 1 }, { w, 0 } };
	struct vaccel_tf_tensor tensors[] = {
		{ (void *)numbers, sizeof(numbers), false, 2, dims, VACCEL_TF_FLOAT },
		{ NULL, 0, false, 1, none, VACCEL_TF_STRING },
	};
	struct vaccel_tf_tensor *list[] = { &tensors[0], &tensors[1] };

	outs[0] = outs[1] = NULL;
	return vaccel_tf_model_run(&world->sess, &world->model, options ? &buffer : NULL, in, list,
				   2, out, outs, OUTS, status);
}

static int run_tflite(struct world *world, struct vaccel_tflite_tensor *outs[OUTS], uint8_t *status)
{
	static int32_t dims[] = { 2, 3 };
	struct vaccel_tflite_tensor tensor = {
		(void *)numbers, sizeof(numbers), false, 2, dims, VACCEL_TFLITE_FLOAT32,
	};
	struct vaccel_tflite_tensor *list[] = { &tensor };

	outs[0] = outs[1] = NULL;
	return vaccel_tflite_model_run(&world->sess, &world->model, list, 1, outs, OUTS, status);
}

static void test_tf_requests(void **state)
{
	struct vaccel_tf_tensor *outs[OUTS];
	struct world world;

	world_open(&world, state);
	assert_int_equal(vaccel_tf_model_load(&world.sess, &world.model, NULL), VACCEL_OK);
	assert_string_equal(world.what, "TensorflowModelLoad session 1000 model 1001");
	assert_int_equal(vaccel_tf_model_unload(&world.sess, &world.model, NULL), VACCEL_OK);
	assert_string_equal(world.what, "TensorflowModelUnload session 1000 model 1001");
	assert_int_equal(run_tf(&world, "fast", outs, NULL), VACCEL_OK);
	assert_string_equal(world.what, "TensorflowModelRun session 1000 model 1001 options fast"
					" in x:0 in y:-1 out z:1 out w:0"
					" tensor of type 1, 24 bytes, 2 3"
					" tensor of type 7, 0 bytes, 0");
	for (int i = 0; i < OUTS; i++) {
		assert_int_equal(outs[i]->nr_dims, 3);
		assert_true(outs[i]->dims[0] == INT64_MAX && outs[i]->dims[1] == -1);
		assert_int_equal(outs[i]->dims[2], 7);
		assert_int_equal(outs[i]->data_type, VACCEL_TF_HALF);
		assert_int_equal(outs[i]->size, 4);
		assert_true(outs[i]->owned);
		assert_memory_equal(outs[i]->data, tensor_bytes, 4);
		assert_int_equal(vaccel_tf_tensor_delete(outs[i]), VACCEL_OK);
	}
	assert_int_equal(run_tf(&world, NULL, outs, NULL), VACCEL_OK);
	assert_non_null(strstr(world.what, "model 1001 in x:0"));
	for (int i = 0; i < OUTS; i++)
		assert_int_equal(vaccel_tf_tensor_delete(outs[i]), VACCEL_OK);
	world_close(&world);
}

static void test_tflite_requests(void **state)
{
	struct vaccel_tflite_tensor *outs[OUTS];
	struct world world;
	uint8_t status = 9;

	world_open(&world, state);
	assert_int_equal(vaccel_tflite_model_load(&world.sess, &world.model), VACCEL_OK);
	assert_string_equal(world.what, "TensorflowLiteModelLoad");
	assert_int_equal(vaccel_tflite_model_unload(&world.sess, &world.model), VACCEL_OK);
	assert_string_equal(world.what, "TensorflowLiteModelUnload");
	world.size = 0;
	assert_int_equal(run_tflite(&world, outs, &status), VACCEL_OK);
	assert_string_equal(world.what, "TensorflowLiteModelRun session 1000 model 1001 outputs 2"
					" tensor of type 1, 24 bytes, 2 3");
	assert_int_equal(status, 0);
	for (int i = 0; i < OUTS; i++) {
		assert_int_equal(outs[i]->nr_dims, 3);
		assert_int_equal(outs[i]->dims[0], INT32_MAX);
		assert_int_equal(outs[i]->dims[1], -1);
		assert_int_equal(outs[i]->dims[2], 7);
		assert_int_equal(outs[i]->data_type, VACCEL_TFLITE_INT4);
		assert_int_equal(outs[i]->size, 0);
		assert_int_equal(vaccel_tflite_tensor_delete(outs[i]), VACCEL_OK);
	}
	world_close(&world);
}

/* What each way to end gives: a code, a status, and what it says. */
static const struct ending {
	enum end end;
	uint32_t status_code;
	const char *status_text;
	int code;
	uint8_t status;
	const char *message;
} endings[] = {
	{ DONE, 0, NULL, VACCEL_OK, 0, "" },
	{ DONE_WITH_STATUS, 0, "all is well", VACCEL_OK, 0, "all is well" },
	{ DONE_WITH_STATUS, 3, "after a fashion", VACCEL_OK, 3, "after a fashion" },
	{ FAILED, 0, NULL, VACCEL_EINVAL, 255, "FFI error: 22" },
	{ FAILED_WITH_STATUS, 5, "no such graph", VACCEL_EINVAL, 5, "no such graph" },
	{ FAILED_WITH_STATUS, 0, "", VACCEL_EINVAL, 0, "" },
	{ FAILED_WITH_STATUS, 256, "beyond a byte", VACCEL_EINVAL, 255, "beyond a byte" },
	{ FAILED_PLAINLY, 0, NULL, VACCEL_EIO, 255, "FFI error: 22" },
};

static void assert_status(struct vaccel_tf_status *status, const struct ending *ending)
{
	assert_int_equal(status->code, ending->status);
	assert_string_equal(status->message, ending->message);
	assert_int_equal(vaccel_tf_status_release(status), VACCEL_OK);
}

static void test_statuses(void **state)
{
	struct vaccel_tflite_tensor *lite[OUTS];
	struct vaccel_tf_tensor *outs[OUTS];
	struct vaccel_tf_status status;
	struct world world;
	uint8_t byte;

	world_open(&world, state);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const struct ending *ending = &endings[i];

		world.end = ending->end;
		world.status_code = ending->status_code;
		world.status_text = ending->status_text;
		assert_int_equal(vaccel_tf_model_load(&world.sess, &world.model, &status),
				 ending->code);
		assert_status(&status, ending);
		assert_int_equal(vaccel_tf_model_unload(&world.sess, &world.model, &status),
				 ending->code);
		assert_status(&status, ending);
		assert_int_equal(vaccel_tf_model_unload(&world.sess, &world.model, NULL),
				 ending->code);
		assert_int_equal(run_tf(&world, NULL, outs, &status), ending->code);
		assert_status(&status, ending);
		assert_int_equal(run_tflite(&world, lite, &byte), ending->code);
		assert_int_equal(byte, ending->status);
		for (int j = 0; j < OUTS; j++) {
			assert_true(!outs[j] == (ending->code != VACCEL_OK));
			assert_true(!lite[j] == (ending->code != VACCEL_OK));
			if (outs[j])
				vaccel_tf_tensor_delete(outs[j]);
			if (lite[j])
				vaccel_tflite_tensor_delete(lite[j]);
		}
		if (ending->end >= FAILED && *ending->message)
			assert_string_equal(rig_reason(), ending->message);
	}
	world_close(&world);
}

static void test_tensors_that_lie(void **state)
{
	static const struct {
		size_t n_tensors, n_dims;
		const char *reason;
	} lies[] = {
		{ 0, 3, "with 0 tensors; 2 were asked for" },
		{ 1, 3, "with 1 tensors; 2 were asked for" },
		{ 3, 3, "with 3 tensors; 2 were asked for" },
		{ 2, 0, "with a tensor of 0 dimensions" },
	};
	struct vaccel_tflite_tensor *lite[OUTS];
	struct vaccel_tf_tensor *outs[OUTS];
	struct vaccel_tf_status status;
	struct world world;
	uint8_t byte = 0;

	world_open(&world, state);
	world.end = DONE_WITH_STATUS;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		world.n_tensors = lies[i].n_tensors;
		world.n_dims = lies[i].n_dims;
		assert_int_equal(run_tf(&world, NULL, outs, &status), VACCEL_EBACKEND);
		assert_non_null(strstr(rig_reason(), lies[i].reason));
		assert_int_equal(status.code, 255);
		assert_string_equal(status.message, rig_reason());
		assert_int_equal(vaccel_tf_status_release(&status), VACCEL_OK);
		assert_int_equal(run_tflite(&world, lite, &byte), VACCEL_EBACKEND);
		assert_non_null(strstr(rig_reason(), lies[i].reason));
		assert_int_equal(byte, 255);
		for (int j = 0; j < OUTS; j++)
			assert_true(!outs[j] && !lite[j]);
	}
	world_close(&world);
}

/* The second is none: the first is taken away again. */
static bool answer_with_half(const struct fake_call *call)
{
	Vaccel__Tf__ModelRunResponse response = VACCEL__TF__MODEL_RUN_RESPONSE__INIT;
	Vaccel__Tf__Tensor good = VACCEL__TF__TENSOR__INIT, bad = VACCEL__TF__TENSOR__INIT;
	Vaccel__Tf__Tensor *list[OUTS] = { &good, &bad };
	int64_t dim = 4;

	if (strcmp(call->method, "TensorflowModelRun") != 0)
		return false;
	good.data.data = bad.data.data = tensor_bytes;
	good.data.len = bad.data.len = 4;
	good.n_dims = 1;
	good.dims = &dim;
	response.n_out_tensors = OUTS;
	response.out_tensors = list;
	fake_reply(call, &response.base);
	return true;
}

static void test_all_outputs_or_none(void **state)
{
	struct vaccel_tf_tensor *outs[OUTS];
	struct world world;

	world_open(&world, state);
	world.fake->script = answer_with_half;
	assert_int_equal(run_tf(&world, NULL, outs, NULL), VACCEL_EBACKEND);
	assert_true(!outs[0] && !outs[1]);
	world_close(&world);
}

static void test_what_is_not_sent(void **state)
{
	static char name[] = "x";
	static int64_t dims[] = { 1 };
	static float number;
	struct vaccel_tf_tensor vast = {
		&number, SIZE_MAX - 16, false, 1, dims, VACCEL_TF_FLOAT,
	};
	struct vaccel_tf_tensor shapeless = { &number, 4, false, 1, NULL, VACCEL_TF_FLOAT };
	struct vaccel_tf_tensor sound = { &number, 4, false, 1, dims, VACCEL_TF_FLOAT };
	const struct vaccel_tf_buffer options = { name, SIZE_MAX - 16 };
	struct vaccel_tf_node good = { name, 0 }, nameless = { NULL, 0 };
	struct vaccel_tf_tensor *none = NULL, *out = NULL, *in;
	struct vaccel_tf_status status;
	struct world world;

#define RUN(options, node, tensors, nr_in, outs, nr_out)                                           \
	vaccel_tf_model_run(&world.sess, &world.model, options, node, tensors, nr_in, &good, outs, \
			    nr_out, &status)
#define REFUSED(call, reason)                                                                      \
	do {                                                                                       \
		assert_int_equal(call, VACCEL_EINVAL);                                             \
		assert_non_null(strstr(rig_reason(), reason));                                     \
		assert_int_equal(status.code, 255);                                                \
		assert_string_equal(status.message, rig_reason());                                 \
		vaccel_tf_status_release(&status);                                                 \
	} while (0)
	world_open(&world, state);
	REFUSED(RUN(NULL, &good, NULL, 1, &out, 1), "list of 1 input tensors is missing");
	REFUSED(RUN(NULL, &good, &none, 1, &out, 1), "input tensor 0 is missing");
	REFUSED(RUN(NULL, &good, &none, -1, &out, 1), "list of -1 input tensors");
	in = &vast;
	REFUSED(RUN(NULL, &good, &in, 1, &out, 1), "does not fit a frame");
	in = &shapeless;
	REFUSED(RUN(NULL, &good, &in, 1, &out, 1), "input tensor 0 has no data or no shape");
	in = &sound;
	REFUSED(RUN(NULL, NULL, &in, 1, &out, 1), "list of 1 input nodes is missing");
	REFUSED(RUN(NULL, &nameless, &in, 1, &out, 1), "input node 0 has no name");
	REFUSED(RUN(NULL, &good, &in, 1, NULL, 1), "list of 1 output tensors is missing");
	REFUSED(RUN(NULL, &good, &in, 1, &out, -1), "list of -1 output");
	REFUSED(RUN(&options, &good, &in, 1, &out, 1), "does not fit a frame");
	assert_int_equal(world.fake->runs, 0);
	world_close(&world);
}

static void test_lost_connection(void **state)
{
	struct vaccel_tf_tensor *outs[OUTS];
	struct vaccel_tf_status status;
	struct world world;

	world_open(&world, state);
	fake_hang_up(world.fake);
	assert_int_equal(run_tf(&world, NULL, outs, &status), VACCEL_ESESS);
	assert_int_equal(status.code, 255);
	assert_non_null(strstr(status.message, "the connection to the agent"));
	assert_int_equal(vaccel_tf_status_release(&status), VACCEL_OK);
	world_close(&world);
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_tf_requests),
		RIG(test_tflite_requests),
		RIG(test_statuses),
		RIG(test_tensors_that_lie),
		RIG(test_all_outputs_or_none),
		RIG(test_what_is_not_sent),
		RIG(test_lost_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
