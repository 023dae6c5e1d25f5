/*
 * plugins_noop_lines.c - what the noop plugin prints for each operation, line by line: people and
 * scripts read it.
 */
#include "plugins_test.h"
#include <ctype.h>

static struct vaccel_resource model, lib;

static int start(void **state)
{
	(void)state;
	if (start_plugin(NOOP_PLUGIN))
		return -1;
	return vaccel_resource_init_from_buf(&model, "m", 1, VACCEL_RESOURCE_MODEL, "m", true) ||
	       vaccel_resource_init(&lib, NOOP_PLUGIN, VACCEL_RESOURCE_LIB) ||
	       vaccel_resource_register(&model, &sess) || vaccel_resource_register(&lib, &sess);
}

static int end(void **state)
{
	return vaccel_resource_release(&model) || vaccel_resource_release(&lib) ||
	       stop_plugin(state);
}

/* Take a pointer as it stands in the line for "PTR". */
static size_t copy_line(char *to, const char *from, size_t length)
{
	char *start = to;

	for (const char *end = from + length; from < end;) {
		if (strncmp(from, "0x", 2) == 0 || strncmp(from, "(nil)", 5) == 0) {
			from += *from == '0' ? 2 : 5;
			while (isxdigit((unsigned char)*from))
				from++;
			to = stpcpy(to, "PTR");
		} else {
			*to++ = *from++;
		}
	}
	return (size_t)(to - start);
}

/* The plugin's lines out of everything, without their head. */
static void keep_ours(const char *output, char *ours)
{
	static const char head[] = "<debug> [noop] ";

	while (*output) {
		const size_t length = strcspn(output, "\n");
		const char *found = memmem(output, length, head, sizeof(head) - 1);

		if (found) {
			found += sizeof(head) - 1;
			ours += copy_line(ours, found, (size_t)(output + length - found));
			*ours++ = '\n';
		}
		output += length + (output[length] == '\n');
	}
	*ours = '\0';
}

static void assert_prints(void (*run)(void), const char *expected)
{
	static char output[32768], ours[32768];

	capture(run, output, sizeof(output));
	keep_ours(output, ours);
	assert_string_equal(ours, expected);
}

static void run_noop(void)
{
	vaccel_noop(&sess);
}

static void run_exec(void)
{
	int number = 3, answer;
	struct vaccel_arg read = raw(&number, sizeof(number)), write = raw(&answer, sizeof(answer));

	vaccel_exec(&sess, "libx.so", "fn", &read, 1, &write, 1);
	vaccel_exec_with_resource(&sess, &lib, "fn", &read, 1, NULL, 0);
}

static void run_classify(void)
{
	unsigned char text[32], name[16];

	vaccel_image_classification(&sess, "image", text, name, 5, sizeof(text), sizeof(name));
}

#define RUN_IMAGE(operation)                                                                       \
	static void run_##operation(void)                                                          \
	{                                                                                          \
		unsigned char name[16];                                                            \
                                                                                                   \
		vaccel_image_##operation(&sess, "image", name, 5, sizeof(name));                   \
	}

RUN_IMAGE(detection)
RUN_IMAGE(segmentation)
RUN_IMAGE(pose)
RUN_IMAGE(depth)

static void run_tf(void)
{
	const struct vaccel_tf_buffer options = { (void *)"o", 1 };
	const struct vaccel_tf_node in_node = { (char *)"in", 0 }, out_node = { (char *)"out", 2 };
	int64_t dims[] = { 1, 2 };
	float data[2] = { 0 };
	struct vaccel_tf_tensor tensor = {
		.data = data, .size = 8, .nr_dims = 2, .dims = dims, .data_type = VACCEL_TF_FLOAT
	};
	struct vaccel_tf_tensor *in = &tensor, *out = NULL;

	vaccel_tf_model_load(&sess, &model, NULL);
	vaccel_tf_model_run(&sess, &model, &options, &in_node, &in, 1, &out_node, &out, 1, NULL);
	vaccel_tf_tensor_delete(out);
	vaccel_tf_model_unload(&sess, &model, NULL);
}

