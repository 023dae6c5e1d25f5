/*
 * plugins_noop.c - every operation of the noop plugin: what it answers, and what it refuses.
 */
#include "plugins_test.h"

typedef int (*noop_fn)(struct vaccel_session *);
typedef int (*classify_fn)(struct vaccel_session *, const void *, unsigned char *, unsigned char *,
			   size_t, size_t, size_t);
typedef int (*image_fn)(struct vaccel_session *, const void *, unsigned char *, size_t, size_t);
typedef int (*tf_fn)(struct vaccel_session *, struct vaccel_resource *, struct vaccel_tf_status *);
typedef int (*model_fn)(struct vaccel_session *, struct vaccel_resource *);
typedef int (*tf_run_fn)(struct vaccel_session *, struct vaccel_resource *,
			 const struct vaccel_tf_buffer *, const struct vaccel_tf_node *,
			 struct vaccel_tf_tensor *const *, int, const struct vaccel_tf_node *,
			 struct vaccel_tf_tensor **, int, struct vaccel_tf_status *);
typedef int (*tflite_run_fn)(struct vaccel_session *, struct vaccel_resource *,
			     struct vaccel_tflite_tensor *const *, int,
			     struct vaccel_tflite_tensor **, int, uint8_t *);
typedef int (*torch_run_fn)(struct vaccel_session *, struct vaccel_resource *,
			    const struct vaccel_torch_buffer *, struct vaccel_torch_tensor *const *,
			    int, struct vaccel_torch_tensor **, int);
typedef int (*torch_sgemm_fn)(struct vaccel_session *, struct vaccel_torch_tensor **,
			      struct vaccel_torch_tensor **, struct vaccel_torch_tensor **, int,
			      int, int, struct vaccel_torch_tensor **);
typedef int (*sgemm_fn)(struct vaccel_session *, int64_t, int64_t, int64_t, float, float *, int64_t,
			float *, int64_t, float, float *, int64_t);
typedef int (*arraycopy_fn)(struct vaccel_session *, int *, int *, size_t);
typedef int (*mmult_fn)(struct vaccel_session *, float *, float *, float *, size_t);
typedef int (*parallel_fn)(struct vaccel_session *, float *, float *, float *, float *, size_t);
typedef int (*vectoradd_fn)(struct vaccel_session *, float *, float *, float *, size_t, size_t);
typedef int (*minmax_fn)(struct vaccel_session *, const double *, int, int, int, double *, double *,
			 double *);
typedef int (*opencv_fn)(struct vaccel_session *, struct vaccel_arg *, int, struct vaccel_arg *,
			 int);

#define CALL(type, fn, ...)    (((fn)operation(VACCEL_OP_##type))(__VA_ARGS__))
#define REFUSED(type, fn, ...) assert_int_equal(CALL(type, fn, __VA_ARGS__), VACCEL_EINVAL)
#define DONE(type, fn, ...)    assert_int_equal(CALL(type, fn, __VA_ARGS__), VACCEL_OK)

/* A model or library in memory alone, and one that has two files. */
static struct vaccel_resource in_memory, two_files;

static int start(void **state)
{
	static uint8_t byte;
	struct vaccel_blob first, second;
	const struct vaccel_blob *blobs[] = { &first, &second };
	int ret = start_plugin(NOOP_PLUGIN);

	(void)state;
	if (ret)
		return ret;
	if (vaccel_blob_init_from_buf(&first, &byte, 1, false, "dep.so", NULL, false) ||
	    vaccel_blob_init_from_buf(&second, &byte, 1, false, "main.so", NULL, false))
		return -1;
	/* Files, as the noop plugin asks of libraries. */
	if (vaccel_blob_persist(&first, vaccel_rundir(), "dep.so", false) ||
	    vaccel_blob_persist(&second, vaccel_rundir(), "main.so", false))
		return -1;
	ret = vaccel_resource_init_from_blobs(&two_files, blobs, 2, VACCEL_RESOURCE_LIB);
	if (vaccel_blob_release(&first) || vaccel_blob_release(&second))
		return -1;
	if (!ret)
		ret = vaccel_resource_init_from_buf(&in_memory, &byte, 1, VACCEL_RESOURCE_MODEL,
						    "m", true);
	return ret;
}

static int end(void **state)
{
	return vaccel_resource_release(&in_memory) || vaccel_resource_release(&two_files) ||
	       stop_plugin(state);
}

