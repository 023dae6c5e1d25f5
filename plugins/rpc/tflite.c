/*
 * tflite.c - TensorFlow Lite models on the agent.
 */
#include "tensors.h"
#include "tflite.pb-c.h"

int rpc_tflite_model_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	return rpc_model_plain_command(sess, model, "TensorflowLiteModelLoad");
}

int rpc_tflite_model_unload(struct vaccel_session *sess, struct vaccel_resource *model)
{
	return rpc_model_plain_command(sess, model, "TensorflowLiteModelUnload");
}

static int run_model(const struct rpc_model *model, struct vaccel_tflite_tensor *const *inputs,
		     int nr_inputs, struct vaccel_tflite_tensor **outputs, int nr_outputs,
		     struct rpc_status *status)
{
	static const char method[] = "TensorflowLiteModelRun";
	Vaccel__Tflite__ModelRunRequest request = VACCEL__TFLITE__MODEL_RUN_REQUEST__INIT;
	const Vaccel__Tflite__ModelRunResponse *response;
	struct rpc_tensor_messages in;
	struct ttrpc_answer answer;
	int ret = rpc_tensors_describe(&rpc_tflite_tensors, model, method, inputs, nr_inputs, &in);

	if (ret == VACCEL_OK)
		ret = rpc_tensors_check_outputs(method, outputs, nr_outputs);
	if (ret != VACCEL_OK)
		goto release_inputs;
	request.session_id = model->session_id;
	request.model_id = model->id;
	request.n_in_tensors = (size_t)nr_inputs;
	request.in_tensors = in.list;
	request.nr_out_tensors = (uint64_t)nr_outputs;
	ret = rpc_model_call(model, method, &request.base,
			     &vaccel__tflite__model_run_response__descriptor, status, &answer);
	if (ret != VACCEL_OK)
		goto release_inputs;
	response = (const Vaccel__Tflite__ModelRunResponse *)answer.response;
	ret = rpc_tensors_take(&rpc_tflite_tensors, method, response->out_tensors,
			       response->n_out_tensors, outputs, nr_outputs);
	if (ret == VACCEL_OK)
		rpc_status_take(status, response->status);
	ttrpc_answer_release(&answer);
release_inputs:
	rpc_tensors_release(&in);
	return ret;
}

int rpc_tflite_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			 struct vaccel_tflite_tensor *const *inputs, int nr_inputs,
			 struct vaccel_tflite_tensor **outputs, int nr_outputs, uint8_t *status)
{
	struct rpc_status from = { 0 };
	struct rpc_model found;
	int ret = rpc_model_find(sess, model, &found);

	if (ret == VACCEL_OK)
		ret = run_model(&found, inputs, nr_inputs, outputs, nr_outputs, &from);
	rpc_status_settle(&from, ret);
	if (status)
		*status = from.code;
	rpc_status_release(&from);
	return ret;
}
