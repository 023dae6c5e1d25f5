/*
 * core_ops.c - operations against the noop plugin, and what a local call costs: no allocation.
 */
#include "core_test.h"
#include <stdatomic.h>

static atomic_ulong allocations;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* Of the sanitizers' run-time library; gcc installs no header for it. */
extern int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
						     void (*)(const volatile void *));

static void count_malloc(const volatile void *ptr, size_t size)
{
	(void)ptr;
	(void)size;
	atomic_fetch_add(&allocations, 1);
}

static void ignore_free(const volatile void *ptr)
{
	(void)ptr;
}

static void count_allocations(void)
{
	assert_true(__sanitizer_install_malloc_and_free_hooks(count_malloc, ignore_free));
}
#else
/* Ours come before libc's, for libvaccel too; what they give is from libc all the same. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);

__attribute__((visibility("default"))) void *malloc(size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *ptr, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_realloc(ptr, size);
}

static void count_allocations(void)
{
}
#endif

static struct vaccel_session sess;

static int start_session(void **state)
{
	return start_noop(state) ? -1 : vaccel_session_init(&sess, 0);
}

static int stop_session(void **state)
{
	return vaccel_session_release(&sess) ? -1 : stop(state);
}

static void noop_and_its_errors(void **state)
{
	struct vaccel_session *fake;

	(void)state;
	assert_int_equal(vaccel_noop(&sess), 0);
	assert_int_equal(vaccel_noop(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_plugin_load(FAKE("local")), 0);
	assert_int_equal(vaccel_session_new(&fake, VACCEL_PLUGIN_GPU), 0);
	assert_int_equal(vaccel_image_detection(fake, "i", NULL, 1, 0), VACCEL_ENOTSUP);
	assert_reason("plugin fake-local does not implement image_detect");
	assert_int_equal(vaccel_session_delete(fake), 0);
}

static void a_local_call_allocates_nothing(void **state)
{
	unsigned char text[64], name[64];
	struct vaccel_tf_buffer *probe;
	unsigned long before;

	(void)state;
	count_allocations();
	before = atomic_load(&allocations);
	assert_int_equal(vaccel_tf_buffer_new(&probe, NULL, 0), 0);
	assert_int_equal(vaccel_tf_buffer_delete(probe), 0);
	assert_int_equal(atomic_load(&allocations), before + 1); /* libvaccel's are counted */
	before = atomic_load(&allocations);
	for (int i = 0; i < 1000; i++) {
		vaccel_noop(&sess);
		vaccel_image_classification(&sess, "i", text, name, 1, sizeof(text), sizeof(name));
	}
	assert_int_equal(atomic_load(&allocations), before);
}

static void images(void **state)
{
	unsigned char text[64], name[64], tiny[5];

	(void)state;
	assert_int_equal(
		vaccel_image_classification(&sess, "i", text, name, 1, sizeof(text), sizeof(name)),
		0);
	assert_string_equal((char *)text, "This is a dummy classification tag!");
	assert_string_equal((char *)name, "This is a dummy imgname!");
	assert_int_equal(vaccel_image_classification(&sess, "i", tiny, NULL, 1, sizeof(tiny), 0),
			 0);
	assert_string_equal((char *)tiny, "This");
	assert_int_equal(vaccel_image_classification(&sess, "i", NULL, NULL, 1, 0, 0), 0);
	assert_int_equal(vaccel_image_classification(&sess, NULL, text, name, 0, 1, 1),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_image_classification(NULL, "i", text, name, 1, 1, 1),
			 VACCEL_EINVAL);

	int (*const others[])(struct vaccel_session *, const void *, unsigned char *, size_t,
			      size_t) = { vaccel_image_detection, vaccel_image_segmentation,
					  vaccel_image_pose, vaccel_image_depth };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		memset(name, 0, sizeof(name));
		assert_int_equal(others[i](&sess, "i", name, 1, sizeof(name)), 0);
		assert_string_equal((char *)name, "This is a dummy imgname!");
		assert_int_equal(others[i](NULL, "i", name, 1, sizeof(name)), VACCEL_EINVAL);
	}
}

static struct vaccel_arg arg(vaccel_arg_type_t type, void *buf, size_t size)
{
	return (struct vaccel_arg){ .type = type, .buf = buf, .size = size };
}

