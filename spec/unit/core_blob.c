/*
 * core_blob.c - blobs and arguments: what owns what, names, modes of files.
 */
#include "core_test.h"

static char dir[] = "/tmp/luaccel-blob-XXXXXX";
static char file[64];
static const uint8_t bytes[] = "some bytes";

static int make_files(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/file.txt", dir);
	write_file(file, "content");
	return start_noop(state);
}

static int remove_files(void **state)
{
	unlink(file);
	if (rmdir(dir))
		return -1;
	return stop(state);
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void file_blobs_are_mapped_when_read(void **state)
{
	struct vaccel_blob blob;
	size_t size;

	(void)state;
	assert_int_equal(vaccel_blob_init(&blob, file), 0);
	assert_int_equal(blob.type, VACCEL_BLOB_FILE);
	assert_string_equal(blob.name, "file.txt");
	assert_string_equal(vaccel_blob_path(&blob), file);
	assert_false(blob.path_owned);
	assert_null(blob.data);
	assert_true(vaccel_blob_valid(&blob));

	assert_memory_equal(vaccel_blob_data(&blob, &size), "content", 7);
	assert_int_equal(size, 7);
	assert_int_equal(blob.type, VACCEL_BLOB_MAPPED);
	assert_false(blob.data_owned);
	blob.data[0] = 'C'; /* private: the file stays */
	assert_int_equal(vaccel_blob_read(&blob), 0);
	assert_int_equal(blob.data[0], 'C');

	assert_int_equal(vaccel_blob_release(&blob), 0);
	assert_int_equal(blob.type, VACCEL_BLOB_MAX);
	assert_null(blob.data);
	assert_null(blob.name);
	assert_null(blob.path);
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_EINVAL);
	assert_true(exists(file));
}

/* The mapping that read made is ours to unmap, though the blob does not say that it owns it. */
static void a_read_blob_leaves_no_mapping(void **state)
{
	char line[512];
	int found = 0;
	FILE *maps;

	(void)state;
	for (int i = 0; i < 10; i++) {
		struct vaccel_blob *blob;

		assert_int_equal(vaccel_blob_new(&blob, file), 0);
		assert_int_equal(vaccel_blob_read(blob), 0);
		assert_int_equal(vaccel_blob_delete(blob), 0);
	}
	maps = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof(line), maps))
		found += strstr(line, file) != NULL;
	fclose(maps);
	assert_int_equal(found, 0);
}

static void buffers_are_aliased_or_copied(void **state)
{
	struct vaccel_blob alias, copy;

	(void)state;
	assert_int_equal(
		vaccel_blob_init_from_buf(&alias, bytes, sizeof(bytes), false, "a", NULL, false),
		0);
	assert_ptr_equal(alias.data, bytes);
	assert_false(alias.data_owned);
	assert_int_equal(alias.type, VACCEL_BLOB_BUFFER);
	assert_null(vaccel_blob_path(&alias));
	assert_int_equal(
		vaccel_blob_init_from_buf(&copy, bytes, sizeof(bytes), true, "c", NULL, false), 0);
	assert_ptr_not_equal(copy.data, bytes);
	assert_true(copy.data_owned);
	assert_memory_equal(copy.data, bytes, sizeof(bytes));
	assert_int_equal(vaccel_blob_release(&alias), 0);
	assert_int_equal(vaccel_blob_release(&copy), 0);
}

static void persisted_buffers_are_private_files(void **state)
{
	struct vaccel_blob blob, second, random;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/model.pt", dir);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, sizeof(bytes), false, "model.pt",
						   dir, false),
			 0);
	assert_int_equal(blob.type, VACCEL_BLOB_MAPPED);
	assert_string_equal(blob.path, path);
	assert_string_equal(blob.name, "model.pt");
	assert_true(blob.path_owned);
	assert_true(blob.data_owned);
	assert_memory_equal(blob.data, bytes, sizeof(bytes));
	assert_int_equal(mode_of(path), 0600);

	/* A name that is taken gets random characters before its extension. */
	assert_int_equal(vaccel_blob_init_from_buf(&second, bytes, sizeof(bytes), false, "model.pt",
						   dir, false),
			 0);
	assert_string_not_equal(second.path, path);
	assert_int_equal(strlen(second.name), strlen("model_XXXXXX.pt"));
	assert_int_equal(mode_of(second.path), 0600);

	assert_int_equal(
		vaccel_blob_init_from_buf(&random, bytes, sizeof(bytes), true, "x", dir, true), 0);
	assert_int_equal(strlen(random.name), strlen("x_XXXXXX"));

	assert_int_equal(vaccel_blob_persist(&random, dir, "again", false), VACCEL_EEXIST);
	assert_int_equal(vaccel_blob_release(&blob), 0);
	assert_int_equal(vaccel_blob_release(&second), 0);
	assert_int_equal(vaccel_blob_release(&random), 0);
	assert_int_equal(count_entries(dir), 1);
}

