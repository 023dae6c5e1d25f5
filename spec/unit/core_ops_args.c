/*
 * core_ops_args.c - what reaches the plugin: every operation called by its own function and, where
 * it has a generic form, through vaccel_genop() hands the plugin the same arguments; and the codes
 * that every operation has in common, and that each is measured. The plugin is the fake one that
 * has all operations.
 */
#include "core_test.h"
#include "unit_output.h"

static struct vaccel_session sess, poor; /* poor: of a plugin that has noop alone */
static struct vaccel_resource model, lib;
static struct fake *fake;
static char output[16384];

/* What the next call should hand to the plugin. */
static struct fake_call expected;

#define WANT(value) FAKE_WORD(&expected, value)

/* What is passed on is not looked at, so the addresses are all that matters. */
static struct vaccel_arg args[3], outs[2];
static unsigned char image[5], text[6], name[7];
static struct vaccel_tf_buffer tf_options;
static struct vaccel_tf_node tf_in_nodes[1], tf_out_nodes[2];
static struct vaccel_tf_tensor *tf_in[1], *tf_out[2];
static struct vaccel_tf_status tf_status;
static struct vaccel_tflite_tensor *tflite_in[1], *tflite_out[2];
static uint8_t tflite_status;
static struct vaccel_torch_buffer torch_options;
static struct vaccel_torch_tensor *torch_in[1], *torch_out[2], *torch_c[1];
static float a[12], b[20], c[15], sum[12], product[12];
static int ints[4], copies[4];
static double numbers[3], kept[3], smallest, largest;
static char library[] = "lib.so", symbol[] = "run";

/* Each calls one operation of a session and says what the plugin should get. */

static int noop(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	WANT(s);
	return vaccel_noop(s);
}

static void want_exec(struct vaccel_session *s, const void *what)
{
	WANT(s), WANT(what), WANT(symbol), WANT(args), WANT(3), WANT(outs), WANT(2);
}

static int exec(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	want_exec(s, library);
	return vaccel_exec(s, library, symbol, args, 3, outs, 2);
}

static int exec_with_resource(struct vaccel_session *s, struct vaccel_resource *r)
{
	want_exec(s, r);
	return vaccel_exec_with_resource(s, r, symbol, args, 3, outs, 2);
}

static int classify(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	WANT(s), WANT(image), WANT(text), WANT(name), WANT(5), WANT(6), WANT(7);
	return vaccel_image_classification(s, image, text, name, 5, 6, 7);
}

static void want_image(struct vaccel_session *s)
{
	WANT(s), WANT(image), WANT(name), WANT(5), WANT(7);
}

static int detect(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	want_image(s);
	return vaccel_image_detection(s, image, name, 5, 7);
}

static int segment(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	want_image(s);
	return vaccel_image_segmentation(s, image, name, 5, 7);
}

static int pose(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	want_image(s);
	return vaccel_image_pose(s, image, name, 5, 7);
}

static int depth(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	want_image(s);
	return vaccel_image_depth(s, image, name, 5, 7);
}

static int tf_load(struct vaccel_session *s, struct vaccel_resource *r)
{
	WANT(s), WANT(r), WANT(&tf_status);
	return vaccel_tf_model_load(s, r, &tf_status);
}

static int tf_unload(struct vaccel_session *s, struct vaccel_resource *r)
{
	WANT(s), WANT(r), WANT(&tf_status);
	return vaccel_tf_model_unload(s, r, &tf_status);
}

static int tf_run(struct vaccel_session *s, struct vaccel_resource *r)
{
	WANT(s), WANT(r), WANT(&tf_options), WANT(tf_in_nodes), WANT(tf_in), WANT(1);
	WANT(tf_out_nodes), WANT(tf_out), WANT(2), WANT(&tf_status);
	return vaccel_tf_model_run(s, r, &tf_options, tf_in_nodes, tf_in, 1, tf_out_nodes, tf_out,
				   2, &tf_status);
}

static int tflite_load(struct vaccel_session *s, struct vaccel_resource *r)
{
	WANT(s), WANT(r);
	return vaccel_tflite_model_load(s, r);
}

