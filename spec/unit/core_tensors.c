/*
 * core_tensors.c - tensors, buffers, nodes and status: what each function fills, frees and refuses.
 * The families are alike, so their tests are.
 */
#include "core_test.h"

#define TENSOR_TESTS(family, dim, type)                                                            \
	static void family##_tensors(void **state)                                                 \
	{                                                                                          \
		struct vaccel_##family##_tensor tensor, *made;                                     \
		const dim dims[] = { 2, 3 };                                                       \
		char *mine = malloc(4);                                                            \
		void *data = mine;                                                                 \
		size_t size = 9;                                                                   \
                                                                                                   \
		(void)state;                                                                       \
		memset(&tensor, 0xff, sizeof(tensor));                                             \
		assert_int_equal(vaccel_##family##_tensor_init(NULL, 1, dims, type),               \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_tensor_init(&tensor, 0, dims, type),            \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_tensor_init(&tensor, -1, dims, type),           \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_tensor_init(&tensor, 2, dims, type), 0);        \
		assert_ptr_not_equal(tensor.dims, dims);                                           \
		assert_memory_equal(tensor.dims, dims, sizeof(dims));                              \
		assert_int_equal(tensor.nr_dims, 2);                                               \
		assert_int_equal(tensor.data_type, type);                                          \
		assert_null(tensor.data);                                                          \
		assert_int_equal(tensor.size, 0);                                                  \
		assert_false(tensor.owned);                                                        \
		assert_int_equal(vaccel_##family##_tensor_set_data(NULL, mine, 4), VACCEL_EINVAL); \
		assert_int_equal(vaccel_##family##_tensor_set_data(&tensor, mine, 4), 0);          \
		assert_ptr_equal(tensor.data, mine);                                               \
		assert_int_equal(tensor.size, 4);                                                  \
		assert_false(tensor.owned);                                                        \
		assert_int_equal(vaccel_##family##_tensor_release(&tensor), 0);                    \
		assert_null(tensor.data);                                                          \
		assert_null(tensor.dims);                                                          \
		assert_int_equal(tensor.nr_dims, 0);                                               \
		free(mine); /* it was left alone */                                                \
		assert_int_equal(vaccel_##family##_tensor_release(NULL), VACCEL_EINVAL);           \
                                                                                                   \
		assert_int_equal(vaccel_##family##_tensor_new(NULL, 1, dims, type),                \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_tensor_new(&made, 0, dims, type),               \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_tensor_new(&made, INT32_MAX, NULL, type),       \
				 VACCEL_ENOMEM);                                                   \
		assert_int_equal(vaccel_##family##_tensor_new(&made, 2, NULL, type), 0);           \
		assert_int_equal(made->dims[1], 0);                                                \
		assert_int_equal(vaccel_##family##_tensor_take_data(NULL, &data, &size),           \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_tensor_take_data(made, NULL, &size),            \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_tensor_take_data(made, &data, NULL),            \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_tensor_take_data(made, &data, &size), 0);       \
		assert_null(data);                                                                 \
		assert_int_equal(size, 0);                                                         \
		assert_int_equal(vaccel_##family##_tensor_delete(made), 0);                        \
		assert_int_equal(vaccel_##family##_tensor_delete(NULL), VACCEL_EINVAL);            \
                                                                                                   \
		assert_int_equal(vaccel_##family##_tensor_allocate(NULL, 1, dims, type, 8),        \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_tensor_allocate(&made, 1, dims, type, 0), 0);   \
		assert_null(made->data);                                                           \
		assert_false(made->owned);                                                         \
		assert_int_equal(vaccel_##family##_tensor_delete(made), 0);                        \
		assert_int_equal(vaccel_##family##_tensor_allocate(&made, 2, dims, type, 24), 0);  \
		assert_int_equal(made->size, 24);                                                  \
		assert_int_equal(((char *)made->data)[23], 0);                                     \
		assert_true(made->owned);                                                          \
		assert_int_equal(vaccel_##family##_tensor_take_data(made, &data, &size), 0);       \
		assert_int_equal(size, 24);                                                        \
		assert_null(made->data);                                                           \
		assert_int_equal(made->size, 0);                                                   \
		assert_false(made->owned);                                                         \
		free(data);                                                                        \
		assert_int_equal(vaccel_##family##_tensor_delete(made), 0);                        \
	}
TENSOR_TESTS(tf, int64_t, VACCEL_TF_DOUBLE)
TENSOR_TESTS(tflite, int32_t, VACCEL_TFLITE_INT16)
TENSOR_TESTS(torch, int64_t, VACCEL_TORCH_FLOAT)

#define BUFFER_TESTS(family)                                                                       \
	static void family##_buffers(void **state)                                                 \
	{                                                                                          \
		struct vaccel_##family##_buffer buffer, *made;                                     \
		void *data;                                                                        \
		size_t size;                                                                       \
                                                                                                   \
		(void)state;                                                                       \
		assert_int_equal(vaccel_##family##_buffer_init(NULL, NULL, 0), VACCEL_EINVAL);     \
		assert_int_equal(vaccel_##family##_buffer_init(&buffer, strdup("opts"), 4), 0);    \
		assert_memory_equal(buffer.data, "opts", 4);                                       \
		assert_int_equal(buffer.size, 4);                                                  \
		assert_int_equal(vaccel_##family##_buffer_release(&buffer), 0);                    \
		assert_null(buffer.data);                                                          \
		assert_int_equal(buffer.size, 0);                                                  \
		assert_int_equal(vaccel_##family##_buffer_release(NULL), VACCEL_EINVAL);           \
		assert_int_equal(vaccel_##family##_buffer_new(NULL, NULL, 0), VACCEL_EINVAL);      \
		assert_int_equal(vaccel_##family##_buffer_new(&made, strdup("opts"), 4), 0);       \
		assert_int_equal(vaccel_##family##_buffer_take_data(NULL, &data, &size),           \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_buffer_take_data(made, NULL, &size),            \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_buffer_take_data(made, &data, NULL),            \
				 VACCEL_EINVAL);                                                   \
		assert_int_equal(vaccel_##family##_buffer_take_data(made, &data, &size), 0);       \
		assert_int_equal(size, 4);                                                         \
		assert_memory_equal(data, "opts", 4);                                              \
		assert_null(made->data);                                                           \
		assert_int_equal(made->size, 0);                                                   \
		free(data);                                                                        \
		assert_int_equal(vaccel_##family##_buffer_delete(made), 0);                        \
		assert_int_equal(vaccel_##family##_buffer_delete(NULL), VACCEL_EINVAL);            \
	}
BUFFER_TESTS(tf)
BUFFER_TESTS(torch)

static void more_dimensions_than_memory(void **state)
{
	struct vaccel_torch_tensor *tensor;

	(void)state;
	assert_int_equal(vaccel_torch_tensor_new(&tensor, INT64_MAX, NULL, VACCEL_TORCH_BYTE),
			 VACCEL_ENOMEM);
}

/* Owned data is not freed by set_data, which says so. */
static void set_data_leaves_what_was_owned(void **state)
{
	struct vaccel_tf_tensor *tensor;
	char mine[4];
	void *before;

	(void)state;
	assert_int_equal(vaccel_tf_tensor_allocate(&tensor, 1, NULL, VACCEL_TF_INT8, 4), 0);
	before = tensor->data;
	assert_int_equal(vaccel_tf_tensor_set_data(tensor, mine, sizeof(mine)), 0);
	assert_false(tensor->owned);
	free(before);
	assert_int_equal(vaccel_tf_tensor_delete(tensor), 0);
}

static void tf_nodes(void **state)
{
	struct vaccel_tf_node node, *made;
	char name[] = "input";

	(void)state;
	assert_int_equal(vaccel_tf_node_init(NULL, name, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_node_init(&node, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_node_init(&node, name, 1), 0);
	name[0] = 'I';
	assert_string_equal(node.name, "input");
	assert_int_equal(node.id, 1);
	assert_int_equal(vaccel_tf_node_release(&node), 0);
	assert_null(node.name);
	assert_int_equal(node.id, -1);
	assert_int_equal(vaccel_tf_node_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_node_new(NULL, name, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_node_new(&made, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_node_new(&made, name, 2), 0);
	assert_string_equal(made->name, "Input");
	assert_int_equal(vaccel_tf_node_delete(made), 0);
	assert_int_equal(vaccel_tf_node_delete(NULL), VACCEL_EINVAL);
}

static void tf_statuses(void **state)
{
	struct vaccel_tf_status status, *made;

	(void)state;
	assert_int_equal(vaccel_tf_status_init(NULL, 3, "why"), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_status_init(&status, 3, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_status_init(&status, 3, "why"), 0);
	assert_int_equal(status.code, 3);
	assert_string_equal(status.message, "why");
	assert_int_equal(vaccel_tf_status_release(&status), 0);
	assert_int_equal(status.code, 0);
	assert_null(status.message);
	assert_int_equal(vaccel_tf_status_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_status_new(NULL, 3, "why"), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_status_new(&made, 3, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_status_new(&made, 255, ""), 0);
	assert_int_equal(made->code, 255);
	assert_int_equal(vaccel_tf_status_delete(made), 0);
	assert_int_equal(vaccel_tf_status_delete(NULL), VACCEL_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tf_tensors),
		cmocka_unit_test(tflite_tensors),
		cmocka_unit_test(torch_tensors),
		cmocka_unit_test(more_dimensions_than_memory),
		cmocka_unit_test(set_data_leaves_what_was_owned),
		cmocka_unit_test(tf_buffers),
		cmocka_unit_test(torch_buffers),
		cmocka_unit_test(tf_nodes),
		cmocka_unit_test(tf_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
