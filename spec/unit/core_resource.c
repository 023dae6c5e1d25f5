/*
 * core_resource.c - resources on local sessions: from every source, registered, found, released.
 */
#include "core_test.h"

static char dir[] = "/tmp/luaccel-resource-XXXXXX";
static char one[64], two[64], sub[64];
static const char data[] = "model bytes";

static int make_files(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(one, sizeof(one), "%s/one.pt", dir);
	snprintf(two, sizeof(two), "%s/two.pt", dir);
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	write_file(one, "one");
	write_file(two, "two");
	return start_noop(state);
}

static int remove_files(void **state)
{
	unlink(one);
	unlink(two);
	if (rmdir(dir))
		return -1;
	return stop(state);
}

static void from_a_file(void **state)
{
	struct vaccel_resource res;
	struct vaccel_session sess;
	char uri[128];

	(void)state;
	snprintf(uri, sizeof(uri), "file://%s", one);
	assert_int_equal(vaccel_resource_init(&res, uri, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(res.path_type, VACCEL_PATH_LOCAL_FILE);
	assert_int_equal(res.nr_paths, 1);
	assert_string_equal(res.paths[0], one);
	assert_null(res.blobs);
	assert_null(res.rundir);
	assert_int_equal(res.remote_id, 0);
	assert_int_equal(vaccel_resource_refcount(&res), 0);

	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_int_equal(res.nr_blobs, 1);
	assert_int_equal(res.blobs[0]->type, VACCEL_BLOB_FILE);
	assert_string_equal(res.blobs[0]->path, one);
	assert_false(res.blobs[0]->path_owned);
	assert_null(res.blobs[0]->data);
	assert_true(exists(res.rundir));
	assert_int_equal(vaccel_resource_refcount(&res), 1);
	assert_ptr_not_equal(sess.resources[VACCEL_RESOURCE_MODEL].next,
			     &sess.resources[VACCEL_RESOURCE_MODEL]);
	assert_int_equal(sess.resource_counts[VACCEL_RESOURCE_MODEL], 1);
	assert_true(vaccel_session_has_resource(&sess, &res));

	assert_int_equal(vaccel_resource_unregister(&res, &sess), 0);
	assert_int_equal(vaccel_resource_refcount(&res), 0);
	assert_int_equal(sess.resource_counts[VACCEL_RESOURCE_MODEL], 0);
	assert_false(vaccel_session_has_resource(&sess, &res));
	assert_int_equal(vaccel_resource_unregister(&res, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(&res), 0);
	assert_int_equal(res.id, 0);
	assert_null(res.paths);
	assert_null(res.blobs);
	assert_null(res.rundir);
	assert_false(vaccel_session_has_resource(&sess, &res));
	assert_int_equal(vaccel_resource_release(&res), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_true(exists(one));
}

static void from_several_files(void **state)
{
	const char *both[] = { one, two };
	const char *mixed[] = { one, dir };
	const char *directory_first[] = { dir, one };
	const char *with_null[] = { one, NULL };
	struct vaccel_resource res;
	struct vaccel_session sess;

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_init_multi(&res, both, 2, VACCEL_RESOURCE_DATA), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_int_equal(res.nr_blobs, 2);
	assert_string_equal(res.blobs[1]->name, "two.pt");
	assert_int_equal(vaccel_resource_release(&res), 0);
	assert_int_equal(sess.resource_counts[VACCEL_RESOURCE_DATA], 0);
	assert_int_equal(vaccel_resource_init_multi(&res, mixed, 2, VACCEL_RESOURCE_DATA),
			 VACCEL_ENOTSUP);
	assert_null(res.paths);
	assert_int_equal(res.nr_paths, 0);
	assert_int_equal(vaccel_resource_init_multi(&res, directory_first, 2, VACCEL_RESOURCE_DATA),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_multi(&res, with_null, 2, VACCEL_RESOURCE_DATA),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_multi(&res, both, 0, VACCEL_RESOURCE_DATA),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_session_release(&sess), 0);
}

static void from_a_directory(void **state)
{
	struct vaccel_resource *res;
	struct vaccel_session sess;
	char path[PATH_MAX], *allocated, three[128];

	(void)state;
	assert_int_equal(mkdir(sub, 0700), 0);
	snprintf(three, sizeof(three), "%s/three", sub);
	write_file(three, "3");
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_new(&res, dir, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(res->path_type, VACCEL_PATH_LOCAL_DIR);
	assert_int_equal(vaccel_resource_register(res, &sess), 0);
	assert_int_equal(res->nr_blobs, 3);
	assert_null(res->rundir);
	assert_int_equal(vaccel_resource_directory(res, path, sizeof(path), NULL), 0);
	assert_string_equal(path, dir);
	assert_int_equal(vaccel_resource_directory(res, path, 3, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_directory(res, NULL, 0, &allocated), 0);
	assert_string_equal(allocated, dir);
	free(allocated);
	assert_int_equal(vaccel_resource_delete(res), 0);

	unlink(three);
	assert_int_equal(vaccel_resource_new(&res, sub, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(vaccel_resource_register(res, &sess), VACCEL_EINVAL);
	assert_reason("has no files");
	assert_int_equal(vaccel_resource_delete(res), 0);
	assert_int_equal(rmdir(sub), 0);
	assert_int_equal(vaccel_session_release(&sess), 0);
}

static void directories_that_link_to_themselves(void **state)
{
	struct vaccel_resource *res;
	struct vaccel_session sess;
	char loop[128];

	(void)state;
	assert_int_equal(mkdir(sub, 0700), 0);
	snprintf(loop, sizeof(loop), "%s/loop", sub);
	assert_int_equal(symlink(sub, loop), 0);
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_new(&res, sub, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(vaccel_resource_register(res, &sess), VACCEL_ELOOP);
	assert_int_equal(vaccel_resource_delete(res), 0);
	assert_int_equal(vaccel_session_release(&sess), 0);
	unlink(loop);
	assert_int_equal(rmdir(sub), 0);
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void from_bytes(void **state)
{
	struct vaccel_resource res, lib, memory;

	(void)state;
	assert_int_equal(vaccel_resource_init_from_buf(&res, data, sizeof(data),
						       VACCEL_RESOURCE_MODEL, "m.pt", false),
			 0);
	assert_int_equal(res.blobs[0]->type, VACCEL_BLOB_MAPPED);
	assert_string_equal(res.blobs[0]->name, "m.pt");
	assert_memory_equal(res.blobs[0]->data, data, sizeof(data));
	assert_int_equal(mode_of(res.blobs[0]->path), 0600);
	assert_int_equal(res.path_type, VACCEL_PATH_LOCAL_FILE);
	assert_null(res.paths);

	assert_int_equal(vaccel_resource_init_from_buf(&lib, data, sizeof(data),
						       VACCEL_RESOURCE_LIB, NULL, false),
			 0);
	assert_int_equal(strlen(lib.blobs[0]->name), strlen("file_XXXXXX"));
	assert_int_equal(mode_of(lib.blobs[0]->path), 0700);
	assert_int_equal(lib.id, res.id + 1);

	assert_int_equal(vaccel_resource_init_from_buf(&memory, data, sizeof(data),
						       VACCEL_RESOURCE_DATA, NULL, true),
			 0);
	assert_int_equal(memory.blobs[0]->type, VACCEL_BLOB_BUFFER);
	assert_ptr_equal(memory.blobs[0]->data, data);
	assert_string_equal(memory.blobs[0]->name, "file");
	assert_null(memory.rundir);

	assert_int_equal(vaccel_resource_release(&res), 0);
	assert_int_equal(vaccel_resource_release(&lib), 0);
	assert_int_equal(vaccel_resource_release(&memory), 0);
	assert_int_equal(count_entries(vaccel_rundir()), 0);
	assert_int_equal(vaccel_resource_init_from_buf(&res, data, sizeof(data),
						       VACCEL_RESOURCE_MODEL, "../m.pt", false),
			 VACCEL_EINVAL);
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

static void from_blobs(void **state)
{
	struct vaccel_blob file, buffer, owned, invalid = { .type = VACCEL_BLOB_FILE };
	const struct vaccel_blob *mapped_and_more[4], *bad[] = { &invalid };
	struct vaccel_resource source, res;

	(void)state;
	assert_int_equal(vaccel_resource_init_from_buf(&source, data, sizeof(data),
						       VACCEL_RESOURCE_DATA, "mapped", false),
			 0);
	assert_int_equal(vaccel_blob_init(&file, one), 0);
	assert_int_equal(vaccel_blob_init_from_buf(&buffer, (const uint8_t *)data, sizeof(data),
						   false, "buffer", NULL, false),
			 0);
	assert_int_equal(vaccel_blob_init_from_buf(&owned, (const uint8_t *)data, sizeof(data),
						   true, "owned", NULL, false),
			 0);
	mapped_and_more[0] = source.blobs[0];
	mapped_and_more[1] = &file;
	mapped_and_more[2] = &buffer;
	mapped_and_more[3] = &owned;
	assert_int_equal(
		vaccel_resource_init_from_blobs(&res, mapped_and_more, 4, VACCEL_RESOURCE_DATA), 0);
	assert_int_equal(res.nr_blobs, 4);
	assert_int_equal(res.blobs[0]->type, VACCEL_BLOB_MAPPED);
	assert_ptr_not_equal(res.blobs[0]->data, source.blobs[0]->data);
	assert_string_equal(res.blobs[0]->name, "mapped");
	assert_int_equal(res.blobs[1]->type, VACCEL_BLOB_FILE);
	assert_string_equal(res.blobs[1]->path, one);
	assert_ptr_equal(res.blobs[2]->data, data);
	assert_true(res.blobs[3]->data_owned);
	assert_ptr_not_equal(res.blobs[3]->data, owned.data);
	assert_int_equal(vaccel_resource_release(&res), 0);

	assert_int_equal(
		vaccel_resource_init_from_blobs(&res, &mapped_and_more[2], 2, VACCEL_RESOURCE_DATA),
		0);
	assert_null(res.rundir); /* buffers alone need none */
	assert_int_equal(vaccel_resource_release(&res), 0);
	assert_int_equal(vaccel_resource_init_from_blobs(&res, bad, 1, VACCEL_RESOURCE_DATA),
			 VACCEL_EINVAL);
	assert_null(res.blobs);
	assert_int_equal(vaccel_blob_release(&file), 0);
	assert_int_equal(vaccel_blob_release(&buffer), 0);
	assert_int_equal(vaccel_blob_release(&owned), 0);
	assert_int_equal(vaccel_resource_release(&source), 0);
}

/* Two lines that programs look for. */
static void bare_paths_are_warned_of(void **state)
{
	struct vaccel_config config;
	struct vaccel_resource bare, prefixed;
	char base[64], uri[128], path[256] = "", text[4096], expected[256];
	const struct dirent *entry;
	FILE *log;
	DIR *stream;

	snprintf(base, sizeof(base), "%s/warned", dir);
	snprintf(uri, sizeof(uri), "file://%s", two);
	assert_int_equal(
		vaccel_config_init(&config, NOOP_PLUGIN, VACCEL_LOG_WARN, base, false, false), 0);
	assert_int_equal(vaccel_bootstrap_with_config(&config), 0);
	vaccel_config_release(&config);
	assert_int_equal(vaccel_resource_init(&bare, one, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(vaccel_resource_init(&prefixed, uri, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(vaccel_resource_release(&bare), 0);
	assert_int_equal(vaccel_resource_release(&prefixed), 0);
	assert_int_equal(start_noop(state), 0);

	stream = opendir(dir);
	while ((entry = readdir(stream))) {
		if (strncmp(entry->d_name, "warned", 6) == 0)
			snprintf(path, sizeof(path), "%.64s/%.128s", dir, entry->d_name);
	}
	closedir(stream);
	log = fopen(path, "r");
	assert_non_null(log);
	text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
	fclose(log);
	unlink(path);
	snprintf(expected, sizeof(expected), "Assuming %s is a local path\n", one);
	assert_non_null(strstr(text, "Path does not seem to have a `<prefix>://`\n"));
	assert_non_null(strstr(text, expected));
	assert_null(strstr(text, two));
}

static void neither_files_nor_directories(void **state)
{
	struct vaccel_resource res;
	char gone[128];

	(void)state;
	snprintf(gone, sizeof(gone), "file://%s/gone", dir);
	assert_int_equal(vaccel_resource_init(&res, gone, VACCEL_RESOURCE_MODEL), VACCEL_EINVAL);
	assert_reason("not a readable file or directory");
	assert_int_equal(vaccel_resource_init(&res, "/dev/null", VACCEL_RESOURCE_MODEL),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, "other:///etc/passwd", VACCEL_RESOURCE_MODEL),
			 VACCEL_EINVAL);
	assert_reason("Unsupported URI prefix");
}

static void paths_too_long(void **state)
{
	static char path[PATH_MAX + 10];
	struct vaccel_resource res;

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	assert_int_equal(vaccel_resource_init(&res, path, VACCEL_RESOURCE_MODEL),
			 VACCEL_ENAMETOOLONG);
}

static void found_by_id_and_type(void **state)
{
	struct vaccel_resource models[3], lib, *found, **all;
	size_t count = 1;

	(void)state;
	assert_int_equal(vaccel_resource_get_by_type(&found, VACCEL_RESOURCE_MODEL), VACCEL_ENOENT);
	assert_int_equal(vaccel_resource_get_all_by_type(&all, &count, VACCEL_RESOURCE_MODEL),
			 VACCEL_ENOENT);
	assert_int_equal(count, 0);
	assert_int_equal(vaccel_resource_init(&lib, two, VACCEL_RESOURCE_LIB), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vaccel_resource_init(&models[i], one, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(vaccel_resource_get_by_id(&found, models[1].id), 0);
	assert_ptr_equal(found, &models[1]);
	assert_int_equal(vaccel_resource_get_by_type(&found, VACCEL_RESOURCE_MODEL), 0);
	assert_ptr_equal(found, &models[0]);
	assert_int_equal(vaccel_resource_get_all_by_type(&all, &count, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(count, 3);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(all[i], &models[i]);
	free(all);
	assert_int_equal(vaccel_resource_get_by_id(&found, 123456), VACCEL_ENOENT);
	assert_int_equal(vaccel_resource_get_by_id(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_get_by_type(&found, VACCEL_RESOURCE_MAX), VACCEL_EINVAL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vaccel_resource_release(&models[i]), 0);
	assert_int_equal(vaccel_resource_release(&lib), 0);
}

static void many_in_one_session(void **state)
{
	static struct vaccel_resource *res[200];
	struct vaccel_resource *found, **list;
	struct vaccel_session sess;
	size_t count;

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(
			vaccel_resource_from_buf(&res[i], data, 1, VACCEL_RESOURCE_DATA, "d", true),
			0);
		assert_int_equal(vaccel_resource_register(res[i], &sess), 0);
	}
	assert_int_equal(vaccel_resource_register(res[7], &sess), 0); /* again: a warning */
	assert_int_equal(vaccel_resource_refcount(res[7]), 1);
	assert_int_equal(
		vaccel_session_resources_by_type(&sess, &list, &count, VACCEL_RESOURCE_DATA), 0);
	assert_int_equal(count, 200);
	for (int i = 0; i < 200; i++) {
		assert_ptr_equal(list[i], res[i]);
		assert_int_equal(vaccel_session_resource_by_id(&sess, &found, res[i]->id), 0);
		assert_ptr_equal(found, res[i]);
	}
	free(list);
	assert_int_equal(vaccel_session_resource_by_type(&sess, &found, VACCEL_RESOURCE_DATA), 0);
	assert_ptr_equal(found, res[0]);
	for (int i = 0; i < 200; i += 2)
		assert_int_equal(vaccel_resource_delete(res[i]), 0);
	assert_int_equal(sess.resource_counts[VACCEL_RESOURCE_DATA], 100);
	assert_int_equal(vaccel_session_release(&sess), 0);
	for (int i = 1; i < 200; i += 2) {
		assert_int_equal(vaccel_resource_refcount(res[i]), 0);
		assert_int_equal(vaccel_resource_delete(res[i]), 0);
	}
}

static void resource_arguments(void **state)
{
	struct vaccel_resource res = { 0 };
	struct vaccel_session sess;

	(void)state;
	assert_int_equal(vaccel_resource_init(NULL, one, VACCEL_RESOURCE_LIB), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, one, VACCEL_RESOURCE_MAX), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, NULL, VACCEL_RESOURCE_LIB), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_new(NULL, one, VACCEL_RESOURCE_LIB), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_buf(&res, NULL, 1, 0, "n", true), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_buf(&res, data, 0, 0, "n", true), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_blobs(&res, NULL, 1, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_refcount(NULL), -VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_directory(&res, NULL, 0, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_register(NULL, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_register(&res, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_unregister(&res, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_sync(NULL, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, one, VACCEL_RESOURCE_LIB), 0);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_EPERM);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(vaccel_resource_release(&res), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_a_file),
		cmocka_unit_test(from_several_files),
		cmocka_unit_test(from_a_directory),
		cmocka_unit_test(directories_that_link_to_themselves),
		cmocka_unit_test(from_bytes),
		cmocka_unit_test(from_blobs),
		cmocka_unit_test(bare_paths_are_warned_of),
		cmocka_unit_test(neither_files_nor_directories),
		cmocka_unit_test(paths_too_long),
		cmocka_unit_test(found_by_id_and_type),
		cmocka_unit_test(many_in_one_session),
		cmocka_unit_test(resource_arguments),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
