/*
 * torch_data.c - buffers and tensors of torch.h. A tensor owns its dims, and its data if it says
 * so; a buffer owns its data. Any thread, one at a time for each.
 */
#include "last_error.h"
#include "logging.h"
#include <stdlib.h>
#include <string.h>

int vaccel_torch_buffer_init(struct vaccel_torch_buffer *buffer, char *data, size_t size)
{
	const unsigned mark = error_mark();

	if (!buffer)
		return error_settle(mark, VACCEL_EINVAL);
	buffer->data = data;
	buffer->size = size;
	return VACCEL_OK;
}

int vaccel_torch_buffer_release(struct vaccel_torch_buffer *buffer)
{
	const unsigned mark = error_mark();

	if (!buffer)
		return error_settle(mark, VACCEL_EINVAL);
	free(buffer->data);
	buffer->data = NULL;
	buffer->size = 0;
	return VACCEL_OK;
}

int vaccel_torch_buffer_new(struct vaccel_torch_buffer **buffer, char *data, size_t size)
{
	const unsigned mark = error_mark();
	struct vaccel_torch_buffer *created;

	if (!buffer)
		return error_settle(mark, VACCEL_EINVAL);
	created = malloc(sizeof(*created));
	if (!created)
		return error_settle(mark, VACCEL_ENOMEM);
	*created = (struct vaccel_torch_buffer){ .data = data, .size = size };
	*buffer = created;
	return VACCEL_OK;
}

int vaccel_torch_buffer_delete(struct vaccel_torch_buffer *buffer)
{
	const int ret = vaccel_torch_buffer_release(buffer);

	if (!ret)
		free(buffer);
	return ret;
}

int vaccel_torch_buffer_take_data(struct vaccel_torch_buffer *buffer, void **data, size_t *size)
{
	const unsigned mark = error_mark();

	if (!buffer || !data || !size)
		return error_settle(mark, VACCEL_EINVAL);
	*data = buffer->data;
	*size = buffer->size;
	buffer->data = NULL;
	buffer->size = 0;
	return VACCEL_OK;
}

enum { DIMS_MAX = 1 << 20 }; /* no tensor has as many: beyond is ENOMEM */

static int init_tensor(struct vaccel_torch_tensor *tensor, int64_t nr_dims, const int64_t *dims,
		       enum vaccel_torch_data_type type)
{
	int64_t *copy;

	if (!tensor || nr_dims < 1)
		return VACCEL_EINVAL;
	copy = nr_dims <= DIMS_MAX ? calloc((size_t)nr_dims, sizeof(*copy)) : NULL;
	if (!copy)
		return VACCEL_ENOMEM;
	if (dims)
		memcpy(copy, dims, (size_t)nr_dims * sizeof(*copy));
	*tensor =
		(struct vaccel_torch_tensor){ .nr_dims = nr_dims, .dims = copy, .data_type = type };
	return VACCEL_OK;
}

int vaccel_torch_tensor_init(struct vaccel_torch_tensor *tensor, int64_t nr_dims,
			     const int64_t *dims, enum vaccel_torch_data_type type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, init_tensor(tensor, nr_dims, dims, type));
}

int vaccel_torch_tensor_release(struct vaccel_torch_tensor *tensor)
{
	const unsigned mark = error_mark();

	if (!tensor)
		return error_settle(mark, VACCEL_EINVAL);
	free(tensor->dims);
	if (tensor->owned)
		free(tensor->data);
	tensor->data = NULL;
	tensor->size = 0;
	tensor->owned = false;
	tensor->nr_dims = 0;
	tensor->dims = NULL;
	return VACCEL_OK;
}

static int new_tensor(struct vaccel_torch_tensor **tensor, int64_t nr_dims, const int64_t *dims,
		      enum vaccel_torch_data_type type, size_t total_size)
{
	struct vaccel_torch_tensor *created;
	int ret;

	if (!tensor)
		return VACCEL_EINVAL;
	created = malloc(sizeof(*created));
	if (!created)
		return VACCEL_ENOMEM;
	ret = init_tensor(created, nr_dims, dims, type);
	if (ret)
		goto free_tensor;
	if (total_size) {
		created->data = calloc(1, total_size);
		if (!created->data) {
			ret = VACCEL_ENOMEM;
			goto free_dims;
		}
		created->size = total_size;
		created->owned = true;
	}
	*tensor = created;
	return VACCEL_OK;

free_dims:
	free(created->dims);
free_tensor:
	free(created);
	return ret;
}

int vaccel_torch_tensor_new(struct vaccel_torch_tensor **tensor, int64_t nr_dims,
			    const int64_t *dims, enum vaccel_torch_data_type type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, new_tensor(tensor, nr_dims, dims, type, 0));
}

int vaccel_torch_tensor_allocate(struct vaccel_torch_tensor **tensor, int64_t nr_dims,
				 const int64_t *dims, enum vaccel_torch_data_type type,
				 size_t total_size)
{
	const unsigned mark = error_mark();

	return error_settle(mark, new_tensor(tensor, nr_dims, dims, type, total_size));
}

int vaccel_torch_tensor_delete(struct vaccel_torch_tensor *tensor)
{
	const int ret = vaccel_torch_tensor_release(tensor);

	if (!ret)
		free(tensor);
	return ret;
}

int vaccel_torch_tensor_set_data(struct vaccel_torch_tensor *tensor, void *data, size_t size)
{
	const unsigned mark = error_mark();

	if (!tensor)
		return error_settle(mark, VACCEL_EINVAL);
	if (tensor->data && tensor->owned)
		log_warn("Previous tensor data will not be freed by release");
	tensor->data = data;
	tensor->size = size;
	tensor->owned = false;
	return VACCEL_OK;
}

int vaccel_torch_tensor_take_data(struct vaccel_torch_tensor *tensor, void **data, size_t *size)
{
	const unsigned mark = error_mark();

	if (!tensor || !data || !size)
		return error_settle(mark, VACCEL_EINVAL);
	*data = tensor->data;
	*size = tensor->size;
	tensor->data = NULL;
	tensor->size = 0;
	tensor->owned = false;
	return VACCEL_OK;
}
