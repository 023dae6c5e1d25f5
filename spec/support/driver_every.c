/*
 * driver_every.c - see driver.h: the command `every`, which runs any operation by its name with
 * arguments that are always the same, directly or through vaccel_genop().
 *
 * The answer has every byte that the operation may have written, in hex: whole buffers, which are
 * 'Z' before, and tensors as TYPE:DIM,DIM:BYTES. A status follows as code and message.
 */
#include "driver.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTS = 3, OUT_SIZE = 64, TEXTS = 4096 };

struct job {
	struct vaccel_session *sess;
	struct vaccel_resource *res;
	bool generic;
	_Alignas(double) unsigned char out[OUTS][OUT_SIZE];
	size_t size[OUTS];
	char text[TEXTS]; /* tensors and status */
};

static void say(struct job *job, const char *format, ...)
{
	size_t length = strlen(job->text);
	va_list args;

	va_start(args, format);
	vsnprintf(job->text + length, sizeof(job->text) - length, format, args);
	va_end(args);
}

static void say_bytes(struct job *job, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		say(job, "%02x", ((const unsigned char *)bytes)[i]);
}

/* The i-th buffer to write. */
static void *out(struct job *job, size_t i, size_t size)
{
	memset(job->out[i], 'Z', size);
	job->size[i] = size;
	return job->out[i];
}

static struct vaccel_arg arg(vaccel_arg_type_t type, const void *buf, size_t size)
{
	return (struct vaccel_arg){ .buf = (void *)buf, .size = size, .type = type };
}

/* Of a value or an array: ARG(INT64, m). */
#define ARG(type, value) arg(VACCEL_ARG_##type, &(value), sizeof(value))
/* Of the i-th buffer to write. */
#define OUT(type, i) arg(VACCEL_ARG_##type, job->out[i], job->size[i])

enum { ARGS = 12 };

/* vaccel_genop() of an operation; both lists end with an argument without bytes. */
static int generic(const struct job *job, vaccel_op_type_t op, const struct vaccel_arg read[ARGS],
		   struct vaccel_arg write[OUTS])
{
	uint8_t number = (uint8_t)op;
	struct vaccel_arg list[ARGS + 1] = { ARG(UINT8, number) };
	int nr_read = 1, nr_write = 0;

	for (int i = 0; i < ARGS && read[i].size; i++)
		list[nr_read++] = read[i];
	while (nr_write < OUTS && write[nr_write].size)
		nr_write++;
	return TIMED(vaccel_genop(job->sess, list, nr_read, write, nr_write));
}

static const char library[] = "/usr/lib/libnone.so", symbol[] = "work";
static char input[16] = "sixteen letters";

static int run_exec(struct job *job)
{
	struct vaccel_arg read[ARGS] = {
		ARG(STRING, library),
		ARG(STRING, symbol),
		ARG(BUFFER, input),
	};
	struct vaccel_arg write[OUTS] = { arg(VACCEL_ARG_BUFFER, out(job, 0, 16), 16) };

	if (job->generic)
		return generic(job, VACCEL_OP_EXEC, read, write);
	return TIMED(vaccel_exec(job->sess, library, symbol, &read[2], 1, write, 1));
}

static int run_exec_with_resource(struct job *job)
{
	int64_t id = job->res ? job->res->id : 0;
	struct vaccel_arg read[ARGS] = {
		ARG(INT64, id),
		ARG(STRING, symbol),
		ARG(BUFFER, input),
	};
	struct vaccel_arg write[OUTS] = { arg(VACCEL_ARG_BUFFER, out(job, 0, 16), 16) };

	if (job->generic)
		return generic(job, VACCEL_OP_EXEC_WITH_RESOURCE, read, write);
	return TIMED(vaccel_exec_with_resource(job->sess, job->res, symbol, &read[2], 1, write, 1));
}

static int run_opencv(struct job *job)
{
	int32_t function = 7;
	struct vaccel_arg read[ARGS] = { ARG(INT32, function), ARG(BUFFER, input) };
	struct vaccel_arg write[OUTS] = {
		arg(VACCEL_ARG_BUFFER, out(job, 0, 24), 24),
		arg(VACCEL_ARG_BUFFER, out(job, 1, 64), 64),
	};

	return generic(job, VACCEL_OP_OPENCV, read, write);
}

