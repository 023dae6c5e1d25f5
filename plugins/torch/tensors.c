/*
 * tensors.c - checks what comes in, copies what goes out. Any thread; nothing is shared.
 */
#include "tensors.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of an element, 0 for a type that is none of vAccel's. */
static size_t element_size(int type)
{
	switch (type) {
	case VACCEL_TORCH_BYTE:
	case VACCEL_TORCH_CHAR:
		return 1;
	case VACCEL_TORCH_SHORT:
	case VACCEL_TORCH_HALF:
		return 2;
	case VACCEL_TORCH_INT:
	case VACCEL_TORCH_FLOAT:
		return 4;
	case VACCEL_TORCH_LONG:
		return 8;
	default:
		return 0;
	}
}

/* The bytes that type and dimensions call for; false when there can be no such tensor. */
static bool bytes_needed(const struct vaccel_torch_tensor *tensor, size_t *bytes)
{
	bool none = false;

	*bytes = element_size((int)tensor->data_type);
	if (!*bytes || !tensor->dims || tensor->nr_dims < 1 || tensor->nr_dims > TENSOR_MAX_DIMS)
		return false;
	for (int64_t i = 0; i < tensor->nr_dims; i++) {
		if (tensor->dims[i] < 0)
			return false;
		if (!tensor->dims[i])
			none = true;
		else if (__builtin_mul_overflow(*bytes, (size_t)tensor->dims[i], bytes))
			return false;
	}
	if (none)
		*bytes = 0;
	return *bytes <= PTRDIFF_MAX;
}

static int view(const struct vaccel_torch_tensor *tensor, int index, struct bridge_tensor *view,
		struct fault *fault)
{
	size_t bytes;

	if (!tensor)
		return fault_set(fault, VACCEL_EINVAL, "input tensor %d is NULL", index);
	if (!bytes_needed(tensor, &bytes))
		return fault_set(
			fault, VACCEL_EINVAL,
			"input tensor %d has an unknown type (%d) or impossible dimensions", index,
			(int)tensor->data_type);
	if (tensor->size != bytes || (bytes && !tensor->data))
		return fault_set(fault, VACCEL_EINVAL,
				 "input tensor %d has %zu bytes of data; its type and dimensions "
				 "call for %zu",
				 index, tensor->data ? tensor->size : 0, bytes);
	*view = (struct bridge_tensor){
		.data = tensor->data,
		.size = bytes,
		.dims = tensor->dims,
		.nr_dims = (size_t)tensor->nr_dims,
		.type = (int)tensor->data_type,
	};
	return VACCEL_OK;
}

int tensors_view(struct vaccel_torch_tensor *const *tensors, int count,
		 struct bridge_tensor **views, struct fault *fault)
{
	int ret = VACCEL_OK;

	if (!tensors || count < 1 || count > TENSORS_MAX)
		return fault_set(fault, VACCEL_EINVAL, "a run takes 1 to %d input tensors, not %d",
				 TENSORS_MAX, tensors ? count : 0);
	*views = calloc((size_t)count, sizeof(**views));
	if (!*views)
		return fault_set(fault, VACCEL_ENOMEM, "no memory for %d tensors", count);
	for (int i = 0; !ret && i < count; i++)
		ret = view(tensors[i], i, &(*views)[i], fault);
	if (ret) {
		free(*views);
		*views = NULL;
	}
	return ret;
}

static int copy_out(const struct bridge_tensor *view, struct vaccel_torch_tensor **tensor)
{
	static const int64_t one = 1;
	int64_t nr_dims = view->nr_dims ? (int64_t)view->nr_dims : 1;
	const int64_t *dims = view->nr_dims ? view->dims : &one;
	int ret = vaccel_torch_tensor_allocate(tensor, nr_dims, dims,
					       (enum vaccel_torch_data_type)view->type, view->size);

	if (!ret && view->size)
		memcpy((*tensor)->data, view->data, view->size);
	return ret;
}

int tensors_from_result(const struct torch_bridge *bridge, const struct bridge_result *result,
			struct vaccel_torch_tensor **tensors, int count, struct fault *fault)
{
	struct vaccel_torch_tensor *made[TENSORS_MAX];
	size_t given = bridge->nr_outputs(result);
	int ret = VACCEL_OK, done = 0;

	if (!tensors || count < 0 || count > TENSORS_MAX || given != (size_t)count)
		return fault_set(fault, VACCEL_EINVAL,
				 "%d output tensors are asked for; the model gives %zu",
				 tensors ? count : 0, given);
	for (; !ret && done < count; done += !ret) {
		struct bridge_tensor output = bridge->output(result, (size_t)done);

		ret = copy_out(&output, &made[done]);
	}
	if (!ret) {
		memcpy(tensors, made, (size_t)count * sizeof(*tensors));
		return VACCEL_OK;
	}
	while (done--)
		vaccel_torch_tensor_delete(made[done]);
	return fault_set(fault, ret, "no memory for the output tensors");
}
