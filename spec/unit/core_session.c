/*
 * core_session.c - sessions: ids, limits, what is seen in the struct, choice of the plugin.
 */
#include "core_test.h"

static void life_of_a_session(void **state)
{
	struct vaccel_session sess = { .remote_id = 77 };
	struct vaccel_session *found;
	char rundir[PATH_MAX];
	vaccel_id_t id;

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_CPU), 0);
	id = sess.id;
	assert_true(id > 0);
	assert_int_equal(sess.hint, VACCEL_PLUGIN_CPU);
	assert_false(sess.is_virtio);
	assert_int_equal(sess.remote_id, 77); /* left alone when local */
	assert_null(sess.priv);
	assert_string_equal(sess.plugin->info->name, "noop");
	for (int i = 0; i < VACCEL_RESOURCE_MAX; i++) {
		assert_ptr_equal(sess.resources[i].next, &sess.resources[i]);
		assert_int_equal(sess.resource_counts[i], 0);
	}
	snprintf(rundir, sizeof(rundir), "%s/session.%lld", vaccel_rundir(), (long long)id);
	assert_string_equal(sess.rundir, rundir);
	assert_true(exists(rundir));
	assert_int_equal(vaccel_session_get_by_id(&found, id), 0);
	assert_ptr_equal(found, &sess);

	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(sess.id, 0);
	assert_int_equal(sess.hint, VACCEL_PLUGIN_CPU);
	assert_false(exists(rundir));
	assert_int_equal(vaccel_session_get_by_id(&found, id), VACCEL_ENOENT);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_noop(&sess), VACCEL_ENOTSUP);
}

static void ids_rise_and_attempts_burn_them(void **state)
{
	struct vaccel_session *first, *second;
	struct vaccel_session failing;

	(void)state;
	assert_int_equal(vaccel_session_new(&first, 0), 0);
	assert_int_equal(vaccel_session_init(&failing, VACCEL_PLUGIN_REMOTE), VACCEL_ENOTSUP);
	assert_reason("no VirtIO plugin registered");
	assert_int_equal(failing.id, 0);
	assert_int_equal(vaccel_session_new(&second, 0), 0);
	assert_int_equal(second->id, first->id + 2);
	assert_int_equal(vaccel_session_delete(first), 0);
	assert_int_equal(vaccel_session_delete(second), 0);
}

static void at_most_1024(void **state)
{
	static struct vaccel_session *sessions[1024];
	struct vaccel_session *one_more, *found;
	vaccel_id_t last;

	(void)state;
	for (size_t i = 0; i < 1024; i++)
		assert_int_equal(vaccel_session_new(&sessions[i], 0), 0);
	assert_int_equal(vaccel_session_new(&one_more, 0), VACCEL_EUSERS);
	assert_reason("1024");
	last = sessions[1023]->id;
	for (size_t i = 0; i < 1024; i++) {
		assert_int_equal(vaccel_session_get_by_id(&found, sessions[i]->id), 0);
		assert_ptr_equal(found, sessions[i]);
	}
	assert_int_equal(vaccel_session_delete(sessions[500]), 0);
	assert_int_equal(vaccel_session_new(&sessions[500], 0), 0);
	assert_int_equal(sessions[500]->id, last + 2); /* never used again */
	for (size_t i = 0; i < 1024; i++)
		assert_int_equal(vaccel_session_delete(sessions[i]), 0);
}

static void the_limits_can_be_set(void **state)
{
	struct vaccel_session *one, *two;
	struct vaccel_resource *first, *second;

	(void)state;
	setenv("LUACCEL_SESSIONS_MAX", "1", 1);
	setenv("LUACCEL_RESOURCES_MAX", "1", 1);
	assert_int_equal(start_noop(NULL), 0);
	assert_int_equal(vaccel_session_new(&one, 0), 0);
	assert_int_equal(vaccel_session_new(&two, 0), VACCEL_EUSERS);
	assert_int_equal(vaccel_resource_from_buf(&first, "x", 1, VACCEL_RESOURCE_DATA, "d", true),
			 0);
	assert_int_equal(vaccel_resource_from_buf(&second, "x", 1, VACCEL_RESOURCE_DATA, "d", true),
			 VACCEL_EUSERS);
	assert_int_equal(vaccel_session_delete(one), 0);
	assert_int_equal(vaccel_resource_delete(first), 0);
	unsetenv("LUACCEL_SESSIONS_MAX");
	unsetenv("LUACCEL_RESOURCES_MAX");
	assert_int_equal(start_noop(NULL), 0);
}

