/*
 * rpc_ops.c - the rpc plugin's operations: which method serves them, what is sent, and answers
 * that lie.
 */
#include "genop.pb-c.h"
#include "image.pb-c.h"
#include "rpc_fake.h"
#include "torch.pb-c.h"
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 64, HUGE_TAGS = 2 << 20 };

static const uint8_t image[16] = { 7 };

/* The last Genop, as text, and how its answer is to be. */
struct genop {
	char what[256];
	size_t args; /* write arguments answered */
	size_t size; /* bytes of each, all 'x' */
	uint32_t type;
};

static void open_session(struct vaccel_session *sess)
{
	assert_int_equal(vaccel_session_init(sess, 0), VACCEL_OK);
}

static void test_classification_without_a_name(void **state)
{
	struct fake *fake = *state;
	unsigned char text[TEXT_SIZE];
	struct vaccel_session sess;

	open_session(&sess);
	assert_int_equal(vaccel_image_classification(&sess, image, text, NULL, sizeof(image),
						     sizeof(text), 0),
			 VACCEL_OK);
	assert_string_equal(text, "16 bytes from 7");
	/* what does not fit is cut */
	assert_int_equal(vaccel_image_classification(&sess, image, text, text, sizeof(image), 6, 0),
			 VACCEL_OK);
	assert_string_equal(text, "16 by");
	assert_int_equal(vaccel_image_classification(&sess, image, text, NULL, sizeof(image), 1, 0),
			 VACCEL_OK);
	assert_string_equal(text, "");
	assert_int_equal(fake->classifies, 3);
	assert_int_equal(fake->genops, 0);
	assert_int_equal(vaccel_image_classification(&sess, NULL, text, NULL, 5, sizeof(text), 0),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

/* Tags without a NUL, of any length, 't' throughout. */
static bool answer_tags(const struct fake_call *call)
{
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;
	const size_t *size = call->fake->user;

	if (strcmp(call->method, "ImageClassification") != 0)
		return false;
	response.tags.len = *size;
	response.tags.data = malloc(*size + 1);
	memset(response.tags.data, 't', *size);
	fake_reply(call, &response.base);
	free(response.tags.data);
	return true;
}

static void test_tags_that_lie(void **state)
{
	static const struct {
		size_t sent;
		size_t room;
		const char *text;
	} cases[] = {
		{ HUGE_TAGS, 8, "ttttttt" },
		{ 8, 8, "ttttttt" },
		{ 7, 8, "ttttttt" },
		{ 3, 8, "ttt" },
		{ 0, 8, "" },
		{ HUGE_TAGS, 1, "" },
	};
	struct fake *fake = *state;
	struct vaccel_session sess;

	open_session(&sess);
	fake->script = answer_tags;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* on the heap, where a byte too many is seen */
		unsigned char *text = malloc(cases[i].room);

		assert_non_null(text);
		fake->user = (void *)&cases[i].sent;
		assert_int_equal(vaccel_image_classification(&sess, image, text, NULL,
							     sizeof(image), cases[i].room, 0),
				 VACCEL_OK);
		assert_string_equal(text, cases[i].text);
		free(text);
	}
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static bool note_genop(const struct fake_call *call)
{
	const Vaccel__Genop__Request *request;
	struct genop *genop = call->fake->user;
	size_t length = 0;

	if (strcmp(call->method, "Genop") != 0)
		return false;
	request = (const void *)fake_request(call, &vaccel__genop__request__descriptor);
	for (size_t i = 0; i < request->n_read_args + request->n_write_args; i++) {
		bool read = i < request->n_read_args;
		const Vaccel__Genop__Arg *arg =
			read ? request->read_args[i]
			     : request->write_args[i - request->n_read_args];

		length += (size_t)snprintf(genop->what + length, sizeof(genop->what) - length,
					   "%s type %u size %u/%zu; ", read ? "read" : "write",
					   arg->arg_type, arg->size, arg->buf.len);
	}
	return false;
}

static void test_classification_with_a_name(void **state)
{
	struct fake *fake = *state;
	unsigned char text[TEXT_SIZE], name[32];
	struct vaccel_session sess;
	struct genop genop = { 0 };

	open_session(&sess);
	fake->script = note_genop;
	fake->user = &genop;
	assert_int_equal(vaccel_image_classification(&sess, image, text, name, sizeof(image),
						     sizeof(text), sizeof(name)),
			 VACCEL_OK);
	assert_string_equal(genop.what, "read type 9 size 1/1; read type 28 size 16/16; "
					"write type 26 size 32/32; write type 26 size 64/64; ");
	assert_string_equal(name, "op 3 arg 0");
	assert_string_equal(text, "op 3 arg 1");
	assert_int_equal(fake->classifies, 0);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

typedef int (*image_op)(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
			size_t len_img, size_t len_out_imgname);

static void test_other_image_operations(void **state)
{
	static const struct {
		image_op op;
		const char *name;
	} ops[] = {
		{ vaccel_image_detection, "op 4 arg 0" },
		{ vaccel_image_segmentation, "op 5 arg 0" },
		{ vaccel_image_pose, "op 6 arg 0" },
		{ vaccel_image_depth, "op 7 arg 0" },
	};
	struct fake *fake = *state;
	unsigned char name[TEXT_SIZE];
	struct vaccel_session sess;
	struct genop genop = { 0 };

	open_session(&sess);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		assert_int_equal(ops[i].op(&sess, image, name, sizeof(image), sizeof(name)),
				 VACCEL_OK);
		assert_string_equal(name, ops[i].name);
	}
	/* an agent takes no empty argument, wanted or not */
	fake->script = note_genop;
	fake->user = &genop;
	assert_int_equal(vaccel_image_pose(&sess, image, NULL, sizeof(image), 0), VACCEL_OK);
	assert_string_equal(genop.what, "read type 9 size 1/1; read type 28 size 16/16; "
					"write type 26 size 1024/1024; ");
	assert_int_equal(vaccel_image_pose(&sess, NULL, name, 16, sizeof(name)), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static bool answer_genop_of_x(const struct fake_call *call)
{
	Vaccel__Genop__Response response = VACCEL__GENOP__RESPONSE__INIT;
	Vaccel__Genop__Arg arg = VACCEL__GENOP__ARG__INIT;
	Vaccel__Genop__Arg *list[] = { &arg, &arg, &arg };
	const struct genop *genop = call->fake->user;
	uint8_t bytes[256];

	if (strcmp(call->method, "Genop") != 0)
		return false;
	memset(bytes, 'x', sizeof(bytes));
	arg.buf.data = bytes;
	arg.buf.len = genop->size;
	arg.size = 0xffffffff;
	arg.arg_type = genop->type;
	response.n_write_args = genop->args;
	response.write_args = list;
	fake_reply(call, &response.base);
	return true;
}

static void test_write_arguments_that_lie(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	struct genop genop;
	unsigned char *name = malloc(8);

	assert_non_null(name);
	open_session(&sess);
	fake->script = answer_genop_of_x;
	fake->user = &genop;
	/* too many, too few, too long: nothing is written */
	memset(name, 'n', 8);
	genop = (struct genop){ .type = VACCEL_ARG_UCHAR_ARRAY, .args = 2, .size = 8 };
	assert_int_equal(vaccel_image_pose(&sess, image, name, 16, 8), VACCEL_EBACKEND);
	genop = (struct genop){ .type = VACCEL_ARG_UCHAR_ARRAY, .args = 0 };
	assert_int_equal(vaccel_image_pose(&sess, image, name, 16, 8), VACCEL_EBACKEND);
	genop = (struct genop){ .type = VACCEL_ARG_UCHAR_ARRAY, .args = 1, .size = 9 };
	assert_int_equal(vaccel_image_pose(&sess, image, name, 16, 8), VACCEL_EBACKEND);
	assert_non_null(strstr(rig_reason(), "9 bytes for write argument 0, which has 8"));
	assert_memory_equal(name, "nnnnnnnn", 8);
	/* full and without a NUL; shorter: the rest stays */
	genop = (struct genop){ .type = VACCEL_ARG_UCHAR_ARRAY, .args = 1, .size = 8 };
	assert_int_equal(vaccel_image_pose(&sess, image, name, 16, 8), VACCEL_OK);
	assert_memory_equal(name, "xxxxxxx\0", 8);
	memset(name, 'n', 8);
	genop = (struct genop){ .type = VACCEL_ARG_UCHAR_ARRAY, .args = 1, .size = 3 };
	assert_int_equal(vaccel_image_pose(&sess, image, name, 16, 8), VACCEL_OK);
	assert_memory_equal(name, "xxx\0nnnn", 8);
	genop = (struct genop){ .type = VACCEL_ARG_UCHAR_ARRAY, .args = 1, .size = 0 };
	assert_int_equal(vaccel_image_pose(&sess, image, name, 16, 8), VACCEL_OK);
	assert_string_equal(name, "");
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	free(name);
}

struct torch {
	struct vaccel_session sess;
	struct vaccel_resource model;
	struct vaccel_torch_tensor *in;
};

static void torch_open(struct torch *torch)
{
	static const float data[] = { 1.5f, -2.0f, 3.25f, 0.0f, 5.0f, 6.0f };
	static const int64_t dims[] = { 2, 3 };
	static uint8_t model[] = "not really a model";

	open_session(&torch->sess);
	assert_int_equal(vaccel_resource_init_from_buf(&torch->model, model, sizeof(model),
						       VACCEL_RESOURCE_MODEL, "m.pt", true),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&torch->model, &torch->sess), VACCEL_OK);
	assert_int_equal(
		vaccel_torch_tensor_allocate(&torch->in, 2, dims, VACCEL_TORCH_FLOAT, sizeof(data)),
		VACCEL_OK);
	memcpy(torch->in->data, data, sizeof(data));
}

static void torch_close(struct torch *torch)
{
	assert_int_equal(vaccel_torch_tensor_delete(torch->in), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&torch->sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&torch->model), VACCEL_OK);
}

static void test_torch(void **state)
{
	struct fake *fake = *state;
	struct vaccel_torch_tensor *outs[2];
	struct torch torch;

	torch_open(&torch);
	assert_int_equal(vaccel_torch_model_load(&torch.sess, &torch.model), VACCEL_OK);
	assert_int_equal(
		vaccel_torch_model_run(&torch.sess, &torch.model, NULL, &torch.in, 1, outs, 2),
		VACCEL_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(outs[i]->nr_dims, 2);
		assert_int_equal(outs[i]->dims[0], 2);
		assert_int_equal(outs[i]->dims[1], 3);
		assert_int_equal(outs[i]->data_type, VACCEL_TORCH_FLOAT);
		assert_int_equal(outs[i]->size, torch.in->size);
		assert_memory_equal(outs[i]->data, torch.in->data, torch.in->size);
		assert_int_equal(vaccel_torch_tensor_delete(outs[i]), VACCEL_OK);
	}
	assert_int_equal(fake->loads, 1);
	assert_int_equal(fake->runs, 1);
	torch_close(&torch);
}

struct run {
	int64_t session_id, model_id;
	char options[16];
	bool has_options;
	size_t nr_out;
	size_t n_tensors, n_dims, size; /* of the answer */
};

static bool note_run(const struct fake_call *call)
{
	Vaccel__Torch__ModelRunResponse response = VACCEL__TORCH__MODEL_RUN_RESPONSE__INIT;
	Vaccel__Torch__Tensor tensor = VACCEL__TORCH__TENSOR__INIT;
	Vaccel__Torch__Tensor *list[] = { &tensor, &tensor, &tensor };
	const Vaccel__Torch__ModelRunRequest *request;
	struct run *run = call->fake->user;
	int64_t dims[] = { 1, 1 };
	uint8_t data[8] = { 0 };

	if (strcmp(call->method, "TorchModelRun") != 0)
		return false;
	request = (const void *)fake_request(call, &vaccel__torch__model_run_request__descriptor);
	run->session_id = request->session_id;
	run->model_id = request->model_id;
	run->nr_out = (size_t)request->nr_out_tensors;
	run->has_options = request->optional_run_options_case ==
			   VACCEL__TORCH__MODEL_RUN_REQUEST__OPTIONAL_RUN_OPTIONS_RUN_OPTIONS;
	if (run->has_options)
		snprintf(run->options, sizeof(run->options), "%.*s", (int)request->run_options.len,
			 (const char *)request->run_options.data);
	tensor.n_dims = run->n_dims;
	tensor.dims = dims;
	tensor.type = 7;
	tensor.data.data = data;
	tensor.data.len = run->size;
	response.n_out_tensors = run->n_tensors;
	response.out_tensors = list;
	fake_reply(call, &response.base);
	return true;
}

static void test_torch_run_options(void **state)
{
	char text[] = "fast";
	struct vaccel_torch_buffer options = { .data = text, .size = 4 };
	struct run run = { .n_tensors = 1, .n_dims = 2, .size = 4 };
	struct vaccel_torch_tensor *out;
	struct fake *fake = *state;
	struct torch torch;

	torch_open(&torch);
	fake->script = note_run;
	fake->user = &run;
	assert_int_equal(
		vaccel_torch_model_run(&torch.sess, &torch.model, &options, &torch.in, 1, &out, 1),
		VACCEL_OK);
	assert_true(run.has_options);
	assert_string_equal(run.options, "fast");
	assert_int_equal(run.session_id, torch.sess.remote_id);
	assert_int_equal(run.model_id, torch.model.remote_id);
	assert_int_equal(run.nr_out, 1);
	assert_int_equal(out->size, 4);
	assert_int_equal(vaccel_torch_tensor_delete(out), VACCEL_OK);
	assert_int_equal(
		vaccel_torch_model_run(&torch.sess, &torch.model, NULL, &torch.in, 1, &out, 1),
		VACCEL_OK);
	assert_false(run.has_options);
	assert_int_equal(vaccel_torch_tensor_delete(out), VACCEL_OK);
	/* a tensor without data is one */
	run.size = 0;
	assert_int_equal(
		vaccel_torch_model_run(&torch.sess, &torch.model, NULL, &torch.in, 1, &out, 1),
		VACCEL_OK);
	assert_int_equal(out->size, 0);
	assert_int_equal(vaccel_torch_tensor_delete(out), VACCEL_OK);
	torch_close(&torch);
}

static void test_tensors_that_lie(void **state)
{
	static const struct run lies[] = {
		{ .n_tensors = 0 },
		{ .n_tensors = 1, .n_dims = 2, .size = 4 },
		{ .n_tensors = 3, .n_dims = 2, .size = 4 },
		{ .n_tensors = 2, .n_dims = 0, .size = 4 },
	};
	struct vaccel_torch_tensor *outs[2];
	struct fake *fake = *state;
	struct torch torch;
	struct run run;

	torch_open(&torch);
	fake->script = note_run;
	fake->user = &run;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		run = lies[i];
		assert_int_equal(vaccel_torch_model_run(&torch.sess, &torch.model, NULL, &torch.in,
							1, outs, 2),
				 VACCEL_EBACKEND);
		assert_non_null(strstr(rig_reason(), "answered TorchModelRun with"));
	}
	torch_close(&torch);
}

static void test_tensors_that_are_none(void **state)
{
	struct vaccel_torch_tensor empty = { .nr_dims = 1 };
	struct vaccel_torch_tensor *none[] = { NULL }, *hollow[] = { &empty }, *out;
	struct fake *fake = *state;
	struct torch torch;

	torch_open(&torch);
	assert_int_equal(vaccel_torch_model_run(&torch.sess, &torch.model, NULL, none, 1, &out, 1),
			 VACCEL_EINVAL);
	assert_int_equal(
		vaccel_torch_model_run(&torch.sess, &torch.model, NULL, hollow, 1, &out, 1),
		VACCEL_EINVAL);
	assert_int_equal(vaccel_torch_model_run(&torch.sess, &torch.model, NULL, NULL, 1, &out, 1),
			 VACCEL_EINVAL);
	assert_int_equal(
		vaccel_torch_model_run(&torch.sess, &torch.model, NULL, &torch.in, 1, &out, -1),
		VACCEL_EINVAL);
	assert_int_equal(fake->runs, 0);
	torch_close(&torch);
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_classification_without_a_name),
		RIG(test_tags_that_lie),
		RIG(test_classification_with_a_name),
		RIG(test_other_image_operations),
		RIG(test_write_arguments_that_lie),
		RIG(test_torch),
		RIG(test_torch_run_options),
		RIG(test_tensors_that_lie),
		RIG(test_tensors_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
