/*
 * tensor_family.h - one family of tensors.h, defined where this is included, with
 *
 *   FAMILY   its name in C: vaccel_FAMILY_tensor, vaccel_FAMILY_data_type
 *   MESSAGE  the type of its messages
 *   INIT     what initialises one
 *   NR_DIMS  the type of a number of dimensions in C
 *
 * set before, which this takes away again.
 */
#define JOIN(a, b, c)	a##b##c
#define NAME(a, b, c)	JOIN(a, b, c)
#define OF_RPC(what)	NAME(FAMILY, _, what)
#define OF_VACCEL(what) NAME(vaccel_, FAMILY, what)
#define VACCEL_TENSOR	struct OF_VACCEL(_tensor)

static bool OF_RPC(look)(const void *tensors, size_t i, struct rpc_tensor *tensor)
{
	VACCEL_TENSOR *const *list = tensors;

	if (!list[i])
		return false;
	*tensor = (struct rpc_tensor){
		.data = list[i]->data,
		.size = list[i]->size,
		.nr_dims = list[i]->nr_dims,
		.dims = list[i]->dims,
		.type = (uint32_t)list[i]->data_type,
	};
	return true;
}

static void OF_RPC(describe)(void *list, void *messages, size_t i, const struct rpc_tensor *tensor)
{
	MESSAGE *message = (MESSAGE *)messages + i;

	INIT(message);
	message->data.data = tensor->data;
	message->data.len = tensor->size;
	message->n_dims = (size_t)tensor->nr_dims;
	message->dims = tensor->dims;
	message->type = tensor->type;
	((MESSAGE **)list)[i] = message;
}

static void OF_RPC(read)(const void *list, size_t i, struct rpc_tensor *tensor)
{
	const MESSAGE *message = ((MESSAGE *const *)list)[i];

	*tensor = (struct rpc_tensor){
		.data = message->data.data,
		.size = message->data.len,
		.nr_dims = (int64_t)message->n_dims,
		.dims = message->dims,
		.type = message->type,
	};
}

static int OF_RPC(make)(void *tensors, size_t i, const struct rpc_tensor *tensor)
{
	VACCEL_TENSOR **made = (VACCEL_TENSOR **)tensors + i;
	int ret =
		OF_VACCEL(_tensor_allocate)(made, (NR_DIMS)tensor->nr_dims, tensor->dims,
					    (enum OF_VACCEL(_data_type))tensor->type, tensor->size);

	if (ret == VACCEL_OK && tensor->size > 0)
		memcpy((*made)->data, tensor->data, tensor->size);
	return ret;
}

static void OF_RPC(drop)(void *tensors, size_t i)
{
	VACCEL_TENSOR **made = (VACCEL_TENSOR **)tensors + i;

	OF_VACCEL(_tensor_delete)(*made);
	*made = NULL;
}

const struct rpc_tensor_family NAME(rpc_, FAMILY, _tensors) = {
	.wire_size = sizeof(MESSAGE),
	.look = OF_RPC(look),
	.describe = OF_RPC(describe),
	.read = OF_RPC(read),
	.make = OF_RPC(make),
	.drop = OF_RPC(drop),
};

#undef VACCEL_TENSOR
#undef OF_VACCEL
#undef OF_RPC
#undef NAME
#undef JOIN
#undef FAMILY
#undef MESSAGE
#undef INIT
#undef NR_DIMS
