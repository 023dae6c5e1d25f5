/*
 * service_tf.c - TensorflowModelLoad, TensorflowModelUnload and TensorflowModelRun.
 */
#include "model.h"
#include "service_model.h"
#include "tf.pb-c.h"
#include <stdlib.h>

TENSOR_FAMILY(tf, Tf);

static const struct model_service tf;

/* The nodes say how many inputs there are, and tensors beyond them are not looked at. */
static void describe(const ProtobufCMessage *run_request, struct model_run *run)
{
	const Vaccel__Tf__ModelRunRequest *request =
		(const Vaccel__Tf__ModelRunRequest *)run_request;

	*run = (struct model_run){
		.session_id = request->session_id,
		.model_id = request->model_id,
		.nr_sent = request->n_in_tensors,
		.nr_in = request->n_in_nodes,
		.nr_out = request->n_out_nodes,
	};
}

/* The names stay the request's. NULL: out of memory. */
static struct vaccel_tf_node *nodes_of(Vaccel__Tf__Node *const *from, size_t count)
{
	struct vaccel_tf_node *nodes = calloc(count + 1, sizeof(*nodes));
	size_t i;

	for (i = 0; nodes && i < count; i++)
		nodes[i] = (struct vaccel_tf_node){ .name = from[i]->name, .id = from[i]->id };
	return nodes;
}

static int call(struct operation *operation, struct vaccel_session *leg,
		struct vaccel_resource *model, const struct model_tensors *tensors)
{
	const Vaccel__Tf__ModelRunRequest *request =
		(const Vaccel__Tf__ModelRunRequest *)operation->message;
	const struct vaccel_tf_buffer options = {
		.data = request->run_options.data,
		.size = request->run_options.len,
	};
	bool has_options = request->optional_run_options_case ==
			   VACCEL__TF__MODEL_RUN_REQUEST__OPTIONAL_RUN_OPTIONS_RUN_OPTIONS;
	struct vaccel_tf_node *in = nodes_of(request->in_nodes, request->n_in_nodes);
	struct vaccel_tf_node *out = nodes_of(request->out_nodes, request->n_out_nodes);
	struct vaccel_tf_status status = { 0 };
	int ret = VACCEL_ENOMEM;

	if (in && out) {
		ret = vaccel_tf_model_run(leg, model, has_options ? &options : NULL, in,
					  tensors->in, tensors->nr_in, out, tensors->out,
					  tensors->nr_out, &status);
		model_tell(&operation->work, &status);
	}
	free(out);
	free(in);
	return ret;
}

static void respond(struct operation *operation, void *list, size_t count)
{
	Vaccel__Tf__ModelRunResponse response = VACCEL__TF__MODEL_RUN_RESPONSE__INIT;
	Vaccel__Status status;

	model_status(operation, &status);
	response.out_tensors = list;
	response.n_out_tensors = count;
	response.status = &status;
	operation_reply(operation, &response.base);
}

static void loaded(struct operation *operation)
{
	Vaccel__Tf__ModelLoadResponse response = VACCEL__TF__MODEL_LOAD_RESPONSE__INIT;
	Vaccel__Status status;

	model_status(operation, &status);
	response.status = &status;
	operation_reply(operation, &response.base);
}

static void unloaded(struct operation *operation)
{
	Vaccel__Tf__ModelUnloadResponse response = VACCEL__TF__MODEL_UNLOAD_RESPONSE__INIT;
	Vaccel__Status status;

	model_status(operation, &status);
	response.status = &status;
	operation_reply(operation, &response.base);
}

static int run(struct operation *operation, struct vaccel_session *leg,
	       struct vaccel_resource *model)
{
	return model_run_work(&tf, operation, leg, model);
}

static const struct operation_class load_class = {
	.method = "TensorFlow model load",
	.kind = OPERATION_LOAD,
	.family = MODEL_TF,
	.run = model_load_work,
	.reply = loaded,
};

static const struct operation_class unload_class = {
	.method = "TensorFlow model unload",
	.kind = OPERATION_UNLOAD,
	.family = MODEL_TF,
	.run = model_unload_work,
	.reply = unloaded,
};

static const struct operation_class run_class = {
	.method = "TensorFlow model run",
	.kind = OPERATION_RUN,
	.run = run,
	.reply = model_run_reply,
	.release = model_run_release,
	.pure = true,
};

static const struct model_service tf = {
	.name = "TensorFlow",
	.run_name = "TensorFlow",
	.load_type = VACCEL_OP_TF_MODEL_LOAD,
	.unload_type = VACCEL_OP_TF_MODEL_UNLOAD,
	.run_type = VACCEL_OP_TF_MODEL_RUN,
	.load = &load_class,
	.unload = &unload_class,
	.run = &run_class,
	.tensors = &tf_tensors,
	.describe = describe,
	.call = call,
	.respond = respond,
};

static void load_model(struct connection *connection, struct ttrpc_request *request,
		       const ProtobufCMessage *message)
{
	const Vaccel__Tf__ModelLoadRequest *load = (const Vaccel__Tf__ModelLoadRequest *)message;

	service_model_load(&tf, connection, request, message, load->session_id, load->model_id);
}

static void unload_model(struct connection *connection, struct ttrpc_request *request,
			 const ProtobufCMessage *message)
{
	const Vaccel__Tf__ModelUnloadRequest *unload =
		(const Vaccel__Tf__ModelUnloadRequest *)message;

	service_model_unload(&tf, connection, request, message, unload->session_id,
			     unload->model_id);
}

static void run_model(struct connection *connection, struct ttrpc_request *request,
		      const ProtobufCMessage *message)
{
	service_model_run(&tf, connection, request, message);
}

const struct method tf_methods[] = {
	{ "TensorflowModelLoad", &vaccel__tf__model_load_request__descriptor, load_model },
	{ "TensorflowModelUnload", &vaccel__tf__model_unload_request__descriptor, unload_model },
	{ "TensorflowModelRun", &vaccel__tf__model_run_request__descriptor, run_model },
	{ NULL, NULL, NULL },
};
