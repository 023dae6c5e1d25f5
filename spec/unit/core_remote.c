/*
 * core_remote.c - sessions that a plugin carries to another side, as libvaccel-rpc.so does.
 */
#include "core_test.h"

static char dir[] = "/tmp/luaccel-remote-XXXXXX";
static char path[64];
static struct fake *fake;

static int start_remote(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/model", dir);
	write_file(path, "the model");
	if (start_with(FAKE("remote")))
		return -1;
	fake = fake_of(FAKE("remote"));
	return 0;
}

static int stop_remote(void **state)
{
	unlink(path);
	rmdir(dir);
	return stop(state);
}

static void the_plugin_hears_of_sessions(void **state)
{
	struct vaccel_session sess;

	(void)state;
	/* The single plugin serves without the REMOTE bit too. */
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_GPU), 0);
	assert_true(sess.is_virtio);
	assert_int_equal(sess.remote_id, 501);
	assert_int_equal(fake->session_inits, 1);
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(fake->session_releases, 1);

	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_REMOTE | VACCEL_PLUGIN_CPU), 0);
	assert_int_equal(fake->flags, VACCEL_PLUGIN_CPU);
	assert_int_equal(sess.hint, VACCEL_PLUGIN_REMOTE | VACCEL_PLUGIN_CPU);
	assert_int_equal(vaccel_session_update(&sess, VACCEL_PLUGIN_REMOTE | VACCEL_PLUGIN_GPU), 0);
	assert_int_equal(fake->session_updates, 1);
	assert_int_equal(fake->flags, VACCEL_PLUGIN_GPU);
	assert_int_equal(sess.hint, VACCEL_PLUGIN_REMOTE | VACCEL_PLUGIN_CPU);
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(fake->session_releases, 2);
}

static void a_refused_session_is_none(void **state)
{
	struct vaccel_session sess;

	(void)state;
	fake->session_init_ret = VACCEL_EPERM;
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EPERM);
	assert_reason("Failed to initialize remote session");
	assert_int_equal(sess.id, 0);
	fake->session_init_ret = 0;
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

static void files_are_mapped_before_they_are_sent(void **state)
{
	struct vaccel_resource res;
	struct vaccel_session sess;

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_init(&res, path, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_true(fake->data_mapped);
	assert_memory_equal(fake->data, "the model", 9);
	assert_false(res.blobs[0]->data_owned);
	assert_true(res.remote_id > 0);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_EINVAL);

	fake->unregister_ret = VACCEL_EIO;
	assert_int_equal(vaccel_resource_unregister(&res, &sess), VACCEL_EIO);
	assert_int_equal(vaccel_resource_refcount(&res), 0); /* gone all the same */
	fake->unregister_ret = 0;

	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(fake->unregisters, 2);
	assert_int_equal(vaccel_resource_release(&res), 0);
}

static void a_failing_unregister_stops_the_release(void **state)
{
	struct vaccel_resource res;
	struct vaccel_session sess;

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_init(&res, path, VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	fake->unregister_ret = VACCEL_EIO;
	assert_int_equal(vaccel_session_release(&sess), VACCEL_EIO);
	assert_true(sess.id > 0);
	fake->unregister_ret = 0;
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(vaccel_resource_release(&res), 0);
}

static void a_refused_resource_is_not_registered(void **state)
{
	struct vaccel_resource res;
	struct vaccel_session sess;

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_init(&res, path, VACCEL_RESOURCE_MODEL), 0);
	fake->register_ret = VACCEL_ENOSPC;
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_ENOSPC);
	assert_false(vaccel_session_has_resource(&sess, &res));
	fake->register_ret = 0;
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(vaccel_resource_release(&res), 0);
}

static void urls_go_to_the_other_side(void **state)
{
	struct vaccel_resource res;
	struct vaccel_session sess;

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_init(&res, "http://host/x", VACCEL_RESOURCE_MODEL), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_int_equal(res.nr_blobs, 0);
	assert_null(res.rundir);
	assert_true(vaccel_session_has_resource(&sess, &res));
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(vaccel_resource_release(&res), 0);
}

static void buffers_are_synchronised(void **state)
{
	struct vaccel_resource res;
	struct vaccel_session sess;
	char buf[4] = "abc";

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(
		vaccel_resource_init_from_buf(&res, buf, 3, VACCEL_RESOURCE_DATA, "b", true), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_int_equal(vaccel_resource_sync(&res, &sess), 0);
	assert_string_equal(buf, "SSS");
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(vaccel_resource_release(&res), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plugin_hears_of_sessions),
		cmocka_unit_test(a_refused_session_is_none),
		cmocka_unit_test(files_are_mapped_before_they_are_sent),
		cmocka_unit_test(a_failing_unregister_stops_the_release),
		cmocka_unit_test(a_refused_resource_is_not_registered),
		cmocka_unit_test(urls_go_to_the_other_side),
		cmocka_unit_test(buffers_are_synchronised),
	};

	return cmocka_run_group_tests(tests, start_remote, stop_remote);
}