static int run_classify(struct job *job)
{
	struct vaccel_arg read[ARGS] = { ARG(BUFFER, input) };
	unsigned char *name = out(job, 0, 32), *tags = out(job, 1, 48);
	struct vaccel_arg write[OUTS] = { OUT(UCHAR_ARRAY, 0), OUT(UCHAR_ARRAY, 1) };

	if (job->generic)
		return generic(job, VACCEL_OP_IMAGE_CLASSIFY, read, write);
	return TIMED(vaccel_image_classification(job->sess, input, tags, name, sizeof(input),
						 job->size[1], job->size[0]));
}

typedef int (*image_op)(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
			size_t len_img, size_t len_out_imgname);

static int run_image(struct job *job, vaccel_op_type_t op, image_op func)
{
	struct vaccel_arg read[ARGS] = { ARG(BUFFER, input) };
	unsigned char *name = out(job, 0, 32);
	struct vaccel_arg write[OUTS] = { OUT(UCHAR_ARRAY, 0) };

	if (job->generic)
		return generic(job, op, read, write);
	return TIMED(func(job->sess, input, name, sizeof(input), job->size[0]));
}

static int run_detect(struct job *job)
{
	return run_image(job, VACCEL_OP_IMAGE_DETECT, vaccel_image_detection);
}

static int run_segment(struct job *job)
{
	return run_image(job, VACCEL_OP_IMAGE_SEGMENT, vaccel_image_segmentation);
}

static int run_pose(struct job *job)
{
	return run_image(job, VACCEL_OP_IMAGE_POSE, vaccel_image_pose);
}

static int run_depth(struct job *job)
{
	return run_image(job, VACCEL_OP_IMAGE_DEPTH, vaccel_image_depth);
}

static float a[5] = { 1, 2, 3, 4, 5 }, b[7] = { 10, 20, 30, 40, 50, 60, 70 };

/* Matrices of 2 by 2, 2 by 3 and 2 by 3 whose rows are further apart than they are long. */
static int run_sgemm(struct job *job)
{
	int64_t m = 2, n = 3, k = 2, lda = 3, ldb = 4, ldc = 5;
	float alpha = 1.5f, beta = 0.5f, *c = out(job, 0, 8 * sizeof(float));
	struct vaccel_arg read[ARGS] = {
		ARG(INT64, m),	       ARG(INT64, n),	ARG(INT64, k),	       ARG(FLOAT32, alpha),
		ARG(FLOAT32_ARRAY, a), ARG(INT64, lda), ARG(FLOAT32_ARRAY, b), ARG(INT64, ldb),
		ARG(FLOAT32, beta),    ARG(INT64, ldc),
	};
	struct vaccel_arg write[OUTS] = { OUT(FLOAT32_ARRAY, 0) };

	if (job->generic)
		return generic(job, VACCEL_OP_BLAS_SGEMM, read, write);
	return TIMED(vaccel_sgemm(job->sess, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc));
}

static int run_arraycopy(struct job *job)
{
	int numbers[4] = { 1, -2, 3, -4 }, *copy = out(job, 0, sizeof(numbers));
	struct vaccel_arg read[ARGS] = { ARG(INT32_ARRAY, numbers) };
	struct vaccel_arg write[OUTS] = { OUT(INT32_ARRAY, 0) };

	if (job->generic)
		return generic(job, VACCEL_OP_FPGA_ARRAYCOPY, read, write);
	return TIMED(vaccel_fpga_arraycopy(job->sess, numbers, copy, 4));
}

/* Of the first four of a and b. */
static int run_mmult(struct job *job)
{
	float *c = out(job, 0, 4 * sizeof(float));
	struct vaccel_arg read[ARGS] = {
		arg(VACCEL_ARG_FLOAT32_ARRAY, a, 4 * sizeof(float)),
		arg(VACCEL_ARG_FLOAT32_ARRAY, b, 4 * sizeof(float)),
	};
	struct vaccel_arg write[OUTS] = { OUT(FLOAT32_ARRAY, 0) };

	if (job->generic)
		return generic(job, VACCEL_OP_FPGA_MMULT, read, write);
	return TIMED(vaccel_fpga_mmult(job->sess, a, b, c, 4));
}

