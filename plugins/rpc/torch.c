/*
 * torch.c - PyTorch models on the agent.
 */
#include "tensors.h"
#include "torch.pb-c.h"

int rpc_torch_model_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	return rpc_model_plain_command(sess, model, "TorchModelLoad");
}

int rpc_torch_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			const struct vaccel_torch_buffer *run_options,
			struct vaccel_torch_tensor *const *inputs, int nr_inputs,
			struct vaccel_torch_tensor **outputs, int nr_outputs)
{
	static const char method[] = "TorchModelRun";
	Vaccel__Torch__ModelRunRequest request = VACCEL__TORCH__MODEL_RUN_REQUEST__INIT;
	const Vaccel__Torch__ModelRunResponse *response;
	struct rpc_tensor_messages in;
	struct ttrpc_answer answer;
	struct rpc_model found;
	int ret = rpc_model_find(sess, model, &found);

	if (ret != VACCEL_OK)
		return ret;
	ret = rpc_tensors_describe(&rpc_torch_tensors, &found, method, inputs, nr_inputs, &in);
	if (ret == VACCEL_OK)
		ret = rpc_tensors_check_outputs(method, outputs, nr_outputs);
	if (ret == VACCEL_OK && run_options)
		ret = rpc_check_size(found.session->conn, method, run_options->size);
	if (ret != VACCEL_OK)
		goto release_inputs;
	request.session_id = found.session_id;
	request.model_id = found.id;
	request.n_in_tensors = (size_t)nr_inputs;
	request.in_tensors = in.list;
	request.nr_out_tensors = (uint64_t)nr_outputs;
	if (run_options && run_options->data && run_options->size > 0) {
		request.optional_run_options_case =
			VACCEL__TORCH__MODEL_RUN_REQUEST__OPTIONAL_RUN_OPTIONS_RUN_OPTIONS;
		request.run_options.data = (uint8_t *)run_options->data;
		request.run_options.len = run_options->size;
	}
	ret = rpc_call(found.session->conn, method, &request.base,
		       &vaccel__torch__model_run_response__descriptor, &answer);
	if (ret != VACCEL_OK)
		goto release_inputs;
	response = (const Vaccel__Torch__ModelRunResponse *)answer.response;
	ret = rpc_tensors_take(&rpc_torch_tensors, method, response->out_tensors,
			       response->n_out_tensors, outputs, nr_outputs);
	ttrpc_answer_release(&answer);
release_inputs:
	rpc_tensors_release(&in);
	return ret;
}
