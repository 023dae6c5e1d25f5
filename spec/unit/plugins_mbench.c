/*
 * plugins_mbench.c - the mbench plugin: how long it takes, what it refuses, its profile region.
 */
#include "plugins_test.h"
#include <time.h>

static int start(void **state)
{
	(void)state;
	return start_plugin(MBENCH_PLUGIN);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int run(const char *library, const char *symbol, char *time, size_t size, size_t nr_read)
{
	struct vaccel_arg read[] = { raw(time, size), raw((void *)"data", 4) };

	return vaccel_exec(&sess, library, symbol, read, nr_read, NULL, 0);
}

static void says_what_it_is(void **state)
{
	(void)state;
	assert_string_equal(sess.plugin->info->name, "mbench");
	assert_int_equal(sess.plugin->info->type,
			 VACCEL_PLUGIN_SOFTWARE | VACCEL_PLUGIN_GENERIC | VACCEL_PLUGIN_CPU);
	assert_int_equal(reentrant(), LUACCEL_OP(VACCEL_OP_EXEC));
	assert_null(sess.plugin->ops[VACCEL_OP_NOOP]);
	assert_non_null(sess.plugin->ops[VACCEL_OP_EXEC]);
}

static void is_busy_as_long_as_told(void **state)
{
	char time[] = "30";
	const int64_t before = now_us();

	(void)state;
	assert_int_equal(run("mbench", "mbench", time, sizeof(time), 2), 0);
	assert_true(now_us() - before >= 30000);
}

static void reads_no_more_than_its_argument(void **state)
{
	char time[] = { '2', '9', '9', '9', '9', '9' };
	const int64_t before = now_us();

	(void)state;
	assert_int_equal(run("mbench", "mbench", time, 1, 2), 0);
	assert_true(now_us() - before < 20000000);
}

static void one_of_the_two_names_is_enough(void **state)
{
	char time[] = "1";

	(void)state;
	assert_int_equal(run("other", "mbench", time, sizeof(time), 2), 0);
	assert_int_equal(run("mbench", "other", time, sizeof(time), 2), 0);
	assert_int_equal(run("other", "other", time, sizeof(time), 2), VACCEL_EINVAL);
	assert_reason("neither library nor function is mbench");
}

static void refuses(void **state)
{
	static const char *const times[] = { "0", "-1", "300001", "abc", "", "99999999999999999" };
	const exec_fn direct = (exec_fn)operation(VACCEL_OP_EXEC);
	char time[32] = "1";
	struct vaccel_arg read[] = { raw(NULL, 4), raw(NULL, 0) };

	(void)state;
	assert_int_equal(run("mbench", "mbench", time, sizeof(time), 1), VACCEL_EINVAL);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		strcpy(time, times[i]);
		assert_int_equal(run("mbench", "mbench", time, sizeof(time), 2), VACCEL_EINVAL);
	}
	assert_int_equal(direct(&sess, "mbench", "mbench", read, 2, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(direct(&sess, "mbench", "mbench", NULL, 2, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(direct(NULL, "mbench", "mbench", read, 2, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(direct(&sess, NULL, "mbench", read, 2, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(direct(&sess, "mbench", NULL, read, 2, NULL, 0), VACCEL_EINVAL);
}

static void profile(void)
{
	char time[] = "1";
	struct vaccel_config config;
	struct vaccel_session session;

	vaccel_config_init(&config, MBENCH_PLUGIN, VACCEL_LOG_INFO, NULL, true, false);
	assert_int_equal(vaccel_bootstrap_with_config(&config), 0);
	vaccel_config_release(&config);
	assert_int_equal(vaccel_session_init(&session, 0), 0);
	for (int i = 0; i < 2; i++) {
		struct vaccel_arg read[] = { raw(time, sizeof(time)), raw(NULL, 0) };

		assert_int_equal(vaccel_exec(&session, "mbench", "mbench", read, 2, NULL, 0), 0);
	}
	assert_int_equal(vaccel_session_release(&session), 0);
	assert_int_equal(vaccel_cleanup(), 0);
}

static void is_profiled(void **state)
{
	static char output[16384];
	const char *line;
	long long total, entries;

	(void)state;
	capture(profile, output, sizeof(output));
	line = strstr(output, "<info> [prof] vaccel_mbench_plugin: ");
	assert_non_null(line);
	assert_int_equal(sscanf(strchr(line, ':'), ": total_time: %lld nsec nr_entries: %lld",
				&total, &entries),
			 2);
	assert_true(total >= 2000000);
	assert_int_equal(entries, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_it_is),
		cmocka_unit_test(is_busy_as_long_as_told),
		cmocka_unit_test(reads_no_more_than_its_argument),
		cmocka_unit_test(one_of_the_two_names_is_enough),
		cmocka_unit_test(refuses),
	};
	const struct CMUnitTest profiled[] = { cmocka_unit_test(is_profiled) };

	return cmocka_run_group_tests(tests, start, stop_plugin) |
	       cmocka_run_group_tests(profiled, NULL, NULL);
}