static void has_them_all_and_all_may_run_at_once(void **state)
{
	(void)state;
	assert_string_equal(sess.plugin->info->name, "noop");
	assert_int_equal(sess.plugin->info->type, VACCEL_PLUGIN_DEBUG);
	assert_int_equal(reentrant(), (UINT64_C(1) << 24) - 1);
	for (int i = 0; i < VACCEL_OP_MAX; i++) {
		assert_non_null(operation((vaccel_op_type_t)i));
		assert_int_equal(sess.plugin->ops[i]->type, i);
	}
	REFUSED(NOOP, noop_fn, NULL);
}

static void exec_answers_its_argument(void **state)
{
	const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t in[8], out[8] = { 0 };
	struct vaccel_arg read = raw(in, 8), write[2] = { raw(out, 8), raw(out, 8) };

	(void)state;
	memcpy(in, bytes, sizeof(in));
	DONE(EXEC, exec_fn, &sess, "lib", "fn", &read, 1, write, 1);
	assert_memory_equal(out, bytes, 8);
	memset(out, 0, sizeof(out));
	DONE(EXEC_WITH_RESOURCE, exec_with_resource_fn, &sess, &two_files, "fn", &read, 1, write,
	     1);
	assert_memory_equal(out, bytes, 8);

	/* None of these has an answer. */
	memset(out, 0, sizeof(out));
	DONE(EXEC, exec_fn, &sess, "lib", "fn", &read, 1, write, 2);
	DONE(EXEC, exec_fn, &sess, "lib", "fn", NULL, 0, write, 1);
	write[0].size = 4;
	DONE(EXEC, exec_fn, &sess, "lib", "fn", &read, 1, write, 1);
	read.size = write[0].size = 7;
	DONE(EXEC, exec_fn, &sess, "lib", "fn", &read, 1, write, 1);
	read.size = write[0].size = 0;
	DONE(EXEC, exec_fn, &sess, "lib", "fn", &read, 1, write, 1);
	assert_int_equal(out[0], 0);
}

static void exec_refuses(void **state)
{
	int number = 0;
	struct vaccel_arg arg = raw(&number, sizeof(number)), none = raw(NULL, sizeof(number));

	(void)state;
	REFUSED(EXEC, exec_fn, NULL, "lib", "fn", NULL, 0, NULL, 0);
	REFUSED(EXEC, exec_fn, &sess, NULL, "fn", NULL, 0, NULL, 0);
	REFUSED(EXEC, exec_fn, &sess, "lib", NULL, NULL, 0, NULL, 0);
	REFUSED(EXEC, exec_fn, &sess, "lib", "fn", NULL, 1, NULL, 0);
	REFUSED(EXEC, exec_fn, &sess, "lib", "fn", NULL, 0, NULL, 1);
	REFUSED(EXEC, exec_fn, &sess, "lib", "fn", &none, 1, &arg, 1);
	REFUSED(EXEC, exec_fn, &sess, "lib", "fn", &arg, 1, &none, 1);
	REFUSED(EXEC_WITH_RESOURCE, exec_with_resource_fn, NULL, &two_files, "fn", NULL, 0, NULL,
		0);
	REFUSED(EXEC_WITH_RESOURCE, exec_with_resource_fn, &sess, NULL, "fn", NULL, 0, NULL, 0);
	REFUSED(EXEC_WITH_RESOURCE, exec_with_resource_fn, &sess, &in_memory, "fn", NULL, 0, NULL,
		0);
	assert_reason("Could not get path of file 0");
}

static void images_answer_and_refuse(void **state)
{
	static const vaccel_op_type_t types[] = { VACCEL_OP_IMAGE_DETECT, VACCEL_OP_IMAGE_SEGMENT,
						  VACCEL_OP_IMAGE_POSE, VACCEL_OP_IMAGE_DEPTH };
	unsigned char text[64] = "", name[64] = "", tiny[5];

	(void)state;
	DONE(IMAGE_CLASSIFY, classify_fn, &sess, "i", text, name, 1, sizeof(text), sizeof(name));
	assert_string_equal((char *)text, "This is a dummy classification tag!");
	assert_string_equal((char *)name, "This is a dummy imgname!");
	DONE(IMAGE_CLASSIFY, classify_fn, &sess, "i", tiny, NULL, 1, sizeof(tiny), 0);
	assert_string_equal((char *)tiny, "This");
	REFUSED(IMAGE_CLASSIFY, classify_fn, NULL, "i", text, name, 1, 64, 64);
	REFUSED(IMAGE_CLASSIFY, classify_fn, &sess, NULL, text, name, 1, 64, 64);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const image_fn run = (image_fn)operation(types[i]);

		name[0] = '\0';
		assert_int_equal(run(&sess, "i", name, 1, sizeof(name)), 0);
		assert_string_equal((char *)name, "This is a dummy imgname!");
		assert_int_equal(run(&sess, "i", NULL, 1, 0), 0);
		assert_int_equal(run(NULL, "i", name, 1, sizeof(name)), VACCEL_EINVAL);
		assert_int_equal(run(&sess, NULL, name, 1, sizeof(name)), VACCEL_EINVAL);
	}
}

