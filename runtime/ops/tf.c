/*
 * tf.c - loading, running and unloading TensorFlow models. The model must be registered with the
 * session. Any thread.
 */
#include "dispatch.h"

/* Loading and unloading. */
typedef int (*model_fn)(struct vaccel_session *sess, struct vaccel_resource *model,
			struct vaccel_tf_status *status);
typedef int (*run_fn)(struct vaccel_session *sess, struct vaccel_resource *model,
		      const struct vaccel_tf_buffer *run_options,
		      const struct vaccel_tf_node *in_nodes,
		      struct vaccel_tf_tensor *const *in_tensors, int nr_inputs,
		      const struct vaccel_tf_node *out_nodes, struct vaccel_tf_tensor **out_tensors,
		      int nr_outputs, struct vaccel_tf_status *status);

int vaccel_tf_model_load(struct vaccel_session *sess, struct vaccel_resource *model,
			 struct vaccel_tf_status *status)
{
	const struct op_call call =
		op_begin_with(sess, VACCEL_OP_TF_MODEL_LOAD, model, VACCEL_RESOURCE_MODEL, 0);
	const model_fn load = (model_fn)call.func;

	return op_end(&call, likely(load) ? load(sess, model, status) : call.code);
}

int vaccel_tf_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			const struct vaccel_tf_buffer *run_options,
			const struct vaccel_tf_node *in_nodes,
			struct vaccel_tf_tensor *const *in_tensors, int nr_inputs,
			const struct vaccel_tf_node *out_nodes,
			struct vaccel_tf_tensor **out_tensors, int nr_outputs,
			struct vaccel_tf_status *status)
{
	const struct op_call call =
		op_begin_with(sess, VACCEL_OP_TF_MODEL_RUN, model, VACCEL_RESOURCE_MODEL,
			      op_bytes_of_tensors(in_tensors, nr_inputs));
	const run_fn run = (run_fn)call.func;

	return op_end(&call, likely(run)
				     ? run(sess, model, run_options, in_nodes, in_tensors,
					   nr_inputs, out_nodes, out_tensors, nr_outputs, status)
				     : call.code);
}

int vaccel_tf_model_unload(struct vaccel_session *sess, struct vaccel_resource *model,
			   struct vaccel_tf_status *status)
{
	const struct op_call call =
		op_begin_with(sess, VACCEL_OP_TF_MODEL_UNLOAD, model, VACCEL_RESOURCE_MODEL, 0);
	const model_fn unload = (model_fn)call.func;

	return op_end(&call, likely(unload) ? unload(sess, model, status) : call.code);
}
