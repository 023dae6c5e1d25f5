/*
 * service_model.h - loads, unloads and runs of models, for the three families alike: a family's own
 * file (service_torch.c, service_tf.c, service_tflite.c) describes it, and has its messages.
 *
 * Tensors are used where the request has them, unless a plugin could not read its numbers there;
 * results are sent from where the plugin put them, and freed when they have been sent.
 */
#ifndef AGENT_SERVICE_MODEL_H
#define AGENT_SERVICE_MODEL_H

#include "error.pb-c.h"
#include "service.h"
#include "tensor.h"

/* What a ModelRunRequest asks for, whatever its family. */
struct model_run {
	int64_t session_id, model_id;
	uint64_t nr_sent;    /* tensors in the request */
	uint64_t nr_in;	     /* tensors that the plugin is told to read */
	uint64_t nr_out;     /* and to make */
	uint64_t nr_out_min; /* that may be asked for */
};

/* Pointers to tensors of the family's, for a plugin. */
struct model_tensors {
	void *in, *out;
	int nr_in, nr_out;
};

struct model_service {
	const char *name, *run_name; /* "Unknown NAME model 3" */
	vaccel_op_type_t load_type, unload_type, run_type;
	const struct operation_class *load, *unload, *run;
	const struct tensor_family *tensors;
	void (*describe)(const ProtobufCMessage *run_request, struct model_run *run);
	/* On a worker: the family's vaccel_..._model_run(). */
	int (*call)(struct operation *operation, struct vaccel_session *leg,
		    struct vaccel_resource *model, const struct model_tensors *tensors);
	/* Answer a run; `list` is of pointers to the family's messages. */
	void (*respond)(struct operation *operation, void *list, size_t count);
};

/* Methods, once their message has told them which session and model. */
void service_model_load(const struct model_service *service, struct connection *connection,
			struct ttrpc_request *request, const ProtobufCMessage *message,
			int64_t session_id, int64_t model_id);
void service_model_unload(const struct model_service *service, struct connection *connection,
			  struct ttrpc_request *request, const ProtobufCMessage *message,
			  int64_t session_id, int64_t model_id);
void service_model_run(const struct model_service *service, struct connection *connection,
		       struct ttrpc_request *request, const ProtobufCMessage *message);

/* For operation classes of loads and unloads, which say their family; on a worker. */
int model_load_work(struct operation *operation, struct vaccel_session *leg,
		    struct vaccel_resource *model);
int model_unload_work(struct operation *operation, struct vaccel_session *leg,
		      struct vaccel_resource *model);

/* For operation classes of runs. */
int model_run_work(const struct model_service *service, struct operation *operation,
		   struct vaccel_session *leg, struct vaccel_resource *model);
void model_run_reply(struct operation *operation);
void model_run_release(struct operation *operation);

/* The status of the operation's own work, for a response; it lives as long as the operation. */
void model_status(struct operation *operation, Vaccel__Status *status);

#endif