static void models_load(void **state)
{
	static const vaccel_op_type_t loads[] = { VACCEL_OP_TFLITE_MODEL_LOAD,
						  VACCEL_OP_TFLITE_MODEL_UNLOAD,
						  VACCEL_OP_TORCH_MODEL_LOAD };
	static const vaccel_op_type_t tf_loads[] = { VACCEL_OP_TF_MODEL_LOAD,
						     VACCEL_OP_TF_MODEL_UNLOAD };
	struct vaccel_blob wrong = { .type = VACCEL_BLOB_MAX }, *blobs[] = { &wrong };
	struct vaccel_resource odd = { .blobs = blobs, .nr_blobs = 1 };
	struct vaccel_tf_status status;

	(void)state;
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		const model_fn run = (model_fn)operation(loads[i]);

		assert_int_equal(run(&sess, &in_memory), 0);
		assert_int_equal(run(NULL, &in_memory), VACCEL_EINVAL);
		assert_int_equal(run(&sess, NULL), VACCEL_EINVAL);
	}
	REFUSED(TORCH_MODEL_LOAD, model_fn, &sess, &odd);
	odd.nr_blobs = 0;
	REFUSED(TORCH_MODEL_LOAD, model_fn, &sess, &odd);
	for (size_t i = 0; i < sizeof(tf_loads) / sizeof(tf_loads[0]); i++) {
		const tf_fn run = (tf_fn)operation(tf_loads[i]);

		memset(&status, 0xff, sizeof(status));
		assert_int_equal(run(&sess, &in_memory, &status), 0);
		assert_int_equal(status.code, 0);
		assert_string_equal(status.message, "Operation handled by noop plugin");
		vaccel_tf_status_release(&status);
		assert_int_equal(run(&sess, &in_memory, NULL), 0);
		assert_int_equal(run(NULL, &in_memory, NULL), VACCEL_EINVAL);
		assert_int_equal(run(&sess, NULL, NULL), VACCEL_EINVAL);
	}
}

static struct vaccel_tf_node nodes[] = { { (char *)"in", 0 }, { (char *)"out", 1 } };

/*
 * The three families: `RUN` calls the operation with in, nr_in, out, nr_out and nothing else that
 * varies. What is asked of a copy is the same for all.
 */
