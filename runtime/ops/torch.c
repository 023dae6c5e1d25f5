/*
 * torch.c - loading and running PyTorch models, which must be registered with the session, and the
 * older matrix product on tensors. Any thread.
 */
#include "dispatch.h"

typedef int (*load_fn)(struct vaccel_session *sess, struct vaccel_resource *model);
typedef int (*run_fn)(struct vaccel_session *sess, struct vaccel_resource *model,
		      const struct vaccel_torch_buffer *run_options,
		      struct vaccel_torch_tensor *const *inputs, int nr_inputs,
		      struct vaccel_torch_tensor **outputs, int nr_outputs);
typedef int (*sgemm_fn)(struct vaccel_session *sess, struct vaccel_torch_tensor **in_A,
			struct vaccel_torch_tensor **in_B, struct vaccel_torch_tensor **in_C, int M,
			int N, int K, struct vaccel_torch_tensor **out);

int vaccel_torch_model_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	const struct op_call call =
		op_begin_with(sess, VACCEL_OP_TORCH_MODEL_LOAD, model, VACCEL_RESOURCE_MODEL, 0);
	const load_fn load = (load_fn)call.func;

	return op_end(&call, likely(load) ? load(sess, model) : call.code);
}

int vaccel_torch_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			   const struct vaccel_torch_buffer *run_options,
			   struct vaccel_torch_tensor *const *inputs, int nr_inputs,
			   struct vaccel_torch_tensor **outputs, int nr_outputs)
{
	const struct op_call call =
		op_begin_with(sess, VACCEL_OP_TORCH_MODEL_RUN, model, VACCEL_RESOURCE_MODEL,
			      op_bytes_of_tensors(inputs, nr_inputs));
	const run_fn run = (run_fn)call.func;

	return op_end(&call, likely(run) ? run(sess, model, run_options, inputs, nr_inputs, outputs,
					       nr_outputs)
					 : call.code);
}

int vaccel_torch_sgemm(struct vaccel_session *sess, struct vaccel_torch_tensor **in_A,
		       struct vaccel_torch_tensor **in_B, struct vaccel_torch_tensor **in_C, int M,
		       int N, int K, struct vaccel_torch_tensor **out)
{
	const struct op_call call = op_begin(sess, VACCEL_OP_TORCH_SGEMM, 0);
	const sgemm_fn sgemm = (sgemm_fn)call.func;

	return op_end(&call,
		      likely(sgemm) ? sgemm(sess, in_A, in_B, in_C, M, N, K, out) : call.code);
}
