/*
 * service_model.c - see service_model.h.
 */
#include "service_model.h"
#include "borrow.h"
#include "model.h"
#include "reply.h"
#include <inttypes.h>
#include <stdlib.h>

enum { TENSORS_MAX = 1024, DIMS_MAX = 64 };

struct run_result {
	const struct model_service *service;
	void *out; /* pointers to tensors that the plugin made */
	size_t count;
};

static struct run_result *result_new(const struct model_service *service, size_t count)
{
	struct run_result *result = calloc(1, sizeof(*result));

	if (!result)
		return NULL;
	result->service = service;
	result->count = count;
	result->out = calloc(count + 1, sizeof(void *));
	if (result->out)
		return result;
	free(result);
	return NULL;
}

void model_run_release(struct operation *operation)
{
	struct run_result *result = operation->result;
	struct tensor tensor;
	size_t i;

	if (!result)
		return;
	for (i = 0; i < result->count; i++)
		if (result->service->tensors->taken(result->out, i, &tensor))
			result->service->tensors->drop(result->out, i);
	free(result->out);
	free(result);
}

/* The inputs of one run, on a worker. */
struct inputs {
	void *structs, *list;
	void **copies;
	size_t count;
};

static int inputs_make(struct inputs *inputs, const struct tensor_family *family,
		       const ProtobufCMessage *message, size_t count)
{
	struct tensor tensor;
	size_t i;
	int ret = VACCEL_OK;

	inputs->count = count;
	inputs->structs = calloc(count + 1, family->struct_size);
	inputs->list = calloc(count + 1, sizeof(void *));
	inputs->copies = calloc(count + 1, sizeof(void *));
	if (!inputs->structs || !inputs->list || !inputs->copies)
		return VACCEL_ENOMEM;
	for (i = 0; !ret && i < count; i++) {
		family->received(message, i, &tensor);
		ret = borrow(tensor.data, tensor.size, &tensor.data, &inputs->copies[i]);
		family->place(inputs->structs, inputs->list, i, &tensor);
	}
	return ret;
}

static void inputs_free(struct inputs *inputs)
{
	size_t i;

	for (i = 0; inputs->copies && i < inputs->count; i++)
		free(inputs->copies[i]);
	free(inputs->copies);
	free(inputs->list);
	free(inputs->structs);
}

/* A plugin that says yes has made every output. */
static int count_outputs(struct operation *operation, const struct run_result *result)
{
	struct tensor tensor;
	size_t i;

	for (i = 0; i < result->count; i++) {
		if (!result->service->tensors->taken(result->out, i, &tensor))
			return VACCEL_EBACKEND;
		operation->bytes_out += tensor.size;
	}
	return VACCEL_OK;
}

int model_run_work(const struct model_service *service, struct operation *operation,
		   struct vaccel_session *leg, struct vaccel_resource *model)
{
	struct inputs inputs = { 0 };
	struct run_result *result;
	struct model_run run;
	int ret;

	service->describe(operation->message, &run);
	result = result_new(service, (size_t)run.nr_out);
	operation->result = result;
	if (!result)
		return VACCEL_ENOMEM;
	ret = inputs_make(&inputs, service->tensors, operation->message, (size_t)run.nr_in);
	if (!ret)
		ret = service->call(operation, leg, model,
				    &(struct model_tensors){ inputs.list, result->out,
							     (int)run.nr_in, (int)run.nr_out });
	inputs_free(&inputs);
	return ret ? ret : count_outputs(operation, result);
}

void model_run_reply(struct operation *operation)
{
	const struct run_result *result = operation->result;
	const struct tensor_family *family = result->service->tensors;
	struct ttrpc_arena *arena = operation->arena;
	void *messages = ttrpc_arena_alloc(arena, result->count * family->message_size);
	void *list = ttrpc_arena_alloc(arena, result->count * sizeof(void *));
	struct tensor tensor;
	size_t i;

	if (!messages || !list)
		return operation_reply_failure(operation, VACCEL_ENOMEM, "out of memory");
	for (i = 0; i < result->count; i++) {
		family->taken(result->out, i, &tensor);
		family->answer(messages, list, i, &tensor);
	}
	result->service->respond(operation, list, result->count);
}

