/*
 * tensors.c - see tensors.h. Any thread; the lists are the call's own.
 */
#include "tensors.h"
#include "tf.pb-c.h"
#include "tflite.pb-c.h"
#include "torch.pb-c.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FAMILY	tf
#define MESSAGE Vaccel__Tf__Tensor
#define INIT	vaccel__tf__tensor__init
#define NR_DIMS int
#include "tensor_family.h"

#define FAMILY	tflite
#define MESSAGE Vaccel__Tflite__Tensor
#define INIT	vaccel__tflite__tensor__init
#define NR_DIMS int
#include "tensor_family.h"

#define FAMILY	torch
#define MESSAGE Vaccel__Torch__Tensor
#define INIT	vaccel__torch__tensor__init
#define NR_DIMS int64_t
#include "tensor_family.h"

static int check_input(const struct rpc_tensor *tensor, size_t i)
{
	if (tensor->nr_dims < 0 || tensor->nr_dims > INT_MAX ||
	    (tensor->nr_dims > 0 && !tensor->dims) || (tensor->size > 0 && !tensor->data))
		return rpc_fail(VACCEL_EINVAL, "input tensor %zu has no data or no shape", i);
	return VACCEL_OK;
}

int rpc_tensors_describe(const struct rpc_tensor_family *family, const struct rpc_model *model,
			 const char *method, const void *tensors, int nr_tensors,
			 struct rpc_tensor_messages *messages)
{
	size_t count = nr_tensors > 0 ? (size_t)nr_tensors : 0;

	*messages = (struct rpc_tensor_messages){ 0 };
	if (nr_tensors < 0 || (count > 0 && !tensors))
		return rpc_fail(VACCEL_EINVAL, "%s: the list of %d input tensors is missing",
				method, nr_tensors);
	messages->list = calloc(count + 1, sizeof(void *));
	messages->messages = calloc(count + 1, family->wire_size);
	if (!messages->list || !messages->messages)
		return rpc_fail(VACCEL_ENOMEM, "no memory for %zu input tensors", count);
	for (size_t i = 0; i < count; i++) {
		struct rpc_tensor tensor;
		int ret;

		if (!family->look(tensors, i, &tensor))
			return rpc_fail(VACCEL_EINVAL, "input tensor %zu is missing", i);
		ret = check_input(&tensor, i);
		if (ret == VACCEL_OK)
			ret = rpc_check_size(model->session->conn, method, tensor.size);
		if (ret != VACCEL_OK)
			return ret;
		family->describe(messages->list, messages->messages, i, &tensor);
	}
	return VACCEL_OK;
}

void rpc_tensors_release(struct rpc_tensor_messages *messages)
{
	free(messages->messages);
	free(messages->list);
}

int rpc_tensors_check_outputs(const char *method, const void *outputs, int nr_outputs)
{
	if (nr_outputs < 0 || (nr_outputs > 0 && !outputs))
		return rpc_fail(VACCEL_EINVAL, "%s: the list of %d output tensors is missing",
				method, nr_outputs);
	return VACCEL_OK;
}

static int make_output(const struct rpc_tensor_family *family, const char *method, const void *list,
		       size_t i, void *outputs)
{
	struct rpc_tensor tensor;
	int ret;

	family->read(list, i, &tensor);
	if (tensor.nr_dims == 0 || tensor.nr_dims > INT_MAX)
		return rpc_fail(VACCEL_EBACKEND,
				"the agent answered %s with a tensor of %lld dimensions", method,
				(long long)tensor.nr_dims);
	ret = family->make(outputs, i, &tensor);
	if (ret != VACCEL_OK)
		return rpc_fail(ret, "no output tensor of %zu bytes could be made", tensor.size);
	return VACCEL_OK;
}

int rpc_tensors_take(const struct rpc_tensor_family *family, const char *method, const void *list,
		     size_t nr_list, void *outputs, int nr_outputs)
{
	size_t made = 0;
	int ret = VACCEL_OK;

	if (nr_list != (size_t)nr_outputs)
		return rpc_fail(VACCEL_EBACKEND,
				"the agent answered %s with %zu tensors; %d were asked for", method,
				nr_list, nr_outputs);
	while (ret == VACCEL_OK && made < nr_list) {
		ret = make_output(family, method, list, made, outputs);
		if (ret == VACCEL_OK)
			made++;
	}
	if (ret == VACCEL_OK)
		return VACCEL_OK;
	while (made > 0)
		family->drop(outputs, --made);
	return ret;
}
