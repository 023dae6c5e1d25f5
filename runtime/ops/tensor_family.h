/*
 * tensor_family.h - the functions of one family of tensors, defined where this is included, with
 *
 *   FAMILY   its name: vaccel_FAMILY_tensor, vaccel_FAMILY_data_type, vaccel_FAMILY_tensor_init()
 *   NR_DIMS  the type of a number of dimensions
 *   DIM      the type of an extent
 *
 * set before, which this takes away again. A tensor owns its dims, and its data if it says so. Any
 * thread, one at a time for each.
 */
#include "data.h"

static int OF_FAMILY(tensor_fill)(struct OF_FAMILY(tensor) * tensor, NR_DIMS nr_dims,
				  const DIM *dims, enum OF_FAMILY(data_type) type)
{
	void *copy;
	int ret;

	if (!tensor)
		return VACCEL_EINVAL;
	ret = data_copy_dims(&copy, dims, nr_dims, sizeof(*dims));
	if (!ret)
		*tensor = (struct OF_FAMILY(
			tensor)){ .nr_dims = nr_dims, .dims = copy, .data_type = type };
	return ret;
}

int OF_FAMILY(tensor_init)(struct OF_FAMILY(tensor) * tensor, NR_DIMS nr_dims, const DIM *dims,
			   enum OF_FAMILY(data_type) type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, OF_FAMILY(tensor_fill)(tensor, nr_dims, dims, type));
}

int OF_FAMILY(tensor_release)(struct OF_FAMILY(tensor) * tensor)
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

static int OF_FAMILY(tensor_make)(struct OF_FAMILY(tensor) * *tensor, NR_DIMS nr_dims,
				  const DIM *dims, enum OF_FAMILY(data_type) type,
				  size_t total_size)
{
	struct OF_FAMILY(tensor) * made;
	int ret;

	if (!tensor)
		return VACCEL_EINVAL;
	made = malloc(sizeof(*made));
	if (!made)
		return VACCEL_ENOMEM;
	ret = OF_FAMILY(tensor_fill)(made, nr_dims, dims, type);
	if (ret)
		goto free_tensor;
	if (total_size) {
		made->data = calloc(1, total_size);
		if (!made->data) {
			ret = VACCEL_ENOMEM;
			goto free_dims;
		}
		made->size = total_size;
		made->owned = true;
	}
	*tensor = made;
	return VACCEL_OK;

free_dims:
	free(made->dims);
free_tensor:
	free(made);
	return ret;
}

int OF_FAMILY(tensor_new)(struct OF_FAMILY(tensor) * *tensor, NR_DIMS nr_dims, const DIM *dims,
			  enum OF_FAMILY(data_type) type)
{
	const unsigned mark = error_mark();

	return error_settle(mark, OF_FAMILY(tensor_make)(tensor, nr_dims, dims, type, 0));
}

int OF_FAMILY(tensor_allocate)(struct OF_FAMILY(tensor) * *tensor, NR_DIMS nr_dims, const DIM *dims,
			       enum OF_FAMILY(data_type) type, size_t total_size)
{
	const unsigned mark = error_mark();

	return error_settle(mark, OF_FAMILY(tensor_make)(tensor, nr_dims, dims, type, total_size));
}

int OF_FAMILY(tensor_delete)(struct OF_FAMILY(tensor) * tensor)
{
	const int ret = OF_FAMILY(tensor_release)(tensor);

	if (!ret)
		free(tensor);
	return ret;
}

int OF_FAMILY(tensor_set_data)(struct OF_FAMILY(tensor) * tensor, void *data, size_t size)
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

int OF_FAMILY(tensor_take_data)(struct OF_FAMILY(tensor) * tensor, void **data, size_t *size)
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

#undef FAMILY
#undef NR_DIMS
#undef DIM