void model_status(struct operation *operation, Vaccel__Status *status)
{
	vaccel__status__init(status);
	status->code = operation->work.status > 0 ? (uint32_t)operation->work.status : 0;
	status->message = operation->work.reason;
	reply_make_utf8(status->message);
}

int model_load_work(struct operation *operation, struct vaccel_session *leg,
		    struct vaccel_resource *model)
{
	return model_load(operation->class->family, &operation->work, leg, model);
}

int model_unload_work(struct operation *operation, struct vaccel_session *leg,
		      struct vaccel_resource *model)
{
	return model_unload(operation->class->family, &operation->work, leg, model);
}

/* The model of that id, or NULL: the request has then been answered. */
static struct resource *find_model(struct connection *connection, int64_t id, const char *name,
				   struct ttrpc_request *request)
{
	struct resource *model = connection_resource(connection, id);

	if (id <= 0)
		reply_invalid_id(request, id);
	else if (!model)
		reply_status(request, TTRPC_NOT_FOUND, "Unknown %s model %" PRId64, name, id);
	return model;
}

static void start(const struct operation_class *class, vaccel_op_type_t type, const char *name,
		  struct connection *connection, struct ttrpc_request *request,
		  const ProtobufCMessage *message, int64_t session_id, int64_t model_id)
{
	struct resource *model = find_model(connection, model_id, name, request);
	struct session *session = model ? service_session(connection, session_id, request) : NULL;

	if (session)
		service_start(class, type, session, model, request, message);
}

void service_model_load(const struct model_service *service, struct connection *connection,
			struct ttrpc_request *request, const ProtobufCMessage *message,
			int64_t session_id, int64_t model_id)
{
	start(service->load, service->load_type, service->name, connection, request, message,
	      session_id, model_id);
}

void service_model_unload(const struct model_service *service, struct connection *connection,
			  struct ttrpc_request *request, const ProtobufCMessage *message,
			  int64_t session_id, int64_t model_id)
{
	start(service->unload, service->unload_type, service->name, connection, request, message,
	      session_id, model_id);
}

/* A tensor has dimensions, and not more than any model has. */
static bool have_dims(const struct tensor_family *family, const ProtobufCMessage *message,
		      size_t count)
{
	struct tensor tensor;
	size_t i;

	for (i = 0; i < count; i++) {
		family->received(message, i, &tensor);
		if (!tensor.nr_dims || tensor.nr_dims > DIMS_MAX)
			return false;
	}
	return true;
}

/* True when the tensors are ones; the request has been answered otherwise. */
static bool acceptable(const struct model_service *service, struct ttrpc_request *request,
		       const ProtobufCMessage *message, const struct model_run *run)
{
	if (run->nr_out < run->nr_out_min)
		reply_invalid_argument(request, "no output tensors asked for");
	else if (run->nr_out > TENSORS_MAX || run->nr_in > TENSORS_MAX ||
		 run->nr_sent > TENSORS_MAX)
		reply_status(request, TTRPC_INTERNAL, "more than %d tensors", TENSORS_MAX);
	else if (!have_dims(service->tensors, message, (size_t)run->nr_sent))
		reply_vaccel(request, VACCEL_EINVAL, "");
	else if (run->nr_in > run->nr_sent)
		reply_vaccel(request, VACCEL_EINVAL,
			     "there are more input nodes than input tensors; send one tensor for "
			     "each node");
	else
		return true;
	return false;
}

void service_model_run(const struct model_service *service, struct connection *connection,
		       struct ttrpc_request *request, const ProtobufCMessage *message)
{
	struct resource *model;
	struct session *session;
	struct model_run run;

	service->describe(message, &run);
	model = find_model(connection, run.model_id, service->run_name, request);
	session = model ? service_session(connection, run.session_id, request) : NULL;
	if (session && acceptable(service, request, message, &run))
		service_start(service->run, service->run_type, session, model, request, message);
}