static int run_parallel(struct job *job)
{
	float *sum = out(job, 0, sizeof(a)), *product = out(job, 1, sizeof(a));
	struct vaccel_arg read[ARGS] = {
		ARG(FLOAT32_ARRAY, a),
		arg(VACCEL_ARG_FLOAT32_ARRAY, b, sizeof(a)),
	};
	struct vaccel_arg write[OUTS] = { OUT(FLOAT32_ARRAY, 0), OUT(FLOAT32_ARRAY, 1) };

	if (job->generic)
		return generic(job, VACCEL_OP_FPGA_PARALLEL, read, write);
	return TIMED(vaccel_fpga_parallel(job->sess, a, b, sum, product, 5));
}

static int run_vadd(struct job *job)
{
	float *c = out(job, 0, sizeof(a));
	struct vaccel_arg read[ARGS] = {
		ARG(FLOAT32_ARRAY, a),
		arg(VACCEL_ARG_FLOAT32_ARRAY, b, sizeof(a)),
	};
	struct vaccel_arg write[OUTS] = { OUT(FLOAT32_ARRAY, 0) };

	if (job->generic)
		return generic(job, VACCEL_OP_FPGA_VECTORADD, read, write);
	return TIMED(vaccel_fpga_vadd(job->sess, a, b, c, 5, 5));
}

static int run_minmax(struct job *job)
{
	double data[3] = { 5, -6, 7 };
	double *kept = out(job, 0, sizeof(data)), *min = out(job, 1, sizeof(*min)),
	       *max = out(job, 2, sizeof(*max));
	int count = 3, low = -10, high = 10;
	struct vaccel_arg read[ARGS] = {
		ARG(FLOAT64_ARRAY, data),
		ARG(INT32, count),
		ARG(INT32, low),
		ARG(INT32, high),
	};
	struct vaccel_arg write[OUTS] = {
		OUT(FLOAT64_ARRAY, 0),
		OUT(FLOAT64, 1),
		OUT(FLOAT64, 2),
	};

	if (job->generic)
		return generic(job, VACCEL_OP_MINMAX, read, write);
	return TIMED(vaccel_minmax(job->sess, data, count, low, high, kept, min, max));
}

/* Tensors of floats, a and b, that a run of each family is given, and gets back. */
enum { TENSORS = 2 };

static int64_t dims[] = { 1, 5 };
static int32_t small_dims[] = { 1, 5 };

#define TENSOR(values, extents, type)                                                              \
	{                                                                                          \
		.data = (values), .size = sizeof(a), .nr_dims = 2, .dims = (extents),              \
		.data_type = (type)                                                                \
	}

/* Say what came and take it away again: the same for each family. */
#define TAKE(family, outs)                                                                         \
	do {                                                                                       \
		for (int i = 0; i < TENSORS; i++) {                                                \
			say(job, " %d:%ld,%ld:", (int)(outs)[i]->data_type,                        \
			    (long)(outs)[i]->dims[0], (long)(outs)[i]->dims[1]);                   \
			say_bytes(job, (outs)[i]->data, (outs)[i]->size);                          \
			vaccel_##family##_tensor_delete((outs)[i]);                                \
		}                                                                                  \
	} while (0)

static void say_status(struct job *job, struct vaccel_tf_status *status)
{
	say(job, " %u:%s", status->code, status->message ? status->message : "nothing");
	vaccel_tf_status_release(status);
}

static int run_tf_load(struct job *job)
{
	struct vaccel_tf_status status = { 0 };
	int code = TIMED(vaccel_tf_model_load(job->sess, job->res, &status));

	say_status(job, &status);
	return code;
}

static int run_tf_unload(struct job *job)
{
	struct vaccel_tf_status status = { 0 };
	int code = TIMED(vaccel_tf_model_unload(job->sess, job->res, &status));

	say_status(job, &status);
	return code;
}

static int run_tf_run(struct job *job)
{
	static char x[] = "x", y[] = "y";
	const struct vaccel_tf_node in[] = { { x, 0 }, { y, 1 } }, nodes[] = { { y, 0 }, { x, 1 } };
	struct vaccel_tf_tensor tensors[] = { TENSOR(a, dims, VACCEL_TF_FLOAT),
					      TENSOR(b, dims, VACCEL_TF_INT32) };
	struct vaccel_tf_tensor *list[] = { &tensors[0], &tensors[1] }, *outs[TENSORS] = { NULL };
	const struct vaccel_tf_buffer options = { input, sizeof(input) };
	struct vaccel_tf_status status = { 0 };
	int code = TIMED(vaccel_tf_model_run(job->sess, job->res, &options, in, list, TENSORS,
					     nodes, outs, TENSORS, &status));

	if (!code)
		TAKE(tf, outs);
	say_status(job, &status);
	return code;
}

