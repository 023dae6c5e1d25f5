/*
 * core_error.c - luaccel_last_error(): one reason for each thread, of its last failing call.
 */
#include "core_test.h"
#include <pthread.h>

static void a_failing_call_leaves_its_reason(void **state)
{
	struct vaccel_resource res;

	(void)state;
	assert_int_equal(vaccel_resource_init(&res, "/nonexistent/model", VACCEL_RESOURCE_MODEL),
			 VACCEL_EINVAL);
	assert_reason("/nonexistent/model");
}

static void success_leaves_it_failure_without_reason_clears_it(void **state)
{
	struct vaccel_session sess;

	(void)state;
	luaccel_set_error("reason %d", 7);
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_noop(&sess), 0);
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_string_equal(last_error(), "reason 7");
	assert_int_equal(vaccel_noop(NULL), VACCEL_EINVAL);
	assert_string_equal(last_error(), "");
}

static void it_is_copied_as_snprintf_does(void **state)
{
	char buf[5] = "....";

	(void)state;
	luaccel_set_error("0123456789");
	assert_int_equal(luaccel_last_error(NULL, 0), 10);
	assert_int_equal(luaccel_last_error(buf, sizeof(buf)), 10);
	assert_string_equal(buf, "0123");
	assert_int_equal(luaccel_last_error(buf, 1), 10);
	assert_string_equal(buf, "");
}

static void it_is_cut_at_1023_bytes(void **state)
{
	char text[3000];

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	luaccel_set_error("%s", text);
	assert_int_equal(luaccel_last_error(NULL, 0), 1023);
}

static void it_may_quote_itself(void **state)
{
	(void)state;
	luaccel_set_error("inner");
	luaccel_set_error("outer: %s", last_error());
	assert_string_equal(last_error(), "outer: inner");
}

/* Names in it may be a stranger's, and it is logged. */
static void it_is_one_line(void **state)
{
	(void)state;
	luaccel_set_error("no %s", "file\nERROR all is lost\r\x1b[2J\x7f\tß");
	assert_string_equal(last_error(), "no file ERROR all is lost  [2J  ß");
}

static void *other_thread(void *arg)
{
	(void)arg;
	if (luaccel_last_error(NULL, 0) != 0)
		return "inherited";
	luaccel_set_error("the other's");
	return NULL;
}

static void each_thread_has_its_own(void **state)
{
	pthread_t thread;
	void *complaint;

	(void)state;
	luaccel_set_error("mine");
	assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
	pthread_join(thread, &complaint);
	assert_null(complaint);
	assert_string_equal(last_error(), "mine");
}

static void not_initialised_says_why(void **state)
{
	struct vaccel_session sess;
	struct vaccel_resource res;
	struct vaccel_session *found;

	(void)state;
	assert_int_equal(vaccel_cleanup(), 0);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ESESS);
	assert_reason("vaccel_cleanup()");
	assert_int_equal(start_with("libvaccel-absent.so"), VACCEL_ENOENT);
	assert_reason("libvaccel-absent.so: cannot open shared object file");
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ESESS);
	assert_reason("vAccel is not initialised: Could not dlopen plugin libvaccel-absent.so");
	assert_int_equal(vaccel_resource_init(&res, "/", VACCEL_RESOURCE_LIB), VACCEL_EPERM);
	assert_int_equal(vaccel_session_get_by_id(&found, 1), VACCEL_EPERM);
	assert_int_equal(vaccel_plugin_load(NOOP_PLUGIN), VACCEL_EBACKEND);
	assert_int_equal(start_noop(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failing_call_leaves_its_reason),
		cmocka_unit_test(success_leaves_it_failure_without_reason_clears_it),
		cmocka_unit_test(it_is_copied_as_snprintf_does),
		cmocka_unit_test(it_is_cut_at_1023_bytes),
		cmocka_unit_test(it_may_quote_itself),
		cmocka_unit_test(it_is_one_line),
		cmocka_unit_test(each_thread_has_its_own),
		cmocka_unit_test(not_initialised_says_why),
	};

	return cmocka_run_group_tests(tests, start_noop, stop);
}