static void generic_images(void **state)
{
	unsigned char text[64] = "", name[64] = "";
	uint8_t op = VACCEL_OP_IMAGE_CLASSIFY;
	struct vaccel_arg read[] = { arg(VACCEL_ARG_UINT8, &op, 1),
				     arg(VACCEL_ARG_BUFFER, "image", 5) };
	struct vaccel_arg write[] = { arg(VACCEL_ARG_UCHAR_ARRAY, name, sizeof(name)),
				      arg(VACCEL_ARG_UCHAR_ARRAY, text, sizeof(text)) };

	(void)state;
	assert_int_equal(vaccel_genop(&sess, read, 2, write, 2), 0);
	assert_string_equal((char *)text, "This is a dummy classification tag!");
	assert_string_equal((char *)name, "This is a dummy imgname!");
	for (op = VACCEL_OP_IMAGE_DETECT; op <= VACCEL_OP_IMAGE_DEPTH; op++) {
		name[0] = '\0';
		assert_int_equal(vaccel_genop(&sess, read, 2, write, 1), 0);
		assert_string_equal((char *)name, "This is a dummy imgname!");
		assert_int_equal(vaccel_genop(&sess, read, 2, write, 2), VACCEL_EINVAL);
	}
	op = VACCEL_OP_IMAGE_CLASSIFY;
	assert_int_equal(vaccel_genop(&sess, read, 1, write, 2), VACCEL_EINVAL);
	assert_int_equal(vaccel_genop(&sess, read, 2, write, 1), VACCEL_EINVAL);
	assert_reason("Wrong number of write arguments for image_classify: 1 (expected 2)");
	assert_int_equal(vaccel_genop(&sess, read, 2, NULL, 2), VACCEL_EINVAL);
	assert_int_equal(vaccel_genop(NULL, read, 2, write, 2), VACCEL_EINVAL);
	write[1].type = VACCEL_ARG_CHAR_ARRAY;
	assert_int_equal(vaccel_genop(&sess, read, 2, write, 2), VACCEL_EINVAL);
	write[1].type = VACCEL_ARG_UCHAR_ARRAY;
	read[1].size = 0;
	assert_int_equal(vaccel_genop(&sess, read, 2, write, 2), VACCEL_EINVAL);
}

static void torch_models(void **state)
{
	struct vaccel_torch_tensor *in, *out[2] = { NULL, NULL };
	struct vaccel_resource model, lib;
	const int64_t dims[] = { 2, 3 };
	uint8_t byte = 0;

	(void)state;
	assert_int_equal(
		vaccel_resource_init_from_buf(&model, &byte, 1, VACCEL_RESOURCE_MODEL, "m", true),
		0);
	assert_int_equal(
		vaccel_resource_init_from_buf(&lib, &byte, 1, VACCEL_RESOURCE_LIB, "l", true), 0);
	assert_int_equal(vaccel_torch_model_load(&sess, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_torch_model_load(NULL, &model), VACCEL_EINVAL);
	assert_int_equal(vaccel_torch_model_load(&sess, &model), VACCEL_EPERM);
	assert_int_equal(vaccel_torch_model_load(&sess, &lib), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_register(&model, &sess), 0);
	assert_int_equal(vaccel_torch_model_load(&sess, &model), 0);

	assert_int_equal(vaccel_torch_tensor_allocate(&in, 2, dims, VACCEL_TORCH_FLOAT, 24), 0);
	((float *)in->data)[5] = 2.5F;
	assert_int_equal(vaccel_torch_model_run(&sess, &model, NULL, &in, 1, out, 1), 0);
	assert_int_equal(out[0]->nr_dims, 2);
	assert_int_equal(out[0]->dims[1], 3);
	assert_int_equal(out[0]->size, 24);
	assert_true(out[0]->owned);
	assert_int_equal(out[0]->data_type, VACCEL_TORCH_FLOAT);
	assert_memory_equal(out[0]->data, in->data, 24);
	assert_int_equal(vaccel_torch_tensor_delete(out[0]), 0);
	assert_int_equal(vaccel_torch_model_run(&sess, &model, NULL, &in, 1, out, 2),
			 VACCEL_EINVAL);
	assert_reason("2 outputs of 1 inputs");
	assert_int_equal(vaccel_torch_tensor_delete(in), 0);
	assert_int_equal(vaccel_resource_unregister(&model, &sess), 0);
	assert_int_equal(vaccel_torch_model_run(&sess, &model, NULL, NULL, 0, NULL, 0),
			 VACCEL_EPERM);
	assert_int_equal(vaccel_resource_release(&model), 0);
	assert_int_equal(vaccel_resource_release(&lib), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noop_and_its_errors),
		cmocka_unit_test(a_local_call_allocates_nothing),
		cmocka_unit_test(images),
		cmocka_unit_test(generic_images),
		cmocka_unit_test(torch_models),
	};

	return cmocka_run_group_tests(tests, start_session, stop_session);
}
