/*
 * tflite.h - TensorFlow Lite models: tensors, loading, inference.
 */
#ifndef VACCEL_OPS_TFLITE_H
#define VACCEL_OPS_TFLITE_H

#include "vaccel/resource.h"
#include "vaccel/session.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Element types, numbered as TensorFlow Lite has them. */
enum vaccel_tflite_data_type {
	VACCEL_TFLITE_NOTYPE = 0,
	VACCEL_TFLITE_FLOAT32 = 1,
	VACCEL_TFLITE_INT32 = 2,
	VACCEL_TFLITE_UINT8 = 3,
	VACCEL_TFLITE_INT64 = 4,
	VACCEL_TFLITE_STRING = 5,
	VACCEL_TFLITE_BOOL = 6,
	VACCEL_TFLITE_INT16 = 7,
	VACCEL_TFLITE_COMPLEX64 = 8,
	VACCEL_TFLITE_INT8 = 9,
	VACCEL_TFLITE_FLOAT16 = 10,
	VACCEL_TFLITE_FLOAT64 = 11,
	VACCEL_TFLITE_COMPLEX128 = 12,
	VACCEL_TFLITE_UINT64 = 13,
	VACCEL_TFLITE_RESOURCE = 14,
	VACCEL_TFLITE_VARIANT = 15,
	VACCEL_TFLITE_UINT32 = 16,
	VACCEL_TFLITE_UINT16 = 17,
	VACCEL_TFLITE_INT4 = 18
};

struct vaccel_tflite_tensor {
	/* elements in row-major order */
	void *data;

	/* bytes of data */
	size_t size;

	/* true if data is freed with the tensor */
	bool owned;

	/* number of dimensions */
	int nr_dims;

	/* extent of each; always freed with the tensor */
	int32_t *dims;

	/* element type */
	enum vaccel_tflite_data_type data_type;
};

/* A tensor without data; dims are copied, NULL gives zeros. */
int vaccel_tflite_tensor_init(struct vaccel_tflite_tensor *tensor, int nr_dims, const int32_t *dims,
			      enum vaccel_tflite_data_type type);

/* Free dims, and data if owned. */
int vaccel_tflite_tensor_release(struct vaccel_tflite_tensor *tensor);

/* A new tensor without data, to be given back by vaccel_tflite_tensor_delete(). */
int vaccel_tflite_tensor_new(struct vaccel_tflite_tensor **tensor, int nr_dims, const int32_t *dims,
			     enum vaccel_tflite_data_type type);

/* A new tensor with total_size zeroed bytes of its own. */
int vaccel_tflite_tensor_allocate(struct vaccel_tflite_tensor **tensor, int nr_dims,
				  const int32_t *dims, enum vaccel_tflite_data_type type,
				  size_t total_size);

/* Release and free a tensor. */
int vaccel_tflite_tensor_delete(struct vaccel_tflite_tensor *tensor);

/* Make data the tensor's without handing it over. */
int vaccel_tflite_tensor_set_data(struct vaccel_tflite_tensor *tensor, void *data, size_t size);

/* Take the data out of the tensor; it is the caller's then, as it was owned or not. */
int vaccel_tflite_tensor_take_data(struct vaccel_tflite_tensor *tensor, void **data, size_t *size);

/* Load a model resource that is registered with the session. */
int vaccel_tflite_model_load(struct vaccel_session *sess, struct vaccel_resource *model);

/*
 * Run it. The plugin allocates the outputs, which the caller deletes, and sets *status to
 * TensorFlow Lite's own code.
 */
int vaccel_tflite_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			    struct vaccel_tflite_tensor *const *inputs, int nr_inputs,
			    struct vaccel_tflite_tensor **outputs, int nr_outputs, uint8_t *status);

/* Forget what was loaded. */
int vaccel_tflite_model_unload(struct vaccel_session *sess, struct vaccel_resource *model);

#ifdef __cplusplus
}
#endif

#endif
