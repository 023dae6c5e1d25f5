/*
 * core_fake_ops.c - the operations of the fake plugin that has all: each notes its arguments and
 * returns what the test wants.
 */
#include "core_fake_ops.h"

static int done(struct fake_call *call, vaccel_op_type_t op)
{
	call->op = op;
	fake.op_call = *call;
	fake.op_calls++;
	return fake.op_ret;
}

/* NOTE(value) notes one argument, DONE(NAME) ends the operation. */
#define NOTE(value) FAKE_WORD(&call, value)
#define DONE(name)  return done(&call, VACCEL_OP_##name)
#define BEGIN	    struct fake_call call = { .count = 0 }

static int noop(struct vaccel_session *sess)
{
	BEGIN;
	NOTE(sess);
	DONE(NOOP);
}

static int exec(struct vaccel_session *sess, const char *library, const char *symbol,
		struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	BEGIN;
	NOTE(sess), NOTE(library), NOTE(symbol);
	NOTE(read), NOTE(nr_read), NOTE(write), NOTE(nr_write);
	DONE(EXEC);
}

static int exec_with(struct vaccel_session *sess, struct vaccel_resource *resource,
		     const char *symbol, struct vaccel_arg *read, size_t nr_read,
		     struct vaccel_arg *write, size_t nr_write)
{
	BEGIN;
	NOTE(sess), NOTE(resource), NOTE(symbol);
	NOTE(read), NOTE(nr_read), NOTE(write), NOTE(nr_write);
	DONE(EXEC_WITH_RESOURCE);
}

static int classify(struct vaccel_session *sess, const void *img, unsigned char *text,
		    unsigned char *name, size_t len_img, size_t len_text, size_t len_name)
{
	BEGIN;
	NOTE(sess), NOTE(img), NOTE(text), NOTE(name);
	NOTE(len_img), NOTE(len_text), NOTE(len_name);
	DONE(IMAGE_CLASSIFY);
}

#define IMAGE(function, op)                                                                        \
	static int function(struct vaccel_session *sess, const void *img, unsigned char *name,     \
			    size_t len_img, size_t len_name)                                       \
	{                                                                                          \
		BEGIN;                                                                             \
		NOTE(sess), NOTE(img), NOTE(name), NOTE(len_img), NOTE(len_name);                  \
		DONE(op);                                                                          \
	}
IMAGE(detect, IMAGE_DETECT)
IMAGE(segment, IMAGE_SEGMENT)
IMAGE(pose, IMAGE_POSE)
IMAGE(depth, IMAGE_DEPTH)

#define TF_MODEL(function, op)                                                                     \
	static int function(struct vaccel_session *sess, struct vaccel_resource *model,            \
			    struct vaccel_tf_status *status)                                       \
	{                                                                                          \
		BEGIN;                                                                             \
		NOTE(sess), NOTE(model), NOTE(status);                                             \
		DONE(op);                                                                          \
	}
TF_MODEL(tf_load, TF_MODEL_LOAD)
TF_MODEL(tf_unload, TF_MODEL_UNLOAD)

static int tf_run(struct vaccel_session *sess, struct vaccel_resource *model,
		  const struct vaccel_tf_buffer *options, const struct vaccel_tf_node *in_nodes,
		  struct vaccel_tf_tensor *const *in, int nr_in,
		  const struct vaccel_tf_node *out_nodes, struct vaccel_tf_tensor **out, int nr_out,
		  struct vaccel_tf_status *status)
{
	BEGIN;
	NOTE(sess), NOTE(model), NOTE(options), NOTE(in_nodes), NOTE(in), NOTE(nr_in);
	NOTE(out_nodes), NOTE(out), NOTE(nr_out), NOTE(status);
	DONE(TF_MODEL_RUN);
}

#define MODEL(function, op)                                                                        \
	static int function(struct vaccel_session *sess, struct vaccel_resource *model)            \
	{                                                                                          \
		BEGIN;                                                                             \
		NOTE(sess), NOTE(model);                                                           \
		DONE(op);                                                                          \
	}
MODEL(tflite_load, TFLITE_MODEL_LOAD)
MODEL(tflite_unload, TFLITE_MODEL_UNLOAD)
MODEL(torch_load, TORCH_MODEL_LOAD)

static int tflite_run(struct vaccel_session *sess, struct vaccel_resource *model,
		      struct vaccel_tflite_tensor *const *in, int nr_in,
		      struct vaccel_tflite_tensor **out, int nr_out, uint8_t *status)
{
	BEGIN;
	NOTE(sess), NOTE(model), NOTE(in), NOTE(nr_in), NOTE(out), NOTE(nr_out), NOTE(status);
	DONE(TFLITE_MODEL_RUN);
}

static int torch_run(struct vaccel_session *sess, struct vaccel_resource *model,
		     const struct vaccel_torch_buffer *options,
		     struct vaccel_torch_tensor *const *in, int nr_in,
		     struct vaccel_torch_tensor **out, int nr_out)
{
	BEGIN;
	NOTE(sess), NOTE(model), NOTE(options), NOTE(in), NOTE(nr_in), NOTE(out), NOTE(nr_out);
	DONE(TORCH_MODEL_RUN);
}

