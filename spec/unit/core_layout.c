/*
 * core_layout.c - the binary interface: offsets, sizes and numbers that compiled programs and
 * plugins have in them. Most of it fails at compile time.
 */
#include "core_test.h"

#define SIZE(type, bytes)   _Static_assert(sizeof(type) == (bytes), #type)
#define AT(type, field, at) _Static_assert(offsetof(type, field) == (at), #type "." #field)
#define IS(name, number)    _Static_assert((name) == (number), #name)

SIZE(struct vaccel_arg, 32);
AT(struct vaccel_arg, buf, 0);
AT(struct vaccel_arg, size, 8);
AT(struct vaccel_arg, type, 16);
AT(struct vaccel_arg, custom_type_id, 20);
AT(struct vaccel_arg, owned, 24);

SIZE(SLogConfig, 2312);
AT(SLogConfig, sFileName, 0);
AT(SLogConfig, sFilePath, 256);
AT(SLogConfig, eColorFormat, 2304);
AT(SLogConfig, nFlags, 2310);

SIZE(struct vaccel_config, 32);
AT(struct vaccel_config, plugins, 0);
AT(struct vaccel_config, log_level, 8);
AT(struct vaccel_config, log_file, 16);
AT(struct vaccel_config, profiling_enabled, 24);
AT(struct vaccel_config, version_ignore, 25);

SIZE(struct vaccel_blob, 56);
AT(struct vaccel_blob, type, 0);
AT(struct vaccel_blob, name, 8);
AT(struct vaccel_blob, path, 16);
AT(struct vaccel_blob, path_owned, 24);
AT(struct vaccel_blob, data, 32);
AT(struct vaccel_blob, data_owned, 40);
AT(struct vaccel_blob, size, 48);

SIZE(struct vaccel_list_entry, 16);
AT(struct vaccel_list_entry, next, 0);
AT(struct vaccel_list_entry, prev, 8);

SIZE(struct vaccel_op, 24);
AT(struct vaccel_op, type, 0);
AT(struct vaccel_op, func, 8);
AT(struct vaccel_op, owner, 16);

SIZE(struct vaccel_plugin, 224);
AT(struct vaccel_plugin, dl_handle, 0);
AT(struct vaccel_plugin, entry, 8);
AT(struct vaccel_plugin, ops, 24);
AT(struct vaccel_plugin, info, 216);

SIZE(struct vaccel_plugin_info, 96);
AT(struct vaccel_plugin_info, name, 0);
AT(struct vaccel_plugin_info, version, 8);
AT(struct vaccel_plugin_info, vaccel_version, 16);
AT(struct vaccel_plugin_info, init, 24);
AT(struct vaccel_plugin_info, fini, 32);
AT(struct vaccel_plugin_info, is_virtio, 40);
AT(struct vaccel_plugin_info, type, 44);
AT(struct vaccel_plugin_info, session_init, 48);
AT(struct vaccel_plugin_info, session_release, 56);
AT(struct vaccel_plugin_info, session_update, 64);
AT(struct vaccel_plugin_info, resource_register, 72);
AT(struct vaccel_plugin_info, resource_unregister, 80);
AT(struct vaccel_plugin_info, resource_sync, 88);

SIZE(struct vaccel_resource, 152);
AT(struct vaccel_resource, id, 0);
AT(struct vaccel_resource, remote_id, 8);
AT(struct vaccel_resource, type, 16);
AT(struct vaccel_resource, path_type, 20);
AT(struct vaccel_resource, paths, 24);
AT(struct vaccel_resource, nr_paths, 32);
AT(struct vaccel_resource, rundir, 40);
AT(struct vaccel_resource, blobs, 48);
AT(struct vaccel_resource, nr_blobs, 56);
AT(struct vaccel_resource, entry, 64);
AT(struct vaccel_resource, sessions, 80);
AT(struct vaccel_resource, sessions_lock, 96);
AT(struct vaccel_resource, refcount, 136);
AT(struct vaccel_resource, plugin_priv, 144);

