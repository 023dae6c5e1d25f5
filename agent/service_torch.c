/*
 * service_torch.c - TorchModelLoad and TorchModelRun.
 *
 * Tensors are used where the request has them, unless a plugin could not read its numbers there;
 * results are sent from where the plugin put them.
 */
#include "reply.h"
#include "service.h"
#include "torch.pb-c.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS_MAX = 1024, DIMS_MAX = 64, ALIGNMENT = 8 };

struct run_result {
	struct vaccel_torch_tensor **out;
	size_t count;
};

static bool is_aligned(const void *data)
{
	return !((uintptr_t)data % ALIGNMENT);
}

/* Data that is not aligned is copied; `copy` is to be freed. */
static int borrow(struct vaccel_torch_tensor *tensor, const Vaccel__Torch__Tensor *from,
		  void **copy)
{
	tensor->data = from->data.data;
	tensor->size = from->data.len;
	tensor->nr_dims = (int64_t)from->n_dims;
	tensor->dims = from->dims;
	tensor->data_type = (enum vaccel_torch_data_type)from->type;
	if (is_aligned(tensor->data))
		return VACCEL_OK;
	*copy = malloc(from->data.len);
	if (!*copy)
		return VACCEL_ENOMEM;
	memcpy(*copy, from->data.data, from->data.len);
	tensor->data = *copy;
	return VACCEL_OK;
}

static int run_model(struct vaccel_session *leg, struct vaccel_resource *model,
		     const Vaccel__Torch__ModelRunRequest *request,
		     struct vaccel_torch_tensor *const *in, struct run_result *result)
{
	struct vaccel_torch_buffer options = {
		.data = (char *)request->run_options.data,
		.size = request->run_options.len,
	};
	bool has_options = request->optional_run_options_case ==
			   VACCEL__TORCH__MODEL_RUN_REQUEST__OPTIONAL_RUN_OPTIONS_RUN_OPTIONS;
	size_t i;
	int ret;

	ret = vaccel_torch_model_run(leg, model, has_options ? &options : NULL, in,
				     (int)request->n_in_tensors, result->out, (int)result->count);
	for (i = 0; !ret && i < result->count; i++)
		if (!result->out[i])
			ret = VACCEL_EBACKEND;
	return ret;
}

static struct run_result *result_new(size_t count)
{
	struct run_result *result = calloc(1, sizeof(*result));

	if (!result)
		return NULL;
	result->count = count;
	result->out = calloc(count, sizeof(struct vaccel_torch_tensor *));
	if (result->out)
		return result;
	free(result);
	return NULL;
}

static int run(struct operation *operation, struct vaccel_session *leg,
	       struct vaccel_resource *model)
{
	const Vaccel__Torch__ModelRunRequest *request =
		(const Vaccel__Torch__ModelRunRequest *)operation->message;
	size_t i, count = request->n_in_tensors;
	struct vaccel_torch_tensor *tensors = calloc(count + 1, sizeof(*tensors));
	struct vaccel_torch_tensor **in = calloc(count + 1, sizeof(struct vaccel_torch_tensor *));
	void **copies = calloc(count + 1, sizeof(void *));
	struct run_result *result = result_new((size_t)request->nr_out_tensors);
	int ret = tensors && in && copies && result ? VACCEL_OK : VACCEL_ENOMEM;

	operation->result = result;
	for (i = 0; !ret && i < count; i++) {
		in[i] = &tensors[i];
		ret = borrow(in[i], request->in_tensors[i], &copies[i]);
	}
	if (!ret)
		ret = run_model(leg, model, request, in, result);
	for (i = 0; !ret && i < result->count; i++)
		operation->bytes_out += result->out[i]->size;

	for (i = 0; copies && i < count; i++)
		free(copies[i]);
	free(copies);
	free(in);
	free(tensors);
	return ret;
}

