/*
 * service_tflite.c - TensorflowLiteModelLoad, TensorflowLiteModelUnload and TensorflowLiteModelRun.
 */
#include "model.h"
#include "service_model.h"
#include "tflite.pb-c.h"

TENSOR_FAMILY(tflite, Tflite);

static const struct model_service tflite;

static void describe(const ProtobufCMessage *run_request, struct model_run *run)
{
	const Vaccel__Tflite__ModelRunRequest *request =
		(const Vaccel__Tflite__ModelRunRequest *)run_request;

	*run = (struct model_run){
		.session_id = request->session_id,
		.model_id = request->model_id,
		.nr_sent = request->n_in_tensors,
		.nr_in = request->n_in_tensors,
		.nr_out = request->nr_out_tensors,
	};
}

static int call(struct operation *operation, struct vaccel_session *leg,
		struct vaccel_resource *model, const struct model_tensors *tensors)
{
	uint8_t status = 0;
	int ret = vaccel_tflite_model_run(leg, model, tensors->in, tensors->nr_in, tensors->out,
					  tensors->nr_out, &status);

	operation->work.status = status;
	return ret;
}

static void respond(struct operation *operation, void *list, size_t count)
{
	Vaccel__Tflite__ModelRunResponse response = VACCEL__TFLITE__MODEL_RUN_RESPONSE__INIT;
	Vaccel__Status status;

	model_status(operation, &status);
	response.out_tensors = list;
	response.n_out_tensors = count;
	response.status = &status;
	operation_reply(operation, &response.base);
}

static int run(struct operation *operation, struct vaccel_session *leg,
	       struct vaccel_resource *model)
{
	return model_run_work(&tflite, operation, leg, model);
}

static const struct operation_class load_class = {
	.method = "TensorFlow Lite model load",
	.kind = OPERATION_LOAD,
	.family = MODEL_TFLITE,
	.run = model_load_work,
	.reply = service_reply_empty,
};

static const struct operation_class unload_class = {
	.method = "TensorFlow Lite model unload",
	.kind = OPERATION_UNLOAD,
	.family = MODEL_TFLITE,
	.run = model_unload_work,
	.reply = service_reply_empty,
};

static const struct operation_class run_class = {
	.method = "TensorFlow Lite model run",
	.kind = OPERATION_RUN,
	.run = run,
	.reply = model_run_reply,
	.release = model_run_release,
	.pure = true,
};

static const struct model_service tflite = {
	.name = "TensorFlow Lite",
	.run_name = "TensorFlow Lite",
	.load_type = VACCEL_OP_TFLITE_MODEL_LOAD,
	.unload_type = VACCEL_OP_TFLITE_MODEL_UNLOAD,
	.run_type = VACCEL_OP_TFLITE_MODEL_RUN,
	.load = &load_class,
	.unload = &unload_class,
	.run = &run_class,
	.tensors = &tflite_tensors,
	.describe = describe,
	.call = call,
	.respond = respond,
};

static void load_model(struct connection *connection, struct ttrpc_request *request,
		       const ProtobufCMessage *message)
{
	const Vaccel__Tflite__ModelLoadRequest *load =
		(const Vaccel__Tflite__ModelLoadRequest *)message;

	service_model_load(&tflite, connection, request, message, load->session_id, load->model_id);
}

static void unload_model(struct connection *connection, struct ttrpc_request *request,
			 const ProtobufCMessage *message)
{
	const Vaccel__Tflite__ModelUnloadRequest *unload =
		(const Vaccel__Tflite__ModelUnloadRequest *)message;

	service_model_unload(&tflite, connection, request, message, unload->session_id,
			     unload->model_id);
}

static void run_model(struct connection *connection, struct ttrpc_request *request,
		      const ProtobufCMessage *message)
{
	service_model_run(&tflite, connection, request, message);
}

const struct method tflite_methods[] = {
	{ "TensorflowLiteModelLoad", &vaccel__tflite__model_load_request__descriptor, load_model },
	{ "TensorflowLiteModelUnload", &vaccel__tflite__model_unload_request__descriptor,
	  unload_model },
	{ "TensorflowLiteModelRun", &vaccel__tflite__model_run_request__descriptor, run_model },
	{ NULL, NULL, NULL },
};