static int torch_sgemm(struct vaccel_session *sess, struct vaccel_torch_tensor **a,
		       struct vaccel_torch_tensor **b, struct vaccel_torch_tensor **c, int m, int n,
		       int k, struct vaccel_torch_tensor **out)
{
	BEGIN;
	NOTE(sess), NOTE(a), NOTE(b), NOTE(c), NOTE(m), NOTE(n), NOTE(k), NOTE(out);
	DONE(TORCH_SGEMM);
}

static int sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha,
		 float *a, int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
	BEGIN;
	NOTE(sess), NOTE(m), NOTE(n), NOTE(k), NOTE(alpha), NOTE(a), NOTE(lda), NOTE(b), NOTE(ldb);
	NOTE(beta), NOTE(c), NOTE(ldc);
	DONE(BLAS_SGEMM);
}

static int arraycopy(struct vaccel_session *sess, int a[], int out[], size_t len)
{
	BEGIN;
	NOTE(sess), NOTE(a), NOTE(out), NOTE(len);
	DONE(FPGA_ARRAYCOPY);
}

static int mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t len)
{
	BEGIN;
	NOTE(sess), NOTE(a), NOTE(b), NOTE(c), NOTE(len);
	DONE(FPGA_MMULT);
}

static int parallel(struct vaccel_session *sess, float a[], float b[], float add[], float mult[],
		    size_t len)
{
	BEGIN;
	NOTE(sess), NOTE(a), NOTE(b), NOTE(add), NOTE(mult), NOTE(len);
	DONE(FPGA_PARALLEL);
}

static int vadd(struct vaccel_session *sess, float a[], float b[], float c[], size_t len_a,
		size_t len_b)
{
	BEGIN;
	NOTE(sess), NOTE(a), NOTE(b), NOTE(c), NOTE(len_a), NOTE(len_b);
	DONE(FPGA_VECTORADD);
}

static int minmax(struct vaccel_session *sess, const double *in, int count, int low, int high,
		  double *out, double *min, double *max)
{
	BEGIN;
	NOTE(sess), NOTE(in), NOTE(count), NOTE(low), NOTE(high), NOTE(out), NOTE(min), NOTE(max);
	DONE(MINMAX);
}

static int opencv(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
		  struct vaccel_arg *write, int nr_write)
{
	BEGIN;
	NOTE(sess), NOTE(read), NOTE(nr_read), NOTE(write), NOTE(nr_write);
	DONE(OPENCV);
}

struct vaccel_op fake_ops[VACCEL_OP_MAX] = {
	VACCEL_OP_INIT(noop, VACCEL_OP_NOOP, noop),
	VACCEL_OP_INIT(exec, VACCEL_OP_EXEC, exec),
	VACCEL_OP_INIT(exec_with, VACCEL_OP_EXEC_WITH_RESOURCE, exec_with),
	VACCEL_OP_INIT(classify, VACCEL_OP_IMAGE_CLASSIFY, classify),
	VACCEL_OP_INIT(detect, VACCEL_OP_IMAGE_DETECT, detect),
	VACCEL_OP_INIT(segment, VACCEL_OP_IMAGE_SEGMENT, segment),
	VACCEL_OP_INIT(pose, VACCEL_OP_IMAGE_POSE, pose),
	VACCEL_OP_INIT(depth, VACCEL_OP_IMAGE_DEPTH, depth),
	VACCEL_OP_INIT(tf_load, VACCEL_OP_TF_MODEL_LOAD, tf_load),
	VACCEL_OP_INIT(tf_unload, VACCEL_OP_TF_MODEL_UNLOAD, tf_unload),
	VACCEL_OP_INIT(tf_run, VACCEL_OP_TF_MODEL_RUN, tf_run),
	VACCEL_OP_INIT(tflite_load, VACCEL_OP_TFLITE_MODEL_LOAD, tflite_load),
	VACCEL_OP_INIT(tflite_unload, VACCEL_OP_TFLITE_MODEL_UNLOAD, tflite_unload),
	VACCEL_OP_INIT(tflite_run, VACCEL_OP_TFLITE_MODEL_RUN, tflite_run),
	VACCEL_OP_INIT(torch_load, VACCEL_OP_TORCH_MODEL_LOAD, torch_load),
	VACCEL_OP_INIT(torch_run, VACCEL_OP_TORCH_MODEL_RUN, torch_run),
	VACCEL_OP_INIT(torch_sgemm, VACCEL_OP_TORCH_SGEMM, torch_sgemm),
	VACCEL_OP_INIT(sgemm, VACCEL_OP_BLAS_SGEMM, sgemm),
	VACCEL_OP_INIT(arraycopy, VACCEL_OP_FPGA_ARRAYCOPY, arraycopy),
	VACCEL_OP_INIT(mmult, VACCEL_OP_FPGA_MMULT, mmult),
	VACCEL_OP_INIT(parallel, VACCEL_OP_FPGA_PARALLEL, parallel),
	VACCEL_OP_INIT(vadd, VACCEL_OP_FPGA_VECTORADD, vadd),
	VACCEL_OP_INIT(minmax, VACCEL_OP_MINMAX, minmax),
	VACCEL_OP_INIT(opencv, VACCEL_OP_OPENCV, opencv),
};
