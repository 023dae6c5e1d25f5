/*
 * tflite.c - loading, running and unloading TensorFlow Lite models. The model must be registered
 * with the session. Any thread.
 */
#include "dispatch.h"

/* Loading and unloading. */
typedef int (*model_fn)(struct vaccel_session *sess, struct vaccel_resource *model);
typedef int (*run_fn)(struct vaccel_session *sess, struct vaccel_resource *model,
		      struct vaccel_tflite_tensor *const *inputs, int nr_inputs,
		      struct vaccel_tflite_tensor **outputs, int nr_outputs, uint8_t *status);

int vaccel_tflite_model_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	const struct op_call call =
		op_begin_with(sess, VACCEL_OP_TFLITE_MODEL_LOAD, model, VACCEL_RESOURCE_MODEL, 0);
	const model_fn load = (model_fn)call.func;

	return op_end(&call, likely(load) ? load(sess, model) : call.code);
}

int vaccel_tflite_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			    struct vaccel_tflite_tensor *const *inputs, int nr_inputs,
			    struct vaccel_tflite_tensor **outputs, int nr_outputs, uint8_t *status)
{
	const struct op_call call =
		op_begin_with(sess, VACCEL_OP_TFLITE_MODEL_RUN, model, VACCEL_RESOURCE_MODEL,
			      op_bytes_of_tensors(inputs, nr_inputs));
	const run_fn run = (run_fn)call.func;

	return op_end(&call,
		      likely(run) ? run(sess, model, inputs, nr_inputs, outputs, nr_outputs, status)
				  : call.code);
}

int vaccel_tflite_model_unload(struct vaccel_session *sess, struct vaccel_resource *model)
{
	const struct op_call call =
		op_begin_with(sess, VACCEL_OP_TFLITE_MODEL_UNLOAD, model, VACCEL_RESOURCE_MODEL, 0);
	const model_fn unload = (model_fn)call.func;

	return op_end(&call, likely(unload) ? unload(sess, model) : call.code);
}
