/*
 * tensors.h - lists of tensors between the application and the wire.
 *
 * TensorFlow, TensorFlow Lite and PyTorch have tensors of the same five fields in structs of their
 * own, here and on the wire. What is done with them is written once, over `rpc_tensor`, which
 * refers to the fields of either; a family is the handful of functions that reach into its structs
 * (tensor_family.h makes them). Lists are passed as void *, each a list of the family's own type.
 */
#ifndef RPC_TENSORS_H
#define RPC_TENSORS_H

#include "rpc.h"

struct rpc_tensor {
	void *data;
	size_t size; /* bytes of data */
	int64_t nr_dims;
	void *dims; /* extents, of the family's width */
	uint32_t type;
};

struct rpc_tensor_family {
	size_t wire_size; /* of a message */

	/* the caller's i-th tensor; false: there is none */
	bool (*look)(const void *tensors, size_t i, struct rpc_tensor *tensor);
	/* fill the i-th message and its place in the list of messages */
	void (*describe)(void *list, void *messages, size_t i, const struct rpc_tensor *tensor);

	/* the agent's i-th tensor */
	void (*read)(const void *list, size_t i, struct rpc_tensor *tensor);
	/* make the caller's i-th tensor, with a copy of dims and data; take it away again */
	int (*make)(void *tensors, size_t i, const struct rpc_tensor *tensor);
	void (*drop)(void *tensors, size_t i);
};

extern const struct rpc_tensor_family rpc_tf_tensors, rpc_tflite_tensors, rpc_torch_tensors;

/* Messages that refer to the caller's data and dims. */
struct rpc_tensor_messages {
	void *list; /* of pointers, as a request has it */
	void *messages;
};

/* Released by the caller, whatever this returns. */
int rpc_tensors_describe(const struct rpc_tensor_family *family, const struct rpc_model *model,
			 const char *method, const void *tensors, int nr_tensors,
			 struct rpc_tensor_messages *messages);
void rpc_tensors_release(struct rpc_tensor_messages *messages);

/* Before the call: is there a list to put outputs in? */
int rpc_tensors_check_outputs(const char *method, const void *outputs, int nr_outputs);
/* The agent's tensors as the caller's outputs: all of them, or none. */
int rpc_tensors_take(const struct rpc_tensor_family *family, const char *method, const void *list,
		     size_t nr_list, void *outputs, int nr_outputs);

#endif