static void persist_takes_over_an_owned_buffer(void **state)
{
	struct vaccel_blob blob;

	(void)state;
	assert_int_equal(
		vaccel_blob_init_from_buf(&blob, bytes, sizeof(bytes), true, "n", NULL, false), 0);
	assert_int_equal(vaccel_blob_persist(&blob, "/nonexistent", "n", false), VACCEL_ENOENT);
	assert_int_equal(vaccel_blob_persist(&blob, dir, NULL, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_persist(&blob, dir, "n", false), 0);
	assert_int_equal(blob.type, VACCEL_BLOB_MAPPED);
	assert_int_equal(vaccel_blob_release(&blob), 0);
	assert_int_equal(count_entries(dir), 1);
}

static void names_are_one_component(void **state)
{
	static const char *const names[] = {
		"", ".", "..", "a/b", "/a", "../../../x", "a/..", "x/"
	};
	struct vaccel_blob blob;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(
			vaccel_blob_init_from_buf(&blob, bytes, 1, false, names[i], dir, false),
			VACCEL_EINVAL);
		assert_reason("not one path component");
		assert_int_equal(
			vaccel_blob_init_from_buf(&blob, bytes, 1, true, names[i], NULL, false),
			VACCEL_EINVAL);
	}
	assert_int_equal(count_entries(dir), 1);
}

static void blob_arguments(void **state)
{
	struct vaccel_blob blob;

	(void)state;
	assert_int_equal(vaccel_blob_init(NULL, file), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init(&blob, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init(&blob, dir), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_new(NULL, file), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, NULL, 1, 0, "n", NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, 0, 0, "n", NULL, 0),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, 1, 0, NULL, NULL, 0),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, 1, 0, "n", file, 0),
			 VACCEL_ENOENT);
	assert_int_equal(vaccel_blob_from_buf(NULL, bytes, 1, 0, "n", NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_read(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_persist(NULL, dir, "n", 0), VACCEL_EINVAL);
	assert_null(vaccel_blob_data(NULL, NULL));
	assert_null(vaccel_blob_path(NULL));
	assert_false(vaccel_blob_valid(NULL));
}

static void args_copy_or_alias(void **state)
{
	struct vaccel_arg arg, *allocated;
	int number = 5;

	(void)state;
	assert_int_equal(vaccel_arg_init(&arg, &number, sizeof(number), VACCEL_ARG_INT32, 3), 0);
	assert_ptr_not_equal(arg.buf, &number);
	assert_int_equal(*(int *)arg.buf, 5);
	assert_int_equal(arg.custom_type_id, 3);
	assert_true(arg.owned);
	assert_int_equal(vaccel_arg_release(&arg), 0);
	assert_int_equal(arg.type, VACCEL_ARG_MAX);
	assert_null(arg.buf);

	assert_int_equal(vaccel_arg_init(&arg, NULL, 4, VACCEL_ARG_BUFFER, 0), 0);
	assert_int_equal(*(int *)arg.buf, 0);
	assert_int_equal(vaccel_arg_release(&arg), 0);

	assert_int_equal(
		vaccel_arg_from_buf(&allocated, &number, sizeof(number), VACCEL_ARG_INT32, 0), 0);
	assert_ptr_equal(allocated->buf, &number);
	assert_false(allocated->owned);
	assert_int_equal(vaccel_arg_delete(allocated), 0);
	assert_int_equal(vaccel_arg_new(&allocated, NULL, 0, VACCEL_ARG_RAW, 0), 0);
	assert_int_equal(vaccel_arg_delete(allocated), 0);

	assert_int_equal(vaccel_arg_init(NULL, &number, 4, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_init(&arg, &number, 0, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_init_from_buf(&arg, NULL, 4, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_init_from_buf(&arg, &number, 0, VACCEL_ARG_RAW, 0),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_new(NULL, NULL, 0, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_from_buf(NULL, NULL, 0, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_delete(NULL), VACCEL_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_blobs_are_mapped_when_read),
		cmocka_unit_test(a_read_blob_leaves_no_mapping),
		cmocka_unit_test(buffers_are_aliased_or_copied),
		cmocka_unit_test(persisted_buffers_are_private_files),
		cmocka_unit_test(persist_takes_over_an_owned_buffer),
		cmocka_unit_test(names_are_one_component),
		cmocka_unit_test(blob_arguments),
		cmocka_unit_test(args_copy_or_alias),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