#define TENSOR_TEST(name, dim_type, float_type, RUN)                                               \
	static void name##_tensors(void **state)                                                   \
	{                                                                                          \
		const dim_type dims[] = { 2, 3 };                                                  \
		struct vaccel_##name##_tensor *in[2], *out[2] = { NULL, NULL };                    \
		float *data;                                                                       \
                                                                                                   \
		(void)state;                                                                       \
		assert_int_equal(vaccel_##name##_tensor_allocate(&in[0], 2, dims, float_type, 24), \
				 0);                                                               \
		assert_int_equal(vaccel_##name##_tensor_new(&in[1], 1, dims, float_type), 0);      \
		data = in[0]->data;                                                                \
		data[5] = 2.5F;                                                                    \
		assert_int_equal(RUN(in, 2, out, 2), 0);                                           \
		assert_int_equal(out[0]->nr_dims, 2);                                              \
		assert_int_equal(out[0]->dims[1], 3);                                              \
		assert_int_equal(out[0]->data_type, float_type);                                   \
		assert_int_equal(out[0]->size, 24);                                                \
		assert_true(out[0]->owned);                                                        \
		assert_ptr_not_equal(out[0]->data, data);                                          \
		assert_memory_equal(out[0]->data, data, 24);                                       \
		assert_int_equal(out[1]->nr_dims, 1);                                              \
		assert_int_equal(out[1]->size, 0);                                                 \
		vaccel_##name##_tensor_delete(out[0]);                                             \
		vaccel_##name##_tensor_delete(out[1]);                                             \
                                                                                                   \
		assert_int_equal(RUN(in, 1, out, 2), VACCEL_EINVAL);                               \
		assert_reason("2 outputs of 1 inputs");                                            \
		assert_int_equal(RUN(NULL, 1, out, 1), VACCEL_EINVAL);                             \
		assert_int_equal(RUN(in, 1, NULL, 1), VACCEL_EINVAL);                              \
		assert_int_equal(RUN(in, -1, out, -1), VACCEL_EINVAL);                             \
		assert_int_equal(RUN(in, 2, NULL, 0), 0);                                          \
		in[0]->data = NULL;                                                                \
		assert_int_equal(RUN(in, 2, out, 2), VACCEL_EINVAL);                               \
		in[0]->data = data;                                                                \
		vaccel_##name##_tensor_delete(in[0]);                                              \
		in[0] = NULL;                                                                      \
		assert_int_equal(RUN(in, 2, out, 2), VACCEL_EINVAL);                               \
		vaccel_##name##_tensor_delete(in[1]);                                              \
	}

#define RUN_TF(in, nr_in, out, nr_out)                                                             \
	CALL(TF_MODEL_RUN, tf_run_fn, &sess, &in_memory, NULL, nodes, in, nr_in, nodes, out,       \
	     nr_out, NULL)
#define RUN_TFLITE(in, nr_in, out, nr_out)                                                         \
	CALL(TFLITE_MODEL_RUN, tflite_run_fn, &sess, &in_memory, in, nr_in, out, nr_out, NULL)
#define RUN_TORCH(in, nr_in, out, nr_out)                                                          \
	CALL(TORCH_MODEL_RUN, torch_run_fn, &sess, &in_memory, NULL, in, nr_in, out, nr_out)

TENSOR_TEST(tf, int64_t, VACCEL_TF_FLOAT, RUN_TF)
TENSOR_TEST(tflite, int32_t, VACCEL_TFLITE_FLOAT32, RUN_TFLITE)
TENSOR_TEST(torch, int64_t, VACCEL_TORCH_FLOAT, RUN_TORCH)

static void runs_tell_their_status_and_refuse(void **state)
{
	struct vaccel_tf_status status;
	uint8_t code = 7;

	(void)state;
	DONE(TF_MODEL_RUN, tf_run_fn, &sess, &in_memory, NULL, NULL, NULL, 0, NULL, NULL, 0,
	     &status);
	assert_int_equal(status.code, 0);
	assert_string_equal(status.message, "Operation handled by noop plugin");
	vaccel_tf_status_release(&status);
	DONE(TFLITE_MODEL_RUN, tflite_run_fn, &sess, &in_memory, NULL, 0, NULL, 0, &code);
	assert_int_equal(code, 0);

	REFUSED(TF_MODEL_RUN, tf_run_fn, NULL, &in_memory, NULL, NULL, NULL, 0, NULL, NULL, 0,
		NULL);
	REFUSED(TF_MODEL_RUN, tf_run_fn, &sess, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, NULL);
	REFUSED(TF_MODEL_RUN, tf_run_fn, &sess, &in_memory, NULL, NULL, NULL, 1, NULL, NULL, 0,
		NULL);
	REFUSED(TFLITE_MODEL_RUN, tflite_run_fn, NULL, &in_memory, NULL, 0, NULL, 0, NULL);
	REFUSED(TFLITE_MODEL_RUN, tflite_run_fn, &sess, NULL, NULL, 0, NULL, 0, NULL);
	REFUSED(TORCH_MODEL_RUN, torch_run_fn, NULL, &in_memory, NULL, NULL, 0, NULL, 0);
	REFUSED(TORCH_MODEL_RUN, torch_run_fn, &sess, NULL, NULL, NULL, 0, NULL, 0);
	REFUSED(TORCH_SGEMM, torch_sgemm_fn, NULL, NULL, NULL, NULL, 1, 1, 1, NULL);
	DONE(TORCH_SGEMM, torch_sgemm_fn, &sess, NULL, NULL, NULL, 1, 1, 1, NULL);
}

static void arrays(void **state)
{
	int ints[3] = { 1, 2, 3 }, copy[3] = { 0 };
	float a[3] = { 1, 2, 3 }, b[3] = { 10, 20, 30 }, c[3] = { 0 }, d[3] = { 0 };
	double in[3] = { 5, 6, 7 }, out[3] = { 0 }, min = 0, max = 0;

	(void)state;
	DONE(FPGA_ARRAYCOPY, arraycopy_fn, &sess, ints, copy, 3);
	assert_memory_equal(copy, ints, sizeof(ints));
	DONE(FPGA_MMULT, mmult_fn, &sess, a, b, c, 3);
	assert_float_equal(c[2], 9.1F, 0);
	DONE(FPGA_PARALLEL, parallel_fn, &sess, a, b, c, d, 3);
	assert_float_equal(c[2], 33, 0);
	assert_float_equal(d[2], 1, 0);
	DONE(FPGA_VECTORADD, vectoradd_fn, &sess, a, b, d, 3, 3);
	assert_float_equal(d[1], 22, 0);
	DONE(MINMAX, minmax_fn, &sess, in, 3, 0, 9, out, &min, &max);
	assert_memory_equal(out, in, sizeof(in));
	assert_float_equal(min, -1, 0);
	assert_float_equal(max, 10000, 0);
	c[0] = 4;
	DONE(BLAS_SGEMM, sgemm_fn, &sess, 1, 1, 1, 1, a, 1, b, 1, 1, c, 1);
	assert_float_equal(c[0], 4, 0);
	DONE(FPGA_ARRAYCOPY, arraycopy_fn, &sess, NULL, NULL, 0);

	REFUSED(FPGA_ARRAYCOPY, arraycopy_fn, NULL, ints, copy, 3);
	REFUSED(FPGA_ARRAYCOPY, arraycopy_fn, &sess, ints, NULL, 3);
	REFUSED(FPGA_MMULT, mmult_fn, &sess, a, NULL, c, 3);
	REFUSED(FPGA_PARALLEL, parallel_fn, &sess, a, b, c, NULL, 3);
	REFUSED(FPGA_VECTORADD, vectoradd_fn, &sess, a, b, NULL, 3, 3);
	REFUSED(FPGA_VECTORADD, vectoradd_fn, &sess, a, b, c, 3, 2);
	REFUSED(MINMAX, minmax_fn, NULL, in, 3, 0, 9, out, &min, &max);
	REFUSED(MINMAX, minmax_fn, &sess, in, -1, 0, 9, out, &min, &max);
	REFUSED(MINMAX, minmax_fn, &sess, NULL, 3, 0, 9, out, &min, &max);
	REFUSED(MINMAX, minmax_fn, &sess, in, 3, 0, 9, out, NULL, &max);
	REFUSED(BLAS_SGEMM, sgemm_fn, NULL, 1, 1, 1, 1, a, 1, b, 1, 1, c, 1);
}

static void opencv_writes_headers(void **state)
{
	uint8_t function = 3, buffer[40];
	size_t header;
	struct vaccel_arg read = raw(&function, 1), write[2] = { raw(buffer, 40), raw(buffer, 7) };

	(void)state;
	DONE(OPENCV, opencv_fn, &sess, &read, 1, write, 1);
	memcpy(&header, buffer, sizeof(header));
	assert_int_equal(header, 10);
	REFUSED(OPENCV, opencv_fn, &sess, &read, 1, write, 2);
	REFUSED(OPENCV, opencv_fn, &sess, &read, 1, NULL, 1);
	REFUSED(OPENCV, opencv_fn, &sess, NULL, 0, NULL, 0);
	REFUSED(OPENCV, opencv_fn, NULL, &read, 1, write, 1);
	read.buf = NULL;
	REFUSED(OPENCV, opencv_fn, &sess, &read, 1, write, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_them_all_and_all_may_run_at_once),
		cmocka_unit_test(exec_answers_its_argument),
		cmocka_unit_test(exec_refuses),
		cmocka_unit_test(images_answer_and_refuse),
		cmocka_unit_test(models_load),
		cmocka_unit_test(tf_tensors),
		cmocka_unit_test(tflite_tensors),
		cmocka_unit_test(torch_tensors),
		cmocka_unit_test(runs_tell_their_status_and_refuse),
		cmocka_unit_test(arrays),
		cmocka_unit_test(opencv_writes_headers),
	};

	return cmocka_run_group_tests(tests, start, end);
}