static void run_tflite(void)
{
	int32_t dims[] = { 3 };
	struct vaccel_tflite_tensor tensor = { .nr_dims = 1,
					       .dims = dims,
					       .data_type = VACCEL_TFLITE_INT8 };
	struct vaccel_tflite_tensor *in = &tensor, *out = NULL;

	vaccel_tflite_model_load(&sess, &model);
	vaccel_tflite_model_run(&sess, &model, &in, 1, &out, 1, NULL);
	vaccel_tflite_tensor_delete(out);
	vaccel_tflite_model_unload(&sess, &model);
}

static void run_torch(void)
{
	int64_t dims[] = { 4 };
	int16_t data[4] = { 0 };
	struct vaccel_torch_tensor tensor = {
		.data = data, .size = 8, .nr_dims = 1, .dims = dims, .data_type = VACCEL_TORCH_SHORT
	};
	struct vaccel_torch_tensor *in = &tensor, *out = NULL;

	vaccel_torch_model_load(&sess, &model);
	vaccel_torch_model_run(&sess, &model, NULL, &in, 1, &out, 1);
	vaccel_torch_tensor_delete(out);
	((int (*)(struct vaccel_session *, void *, void *, void *, int, int, int, void *))operation(
		VACCEL_OP_TORCH_SGEMM))(&sess, NULL, NULL, NULL, 1, 2, 3, NULL);
}

static void run_math(void)
{
	float a[1] = { 0 }, b[1] = { 0 }, c[1] = { 0 };

	vaccel_sgemm(&sess, 1, 2, 3, 0.5F, a, 4, b, 5, 1.5F, c, 6);
}

/* The deprecated operations, generic, as their own functions would warn. */
static void run_deprecated(void)
{
	uint8_t op;
	int one = 1, low = 2, high = 3, copy;
	float a = 1, b = 2, c, d;
	double number = 1, out, min, max;
	struct vaccel_arg write[3],
		read[5] = { { .buf = &op, .size = 1, .type = VACCEL_ARG_UINT8 } };

	op = VACCEL_OP_FPGA_ARRAYCOPY;
	read[1] = raw(&one, sizeof(one));
	write[0] = raw(&copy, sizeof(copy));
	vaccel_genop(&sess, read, 2, write, 1);
	read[1] = raw(&a, sizeof(a));
	read[2] = raw(&b, sizeof(b));
	write[0] = raw(&c, sizeof(c));
	op = VACCEL_OP_FPGA_MMULT;
	vaccel_genop(&sess, read, 3, write, 1);
	op = VACCEL_OP_FPGA_VECTORADD;
	vaccel_genop(&sess, read, 3, write, 1);
	write[1] = raw(&d, sizeof(d));
	op = VACCEL_OP_FPGA_PARALLEL;
	vaccel_genop(&sess, read, 3, write, 2);
	op = VACCEL_OP_MINMAX;
	read[1] = raw(&number, sizeof(number));
	read[2] = raw(&one, sizeof(one));
	read[3] = raw(&low, sizeof(low));
	read[4] = raw(&high, sizeof(high));
	write[0] = raw(&out, sizeof(out));
	write[1] = raw(&min, sizeof(min));
	write[2] = raw(&max, sizeof(max));
	vaccel_genop(&sess, read, 5, write, 3);
}

static void run_opencv(void)
{
	uint8_t op = VACCEL_OP_OPENCV, function = 9;
	char image[12], out[16];
	struct vaccel_arg read[] = { { .buf = &op, .size = 1, .type = VACCEL_ARG_UINT8 },
				     raw(&function, 1),
				     raw(image, sizeof(image)) };
	struct vaccel_arg write = raw(out, sizeof(out));

	vaccel_genop(&sess, read, 3, &write, 1);
}

static void no_op(void **state)
{
	(void)state;
	assert_prints(run_noop, "Calling no-op for session 1\n");
}

static void exec(void **state)
{
	(void)state;
	assert_prints(run_exec, "Calling exec for session 1\n"
				"Dumping arguments for exec:\n"
				"library: libx.so symbol: fn\n"
				"nr_read: 1 nr_write: 1\n"
				"will return dummy output = input\n"
				"Calling exec_with_resource for session 1\n"
				"Dumping arguments for exec_with_resource:\n"
				"library: " NOOP_PLUGIN " symbol: fn\n"
				"nr_read: 1 nr_write: 0\n");
}

