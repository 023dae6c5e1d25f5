/*
 * rpc_plugin.c - what libvaccel sees of the rpc plugin: its description and its operations.
 *
 * The file answers to two names, libvaccel-rpc.so and libvaccel-vsock.so; they differ in the
 * default address alone (address.c).
 */
#include "rpc.h"

/* All but torch_sgemm, which has no remote form; noop has one with our own agents alone. */
#define RPC_OPS(X)                                                                                 \
	X(NOOP, rpc_noop)                                                                          \
	X(IMAGE_CLASSIFY, rpc_image_classify)                                                      \
	X(IMAGE_DETECT, rpc_image_detect)                                                          \
	X(IMAGE_SEGMENT, rpc_image_segment)                                                        \
	X(IMAGE_POSE, rpc_image_pose)                                                              \
	X(IMAGE_DEPTH, rpc_image_depth)                                                            \
	X(EXEC, rpc_exec)                                                                          \
	X(EXEC_WITH_RESOURCE, rpc_exec_with_resource)                                              \
	X(BLAS_SGEMM, rpc_sgemm)                                                                   \
	X(FPGA_ARRAYCOPY, rpc_fpga_arraycopy)                                                      \
	X(FPGA_MMULT, rpc_fpga_mmult)                                                              \
	X(FPGA_PARALLEL, rpc_fpga_parallel)                                                        \
	X(FPGA_VECTORADD, rpc_fpga_vadd)                                                           \
	X(MINMAX, rpc_minmax)                                                                      \
	X(OPENCV, rpc_opencv)                                                                      \
	X(TF_MODEL_LOAD, rpc_tf_model_load)                                                        \
	X(TF_MODEL_UNLOAD, rpc_tf_model_unload)                                                    \
	X(TF_MODEL_RUN, rpc_tf_model_run)                                                          \
	X(TFLITE_MODEL_LOAD, rpc_tflite_model_load)                                                \
	X(TFLITE_MODEL_UNLOAD, rpc_tflite_model_unload)                                            \
	X(TFLITE_MODEL_RUN, rpc_tflite_model_run)                                                  \
	X(TORCH_MODEL_LOAD, rpc_torch_model_load)                                                  \
	X(TORCH_MODEL_RUN, rpc_torch_model_run)

#define RPC_OP(op, func) VACCEL_OP_INIT(op, VACCEL_OP_##op, func),
static struct vaccel_op ops[] = { RPC_OPS(RPC_OP) };

/* Calls share a connection, not a state: what must not overlap is the agent's to order. */
#define RPC_OP_BIT(op, func) LUACCEL_OP(VACCEL_OP_##op) |
LUACCEL_REENTRANT(RPC_OPS(RPC_OP_BIT) 0);

static int init(void)
{
	int ret = rpc_agents_setup();

	if (ret != VACCEL_OK)
		return ret;
	rpc_address_setup();
	return vaccel_plugin_register_ops(ops, sizeof(ops) / sizeof(ops[0]));
}

static int fini(void)
{
	rpc_agents_close();
	return VACCEL_OK;
}

VACCEL_PLUGIN(.name = "rpc", .version = VACCEL_VERSION, .vaccel_version = VACCEL_VERSION,
	      .init = init, .fini = fini, .is_virtio = true, .type = VACCEL_PLUGIN_REMOTE,
	      .session_init = rpc_session_init, .session_release = rpc_session_release,
	      .session_update = rpc_session_update, .resource_register = rpc_resource_register,
	      .resource_unregister = rpc_resource_unregister, .resource_sync = rpc_resource_sync)
