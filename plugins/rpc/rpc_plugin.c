/*
 * rpc_plugin.c - what libvaccel sees of the rpc plugin: its description and its operations.
 *
 * The file answers to two names, libvaccel-rpc.so and libvaccel-vsock.so; they differ in the
 * default address alone (address.c).
 */
#include "rpc.h"

static struct vaccel_op ops[] = {
	VACCEL_OP_INIT(ops[0], VACCEL_OP_IMAGE_CLASSIFY, rpc_image_classify),
	VACCEL_OP_INIT(ops[1], VACCEL_OP_IMAGE_DETECT, rpc_image_detect),
	VACCEL_OP_INIT(ops[2], VACCEL_OP_IMAGE_SEGMENT, rpc_image_segment),
	VACCEL_OP_INIT(ops[3], VACCEL_OP_IMAGE_POSE, rpc_image_pose),
	VACCEL_OP_INIT(ops[4], VACCEL_OP_IMAGE_DEPTH, rpc_image_depth),
	VACCEL_OP_INIT(ops[5], VACCEL_OP_TORCH_MODEL_LOAD, rpc_torch_model_load),
	VACCEL_OP_INIT(ops[6], VACCEL_OP_TORCH_MODEL_RUN, rpc_torch_model_run),
};

/* Calls share a connection, not a state: what must not overlap is the agent's to order. */
LUACCEL_REENTRANT(LUACCEL_OP(VACCEL_OP_IMAGE_CLASSIFY) | LUACCEL_OP(VACCEL_OP_IMAGE_DETECT) |
		  LUACCEL_OP(VACCEL_OP_IMAGE_SEGMENT) | LUACCEL_OP(VACCEL_OP_IMAGE_POSE) |
		  LUACCEL_OP(VACCEL_OP_IMAGE_DEPTH) | LUACCEL_OP(VACCEL_OP_TORCH_MODEL_LOAD) |
		  LUACCEL_OP(VACCEL_OP_TORCH_MODEL_RUN));

static int init(void)
{
	int ret = rpc_connection_setup();

	if (ret != VACCEL_OK)
		return ret;
	rpc_address_setup();
	return vaccel_plugin_register_ops(ops, sizeof(ops) / sizeof(ops[0]));
}

static int fini(void)
{
	rpc_connection_close();
	return VACCEL_OK;
}

VACCEL_PLUGIN(.name = "rpc", .version = VACCEL_VERSION, .vaccel_version = VACCEL_VERSION,
	      .init = init, .fini = fini, .is_virtio = true, .type = VACCEL_PLUGIN_REMOTE,
	      .session_init = rpc_session_init, .session_release = rpc_session_release,
	      .session_update = rpc_session_update, .resource_register = rpc_resource_register,
	      .resource_unregister = rpc_resource_unregister, .resource_sync = rpc_resource_sync)
