/*
 * tf.c - TensorFlow models on the agent. Beside its code every call leaves a status, if the caller
 * wants one.
 */
#include "tensors.h"
#include "tf.pb-c.h"
#include <stdlib.h>
#include <string.h>

/* The call's end: its code, and the caller's status, which the caller releases. */
static int finish(int ret, struct rpc_status *from, struct vaccel_tf_status *status)
{
	rpc_status_settle(from, ret);
	if (status) {
		*status = (struct vaccel_tf_status){ .code = from->code, .message = from->message };
		from->message = NULL;
	}
	rpc_status_release(from);
	return ret;
}

int rpc_tf_model_load(struct vaccel_session *sess, struct vaccel_resource *model,
		      struct vaccel_tf_status *status)
{
	const Vaccel__Tf__ModelLoadResponse *response;
	struct rpc_status from = { 0 };
	struct ttrpc_answer answer;
	int ret = rpc_model_command(sess, model, "TensorflowModelLoad",
				    &vaccel__tf__model_load_response__descriptor, &from, &answer);

	if (ret != VACCEL_OK)
		return finish(ret, &from, status);
	response = (const Vaccel__Tf__ModelLoadResponse *)answer.response;
	rpc_status_take(&from, response->status);
	ttrpc_answer_release(&answer);
	return finish(ret, &from, status);
}

int rpc_tf_model_unload(struct vaccel_session *sess, struct vaccel_resource *model,
			struct vaccel_tf_status *status)
{
	const Vaccel__Tf__ModelUnloadResponse *response;
	struct rpc_status from = { 0 };
	struct ttrpc_answer answer;
	int ret = rpc_model_command(sess, model, "TensorflowModelUnload",
				    &vaccel__tf__model_unload_response__descriptor, &from, &answer);

	if (ret != VACCEL_OK)
		return finish(ret, &from, status);
	response = (const Vaccel__Tf__ModelUnloadResponse *)answer.response;
	rpc_status_take(&from, response->status);
	ttrpc_answer_release(&answer);
	return finish(ret, &from, status);
}

struct nodes {
	Vaccel__Tf__Node **list;
	Vaccel__Tf__Node *messages;
	size_t count;
};

/* Names stay where they are. */
static int describe_nodes(struct nodes *nodes, const char *kind, const struct vaccel_tf_node *from,
			  int count)
{
	if (count < 0 || (count > 0 && !from))
		return rpc_fail(VACCEL_EINVAL, "the list of %d %s nodes is missing", count, kind);
	nodes->count = (size_t)count;
	nodes->list = calloc(nodes->count + 1, sizeof(*nodes->list));
	nodes->messages = calloc(nodes->count + 1, sizeof(*nodes->messages));
	if (!nodes->list || !nodes->messages)
		return rpc_fail(VACCEL_ENOMEM, "no memory for %d %s nodes", count, kind);
	for (size_t i = 0; i < nodes->count; i++) {
		if (!from[i].name)
			return rpc_fail(VACCEL_EINVAL, "%s node %zu has no name", kind, i);
		vaccel__tf__node__init(&nodes->messages[i]);
		nodes->messages[i].name = from[i].name;
		nodes->messages[i].id = from[i].id;
		nodes->list[i] = &nodes->messages[i];
	}
	return VACCEL_OK;
}

static void release_nodes(struct nodes *nodes)
{
	free(nodes->messages);
	free(nodes->list);
}

static const char method[] = "TensorflowModelRun";

/* What a run consists of, beside its model and its status. */
struct run {
	const struct vaccel_tf_buffer *options;
	const struct vaccel_tf_node *in_nodes, *out_nodes;
	struct vaccel_tf_tensor *const *in_tensors;
	struct vaccel_tf_tensor **out_tensors;
	int nr_inputs, nr_outputs;
};

static int call_run(const struct rpc_model *model, Vaccel__Tf__ModelRunRequest *request,
		    const struct run *run, struct rpc_status *status)
{
	const Vaccel__Tf__ModelRunResponse *response;
	struct ttrpc_answer answer;
	int ret;

	request->session_id = model->session_id;
	request->model_id = model->id;
	if (run->options && run->options->data && run->options->size > 0) {
		ret = rpc_check_size(model->session->conn, method, run->options->size);
		if (ret != VACCEL_OK)
			return ret;
		request->optional_run_options_case =
			VACCEL__TF__MODEL_RUN_REQUEST__OPTIONAL_RUN_OPTIONS_RUN_OPTIONS;
		request->run_options.data = run->options->data;
		request->run_options.len = run->options->size;
	}
	ret = rpc_model_call(model, method, &request->base,
			     &vaccel__tf__model_run_response__descriptor, status, &answer);
	if (ret != VACCEL_OK)
		return ret;
	response = (const Vaccel__Tf__ModelRunResponse *)answer.response;
	ret = rpc_tensors_take(&rpc_tf_tensors, method, response->out_tensors,
			       response->n_out_tensors, run->out_tensors, run->nr_outputs);
	if (ret == VACCEL_OK)
		rpc_status_take(status, response->status);
	ttrpc_answer_release(&answer);
	return ret;
}

static int run_model(const struct rpc_model *model, const struct run *run,
		     struct rpc_status *status)
{
	Vaccel__Tf__ModelRunRequest request = VACCEL__TF__MODEL_RUN_REQUEST__INIT;
	struct nodes in = { 0 }, out = { 0 };
	struct rpc_tensor_messages inputs;
	int ret = rpc_tensors_describe(&rpc_tf_tensors, model, method, run->in_tensors,
				       run->nr_inputs, &inputs);

	if (ret == VACCEL_OK)
		ret = describe_nodes(&in, "input", run->in_nodes, run->nr_inputs);
	if (ret == VACCEL_OK)
		ret = describe_nodes(&out, "output", run->out_nodes, run->nr_outputs);
	if (ret == VACCEL_OK)
		ret = rpc_tensors_check_outputs(method, run->out_tensors, run->nr_outputs);
	if (ret == VACCEL_OK) {
		request.n_in_nodes = in.count;
		request.in_nodes = in.list;
		request.n_out_nodes = out.count;
		request.out_nodes = out.list;
		request.n_in_tensors = in.count;
		request.in_tensors = inputs.list;
		ret = call_run(model, &request, run, status);
	}
	release_nodes(&out);
	release_nodes(&in);
	rpc_tensors_release(&inputs);
	return ret;
}

int rpc_tf_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
		     const struct vaccel_tf_buffer *run_options,
		     const struct vaccel_tf_node *in_nodes,
		     struct vaccel_tf_tensor *const *in_tensors, int nr_inputs,
		     const struct vaccel_tf_node *out_nodes, struct vaccel_tf_tensor **out_tensors,
		     int nr_outputs, struct vaccel_tf_status *status)
{
	const struct run run = {
		.options = run_options,
		.in_nodes = in_nodes,
		.out_nodes = out_nodes,
		.in_tensors = in_tensors,
		.out_tensors = out_tensors,
		.nr_inputs = nr_inputs,
		.nr_outputs = nr_outputs,
	};
	struct rpc_status from = { 0 };
	struct rpc_model found;
	int ret = rpc_model_find(sess, model, &found);

	if (ret == VACCEL_OK)
		ret = run_model(&found, &run, &from);
	return finish(ret, &from, status);
}
