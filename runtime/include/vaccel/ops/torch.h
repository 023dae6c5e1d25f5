/*
 * torch.h - PyTorch models: tensors, loading, inference.
 */
#ifndef VACCEL_OPS_TORCH_H
#define VACCEL_OPS_TORCH_H

#include "vaccel/resource.h"
#include "vaccel/session.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Element types, numbered as vAccel's wire format has them. */
enum vaccel_torch_data_type {
	VACCEL_TORCH_BYTE = 1,
	VACCEL_TORCH_CHAR = 2,
	VACCEL_TORCH_SHORT = 3,
	VACCEL_TORCH_INT = 4,
	VACCEL_TORCH_LONG = 5,
	VACCEL_TORCH_HALF = 6,
	VACCEL_TORCH_FLOAT = 7
};

/* Bytes for the plugin, such as run options. */
struct vaccel_torch_buffer {
	/* the bytes, from malloc() */
	char *data;

	/* how many */
	size_t size;
};

/* Take data over: releasing the buffer frees it. */
int vaccel_torch_buffer_init(struct vaccel_torch_buffer *buffer, char *data, size_t size);

/* Free the data. */
int vaccel_torch_buffer_release(struct vaccel_torch_buffer *buffer);

/* A new buffer that takes data over, to be given back by vaccel_torch_buffer_delete(). */
int vaccel_torch_buffer_new(struct vaccel_torch_buffer **buffer, char *data, size_t size);

/* Release and free a buffer. */
int vaccel_torch_buffer_delete(struct vaccel_torch_buffer *buffer);

/* Take the data out of the buffer; it is the caller's to free then. */
int vaccel_torch_buffer_take_data(struct vaccel_torch_buffer *buffer, void **data, size_t *size);

struct vaccel_torch_tensor {
	/* elements in row-major order */
	void *data;

	/* bytes of data */
	size_t size;

	/* true if data is freed with the tensor */
	bool owned;

	/* number of dimensions */
	int64_t nr_dims;

	/* extent of each; always freed with the tensor */
	int64_t *dims;

	/* element type */
	enum vaccel_torch_data_type data_type;
};

/* A tensor without data; dims are copied, NULL gives zeros. */
int vaccel_torch_tensor_init(struct vaccel_torch_tensor *tensor, int64_t nr_dims,
			     const int64_t *dims, enum vaccel_torch_data_type type);

/* Free dims, and data if owned. */
int vaccel_torch_tensor_release(struct vaccel_torch_tensor *tensor);

/* A new tensor without data, to be given back by vaccel_torch_tensor_delete(). */
int vaccel_torch_tensor_new(struct vaccel_torch_tensor **tensor, int64_t nr_dims,
			    const int64_t *dims, enum vaccel_torch_data_type type);

/* A new tensor with total_size zeroed bytes of its own. */
int vaccel_torch_tensor_allocate(struct vaccel_torch_tensor **tensor, int64_t nr_dims,
				 const int64_t *dims, enum vaccel_torch_data_type type,
				 size_t total_size);

/* Release and free a tensor. */
int vaccel_torch_tensor_delete(struct vaccel_torch_tensor *tensor);

/* Make data the tensor's without handing it over. */
int vaccel_torch_tensor_set_data(struct vaccel_torch_tensor *tensor, void *data, size_t size);

/* Take the data out of the tensor; it is the caller's then, as it was owned or not. */
int vaccel_torch_tensor_take_data(struct vaccel_torch_tensor *tensor, void **data, size_t *size);

/* Load a model resource that is registered with the session. */
int vaccel_torch_model_load(struct vaccel_session *sess, struct vaccel_resource *model);

/* Run it. The plugin allocates the outputs; the caller deletes them. */
int vaccel_torch_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			   const struct vaccel_torch_buffer *run_options,
			   struct vaccel_torch_tensor *const *inputs, int nr_inputs,
			   struct vaccel_torch_tensor **outputs, int nr_outputs);

/* out = A * B + C for an M x K matrix and a K x N one. Has no remote form. */
__attribute__((deprecated("use vaccel_sgemm()"))) int
vaccel_torch_sgemm(struct vaccel_session *sess, struct vaccel_torch_tensor **in_A,
		   struct vaccel_torch_tensor **in_B, struct vaccel_torch_tensor **in_C, int M,
		   int N, int K, struct vaccel_torch_tensor **out);

#ifdef __cplusplus
}
#endif

#endif