static void images(void **state)
{
	static const struct {
		const char *name;
		void (*run)(void);
		const char *rest;
	} cases[] = {
		{ "classification", run_classify,
		  "len_out_text: 32\nlen_out_imgname: 16\n"
		  "will return a dummy result\nwill return a dummy result\n" },
		{ "detection", run_detection, "len_out_imgname: 16\nwill return a dummy result\n" },
		{ "segmentation", run_segmentation,
		  "len_out_imgname: 16\nwill return a dummy result\n" },
		{ "pose", run_pose, "len_out_imgname: 16\nwill return a dummy result\n" },
		{ "depth", run_depth, "len_out_imgname: 16\nwill return a dummy result\n" },
	};
	char expected[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(expected, sizeof(expected),
			 "Calling Image %s for session 1\n"
			 "Dumping arguments for Image %s:\n"
			 "model: (null)\n"
			 "len_img: 5\n%s",
			 cases[i].name, cases[i].name, cases[i].rest);
		assert_prints(cases[i].run, expected);
	}
}

static void models(void **state)
{
	(void)state;
	assert_prints(run_tf, "Calling tf_model_load for session 1\n"
			      "Calling tf_model_run for session 1\n"
			      "Run options -> PTR, 1\n"
			      "Number of inputs: 1\n"
			      "\tNode 0: in:0\n"
			      "\t#dims: 2 -> {\n"
			      "\t\t1\n"
			      "\t\t2\n"
			      "\t}\n"
			      "\tData type: 1\n"
			      "\tData -> PTR, 8\n"
			      "Number of outputs: 1\n"
			      "\tNode 0: out:2\n"
			      "Calling tf_model_unload for session 1\n");
	assert_prints(run_tflite, "Calling tflite_model_load for session 1\n"
				  "Calling tflite_model_run for session 1\n"
				  "Number of inputs: 1\n"
				  "\t#dims: 1 -> {\n"
				  "\t\t3\n"
				  "\t}\n"
				  "\tData type: 9\n"
				  "\tData -> PTR, 0\n"
				  "Number of outputs: 1\n"
				  "Calling tflite_model_unload for session 1\n");
	assert_prints(run_torch, "Calling torch_model_load for session 1\n"
				 "Loading model from buffer of length: 1\n"
				 "Calling torch_model_run for session 1\n"
				 "Number of inputs: 1\n"
				 "\t#dims: 1 -> {\n"
				 "\t\t4\n"
				 "\t}\n"
				 "\tData type: 3\n"
				 "\tData -> PTR, 8 B\n"
				 "Number of outputs: 1\n"
				 "Calling torch_sgemm for session 1\n"
				 "Dumping arguments for torch_sgemm:\n"
				 "m: 1 n: 2 k: 3\n");
}

static void arrays(void **state)
{
	(void)state;
	assert_prints(run_math, "Calling sgemm for session 1\n"
				"Dumping arguments for sgemm:\n"
				"m: 1 n: 2 k: 3\n"
				"alpha: 0.500000\n"
				"A: PTR lda: 4\n"
				"B: PTR ldb: 5\n"
				"beta: 1.500000\n"
				"C: PTR ldc: 6\n");
	assert_prints(run_deprecated, "Calling fpga_arraycopy for session 1\n"
				      "Dumping arguments for fpga_arraycopy:\n"
				      "len_a: 1 \n"
				      "Calling fpga_mmult for session 1\n"
				      "Dumping arguments for fpga_mmult:\n"
				      "len_a: 1\n"
				      "Calling fpga_vadd for session 1\n"
				      "Dumping arguments for fpga_vadd:\n"
				      "len_a: 1 len_b: 1 \n"
				      "Calling fpga_parallel for session 1\n"
				      "Dumping arguments for fpga_parallel:\n"
				      "len_a: 1\n"
				      "Calling minmax for session 1\n"
				      "Dumping arguments for minmax: ndata:1\n"
				      "low: 2 high: 3 \n"
				      "will return dummy min and max values\n");
	assert_prints(run_opencv, "Calling opencv for session 1\n"
				  "Dumping arguments for opencv:\n"
				  "nr_read: 2 nr_write: 1\n"
				  "[OpenCV] function: 9\n"
				  "opencv read[1] size: 12\n"
				  "opencv write[0] size: 16\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_op),  cmocka_unit_test(exec),   cmocka_unit_test(images),
		cmocka_unit_test(models), cmocka_unit_test(arrays),
	};

	return cmocka_run_group_tests(tests, start, end);
}
