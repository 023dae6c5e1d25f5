/*
 * torch.c - PyTorch models on the agent. A model is a resource that the session has registered.
 */
#include "empty.pb-c.h"
#include "rpc.h"
#include "torch.pb-c.h"
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int rpc_torch_model_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	Vaccel__Torch__ModelLoadRequest request = VACCEL__TORCH__MODEL_LOAD_REQUEST__INIT;
	struct rpc_session *session;
	struct ttrpc_answer answer;
	int ret = rpc_session_of(sess, &session);

	if (ret == VACCEL_OK)
		ret = rpc_resource_remote_id(session, model, &request.model_id);
	if (ret != VACCEL_OK)
		return ret;
	request.session_id = sess->remote_id;
	ret = rpc_call(session->conn, "TorchModelLoad", &request.base, &vaccel__empty__descriptor,
		       &answer);
	if (ret == VACCEL_OK)
		ttrpc_answer_release(&answer);
	return ret;
}

struct wire_tensors {
	Vaccel__Torch__Tensor **list;
	Vaccel__Torch__Tensor *tensors;
};

/* Data and dimensions stay where they are. */
static int describe_tensors(struct wire_tensors *wire, struct vaccel_torch_tensor *const *inputs,
			    size_t nr_inputs)
{
	wire->list = calloc(nr_inputs + 1, sizeof(*wire->list));
	wire->tensors = calloc(nr_inputs + 1, sizeof(*wire->tensors));
	if (!wire->list || !wire->tensors)
		return rpc_fail(VACCEL_ENOMEM, "no memory for %zu input tensors", nr_inputs);
	for (size_t i = 0; i < nr_inputs; i++) {
		const struct vaccel_torch_tensor *input = inputs[i];

		if (!input || input->nr_dims < 0 || (input->nr_dims > 0 && !input->dims) ||
		    (input->size > 0 && !input->data))
			return rpc_fail(VACCEL_EINVAL, "input tensor %zu has no data or no shape",
					i);
		vaccel__torch__tensor__init(&wire->tensors[i]);
		wire->tensors[i].data.data = input->data;
		wire->tensors[i].data.len = input->size;
		wire->tensors[i].n_dims = (size_t)input->nr_dims;
		wire->tensors[i].dims = input->dims;
		wire->tensors[i].type = (uint32_t)input->data_type;
		wire->list[i] = &wire->tensors[i];
	}
	return VACCEL_OK;
}

/* One tensor of the agent's as one of the caller's. */
static int make_output(const Vaccel__Torch__Tensor *wire, struct vaccel_torch_tensor **output)
{
	int ret;

	if (wire->n_dims == 0 || wire->n_dims > INT_MAX)
		return rpc_fail(VACCEL_EBACKEND,
				"the agent answered TorchModelRun with a tensor of %zu dimensions",
				wire->n_dims);
	ret = vaccel_torch_tensor_allocate(output, (int64_t)wire->n_dims, wire->dims,
					   (enum vaccel_torch_data_type)wire->type, wire->data.len);
	if (ret != VACCEL_OK)
		return rpc_fail(ret, "no output tensor of %zu bytes could be made", wire->data.len);
	if (wire->data.len > 0)
		memcpy((*output)->data, wire->data.data, wire->data.len);
	return VACCEL_OK;
}

/* All outputs, or none. */
static int make_outputs(const Vaccel__Torch__ModelRunResponse *response,
			struct vaccel_torch_tensor **outputs, size_t nr_outputs)
{
	size_t made = 0;
	int ret = VACCEL_OK;

	if (response->n_out_tensors != nr_outputs)
		return rpc_fail(VACCEL_EBACKEND,
				"the agent answered TorchModelRun with %zu tensors; %zu were "
				"asked for",
				response->n_out_tensors, nr_outputs);
	while (ret == VACCEL_OK && made < nr_outputs) {
		ret = make_output(response->out_tensors[made], &outputs[made]);
		if (ret == VACCEL_OK)
			made++;
	}
	if (ret == VACCEL_OK)
		return VACCEL_OK;
	for (size_t i = 0; i < made; i++) {
		vaccel_torch_tensor_delete(outputs[i]);
		outputs[i] = NULL;
	}
	return ret;
}

int rpc_torch_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			const struct vaccel_torch_buffer *run_options,
			struct vaccel_torch_tensor *const *inputs, int nr_inputs,
			struct vaccel_torch_tensor **outputs, int nr_outputs)
{
	Vaccel__Torch__ModelRunRequest request = VACCEL__TORCH__MODEL_RUN_REQUEST__INIT;
	struct wire_tensors wire = { 0 };
	struct rpc_session *session;
	struct ttrpc_answer answer;
	int ret = rpc_session_of(sess, &session);

	if (ret == VACCEL_OK)
		ret = rpc_resource_remote_id(session, model, &request.model_id);
	if (ret != VACCEL_OK)
		return ret;
	if (nr_inputs < 0 || nr_outputs < 0 || (nr_inputs > 0 && !inputs) ||
	    (nr_outputs > 0 && !outputs))
		return rpc_fail(VACCEL_EINVAL, "model %" PRId64 ": the list of tensors is missing",
				model->id);
	ret = describe_tensors(&wire, inputs, (size_t)nr_inputs);
	if (ret != VACCEL_OK)
		goto free_wire;
	request.session_id = sess->remote_id;
	request.n_in_tensors = (size_t)nr_inputs;
	request.in_tensors = wire.list;
	request.nr_out_tensors = (uint64_t)nr_outputs;
	if (run_options && run_options->data && run_options->size > 0) {
		request.optional_run_options_case =
			VACCEL__TORCH__MODEL_RUN_REQUEST__OPTIONAL_RUN_OPTIONS_RUN_OPTIONS;
		request.run_options.data = (uint8_t *)run_options->data;
		request.run_options.len = run_options->size;
	}
	ret = rpc_call(session->conn, "TorchModelRun", &request.base,
		       &vaccel__torch__model_run_response__descriptor, &answer);
	if (ret != VACCEL_OK)
		goto free_wire;
	ret = make_outputs((const Vaccel__Torch__ModelRunResponse *)answer.response, outputs,
			   (size_t)nr_outputs);
	ttrpc_answer_release(&answer);
free_wire:
	free(wire.tensors);
	free(wire.list);
	return ret;
}