static int run_tflite_load(struct job *job)
{
	return TIMED(vaccel_tflite_model_load(job->sess, job->res));
}

static int run_tflite_unload(struct job *job)
{
	return TIMED(vaccel_tflite_model_unload(job->sess, job->res));
}

static int run_tflite_run(struct job *job)
{
	struct vaccel_tflite_tensor tensors[] = {
		TENSOR(a, small_dims, VACCEL_TFLITE_FLOAT32),
		TENSOR(b, small_dims, VACCEL_TFLITE_INT32),
	};
	struct vaccel_tflite_tensor *list[] = { &tensors[0], &tensors[1] },
				    *outs[TENSORS] = { NULL };
	uint8_t status = 9;
	int code = TIMED(vaccel_tflite_model_run(job->sess, job->res, list, TENSORS, outs, TENSORS,
						 &status));

	if (!code)
		TAKE(tflite, outs);
	say(job, " %u", status);
	return code;
}

static int run_torch_load(struct job *job)
{
	return TIMED(vaccel_torch_model_load(job->sess, job->res));
}

static int run_torch_run(struct job *job)
{
	struct vaccel_torch_tensor tensors[] = { TENSOR(a, dims, VACCEL_TORCH_FLOAT),
						 TENSOR(b, dims, VACCEL_TORCH_INT) };
	struct vaccel_torch_tensor *list[] = { &tensors[0], &tensors[1] },
				   *outs[TENSORS] = { NULL };
	const struct vaccel_torch_buffer options = { input, sizeof(input) };
	int code = TIMED(vaccel_torch_model_run(job->sess, job->res, &options, list, TENSORS, outs,
						TENSORS));

	if (!code)
		TAKE(torch, outs);
	return code;
}

static int run_torch_sgemm(struct job *job)
{
	struct vaccel_torch_tensor *none = NULL;

	return TIMED(vaccel_torch_sgemm(job->sess, &none, &none, &none, 1, 1, 1, &none));
}

static const struct operation {
	const char *name;
	int (*run)(struct job *job);
} operations[] = {
	{ "exec", run_exec },
	{ "exec_with_resource", run_exec_with_resource },
	{ "image_classify", run_classify },
	{ "image_detect", run_detect },
	{ "image_segment", run_segment },
	{ "image_pose", run_pose },
	{ "image_depth", run_depth },
	{ "tf_model_load", run_tf_load },
	{ "tf_model_unload", run_tf_unload },
	{ "tf_model_run", run_tf_run },
	{ "tflite_model_load", run_tflite_load },
	{ "tflite_model_unload", run_tflite_unload },
	{ "tflite_model_run", run_tflite_run },
	{ "torch_model_load", run_torch_load },
	{ "torch_model_run", run_torch_run },
	{ "torch_sgemm", run_torch_sgemm },
	{ "blas_sgemm", run_sgemm },
	{ "fpga_arraycopy", run_arraycopy },
	{ "fpga_mmult", run_mmult },
	{ "fpga_parallel", run_parallel },
	{ "fpga_vectoradd", run_vadd },
	{ "minmax", run_minmax },
	{ "opencv", run_opencv },
};

static void run_job(const struct operation *operation, struct job *job)
{
	int code = operation->run(job);

	for (size_t i = 0; !code && i < OUTS && job->size[i]; i++) {
		say(job, " ");
		say_bytes(job, job->out[i], job->size[i]);
	}
	if (code)
		say_error(code);
	else
		say_ok("text=%s", job->text + (job->text[0] == ' '));
}

void cmd_every(char **word)
{
	struct job job = {
		.sess = session(word[2]),
		.res = resource(word[4]),
		.generic = strcmp(word[3], "generic") == 0,
	};

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].name, word[1]) == 0) {
			run_job(&operations[i], &job);
			return;
		}
	}
	say_misuse("no such operation");
}
