/*
 * tensors.c - copies tensors of three families by one mechanism: a view of what a tensor says, and
 * for each family the functions that its types need. Any thread.
 */
#include "tensors.h"
#include "noop.h"
#include <string.h>

/* What any tensor says. */
struct view {
	const void *dims;
	size_t dim_size; /* bytes of one of them */
	int64_t nr_dims;
	int type;
	const void *data;
	size_t size;
};

struct family {
	struct view (*view)(const void *in, int i);
	int (*allocate)(void *out, int i, const void *in);
	void *(*data)(void *out, int i);
	void (*drop)(void *out, int i);
	const char *unit; /* after a number of bytes in the log */
};

#define FAMILY_FUNCTIONS(name)                                                                     \
	static struct view name##_view(const void *in, int i)                                      \
	{                                                                                          \
		const struct vaccel_##name##_tensor *tensor =                                      \
			((struct vaccel_##name##_tensor *const *)in)[i];                           \
                                                                                                   \
		if (!tensor)                                                                       \
			return (struct view){ .nr_dims = 0 };                                      \
		return (struct view){ tensor->dims,    sizeof(*tensor->dims),                      \
				      tensor->nr_dims, (int)tensor->data_type,                     \
				      tensor->data,    tensor->size };                             \
	}                                                                                          \
                                                                                                   \
	static int name##_allocate(void *out, int i, const void *in)                               \
	{                                                                                          \
		const struct vaccel_##name##_tensor *tensor =                                      \
			((struct vaccel_##name##_tensor *const *)in)[i];                           \
                                                                                                   \
		return vaccel_##name##_tensor_allocate(                                            \
			&((struct vaccel_##name##_tensor **)out)[i], tensor->nr_dims,              \
			tensor->dims, tensor->data_type, tensor->size);                            \
	}                                                                                          \
                                                                                                   \
	static void *name##_data(void *out, int i)                                                 \
	{                                                                                          \
		return ((struct vaccel_##name##_tensor **)out)[i]->data;                           \
	}                                                                                          \
                                                                                                   \
	static void name##_drop(void *out, int i)                                                  \
	{                                                                                          \
		vaccel_##name##_tensor_delete(((struct vaccel_##name##_tensor **)out)[i]);         \
		((struct vaccel_##name##_tensor **)out)[i] = NULL;                                 \
	}

#define FAMILY(name, unit)                                                                         \
	{                                                                                          \
		name##_view, name##_allocate, name##_data, name##_drop, (unit)                     \
	}

FAMILY_FUNCTIONS(tf)
FAMILY_FUNCTIONS(tflite)
FAMILY_FUNCTIONS(torch)

static const struct family families[] = {
	[TENSOR_TF] = FAMILY(tf, ""),
	[TENSOR_TFLITE] = FAMILY(tflite, ""),
	[TENSOR_TORCH] = FAMILY(torch, " B"),
};

static int64_t dim(const struct view *view, int64_t i)
{
	if (view->dim_size == sizeof(int32_t))
		return ((const int32_t *)view->dims)[i];
	return ((const int64_t *)view->dims)[i];
}

static void show_node(const struct vaccel_tf_node *nodes, int i)
{
	if (nodes)
		noop_debug("\tNode %d: %s:%d", i, nodes[i].name, nodes[i].id);
}

static int check_and_show(const struct tensors *tensors, const struct family *family, int i)
{
	const struct view view = family->view(tensors->in, i);

	if (view.nr_dims < 1 || !view.dims)
		return noop_invalid("Input tensor %d has no dimensions", i);
	if (view.size && !view.data)
		return noop_invalid("Input tensor %d has no data", i);
	show_node(tensors->in_nodes, i);
	noop_debug("\t#dims: %" PRId64 " -> {", view.nr_dims);
	for (int64_t j = 0; j < view.nr_dims; j++)
		noop_debug("\t\t%" PRId64, dim(&view, j));
	noop_debug("\t}");
	noop_debug("\tData type: %d", view.type);
	noop_debug("\tData -> %p, %zu%s", view.data, view.size, family->unit);
	return VACCEL_OK;
}

static int copy(const struct tensors *tensors, const struct family *family, int i)
{
	const struct view view = family->view(tensors->in, i);
	const int ret = family->allocate(tensors->out, i, tensors->in);

	if (!ret && view.size)
		memcpy(family->data(tensors->out, i), view.data, view.size);
	return ret;
}

static int copy_all(const struct tensors *tensors, const struct family *family)
{
	for (int i = 0; i < tensors->nr_out; i++) {
		int ret;

		show_node(tensors->out_nodes, i);
		ret = copy(tensors, family, i);
		if (!ret)
			continue;
		while (i--)
			family->drop(tensors->out, i);
		return ret;
	}
	return VACCEL_OK;
}

int tensors_copy(const struct tensors *tensors)
{
	const struct family *family = &families[tensors->family];

	noop_debug("Number of inputs: %d", tensors->nr_in);
	if (tensors->nr_in < 0 || (tensors->nr_in && !tensors->in))
		return noop_invalid("There are no inputs");
	for (int i = 0; i < tensors->nr_in; i++) {
		const int ret = check_and_show(tensors, family, i);

		if (ret)
			return ret;
	}
	noop_debug("Number of outputs: %d", tensors->nr_out);
	if (tensors->nr_out < 0 || tensors->nr_out > tensors->nr_in)
		return noop_invalid("It copies inputs: it cannot make %d outputs of %d inputs",
				    tensors->nr_out, tensors->nr_in);
	if (tensors->nr_out && !tensors->out)
		return noop_invalid("There is no room for outputs");
	return copy_all(tensors, family);
}

void tensors_drop(const struct tensors *tensors)
{
	for (int i = 0; i < tensors->nr_out; i++)
		families[tensors->family].drop(tensors->out, i);
}