static void has_run(struct operation *operation)
{
	const struct run_result *result = operation->result;
	struct ttrpc_arena *arena = &operation->request->arena;
	Vaccel__Torch__ModelRunResponse response = VACCEL__TORCH__MODEL_RUN_RESPONSE__INIT;
	Vaccel__Torch__Tensor *tensors = ttrpc_arena_alloc(arena, result->count * sizeof(*tensors));
	Vaccel__Torch__Tensor **list =
		ttrpc_arena_alloc(arena, result->count * sizeof(Vaccel__Torch__Tensor *));
	size_t i;

	if (!tensors || !list)
		return operation_reply_failure(operation, VACCEL_ENOMEM, "out of memory");
	for (i = 0; i < result->count; i++) {
		const struct vaccel_torch_tensor *out = result->out[i];

		vaccel__torch__tensor__init(&tensors[i]);
		tensors[i].data.data = out->data;
		tensors[i].data.len = out->size;
		tensors[i].dims = out->dims;
		tensors[i].n_dims = (size_t)out->nr_dims;
		tensors[i].type = out->data_type;
		list[i] = &tensors[i];
	}
	response.out_tensors = list;
	response.n_out_tensors = result->count;
	operation_reply(operation, &response.base);
}

static void release(struct operation *operation)
{
	struct run_result *result = operation->result;
	size_t i;

	if (!result)
		return;
	for (i = 0; i < result->count; i++)
		if (result->out[i])
			vaccel_torch_tensor_delete(result->out[i]);
	free(result->out);
	free(result);
}

static const struct operation_class load_class = {
	.method = "PyTorch model load",
	.kind = OPERATION_LOAD,
	.reply = service_reply_empty,
};

static const struct operation_class run_class = {
	.method = "PyTorch model run",
	.kind = OPERATION_RUN,
	.run = run,
	.reply = has_run,
	.release = release,
};

static void load_model(struct connection *connection, struct ttrpc_request *request,
		       const ProtobufCMessage *message)
{
	const Vaccel__Torch__ModelLoadRequest *load =
		(const Vaccel__Torch__ModelLoadRequest *)message;
	struct resource *model = connection_resource(connection, load->model_id);
	struct session *session;

	if (!model)
		return reply_status(request, TTRPC_NOT_FOUND, "Unknown PyTorch model %" PRId64,
				    load->model_id);
	session = service_session(connection, load->session_id, request);
	if (session)
		service_start(&load_class, VACCEL_OP_TORCH_MODEL_LOAD, session, model, request,
			      message);
}

/* True when the tensors are ones; the request has been answered otherwise. */
static bool acceptable(struct ttrpc_request *request, const Vaccel__Torch__ModelRunRequest *run)
{
	size_t i;

	if (!run->nr_out_tensors) {
		reply_invalid_argument(request, "no output tensors asked for");
		return false;
	}
	if (run->nr_out_tensors > TENSORS_MAX || run->n_in_tensors > TENSORS_MAX) {
		reply_status(request, TTRPC_INTERNAL, "more than %d tensors", TENSORS_MAX);
		return false;
	}
	for (i = 0; i < run->n_in_tensors; i++) {
		size_t dims = run->in_tensors[i]->n_dims;

		if (dims && dims <= DIMS_MAX)
			continue;
		reply_vaccel(request, VACCEL_EINVAL, "");
		return false;
	}
	return true;
}

static void run_request(struct connection *connection, struct ttrpc_request *request,
			const ProtobufCMessage *message)
{
	const Vaccel__Torch__ModelRunRequest *run = (const Vaccel__Torch__ModelRunRequest *)message;
	struct resource *model = connection_resource(connection, run->model_id);
	struct session *session;

	if (!model)
		return reply_status(request, TTRPC_NOT_FOUND, "Unknown Py model %" PRId64,
				    run->model_id);
	session = service_session(connection, run->session_id, request);
	if (session && acceptable(request, run))
		service_start(&run_class, VACCEL_OP_TORCH_MODEL_RUN, session, model, request,
			      message);
}

const struct method torch_methods[] = {
	{ "TorchModelLoad", &vaccel__torch__model_load_request__descriptor, load_model },
	{ "TorchModelRun", &vaccel__torch__model_run_request__descriptor, run_request },
	{ NULL, NULL, NULL },
};
