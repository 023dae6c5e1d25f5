/*
 * core_leg.c - what the agent stands on: hidden sessions on a given plugin, and hidden resources
 * that share bytes.
 */
#include "core_test.h"

static const struct luaccel_core *core;
static struct vaccel_plugin *noop, *remote, *local;
static const char data[] = "shared bytes";

static int start_three(void **state)
{
	(void)state;
	if (start_with(NOOP_PLUGIN ":" FAKE("remote") ":" FAKE("local")))
		return -1;
	core = luaccel_core(LUACCEL_CORE_VERSION);
	noop = core->plugin_next(NULL);
	remote = core->plugin_next(noop);
	local = core->plugin_next(remote);
	return 0;
}

static void legs_bear_their_sessions_id(void **state)
{
	struct vaccel_session *leg, *second, *third, *found, sess;
	const vaccel_id_t id = core->session_id();
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(core->leg_open(noop, id, VACCEL_PLUGIN_GPU, NULL, &leg), 0);
	assert_int_equal(leg->id, id);
	assert_int_equal(leg->hint, VACCEL_PLUGIN_GPU);
	assert_ptr_equal(leg->plugin, noop);
	assert_false(leg->is_virtio);
	snprintf(path, sizeof(path), "%s/session.%lld", vaccel_rundir(), (long long)id);
	assert_string_equal(leg->rundir, path);

	/* Another leg of the same session: its directory has the plugin's name. */
	assert_int_equal(core->leg_open(local, id, 0, NULL, &second), 0);
	snprintf(path, sizeof(path), "%s/session.%lld-fake-local", vaccel_rundir(), (long long)id);
	assert_string_equal(second->rundir, path);
	assert_true(exists(path));

	/* Nobody finds it, and the ids are one sequence with those of public sessions. */
	assert_int_equal(vaccel_session_get_by_id(&found, id), VACCEL_ENOENT);
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(sess.id, id + 1);
	assert_int_equal(core->session_id(), id + 2);
	assert_int_equal(vaccel_session_release(&sess), 0);

	assert_int_equal(vaccel_noop(leg), 0);
	assert_int_equal(core->leg_close(leg), 0);
	assert_int_equal(core->leg_open(noop, id, 0, NULL, &third), 0);
	assert_int_equal(core->leg_close(third), 0);
	assert_int_equal(core->leg_close(second), 0);
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

static void a_remote_leg_is_a_remote_session(void **state)
{
	const struct luaccel_target target = { .uri = "unix:///agent.sock" };
	struct fake *fake = fake_of(FAKE("remote"));
	struct vaccel_session *leg;

	(void)state;
	assert_int_equal(core->leg_open(remote, 900, VACCEL_PLUGIN_REMOTE | 1, NULL, &leg), 0);
	assert_true(leg->is_virtio);
	assert_int_equal(leg->remote_id, 500 + fake->session_inits);
	assert_int_equal(fake->flags, 1);
	assert_int_equal(core->leg_close(leg), 0);
	assert_int_equal(fake->session_releases, 1);

	/* Neither a plugin that knows no targets nor a local one is sent anywhere. */
	assert_null(core->plugin_targets(remote));
	assert_int_equal(core->leg_open(remote, 902, 0, &target, &leg), VACCEL_ENOTSUP);
	assert_int_equal(core->leg_open(noop, 903, 0, &target, &leg), VACCEL_ENOTSUP);

	fake->session_init_ret = VACCEL_EBUSY;
	assert_int_equal(core->leg_open(remote, 901, 0, NULL, &leg), VACCEL_EBUSY);
	fake->session_init_ret = 0;
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

static void hidden_resources_share_bytes(void **state)
{
	struct vaccel_resource shared, *hidden, *found;
	struct vaccel_session *leg;
	unsigned char text[64];

	(void)state;
	assert_int_equal(vaccel_resource_init_from_buf(&shared, data, sizeof(data),
						       VACCEL_RESOURCE_MODEL, "m.pt", false),
			 0);
	assert_int_equal(core->resource_share(&shared, &hidden), 0);
	assert_int_equal(hidden->id, shared.id);
	assert_int_equal(hidden->type, VACCEL_RESOURCE_MODEL);
	assert_int_equal(hidden->nr_blobs, 1);
	assert_ptr_equal(hidden->blobs[0]->data, shared.blobs[0]->data);
	assert_string_equal(hidden->blobs[0]->path, shared.blobs[0]->path);
	assert_string_equal(hidden->blobs[0]->name, "m.pt");
	assert_int_equal(hidden->blobs[0]->type, VACCEL_BLOB_MAPPED);
	assert_false(hidden->blobs[0]->data_owned);
	assert_false(hidden->blobs[0]->path_owned);
	assert_int_equal(vaccel_resource_get_by_id(&found, hidden->id), 0);
	assert_ptr_equal(found, &shared);

	assert_int_equal(core->leg_open(noop, core->session_id(), 0, NULL, &leg), 0);
	assert_int_equal(vaccel_torch_model_load(leg, hidden), VACCEL_EPERM);
	assert_int_equal(vaccel_resource_register(hidden, leg), 0);
	assert_true(vaccel_session_has_resource(leg, hidden));
	assert_false(vaccel_session_has_resource(leg, &shared));
	assert_int_equal(vaccel_session_resource_by_id(leg, &found, shared.id), 0);
	assert_ptr_equal(found, hidden);
	assert_int_equal(vaccel_torch_model_load(leg, hidden), 0);
	assert_int_equal(vaccel_image_classification(leg, "img", text, NULL, 3, sizeof(text), 0),
			 0);

	/* The order of the two ends does not matter. */
	assert_int_equal(core->resource_unshare(hidden), 0);
	assert_int_equal(leg->resource_counts[VACCEL_RESOURCE_MODEL], 0);
	assert_int_equal(core->resource_share(&shared, &hidden), 0);
	assert_int_equal(vaccel_resource_register(hidden, leg), 0);
	assert_int_equal(core->leg_close(leg), 0);
	assert_int_equal(vaccel_resource_refcount(hidden), 0);
	assert_int_equal(core->resource_unshare(hidden), 0);

	assert_memory_equal(shared.blobs[0]->data, data, sizeof(data));
	assert_true(exists(shared.blobs[0]->path));
	assert_int_equal(vaccel_resource_release(&shared), 0);
	assert_int_equal(core->resource_share(&shared, &hidden), VACCEL_EINVAL);
}

/* A plugin may map a hidden FILE blob or persist a hidden BUFFER: only the hidden one changes. */
static void what_a_plugin_does_to_a_hidden_blob_stays_there(void **state)
{
	char dir[] = "/tmp/luaccel-leg-XXXXXX";
	struct vaccel_resource file, buffer, *hidden;
	struct vaccel_session *leg;
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	write_file(path, "file");
	assert_int_equal(core->leg_open(noop, core->session_id(), 0, NULL, &leg), 0);
	assert_int_equal(vaccel_resource_init(&file, path, VACCEL_RESOURCE_DATA), 0);

	/* Shared before anybody has turned its path into a blob. */
	assert_int_equal(core->resource_share(&file, &hidden), 0);
	assert_int_equal(vaccel_resource_register(hidden, leg), 0);
	assert_int_equal(hidden->nr_blobs, 1);
	assert_int_equal(hidden->blobs[0]->type, VACCEL_BLOB_FILE);
	assert_int_equal(vaccel_blob_read(hidden->blobs[0]), 0);
	assert_null(file.blobs);
	assert_int_equal(core->resource_unshare(hidden), 0);
	assert_int_equal(vaccel_resource_release(&file), 0);

	assert_int_equal(vaccel_resource_init_from_buf(&buffer, data, sizeof(data),
						       VACCEL_RESOURCE_DATA, "b", true),
			 0);
	assert_int_equal(core->resource_share(&buffer, &hidden), 0);
	assert_ptr_equal(hidden->blobs[0]->data, data);
	assert_int_equal(vaccel_blob_persist(hidden->blobs[0], dir, "b", false), 0);
	assert_int_equal(buffer.blobs[0]->type, VACCEL_BLOB_BUFFER);
	assert_ptr_equal(buffer.blobs[0]->data, data);
	assert_int_equal(core->resource_unshare(hidden), 0);
	assert_int_equal(count_entries(dir), 1);
	assert_int_equal(core->resource_unshare(&buffer), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(&buffer), 0);
	assert_int_equal(core->leg_close(leg), 0);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

/* The bytes stay where they are; what is done to the resource reaches no file. */
static void resources_of_files_copy_nothing(void **state)
{
	struct vaccel_blob mapped = { .type = VACCEL_BLOB_MAPPED }, buffer = mapped, twin = mapped;
	const struct vaccel_blob *blobs[] = { &mapped, &buffer, &twin };
	char path[PATH_MAX], name[] = "m.pt";
	struct vaccel_resource *res, *other;
	struct stat file, link;

	(void)state;
	snprintf(path, sizeof(path), "%s/bytes", vaccel_rundir());
	write_file(path, "the bytes");
	assert_int_equal(chmod(path, S_IRUSR), 0);
	buffer.type = VACCEL_BLOB_BUFFER;
	mapped.name = buffer.name = twin.name = name;
	mapped.path = buffer.path = twin.path = path;
	assert_int_equal(core->resource_from_files(&res, blobs, 3, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(res->nr_blobs, 3);
	assert_int_equal(res->blobs[0]->type, VACCEL_BLOB_MAPPED);
	assert_string_equal(res->blobs[0]->name, "m.pt");
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(stat(res->blobs[0]->path, &link), 0);
	assert_true(file.st_ino == link.st_ino && link.st_nlink == 3);
	assert_int_equal(res->blobs[1]->type, VACCEL_BLOB_BUFFER);
	assert_string_equal(res->blobs[1]->name, "m.pt");
	assert_null(res->blobs[1]->path);
	assert_string_not_equal(res->blobs[2]->name, "m.pt"); /* the name is taken */
	assert_int_equal(core->resource_from_files(&other, blobs + 1, 1, VACCEL_RESOURCE_DATA), 0);
	assert_null(other->rundir);

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(res->blobs[i]->size, 9);
		assert_memory_equal(res->blobs[i]->data, "the bytes", 9);
		memset(res->blobs[i]->data, 'x', 9);
	}
	assert_memory_equal(other->blobs[0]->data, "the bytes", 9);
	assert_int_equal(vaccel_resource_delete(other), 0);
	assert_int_equal(vaccel_resource_delete(res), 0);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_nlink, 1);
	assert_int_equal(file.st_size, 9);

	assert_int_equal(core->resource_from_files(&res, blobs, 1, VACCEL_RESOURCE_MAX),
			 VACCEL_EINVAL);
	mapped.name = path; /* no name of a file */
	assert_int_equal(core->resource_from_files(&res, blobs, 1, VACCEL_RESOURCE_MODEL),
			 VACCEL_EINVAL);
	mapped.name = name;
	unlink(path);
	assert_int_equal(core->resource_from_files(&res, blobs, 1, VACCEL_RESOURCE_MODEL),
			 VACCEL_ENOENT);
	assert_reason("Could not link");
	assert_int_equal(core->resource_from_files(&res, blobs + 1, 1, VACCEL_RESOURCE_MODEL),
			 VACCEL_ENOENT);
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

static void legs_close_whatever_the_plugin_says(void **state)
{
	struct fake *fake = fake_of(FAKE("local"));
	struct vaccel_resource shared, *hidden;
	struct vaccel_session *leg;

	(void)state;
	assert_int_equal(vaccel_resource_init_from_buf(&shared, data, sizeof(data),
						       VACCEL_RESOURCE_DATA, "b", true),
			 0);
	assert_int_equal(core->resource_share(&shared, &hidden), 0);
	assert_int_equal(core->leg_open(local, core->session_id(), 0, NULL, &leg), 0);
	assert_int_equal(vaccel_resource_register(hidden, leg), 0);
	fake->unregister_ret = VACCEL_EIO;
	assert_int_equal(core->leg_close(leg), VACCEL_EIO);
	assert_int_equal(vaccel_resource_refcount(hidden), 0);
	fake->unregister_ret = 0;
	assert_int_equal(core->resource_unshare(hidden), 0);
	assert_int_equal(vaccel_resource_release(&shared), 0);
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legs_bear_their_sessions_id),
		cmocka_unit_test(a_remote_leg_is_a_remote_session),
		cmocka_unit_test(hidden_resources_share_bytes),
		cmocka_unit_test(what_a_plugin_does_to_a_hidden_blob_stays_there),
		cmocka_unit_test(resources_of_files_copy_nothing),
		cmocka_unit_test(legs_close_whatever_the_plugin_says),
	};

	return cmocka_run_group_tests(tests, start_three, stop);
}
