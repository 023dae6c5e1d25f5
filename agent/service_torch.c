/*
 * service_torch.c - TorchModelLoad and TorchModelRun.
 */
#include "model.h"
#include "service_model.h"
#include "torch.pb-c.h"

TENSOR_FAMILY(torch, Torch);

static const struct model_service torch;

static void describe(const ProtobufCMessage *run_request, struct model_run *run)
{
	const Vaccel__Torch__ModelRunRequest *request =
		(const Vaccel__Torch__ModelRunRequest *)run_request;

	*run = (struct model_run){
		.session_id = request->session_id,
		.model_id = request->model_id,
		.nr_sent = request->n_in_tensors,
		.nr_in = request->n_in_tensors,
		.nr_out = request->nr_out_tensors,
		.nr_out_min = 1,
	};
}

static int call(struct operation *operation, struct vaccel_session *leg,
		struct vaccel_resource *model, const struct model_tensors *tensors)
{
	const Vaccel__Torch__ModelRunRequest *request =
		(const Vaccel__Torch__ModelRunRequest *)operation->message;
	const struct vaccel_torch_buffer options = {
		.data = (char *)request->run_options.data,
		.size = request->run_options.len,
	};
	bool has_options = request->optional_run_options_case ==
			   VACCEL__TORCH__MODEL_RUN_REQUEST__OPTIONAL_RUN_OPTIONS_RUN_OPTIONS;

	return vaccel_torch_model_run(leg, model, has_options ? &options : NULL, tensors->in,
				      tensors->nr_in, tensors->out, tensors->nr_out);
}

static void respond(struct operation *operation, void *list, size_t count)
{
	Vaccel__Torch__ModelRunResponse response = VACCEL__TORCH__MODEL_RUN_RESPONSE__INIT;

	response.out_tensors = list;
	response.n_out_tensors = count;
	operation_reply(operation, &response.base);
}

static int run(struct operation *operation, struct vaccel_session *leg,
	       struct vaccel_resource *model)
{
	return model_run_work(&torch, operation, leg, model);
}

static const struct operation_class load_class = {
	.method = "PyTorch model load",
	.kind = OPERATION_LOAD,
	.family = MODEL_TORCH,
	.run = model_load_work,
	.reply = service_reply_empty,
};

static const struct operation_class run_class = {
	.method = "PyTorch model run",
	.kind = OPERATION_RUN,
	.run = run,
	.reply = model_run_reply,
	.release = model_run_release,
	.pure = true,
};

static const struct model_service torch = {
	.name = "PyTorch",
	.run_name = "Py",
	.load_type = VACCEL_OP_TORCH_MODEL_LOAD,
	.run_type = VACCEL_OP_TORCH_MODEL_RUN,
	.load = &load_class,
	.run = &run_class,
	.tensors = &torch_tensors,
	.describe = describe,
	.call = call,
	.respond = respond,
};

static void load_model(struct connection *connection, struct ttrpc_request *request,
		       const ProtobufCMessage *message)
{
	const Vaccel__Torch__ModelLoadRequest *load =
		(const Vaccel__Torch__ModelLoadRequest *)message;

	service_model_load(&torch, connection, request, message, load->session_id, load->model_id);
}

static void run_model(struct connection *connection, struct ttrpc_request *request,
		      const ProtobufCMessage *message)
{
	service_model_run(&torch, connection, request, message);
}

const struct method torch_methods[] = {
	{ "TorchModelLoad", &vaccel__torch__model_load_request__descriptor, load_model },
	{ "TorchModelRun", &vaccel__torch__model_run_request__descriptor, run_model },
	{ NULL, NULL, NULL },
};