static int tflite_unload(struct vaccel_session *s, struct vaccel_resource *r)
{
	WANT(s), WANT(r);
	return vaccel_tflite_model_unload(s, r);
}

static int tflite_run(struct vaccel_session *s, struct vaccel_resource *r)
{
	WANT(s), WANT(r), WANT(tflite_in), WANT(1), WANT(tflite_out), WANT(2), WANT(&tflite_status);
	return vaccel_tflite_model_run(s, r, tflite_in, 1, tflite_out, 2, &tflite_status);
}

static int torch_load(struct vaccel_session *s, struct vaccel_resource *r)
{
	WANT(s), WANT(r);
	return vaccel_torch_model_load(s, r);
}

static int torch_run(struct vaccel_session *s, struct vaccel_resource *r)
{
	WANT(s), WANT(r), WANT(&torch_options), WANT(torch_in), WANT(1), WANT(torch_out), WANT(2);
	return vaccel_torch_model_run(s, r, &torch_options, torch_in, 1, torch_out, 2);
}

static int torch_sgemm(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	WANT(s), WANT(torch_in), WANT(torch_out), WANT(torch_c), WANT(7), WANT(8), WANT(9);
	WANT(&torch_out[1]);
	return vaccel_torch_sgemm(s, torch_in, torch_out, torch_c, 7, 8, 9, &torch_out[1]);
}

static int sgemm(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	WANT(s), WANT(3), WANT(5), WANT(4), WANT(1.5F), WANT(a), WANT(4), WANT(b), WANT(5);
	WANT(0.5F), WANT(c), WANT(5);
	return vaccel_sgemm(s, 3, 5, 4, 1.5F, a, 4, b, 5, 0.5F, c, 5);
}

static int arraycopy(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	WANT(s), WANT(ints), WANT(copies), WANT(4);
	return vaccel_fpga_arraycopy(s, ints, copies, 4);
}

static int mmult(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	WANT(s), WANT(a), WANT(b), WANT(product), WANT(12);
	return vaccel_fpga_mmult(s, a, b, product, 12);
}

static int parallel(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	WANT(s), WANT(a), WANT(b), WANT(sum), WANT(product), WANT(12);
	return vaccel_fpga_parallel(s, a, b, sum, product, 12);
}

static int vadd(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	WANT(s), WANT(a), WANT(product), WANT(sum), WANT(12), WANT(12);
	return vaccel_fpga_vadd(s, a, product, sum, 12, 12);
}

static int minmax(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	WANT(s), WANT(numbers), WANT(3), WANT(-4), WANT(4), WANT(kept), WANT(&smallest);
	WANT(&largest);
	return vaccel_minmax(s, numbers, 3, -4, 4, kept, &smallest, &largest);
}

static int opencv(struct vaccel_session *s, struct vaccel_resource *r)
{
	(void)r;
	WANT(s), WANT(args), WANT(3), WANT(outs), WANT(2);
	return vaccel_opencv_unpack(s, args, 3, outs, 2);
}

enum { NONE = VACCEL_RESOURCE_MAX, LIB = VACCEL_RESOURCE_LIB, MODEL = VACCEL_RESOURCE_MODEL };

