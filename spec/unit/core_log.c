/*
 * core_log.c - log lines: format, levels, stdout and files.
 */
#include "core_test.h"
#include "unit_output.h"
#include <regex.h>
#include <time.h>

static char output[16384];

static void assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	if (regexec(&regex, text, 0, NULL, 0))
		fail_msg("\"%s\" does not match %s", text, pattern);
	regfree(&regex);
}

static void start_at(int level, const char *file)
{
	struct vaccel_config config;

	vaccel_config_init(&config, NULL, (vaccel_log_level_t)level, file, false, false);
	assert_int_equal(vaccel_bootstrap_with_config(&config), 0);
	vaccel_config_release(&config);
}

static int level;

static void write_all(void)
{
	start_at(level, NULL);
	vaccel_error("an error %d", 1);
	vaccel_warn("a warning");
	vaccel_info("some info");
	vaccel_debug("a detail");
	vaccel_trace("a trace");
	vaccel_cleanup();
	vaccel_error("after the end");
}

static void levels_show_what_they_should(void **state)
{
	static const struct {
		int level;
		bool error, warn, info, debug;
	} cases[] = {
		{ 0, 0, 0, 0, 0 }, { 1, 1, 0, 0, 0 }, { 2, 1, 1, 0, 0 },
		{ 3, 1, 1, 1, 0 }, { 4, 1, 1, 1, 1 }, { 5, 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		level = cases[i].level;
		capture(write_all, output, sizeof(output));
		assert_int_equal(!!strstr(output, "<error> an error 1\n"), cases[i].error);
		assert_int_equal(!!strstr(output, "<warn> a warning\n"), cases[i].warn);
		assert_int_equal(!!strstr(output, "<info> some info\n"), cases[i].info);
		assert_int_equal(!!strstr(output, "<debug> a detail\n"), cases[i].debug);
		assert_null(strstr(output, "a trace"));
		assert_null(strstr(output, "after the end"));
		assert_null(strchr(output, '\033'));
	}
}

static void lines_are_dated(void **state)
{
	(void)state;
	level = 4;
	capture(write_all, output, sizeof(output));
	assert_matches(output, "^[0-9]{4}\\.[0-9]{2}\\.[0-9]{2}-[0-9]{2}:[0-9]{2}:[0-9]{2}\\."
			       "[0-9]{2} - <info> vAccel " VACCEL_VERSION "$");
	assert_matches(output, "<debug>   log_level = debug$");
	assert_matches(output, "<debug>   plugins = \\(null\\)$");
	assert_matches(output, "<debug> Created top-level rundir: /.*vaccel.*$");
	assert_matches(output, "<debug> Cleaning up vAccel$");
}

static void write_long(void)
{
	static char text[20000];

	memset(text, 'x', sizeof(text) - 1);
	start_at(1, NULL);
	vaccel_error("%s", text);
	vaccel_cleanup();
}

static void long_lines_are_cut(void **state)
{
	(void)state;
	capture(write_long, output, sizeof(output));
	assert_in_range(strlen(output), 8000, SLOG_MESSAGE_MAX + 64);
	assert_int_equal(output[strlen(output) - 1], '\n');
}

static char log_name[256];

static void write_to_file(void)
{
	start_at(3, log_name);
	vaccel_info("into the file");
	vaccel_cleanup();
}

/* The log of a day; NULL when there is none. */
static FILE *open_log(const char *base, time_t day, char *path, size_t size)
{
	char date[32];

	strftime(date, sizeof(date), "%Y-%m-%d", localtime(&day));
	snprintf(path, size, "%s-%s.log", base, date);
	return fopen(path, "r");
}

static void assert_logged(const char *base)
{
	const time_t begun = time(NULL);
	char path[512];
	FILE *file;

	capture(write_to_file, output, sizeof(output));
	assert_string_equal(output, "");
	file = open_log(base, begun, path, sizeof(path));
	if (!file) /* midnight has passed */
		file = open_log(base, time(NULL), path, sizeof(path));
	assert_non_null(file);
	take_output(file, output, sizeof(output));
	unlink(path);
	assert_non_null(strstr(output, "<info> into the file\n"));
}

static void log_files_absolute_and_relative(void **state)
{
	char dir[] = "/tmp/luaccel-log-XXXXXX";
	char cwd[4096], absolute[64];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_non_null(mkdtemp(dir));
	snprintf(absolute, sizeof(absolute), "%s/name", dir);
	snprintf(log_name, sizeof(log_name), "%s", absolute);
	assert_logged(absolute);

	assert_int_equal(chdir(dir), 0);
	snprintf(log_name, sizeof(log_name), "name");
	assert_logged(absolute);
	assert_int_equal(chdir(cwd), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void device_names_mean_stdout(void **state)
{
	(void)state;
	snprintf(log_name, sizeof(log_name), "/dev/stderr");
	capture(write_to_file, output, sizeof(output));
	assert_non_null(strstr(output, "<info> into the file\n"));
}

static void print_by_hand(void)
{
	SLogConfig config;

	slog_init("by-hand", SLOG_INFO, 1);
	slog_enable(SLOG_NOTE);
	slog_disable(SLOG_INFO);
	slog_note("a note");
	slog_info("disabled");
	slog_config_get(&config);
	config.nFlags = SLOG_FLAGS_ALL;
	slog_config_set(&config);
	slog("no tag");
	slogwn("no newline");
	slog_destroy();
}

static void slog_functions(void **state)
{
	(void)state;
	capture(print_by_hand, output, sizeof(output));
	assert_matches(output, " - <note> a note$");
	assert_null(strstr(output, "disabled"));
	assert_matches(output, " - no tag$");
	assert_matches(output, " - no newline$");
	assert_int_not_equal(output[strlen(output) - 1], '\n');
	assert_string_equal(slog_version(1), "1.8.22");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_show_what_they_should),
		cmocka_unit_test(lines_are_dated),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(log_files_absolute_and_relative),
		cmocka_unit_test(device_names_mean_stdout),
		cmocka_unit_test(slog_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
