/*
 * core_config.c - settings: from arguments, from the environment under all its names, copied.
 */
#include "core_test.h"

static const char *const variables[] = {
	"VACCEL_PLUGINS",	    "VACCEL_BACKENDS",	     "VACCEL_LOG_LEVEL",
	"VACCEL_DEBUG_LEVEL",	    "VACCEL_DEBUG",	     "VACCEL_LOG_FILE",
	"VACCEL_PROFILING_ENABLED", "VACCEL_VERSION_IGNORE", "VACCEL_IGNORE_VERSION"
};

static int clean_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	return 0;
}

/* What the environment's warnings say, as stderr had it. */
static char warnings[512];

static void read_environment(struct vaccel_config *config, int expected)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t length;
	int ret;

	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	ret = vaccel_config_init_from_env(config);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	length = fread(warnings, 1, sizeof(warnings) - 1, file);
	warnings[length] = '\0';
	fclose(file);
	assert_int_equal(ret, expected);
}

static void defaults(void **state)
{
	struct vaccel_config config;

	(void)state;
	read_environment(&config, 0);
	assert_null(config.plugins);
	assert_null(config.log_file);
	assert_int_equal(config.log_level, VACCEL_LOG_ERROR);
	assert_false(config.profiling_enabled);
	assert_false(config.version_ignore);
	assert_string_equal(warnings, "");
	assert_int_equal(vaccel_config_release(&config), 0);
}

static void current_names(void **state)
{
	struct vaccel_config config;

	(void)state;
	setenv("VACCEL_PLUGINS", "a.so:b.so", 1);
	setenv("VACCEL_BACKENDS", "old.so", 1);
	setenv("VACCEL_LOG_LEVEL", "3", 1);
	setenv("VACCEL_DEBUG", "1", 1);
	setenv("VACCEL_LOG_FILE", "log", 1);
	setenv("VACCEL_PROFILING_ENABLED", "2", 1);
	setenv("VACCEL_VERSION_IGNORE", "1junk", 1);
	read_environment(&config, 0);
	assert_string_equal(config.plugins, "a.so:b.so");
	assert_string_equal(config.log_file, "log");
	assert_int_equal(config.log_level, VACCEL_LOG_INFO);
	assert_true(config.profiling_enabled);
	assert_true(config.version_ignore);
	assert_string_equal(warnings, "");
	assert_int_equal(vaccel_config_release(&config), 0);
	assert_null(config.plugins);
	assert_int_equal(config.log_level, VACCEL_LOG_ERROR);
	assert_false(config.version_ignore);
}

static void older_names_warn(void **state)
{
	struct vaccel_config config;

	(void)state;
	setenv("VACCEL_BACKENDS", "old.so", 1);
	setenv("VACCEL_DEBUG", "4", 1);
	setenv("VACCEL_IGNORE_VERSION", "1", 1);
	read_environment(&config, 0);
	assert_string_equal(config.plugins, "old.so");
	assert_int_equal(config.log_level, VACCEL_LOG_DEBUG);
	assert_true(config.version_ignore);
	assert_string_equal(
		warnings, "Warning: VACCEL_DEBUG is deprecated. Use VACCEL_LOG_LEVEL instead.\n"
			  "Warning: VACCEL_BACKENDS is deprecated. Use VACCEL_PLUGINS instead.\n"
			  "Warning: VACCEL_IGNORE_VERSION is deprecated. Use VACCEL_VERSION_IGNORE "
			  "instead.\n");
	vaccel_config_release(&config);

	setenv("VACCEL_DEBUG_LEVEL", "2", 1);
	read_environment(&config, 0);
	assert_int_equal(config.log_level, VACCEL_LOG_WARN);
	vaccel_config_release(&config);
}

static void numbers_as_strtoul_has_them(void **state)
{
	static const struct {
		const char *text;
		bool flag;
	} cases[] = { { "true", false }, { "", false }, { "0", false }, { "-1", true } };
	struct vaccel_config config;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("VACCEL_PROFILING_ENABLED", cases[i].text, 1);
		read_environment(&config, 0);
		assert_int_equal(config.profiling_enabled, cases[i].flag);
		vaccel_config_release(&config);
	}
	setenv("VACCEL_PLUGINS", "x.so", 1);
	setenv("VACCEL_VERSION_IGNORE", "99999999999999999999999", 1);
	read_environment(&config, VACCEL_EINVAL);
	assert_reason("VACCEL_VERSION_IGNORE=99999999999999999999999");
}

static void copies_are_their_own(void **state)
{
	struct vaccel_config *original, *copy;

	(void)state;
	assert_int_equal(vaccel_config_new(&original, "p", VACCEL_LOG_WARN, "f", true, true), 0);
	assert_int_equal(vaccel_config_from(&copy, original), 0);
	assert_ptr_not_equal(copy->plugins, original->plugins);
	assert_int_equal(vaccel_config_delete(original), 0);
	assert_string_equal(copy->plugins, "p");
	assert_string_equal(copy->log_file, "f");
	assert_int_equal(copy->log_level, VACCEL_LOG_WARN);
	assert_true(copy->profiling_enabled);
	assert_true(copy->version_ignore);
	assert_int_equal(vaccel_config_delete(copy), 0);

	setenv("VACCEL_PLUGINS", "q", 1);
	assert_int_equal(vaccel_config_from_env(&copy), 0);
	assert_string_equal(copy->plugins, "q");
	assert_int_equal(vaccel_config_delete(copy), 0);
}

static void null_is_invalid(void **state)
{
	struct vaccel_config config;

	(void)state;
	assert_int_equal(vaccel_config_init(NULL, NULL, 1, NULL, 0, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_init_from_env(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_init_from(&config, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_init_from(NULL, &config), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_new(NULL, NULL, 1, NULL, 0, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_from_env(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_from(NULL, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_delete(NULL), VACCEL_EINVAL);
	vaccel_config_print_debug(NULL);
	assert_int_equal(vaccel_bootstrap_with_config(NULL), VACCEL_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(defaults, clean_environment),
		cmocka_unit_test_setup(current_names, clean_environment),
		cmocka_unit_test_setup(older_names_warn, clean_environment),
		cmocka_unit_test_setup(numbers_as_strtoul_has_them, clean_environment),
		cmocka_unit_test_setup(copies_are_their_own, clean_environment),
		cmocka_unit_test_setup(null_is_invalid, clean_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