static const struct operation {
	int resource; /* type of the one that it takes */
	int (*call)(struct vaccel_session *s, struct vaccel_resource *r);
} operations[VACCEL_OP_MAX] = {
	[VACCEL_OP_NOOP] = { NONE, noop },
	[VACCEL_OP_EXEC] = { NONE, exec },
	[VACCEL_OP_EXEC_WITH_RESOURCE] = { LIB, exec_with_resource },
	[VACCEL_OP_IMAGE_CLASSIFY] = { NONE, classify },
	[VACCEL_OP_IMAGE_DETECT] = { NONE, detect },
	[VACCEL_OP_IMAGE_SEGMENT] = { NONE, segment },
	[VACCEL_OP_IMAGE_POSE] = { NONE, pose },
	[VACCEL_OP_IMAGE_DEPTH] = { NONE, depth },
	[VACCEL_OP_TF_MODEL_LOAD] = { MODEL, tf_load },
	[VACCEL_OP_TF_MODEL_UNLOAD] = { MODEL, tf_unload },
	[VACCEL_OP_TF_MODEL_RUN] = { MODEL, tf_run },
	[VACCEL_OP_TFLITE_MODEL_LOAD] = { MODEL, tflite_load },
	[VACCEL_OP_TFLITE_MODEL_UNLOAD] = { MODEL, tflite_unload },
	[VACCEL_OP_TFLITE_MODEL_RUN] = { MODEL, tflite_run },
	[VACCEL_OP_TORCH_MODEL_LOAD] = { MODEL, torch_load },
	[VACCEL_OP_TORCH_MODEL_RUN] = { MODEL, torch_run },
	[VACCEL_OP_TORCH_SGEMM] = { NONE, torch_sgemm },
	[VACCEL_OP_BLAS_SGEMM] = { NONE, sgemm },
	[VACCEL_OP_FPGA_ARRAYCOPY] = { NONE, arraycopy },
	[VACCEL_OP_FPGA_MMULT] = { NONE, mmult },
	[VACCEL_OP_FPGA_PARALLEL] = { NONE, parallel },
	[VACCEL_OP_FPGA_VECTORADD] = { NONE, vadd },
	[VACCEL_OP_MINMAX] = { NONE, minmax },
	[VACCEL_OP_OPENCV] = { NONE, opencv },
};

static struct vaccel_resource *resource_of(const struct operation *operation)
{
	if (operation->resource == NONE)
		return NULL;
	return operation->resource == LIB ? &lib : &model;
}

static int call(vaccel_op_type_t op, struct vaccel_session *s, struct vaccel_resource *r)
{
	expected = (struct fake_call){ .op = op };
	return operations[op].call(s, r);
}

static const char *name_of(vaccel_op_type_t op)
{
	static char buffer[VACCEL_ENUM_STR_MAX];

	return vaccel_op_type_name(op, buffer, sizeof(buffer));
}

#define assert_code(ret, code, op)                                                                 \
	do {                                                                                       \
		const int got = (ret);                                                             \
                                                                                                   \
		if (got != (code))                                                                 \
			fail_msg("%s: %d instead of %d: %s", name_of(op), got, code,               \
				 last_error());                                                    \
	} while (0)

/* The plugin got what `expected` says, once since it had been called `before` times. */
static void assert_reached(vaccel_op_type_t op, int before)
{
	if (fake->op_calls != before + 1)
		fail_msg("%s: %d calls", name_of(op), fake->op_calls - before);
	assert_int_equal(fake->op_call.op, op);
	assert_int_equal(fake->op_call.count, expected.count);
	for (size_t i = 0; i < expected.count; i++)
		if (fake->op_call.words[i] != expected.words[i])
			fail_msg("%s: argument %zu is %#lx instead of %#lx", name_of(op), i,
				 (unsigned long)fake->op_call.words[i],
				 (unsigned long)expected.words[i]);
}

static void every_operation_passes_its_arguments_on(void **state)
{
	(void)state;
	for (vaccel_op_type_t op = 0; op < VACCEL_OP_MAX; op++) {
		const int before = fake->op_calls;

		fake->op_ret = 70 + (int)op; /* passed on as it is */
		assert_code(call(op, &sess, resource_of(&operations[op])), fake->op_ret, op);
		assert_reached(op, before);
	}
	fake->op_ret = 0;
}

static void no_operation_runs_without_what_it_needs(void **state)
{
	const int before = fake->op_calls;
	char reason[64 + VACCEL_ENUM_STR_MAX];

	(void)state;
	for (vaccel_op_type_t op = 0; op < VACCEL_OP_MAX; op++) {
		struct vaccel_resource *resource = resource_of(&operations[op]);

		assert_code(call(op, NULL, resource), VACCEL_EINVAL, op);
		if (op != VACCEL_OP_NOOP) {
			snprintf(reason, sizeof(reason), "fake-local does not implement %s",
				 name_of(op));
			assert_code(call(op, &poor, resource), VACCEL_ENOTSUP, op);
			assert_reason(reason);
		}
	}
	assert_int_equal(fake->op_calls, before);
}

