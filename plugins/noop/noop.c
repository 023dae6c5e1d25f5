/*
 * noop.c - a plugin that computes nothing: it logs its arguments at debug level and answers
 * something fixed. Stateless, so any thread may call any of its operations at any time.
 */
#include "noop.h"

static int noop_noop(struct vaccel_session *sess)
{
	if (!sess)
		return noop_invalid("Invalid session");
	noop_debug("Calling no-op for session %" PRId64, sess->id);
	return VACCEL_OK;
}

/* In the order in which the log has always named them. */
static struct vaccel_op ops[] = {
	VACCEL_OP_INIT(noop, VACCEL_OP_NOOP, noop_noop),
	VACCEL_OP_INIT(exec, VACCEL_OP_EXEC, noop_exec),
	VACCEL_OP_INIT(exec_with_resource, VACCEL_OP_EXEC_WITH_RESOURCE, noop_exec_with_resource),
	VACCEL_OP_INIT(classify, VACCEL_OP_IMAGE_CLASSIFY, noop_classify),
	VACCEL_OP_INIT(detect, VACCEL_OP_IMAGE_DETECT, noop_detect),
	VACCEL_OP_INIT(segment, VACCEL_OP_IMAGE_SEGMENT, noop_segment),
	VACCEL_OP_INIT(pose, VACCEL_OP_IMAGE_POSE, noop_pose),
	VACCEL_OP_INIT(depth, VACCEL_OP_IMAGE_DEPTH, noop_depth),
	VACCEL_OP_INIT(tf_load, VACCEL_OP_TF_MODEL_LOAD, noop_tf_load),
	VACCEL_OP_INIT(tf_unload, VACCEL_OP_TF_MODEL_UNLOAD, noop_tf_unload),
	VACCEL_OP_INIT(tf_run, VACCEL_OP_TF_MODEL_RUN, noop_tf_run),
	VACCEL_OP_INIT(tflite_load, VACCEL_OP_TFLITE_MODEL_LOAD, noop_tflite_load),
	VACCEL_OP_INIT(tflite_unload, VACCEL_OP_TFLITE_MODEL_UNLOAD, noop_tflite_unload),
	VACCEL_OP_INIT(tflite_run, VACCEL_OP_TFLITE_MODEL_RUN, noop_tflite_run),
	VACCEL_OP_INIT(torch_load, VACCEL_OP_TORCH_MODEL_LOAD, noop_torch_load),
	VACCEL_OP_INIT(torch_run, VACCEL_OP_TORCH_MODEL_RUN, noop_torch_run),
	VACCEL_OP_INIT(torch_sgemm, VACCEL_OP_TORCH_SGEMM, noop_torch_sgemm),
	VACCEL_OP_INIT(sgemm, VACCEL_OP_BLAS_SGEMM, noop_sgemm),
	VACCEL_OP_INIT(arraycopy, VACCEL_OP_FPGA_ARRAYCOPY, noop_arraycopy),
	VACCEL_OP_INIT(vectoradd, VACCEL_OP_FPGA_VECTORADD, noop_vectoradd),
	VACCEL_OP_INIT(parallel, VACCEL_OP_FPGA_PARALLEL, noop_parallel),
	VACCEL_OP_INIT(mmult, VACCEL_OP_FPGA_MMULT, noop_mmult),
	VACCEL_OP_INIT(minmax, VACCEL_OP_MINMAX, noop_minmax),
	VACCEL_OP_INIT(opencv, VACCEL_OP_OPENCV, noop_opencv),
};

LUACCEL_REENTRANT(LUACCEL_OP(VACCEL_OP_MAX) - 1); /* all of them */

static int init(void)
{
	return vaccel_plugin_register_ops(ops, sizeof(ops) / sizeof(ops[0]));
}

static int fini(void)
{
	return VACCEL_OK;
}

VACCEL_PLUGIN(.name = "noop", .version = VACCEL_VERSION, .vaccel_version = VACCEL_VERSION,
	      .type = VACCEL_PLUGIN_DEBUG, .init = init, .fini = fini)
