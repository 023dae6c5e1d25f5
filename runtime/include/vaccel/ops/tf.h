/*
 * tf.h - TensorFlow models: buffers, nodes, tensors, status, loading, inference.
 */
#ifndef VACCEL_OPS_TF_H
#define VACCEL_OPS_TF_H

#include "vaccel/resource.h"
#include "vaccel/session.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Element types, numbered as TensorFlow has them. */
enum vaccel_tf_data_type {
	VACCEL_TF_FLOAT = 1,
	VACCEL_TF_DOUBLE = 2,
	VACCEL_TF_INT32 = 3,
	VACCEL_TF_UINT8 = 4,
	VACCEL_TF_INT16 = 5,
	VACCEL_TF_INT8 = 6,
	VACCEL_TF_STRING = 7,
	VACCEL_TF_COMPLEX64 = 8,
	VACCEL_TF_COMPLEX = 8,
	VACCEL_TF_INT64 = 9,
	VACCEL_TF_BOOL = 10,
	VACCEL_TF_QINT8 = 11,
	VACCEL_TF_QUINT8 = 12,
	VACCEL_TF_QINT32 = 13,
	VACCEL_TF_BFLOAT16 = 14,
	VACCEL_TF_QINT16 = 15,
	VACCEL_TF_QUINT16 = 16,
	VACCEL_TF_UINT16 = 17,
	VACCEL_TF_COMPLEX128 = 18,
	VACCEL_TF_HALF = 19,
	VACCEL_TF_RESOURCE = 20,
	VACCEL_TF_VARIANT = 21,
	VACCEL_TF_UINT32 = 22,
	VACCEL_TF_UINT64 = 23
};

/* Bytes for the plugin, such as run options. */
struct vaccel_tf_buffer {
	/* the bytes, from malloc() */
	void *data;

	/* how many */
	size_t size;
};

/* Take data over: releasing the buffer frees it. */
int vaccel_tf_buffer_init(struct vaccel_tf_buffer *buffer, void *data, size_t size);

/* Free the data. */
int vaccel_tf_buffer_release(struct vaccel_tf_buffer *buffer);

/* A new buffer that takes data over, to be given back by vaccel_tf_buffer_delete(). */
int vaccel_tf_buffer_new(struct vaccel_tf_buffer **buffer, void *data, size_t size);

/* Release and free a buffer. */
int vaccel_tf_buffer_delete(struct vaccel_tf_buffer *buffer);

/* Take the data out of the buffer; it is the caller's to free then. */
int vaccel_tf_buffer_take_data(struct vaccel_tf_buffer *buffer, void **data, size_t *size);

/* An input or output of a graph. */
struct vaccel_tf_node {
	/* the operation's name, the node's own copy */
	char *name;

	/* which of its outputs */
	int id;
};

/* Fill a node with a copy of the name. */
int vaccel_tf_node_init(struct vaccel_tf_node *node, const char *name, int id);

/* Free the name; the id becomes -1. */
int vaccel_tf_node_release(struct vaccel_tf_node *node);

/* A new node, to be given back by vaccel_tf_node_delete(). */
int vaccel_tf_node_new(struct vaccel_tf_node **node, const char *name, int id);

/* Release and free a node. */
int vaccel_tf_node_delete(struct vaccel_tf_node *node);

struct vaccel_tf_tensor {
	/* elements in row-major order */
	void *data;

	/* bytes of data */
	size_t size;

	/* true if data is freed with the tensor */
	bool owned;

	/* number of dimensions */
	int nr_dims;

	/* extent of each; always freed with the tensor */
	int64_t *dims;

	/* element type */
	enum vaccel_tf_data_type data_type;
};

/* A tensor without data; dims are copied, NULL gives zeros. */
int vaccel_tf_tensor_init(struct vaccel_tf_tensor *tensor, int nr_dims, const int64_t *dims,
			  enum vaccel_tf_data_type type);

/* Free dims, and data if owned. */
int vaccel_tf_tensor_release(struct vaccel_tf_tensor *tensor);

/* A new tensor without data, to be given back by vaccel_tf_tensor_delete(). */
int vaccel_tf_tensor_new(struct vaccel_tf_tensor **tensor, int nr_dims, const int64_t *dims,
			 enum vaccel_tf_data_type type);

/* A new tensor with total_size zeroed bytes of its own. */
int vaccel_tf_tensor_allocate(struct vaccel_tf_tensor **tensor, int nr_dims, const int64_t *dims,
			      enum vaccel_tf_data_type type, size_t total_size);

/* Release and free a tensor. */
int vaccel_tf_tensor_delete(struct vaccel_tf_tensor *tensor);

/* Make data the tensor's without handing it over. */
int vaccel_tf_tensor_set_data(struct vaccel_tf_tensor *tensor, void *data, size_t size);

/* Take the data out of the tensor; it is the caller's then, as it was owned or not. */
int vaccel_tf_tensor_take_data(struct vaccel_tf_tensor *tensor, void **data, size_t *size);

/* What TensorFlow says about an operation. */
struct vaccel_tf_status {
	/* 0 is success */
	uint8_t code;

	/* the reason, the status's own copy */
	char *message;
};

/* Fill a status with a copy of the message. */
int vaccel_tf_status_init(struct vaccel_tf_status *status, uint8_t code, const char *message);

/* Free the message; the code becomes 0. */
int vaccel_tf_status_release(struct vaccel_tf_status *status);

/* A new status, to be given back by vaccel_tf_status_delete(). */
int vaccel_tf_status_new(struct vaccel_tf_status **status, uint8_t code, const char *message);

/* Release and free a status. */
int vaccel_tf_status_delete(struct vaccel_tf_status *status);

/*
 * Load a model resource that is registered with the session. The plugin fills status, if there is
 * one; the caller releases it.
 */
int vaccel_tf_model_load(struct vaccel_session *sess, struct vaccel_resource *model,
			 struct vaccel_tf_status *status);

/* Run it. The plugin allocates the outputs; the caller deletes them. */
int vaccel_tf_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			const struct vaccel_tf_buffer *run_options,
			const struct vaccel_tf_node *in_nodes,
			struct vaccel_tf_tensor *const *in_tensors, int nr_inputs,
			const struct vaccel_tf_node *out_nodes,
			struct vaccel_tf_tensor **out_tensors, int nr_outputs,
			struct vaccel_tf_status *status);

/* Forget what was loaded. */
int vaccel_tf_model_unload(struct vaccel_session *sess, struct vaccel_resource *model,
			   struct vaccel_tf_status *status);

#ifdef __cplusplus
}
#endif

#endif