static void resources_are_checked(void **state)
{
	const int before = fake->op_calls;
	struct vaccel_resource *stranger;

	(void)state;
	for (vaccel_op_type_t op = 0; op < VACCEL_OP_MAX; op++) {
		const int type = operations[op].resource;

		if (type == NONE)
			continue;
		assert_code(call(op, &sess, NULL), VACCEL_EINVAL, op);
		assert_code(call(op, &sess, type == LIB ? &model : &lib), VACCEL_EINVAL, op);
		assert_reason(type == LIB ? "expected VACCEL_RESOURCE_LIB"
					  : "expected VACCEL_RESOURCE_MODEL");
		assert_int_equal(vaccel_resource_from_buf(&stranger, "x", 1,
							  (vaccel_resource_type_t)type, "x", true),
				 0);
		assert_code(call(op, &sess, stranger), VACCEL_EPERM, op);
		assert_reason("is not registered to session");
		assert_int_equal(vaccel_resource_delete(stranger), 0);
	}
	assert_int_equal(fake->op_calls, before);
}

#define ARG(what, bytes, kind)                                                                     \
	{                                                                                          \
		.buf = (what), .size = (bytes), .type = VACCEL_ARG_##kind                          \
	}
#define ALL(array, kind) ARG(array, sizeof(array), kind)

/* The generic form of operation `op` with `read` after its number. */
static int generic_of(vaccel_op_type_t op, struct vaccel_arg *read, int nr_read,
		      struct vaccel_arg *write, int nr_write)
{
	struct vaccel_arg all[16];
	uint8_t number = (uint8_t)op;

	all[0] = (struct vaccel_arg)ARG(&number, 1, UINT8);
	memcpy(&all[1], read, (size_t)nr_read * sizeof(*read));
	return vaccel_genop(&sess, all, nr_read + 1, write, nr_write);
}

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static int generic_image(vaccel_op_type_t op)
{
	struct vaccel_arg read[] = { ALL(image, BUFFER) };
	struct vaccel_arg write[] = { ALL(name, UCHAR_ARRAY), ALL(text, UCHAR_ARRAY) };

	return generic_of(op, read, 1, write, op == VACCEL_OP_IMAGE_CLASSIFY ? 2 : 1);
}

static int generic_sgemm(vaccel_op_type_t op)
{
	int64_t m = 3, n = 5, k = 4;
	float alpha = 1.5F, beta = 0.5F;
	struct vaccel_arg read[] = { ARG(&m, 8, INT64),	     ARG(&n, 8, INT64),
				     ARG(&k, 8, INT64),	     ARG(&alpha, 4, FLOAT32),
				     ALL(a, FLOAT32_ARRAY),  ARG(&k, 8, INT64),
				     ALL(b, FLOAT32_ARRAY),  ARG(&n, 8, INT64),
				     ARG(&beta, 4, FLOAT32), ARG(&n, 8, INT64) };
	struct vaccel_arg write[] = { ALL(c, FLOAT32_ARRAY) };

	return generic_of(op, read, COUNT(read), write, 1);
}

static int generic_arraycopy(vaccel_op_type_t op)
{
	struct vaccel_arg read[] = { ALL(ints, INT32_ARRAY) };
	struct vaccel_arg write[] = { ALL(copies, RAW) };

	return generic_of(op, read, 1, write, 1);
}

static int generic_kernel(vaccel_op_type_t op)
{
	struct vaccel_arg read[] = { ALL(a, RAW), ALL(b, FLOAT32_ARRAY) };
	struct vaccel_arg write[] = { ALL(sum, BUFFER), ALL(product, RAW) };

	if (op == VACCEL_OP_FPGA_MMULT)
		write[0] = write[1];
	if (op == VACCEL_OP_FPGA_VECTORADD)
		read[1] = write[1];
	return generic_of(op, read, 2, write, op == VACCEL_OP_FPGA_PARALLEL ? 2 : 1);
}

static int generic_minmax(vaccel_op_type_t op)
{
	int ndata = 3, low = -4, high = 4;
	struct vaccel_arg read[] = { ALL(numbers, RAW), ARG(&ndata, 4, RAW), ARG(&low, 4, INT32),
				     ARG(&high, 4, BUFFER) };
	struct vaccel_arg write[] = { ALL(kept, FLOAT64_ARRAY), ARG(&smallest, 8, RAW),
				      ARG(&largest, 8, FLOAT64) };

	return generic_of(op, read, 4, write, 3);
}