SIZE(struct vaccel_session, 4264);
AT(struct vaccel_session, id, 0);
AT(struct vaccel_session, remote_id, 8);
AT(struct vaccel_session, hint, 16);
AT(struct vaccel_session, is_virtio, 20);
AT(struct vaccel_session, rundir, 21);
AT(struct vaccel_session, entry, 4120);
AT(struct vaccel_session, resources, 4136);
AT(struct vaccel_session, resource_counts, 4184);
AT(struct vaccel_session, resources_lock, 4208);
AT(struct vaccel_session, plugin, 4248);
AT(struct vaccel_session, priv, 4256);

SIZE(struct vaccel_torch_buffer, 16);
AT(struct vaccel_torch_buffer, data, 0);
AT(struct vaccel_torch_buffer, size, 8);

SIZE(struct vaccel_torch_tensor, 48);
AT(struct vaccel_torch_tensor, data, 0);
AT(struct vaccel_torch_tensor, size, 8);
AT(struct vaccel_torch_tensor, owned, 16);
AT(struct vaccel_torch_tensor, nr_dims, 24);
AT(struct vaccel_torch_tensor, dims, 32);
AT(struct vaccel_torch_tensor, data_type, 40);

IS(VACCEL_OK, 0);
IS(VACCEL_EINVAL, 22);
IS(VACCEL_ENOMEM, 12);
IS(VACCEL_ENOTSUP, 95);
IS(VACCEL_EINPROGRESS, 115);
IS(VACCEL_EBUSY, 16);
IS(VACCEL_EEXIST, 17);
IS(VACCEL_ENOENT, 2);
IS(VACCEL_ELIBBAD, 80);
IS(VACCEL_ENODEV, 19);
IS(VACCEL_EIO, 5);
IS(VACCEL_ESESS, 104);
IS(VACCEL_EBACKEND, 71);
IS(VACCEL_ENOEXEC, 8);
IS(VACCEL_ENAMETOOLONG, 36);
IS(VACCEL_EUSERS, 87);
IS(VACCEL_EPERM, 1);
IS(VACCEL_ELOOP, 40);
IS(VACCEL_EMLINK, 31);
IS(VACCEL_ENOSPC, 28);
IS(VACCEL_ENOTDIR, 20);
IS(VACCEL_EROFS, 30);
IS(VACCEL_EACCES, 13);
IS(VACCEL_EBADF, 9);
IS(VACCEL_EREMOTEIO, 121);
IS(VACCEL_EFAULT, 14);
IS(VACCEL_ERANGE, 34);
IS(VACCEL_EAGAIN, 11);
IS(VACCEL_ENOSYS, 38);

IS(VACCEL_LOG_ERROR, 1);
IS(VACCEL_LOG_WARN, 2);
IS(VACCEL_LOG_INFO, 3);
IS(VACCEL_LOG_DEBUG, 4);
IS(VACCEL_LOG_MAX, 5);

IS(VACCEL_OP_NOOP, 0);
IS(VACCEL_OP_EXEC, 1);
IS(VACCEL_OP_EXEC_WITH_RESOURCE, 2);
IS(VACCEL_OP_IMAGE_CLASSIFY, 3);
IS(VACCEL_OP_IMAGE_DETECT, 4);
IS(VACCEL_OP_IMAGE_SEGMENT, 5);
IS(VACCEL_OP_IMAGE_POSE, 6);
IS(VACCEL_OP_IMAGE_DEPTH, 7);
IS(VACCEL_OP_TF_MODEL_LOAD, 8);
IS(VACCEL_OP_TF_MODEL_UNLOAD, 9);
IS(VACCEL_OP_TF_MODEL_RUN, 10);
IS(VACCEL_OP_TFLITE_MODEL_LOAD, 11);
IS(VACCEL_OP_TFLITE_MODEL_UNLOAD, 12);
IS(VACCEL_OP_TFLITE_MODEL_RUN, 13);
IS(VACCEL_OP_TORCH_MODEL_LOAD, 14);
IS(VACCEL_OP_TORCH_MODEL_RUN, 15);
IS(VACCEL_OP_TORCH_SGEMM, 16);
IS(VACCEL_OP_BLAS_SGEMM, 17);
IS(VACCEL_OP_FPGA_ARRAYCOPY, 18);
IS(VACCEL_OP_FPGA_MMULT, 19);
IS(VACCEL_OP_FPGA_PARALLEL, 20);
IS(VACCEL_OP_FPGA_VECTORADD, 21);
IS(VACCEL_OP_MINMAX, 22);
IS(VACCEL_OP_OPENCV, 23);
IS(VACCEL_OP_MAX, 24);