static void files_in_the_run_directory_go_too(void **state)
{
	struct vaccel_session sess;
	char path[PATH_MAX + 16];

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	snprintf(path, sizeof(path), "%s/dir", sess.rundir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/dir/left", sess.rundir);
	write_file(path, "behind");
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_false(exists(sess.rundir));
}

/* The plugins: noop (DEBUG), fake-local (GPU), fake-remote. */
static void hints_choose_plugins(void **state)
{
	static const struct {
		uint32_t hint;
		const char *plugin;
	} cases[] = {
		{ 0, "noop" },
		{ VACCEL_PLUGIN_GPU, "fake-local" },
		{ VACCEL_PLUGIN_FPGA, "noop" },
		{ VACCEL_PLUGIN_GPU | VACCEL_PLUGIN_DEBUG, "noop" },
		{ VACCEL_PLUGIN_REMOTE, "fake-remote" },
		{ VACCEL_PLUGIN_ALL, "fake-remote" },
	};

	(void)state;
	assert_int_equal(start_with(NOOP_PLUGIN ":" FAKE("local") ":" FAKE("remote")), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vaccel_session sess;

		assert_int_equal(vaccel_session_init(&sess, cases[i].hint), 0);
		assert_string_equal(sess.plugin->info->name, cases[i].plugin);
		assert_ptr_equal(luaccel_core(LUACCEL_CORE_VERSION)->plugin_for_hint(cases[i].hint),
				 sess.plugin);
		assert_int_equal(sess.hint, cases[i].hint);
		assert_int_equal(vaccel_session_release(&sess), 0);
	}
	assert_int_equal(start_with(NULL), 0);
	assert_null(luaccel_core(LUACCEL_CORE_VERSION)->plugin_for_hint(0));
	assert_reason("VACCEL_PLUGINS");
	assert_int_equal(start_noop(NULL), 0);
}

static void deprecated_names(void **state)
{
	struct vaccel_session sess;
	struct vaccel_resource res;
	uint8_t byte = 1;

	(void)state;
	assert_int_equal(vaccel_sess_init(&sess, 1), 0);
	assert_int_equal(vaccel_session_update(&sess, 2), 0);
	assert_int_equal(sess.hint, 2);
	assert_int_equal(vaccel_sess_update(&sess, 3), 0);
	assert_int_equal(vaccel_sess_update(&sess, VACCEL_PLUGIN_REMOTE), VACCEL_ENOTSUP);
	assert_int_equal(sess.hint, 3);
	assert_int_equal(
		vaccel_resource_init_from_buf(&res, &byte, 1, VACCEL_RESOURCE_DATA, "b", true), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_true(vaccel_sess_has_resource(&sess, &res));
	assert_int_equal(vaccel_session_update(&sess, 4), VACCEL_ENOTSUP);
	assert_int_equal(vaccel_resource_release(&res), 0);
	assert_int_equal(vaccel_sess_free(&sess), 0);
	assert_int_equal(vaccel_session_update(NULL, 0), VACCEL_EINVAL);
}

static void session_arguments(void **state)
{
	struct vaccel_session sess = { 0 };
	struct vaccel_session *found;
	struct vaccel_resource *res, **list;
	size_t count = 9;

	(void)state;
	assert_int_equal(vaccel_session_init(NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_new(NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_get_by_id(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_get_by_id(&found, 0), VACCEL_ENOENT);
	assert_int_equal(vaccel_session_get_by_id(&found, -5), VACCEL_ENOENT);
	assert_false(vaccel_session_has_resource(NULL, NULL));
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_session_resource_by_id(&sess, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_resource_by_id(&sess, &res, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_resource_by_id(&sess, &res, 5), VACCEL_ENOENT);
	assert_int_equal(vaccel_session_resource_by_type(&sess, &res, VACCEL_RESOURCE_MAX),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_session_resource_by_type(&sess, &res, VACCEL_RESOURCE_LIB),
			 VACCEL_ENOENT);
	assert_int_equal(vaccel_session_resources_by_type(&sess, &list, NULL, VACCEL_RESOURCE_LIB),
			 VACCEL_EINVAL);
	assert_int_equal(
		vaccel_session_resources_by_type(&sess, &list, &count, VACCEL_RESOURCE_LIB),
		VACCEL_ENOENT);
	assert_int_equal(count, 0);
	assert_int_equal(vaccel_session_release(&sess), 0);
}

static void cleanup_releases_what_is_left(void **state)
{
	struct vaccel_session *sess;
	struct vaccel_resource *res;
	uint8_t byte = 1;

	(void)state;
	assert_int_equal(vaccel_session_new(&sess, 0), 0);
	assert_int_equal(vaccel_resource_from_buf(&res, &byte, 1, VACCEL_RESOURCE_DATA, "b", false),
			 0);
	assert_int_equal(vaccel_resource_register(res, sess), 0);
	assert_int_equal(vaccel_cleanup(), 0);
	assert_false(exists(vaccel_rundir()));
	assert_int_equal(sess->id, 0);
	assert_int_equal(res->id, 0);
	assert_null(res->blobs);
	assert_int_equal(vaccel_session_release(sess), VACCEL_ESESS);
	free(sess);
	free(res);
	assert_int_equal(vaccel_cleanup(), 0);
	assert_int_equal(start_noop(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_of_a_session),
		cmocka_unit_test(ids_rise_and_attempts_burn_them),
		cmocka_unit_test(at_most_1024),
		cmocka_unit_test(the_limits_can_be_set),
		cmocka_unit_test(files_in_the_run_directory_go_too),
		cmocka_unit_test(hints_choose_plugins),
		cmocka_unit_test(deprecated_names),
		cmocka_unit_test(session_arguments),
		cmocka_unit_test(cleanup_releases_what_is_left),
	};

	return cmocka_run_group_tests(tests, start_noop, stop);
}