static int (*const generic[VACCEL_OP_MAX])(vaccel_op_type_t op) = {
	[VACCEL_OP_IMAGE_CLASSIFY] = generic_image,
	[VACCEL_OP_IMAGE_DETECT] = generic_image,
	[VACCEL_OP_IMAGE_SEGMENT] = generic_image,
	[VACCEL_OP_IMAGE_POSE] = generic_image,
	[VACCEL_OP_IMAGE_DEPTH] = generic_image,
	[VACCEL_OP_BLAS_SGEMM] = generic_sgemm,
	[VACCEL_OP_FPGA_ARRAYCOPY] = generic_arraycopy,
	[VACCEL_OP_FPGA_MMULT] = generic_kernel,
	[VACCEL_OP_FPGA_PARALLEL] = generic_kernel,
	[VACCEL_OP_FPGA_VECTORADD] = generic_kernel,
	[VACCEL_OP_MINMAX] = generic_minmax,
};

static void generic_forms_pass_the_same_on(void **state)
{
	int forms = 0;

	(void)state;
	for (vaccel_op_type_t op = 0; op < VACCEL_OP_MAX; op++) {
		int before;

		if (!generic[op])
			continue;
		forms++;
		assert_code(call(op, &sess, NULL), 0, op);
		before = fake->op_calls;
		fake->op_ret = 30 + (int)op;
		assert_code(generic[op](op), fake->op_ret, op);
		assert_reached(op, before);
		fake->op_ret = 0;
	}
	assert_int_equal(forms, 11); /* the other three follow */
}

/* These pass the rest of the list itself on, which is another address than args. */
static void generic_forms_pass_the_rest_of_the_list_on(void **state)
{
	uint8_t number = VACCEL_OP_EXEC;
	int64_t id = lib.id;
	struct vaccel_arg list[] = { ARG(&number, 1, UINT8), ALL(library, STRING),
				     ALL(symbol, STRING), ARG(NULL, 0, RAW), ARG(NULL, 9, CUSTOM) };
	int before = fake->op_calls;

	(void)state;
	expected = (struct fake_call){ .op = VACCEL_OP_EXEC };
	WANT(&sess), WANT(library), WANT(symbol), WANT(&list[3]), WANT(2), WANT(outs), WANT(2);
	assert_code(vaccel_genop(&sess, list, 5, outs, 2), 0, VACCEL_OP_EXEC);
	assert_reached(VACCEL_OP_EXEC, before++);

	expected = (struct fake_call){ .op = VACCEL_OP_EXEC };
	WANT(&sess), WANT(library), WANT(symbol), WANT((void *)NULL), WANT(0), WANT((void *)NULL);
	WANT(0);
	assert_code(vaccel_genop(&sess, list, 3, NULL, 0), 0, VACCEL_OP_EXEC);
	assert_reached(VACCEL_OP_EXEC, before++);

	number = VACCEL_OP_EXEC_WITH_RESOURCE;
	list[1] = (struct vaccel_arg)ARG(&id, sizeof(id), INT64);
	expected = (struct fake_call){ .op = VACCEL_OP_EXEC_WITH_RESOURCE };
	WANT(&sess), WANT(&lib), WANT(symbol), WANT(&list[3]), WANT(2), WANT(outs), WANT(1);
	assert_code(vaccel_genop(&sess, list, 5, outs, 1), 0, VACCEL_OP_EXEC_WITH_RESOURCE);
	assert_reached(VACCEL_OP_EXEC_WITH_RESOURCE, before++);

	number = VACCEL_OP_OPENCV;
	expected = (struct fake_call){ .op = VACCEL_OP_OPENCV };
	WANT(&sess), WANT(&list[1]), WANT(4), WANT(outs), WANT(2);
	assert_code(vaccel_genop(&sess, list, 5, outs, 2), 0, VACCEL_OP_OPENCV);
	assert_reached(VACCEL_OP_OPENCV, before);
}