IS(VACCEL_ARG_RAW, 0);
IS(VACCEL_ARG_INT8_ARRAY, 2);
IS(VACCEL_ARG_UINT8, 9);
IS(VACCEL_ARG_UINT64_ARRAY, 16);
IS(VACCEL_ARG_FLOAT32, 17);
IS(VACCEL_ARG_BOOL, 21);
IS(VACCEL_ARG_UCHAR_ARRAY, 26);
IS(VACCEL_ARG_STRING, 27);
IS(VACCEL_ARG_BUFFER, 28);
IS(VACCEL_ARG_CUSTOM, 29);
IS(VACCEL_ARG_MAX, 30);

IS(VACCEL_RESOURCE_LIB, 0);
IS(VACCEL_RESOURCE_DATA, 1);
IS(VACCEL_RESOURCE_MODEL, 2);
IS(VACCEL_RESOURCE_MAX, 3);
IS(VACCEL_BLOB_FILE, 0);
IS(VACCEL_BLOB_BUFFER, 1);
IS(VACCEL_BLOB_MAPPED, 2);
IS(VACCEL_BLOB_MAX, 3);
IS(VACCEL_PATH_LOCAL_FILE, 0);
IS(VACCEL_PATH_LOCAL_DIR, 1);
IS(VACCEL_PATH_REMOTE_FILE, 2);
IS(VACCEL_PATH_MAX, 3);

IS(VACCEL_PLUGIN_CPU, 1);
IS(VACCEL_PLUGIN_GPU, 2);
IS(VACCEL_PLUGIN_FPGA, 4);
IS(VACCEL_PLUGIN_SOFTWARE, 8);
IS(VACCEL_PLUGIN_TENSORFLOW, 16);
IS(VACCEL_PLUGIN_TORCH, 32);
IS(VACCEL_PLUGIN_JETSON, 64);
IS(VACCEL_PLUGIN_GENERIC, 128);
IS(VACCEL_PLUGIN_DEBUG, 256);
IS(VACCEL_PLUGIN_REMOTE, 16384);
IS(VACCEL_PLUGIN_ALL, 65535);
IS(VACCEL_PLUGIN_MAX, 65536);

IS(VACCEL_TORCH_BYTE, 1);
IS(VACCEL_TORCH_LONG, 5);
IS(VACCEL_TORCH_HALF, 6);
IS(VACCEL_TORCH_FLOAT, 7);

IS(SLOG_NOTAG, 1);
IS(SLOG_NOTE, 2);
IS(SLOG_INFO, 4);
IS(SLOG_WARN, 8);
IS(SLOG_DEBUG, 16);
IS(SLOG_TRACE, 32);
IS(SLOG_ERROR, 64);
IS(SLOG_FATAL, 128);
IS(SLOG_COLOR_TAG, 1);
IS(SLOG_COLOR_FULL, 2);
IS(VACCEL_ENUM_STR_MAX, 128);

const char *cxx_op_name(void);

static void slog_bits_are_in_their_byte(void **state)
{
	SLogConfig config;
	unsigned char *byte = (unsigned char *)&config + 2308;

	(void)state;
	memset(&config, 0, sizeof(config));
	config.nTraceTid = 1;
	assert_int_equal(*byte, 1);
	config.nTraceTid = 0;
	config.nToScreen = 1;
	assert_int_equal(*byte, 2);
	config.nToScreen = 0;
	config.nToFile = 1;
	assert_int_equal(*byte, 4);
	config.nToFile = 0;
	config.nFlush = 1;
	assert_int_equal(*byte, 8);
}

static void enums_know_their_names(void **state)
{
	char name[VACCEL_ENUM_STR_MAX];

	(void)state;
	assert_string_equal(cxx_op_name(), "VACCEL_OP_TORCH_MODEL_RUN");
	assert_string_equal(vaccel_op_type_to_base_str(VACCEL_OP_IMAGE_CLASSIFY), "IMAGE_CLASSIFY");
	assert_string_equal(vaccel_op_type_name(VACCEL_OP_NOOP, name, sizeof(name)), "noop");
	assert_string_equal(vaccel_op_type_to_lower(VACCEL_OP_OPENCV, name, sizeof(name)),
			    "opencv");
	assert_string_equal(vaccel_op_type_to_str((vaccel_op_type_t)99), "VACCEL_OP_MAX");
	assert_string_equal(vaccel_plugin_type_to_base_str(VACCEL_PLUGIN_REMOTE), "REMOTE");
	assert_string_equal(vaccel_plugin_type_to_base_str((vaccel_plugin_type_t)3), "MAX");
	assert_string_equal(vaccel_log_level_to_str(VACCEL_LOG_DEBUG), "VACCEL_LOG_DEBUG");
	assert_string_equal(vaccel_arg_type_to_str(VACCEL_ARG_UCHAR_ARRAY),
			    "VACCEL_ARG_UCHAR_ARRAY");
	assert_string_equal(vaccel_path_type_to_str(VACCEL_PATH_LOCAL_DIR),
			    "VACCEL_PATH_LOCAL_DIR");
	assert_null(vaccel_op_type_name(VACCEL_OP_NOOP, NULL, 5));
	assert_null(vaccel_op_type_name(VACCEL_OP_NOOP, name, 0));
}

static void strings_are_lowered_and_cut(void **state)
{
	char *allocated;
	char four[5];

	(void)state;
	assert_int_equal(vaccel_str_to_lower("VACCEL", four, sizeof(four), NULL), 0);
	assert_string_equal(four, "vacc");
	assert_int_equal(vaccel_str_to_lower("Mixed 1", NULL, 0, &allocated), 0);
	assert_string_equal(allocated, "mixed 1");
	free(allocated);
	assert_int_equal(vaccel_str_to_lower(NULL, four, sizeof(four), NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_str_to_lower("A", four, 0, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_str_to_lower("A", NULL, 5, NULL), VACCEL_EINVAL);
}

/* Exactly what is promised: no helper of ours leaks out, and nothing a plugin needs is missing. */
static void only_the_interface_is_exported(void **state)
{
	static const char *const wanted[] = {
		"slog_print",	   "slog_version", "slog_config_get", "slog_config_set",
		"slog_enable",	   "slog_disable", "slog_init",	      "slog_destroy",
		"luaccel_core",	   "vaccel_noop",  "vaccel_genop",    "luaccel_last_error",
		"vaccel_sess_free"
	};
	static const char *const hidden[] = { "fail", "plugin_load", "registry", "table_find" };
	void *library = dlopen(VACCEL_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	(void)state;
	assert_non_null(library);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!dlsym(library, wanted[i]))
			fail_msg("%s is not exported", wanted[i]);
	}
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (dlsym(library, hidden[i]))
			fail_msg("%s is exported", hidden[i]);
	}
	dlclose(library);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slog_bits_are_in_their_byte),
		cmocka_unit_test(enums_know_their_names),
		cmocka_unit_test(strings_are_lowered_and_cut),
		cmocka_unit_test(only_the_interface_is_exported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