static int start_all(bool profiling)
{
	struct vaccel_config config;
	int ret;

	vaccel_config_init(&config, FAKE("ops") ":" FAKE("local"),
			   profiling ? VACCEL_LOG_INFO : VACCEL_LOG_MAX, NULL, profiling, false);
	ret = vaccel_bootstrap_with_config(&config);
	vaccel_config_release(&config);
	return ret || vaccel_session_init(&sess, VACCEL_PLUGIN_FPGA) ||
	       vaccel_session_init(&poor, VACCEL_PLUGIN_GPU) ||
	       vaccel_resource_init_from_buf(&model, "m", 1, VACCEL_RESOURCE_MODEL, "m", true) ||
	       vaccel_resource_init_from_buf(&lib, "l", 1, VACCEL_RESOURCE_LIB, "l", true) ||
	       vaccel_resource_register(&model, &sess) || vaccel_resource_register(&lib, &sess) ||
	       vaccel_resource_register(&model, &poor) || vaccel_resource_register(&lib, &poor) ||
	       !(fake = fake_of(FAKE("ops")));
}

static int stop_all(void)
{
	return vaccel_session_release(&sess) || vaccel_session_release(&poor) ||
	       vaccel_resource_release(&model) || vaccel_resource_release(&lib) || vaccel_cleanup();
}

static struct vaccel_session *measured;

static void measure(void)
{
	start_all(true);
	fake->op_ret = VACCEL_EIO;
	for (vaccel_op_type_t op = 0; op < VACCEL_OP_MAX; op++) {
		struct vaccel_resource *resource = resource_of(&operations[op]);

		call(op, measured, resource);
		if (resource) /* not measured: there is nothing to run */
			call(op, measured, NULL);
	}
	stop_all();
}

/* One line of each region, and how many of its operations ran; each took time, so each was ended.
 */
static void assert_measured(void)
{
	static const char *const regions[] = {
		"noop_op",
		"exec_op",
		"exec_with_resource_op",
		"tf_model_load",
		"tf_model_unload",
		"tf_model_run",
		"tflite_model_load",
		"tflite_model_unload",
		"tflite_model_run",
		"torch_model_load_op",
		"torch_model_run_op",
		"sgemm_op",
		"blas_op",
		"fpga_arraycopy_op",
		"fpga_mmult_op",
		"fpga_parallel_op",
		"fpga_vadd_op",
		"minmax_op",
		"opencv_op",
		"image_op",
	};
	size_t lines = 0;

	for (const char *at = output; (at = strstr(at, "[prof] ")); at++)
		lines++;
	assert_int_equal(lines, sizeof(regions) / sizeof(regions[0]));
	for (size_t i = 0; i < lines; i++) {
		unsigned long total = 0, entries = 0;
		char start[64];
		const char *line;

		snprintf(start, sizeof(start), "[prof] vaccel_%s: ", regions[i]);
		line = strstr(output, start);
		if (!line || sscanf(line + strlen(start), "total_time: %lu nsec nr_entries: %lu",
				    &total, &entries) != 2)
			fail_msg("no %s in %s", start, output);
		assert_int_equal(entries, strcmp(regions[i], "image_op") == 0 ? 5 : 1);
		if (!total)
			fail_msg("%s was not ended", regions[i]);
	}
}

static void every_operation_is_measured(void **state)
{
	(void)state;
	assert_int_equal(stop_all(), 0);
	measured = &sess;
	capture(measure, output, sizeof(output));
	assert_measured();
	measured = &poor; /* has no such operation: that is measured too */
	capture(measure, output, sizeof(output));
	assert_measured();
	assert_int_equal(start_all(false), 0);
}

static int start_group(void **state)
{
	(void)state;
	return start_all(false);
}

static int stop_group(void **state)
{
	(void)state;
	return stop_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_passes_its_arguments_on),
		cmocka_unit_test(no_operation_runs_without_what_it_needs),
		cmocka_unit_test(resources_are_checked),
		cmocka_unit_test(generic_forms_pass_the_same_on),
		cmocka_unit_test(generic_forms_pass_the_rest_of_the_list_on),
		cmocka_unit_test(every_operation_is_measured),
	};

	return cmocka_run_group_tests(tests, start_group, stop_group);
}
