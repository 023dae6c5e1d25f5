/*
 * core_process.c - the library's constructor, its end, and forked children. The program runs
 * itself again in other environments; its first argument says what to do there.
 */
#include "core_test.h"
#include "unit_output.h"
#include <errno.h>
#include <sys/wait.h>

static char output[8192];

/* Run this program as `what` with these variables; stdout and stderr go to output. */
static int run_child(const char *what, char *const *environment)
{
	return run_again(what, environment, output, sizeof(output));
}

#define assert_output(part)                                                                        \
	do {                                                                                       \
		if (!strstr(output, part))                                                         \
			fail_msg("\"%s\" has no \"%s\"", output, part);                            \
	} while (0)

static void the_constructor_reads_the_environment(void **state)
{
	char *environment[] = { "VACCEL_PLUGINS=" NOOP_PLUGIN, NULL };

	(void)state;
	assert_int_equal(run_child("use", environment), 0);
	assert_output("session 1 on noop");
}

static void the_constructor_never_ends_the_process(void **state)
{
	char *missing[] = { "VACCEL_PLUGINS=libvaccel-absent.so", NULL };
	char *no_plugin[] = { "VACCEL_PLUGINS=" FAKE("none"), NULL };
	char *bad_number[] = { "VACCEL_LOG_LEVEL=999999999999999999999999", NULL };

	(void)state;
	assert_int_equal(run_child("use", missing), VACCEL_ESESS);
	assert_output("vaccel: not initialised: Could not dlopen plugin libvaccel-absent.so: "
		      "libvaccel-absent.so: cannot open shared object file");
	assert_output("reason: vAccel is not initialised: Could not dlopen plugin");
	assert_int_equal(run_child("use", no_plugin), VACCEL_ESESS);
	assert_output("is not a vaccel plugin");
	assert_int_equal(run_child("use", bad_number), VACCEL_ESESS);
	assert_output("VACCEL_LOG_LEVEL=999999999999999999999999 is out of range");
}

static void the_constructor_can_be_told_not_to(void **state)
{
	char *environment[] = { "VACCEL_BOOTSTRAP_ENABLED=0", "VACCEL_PLUGINS=" NOOP_PLUGIN, NULL };

	(void)state;
	assert_int_equal(run_child("use", environment), VACCEL_ESESS);
	assert_output("vaccel_bootstrap() has not been called");
}

/* Where a run directory can be, without /run/user: as another user that has none. */
static void the_run_directory_has_other_places(void **state)
{
	static const char *const names[] = { "XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY", "TMPDIR" };
	char base[] = "/tmp/luaccel-places-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(base));
	assert_int_equal(chmod(base, 0777), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char variable[128], expected[128];
		char *environment[] = { "VACCEL_BOOTSTRAP_ENABLED=0", variable, NULL };

		snprintf(variable, sizeof(variable), "%s=%s", names[i], base);
		snprintf(expected, sizeof(expected), "rundir: %s/vaccel%s", base,
			 strcmp(names[i], "TMPDIR") == 0 ? "-" : "/");
		assert_int_equal(run_child("rundir", environment), 0);
		assert_output(expected);
	}
	snprintf(output, sizeof(output), "%s/vaccel", base);
	rmdir(output);
	assert_int_equal(rmdir(base), 0); /* nothing else was left */
}

/* What these two leave is a leak by design; the leak checker would end them before our end. */
#define LEAKS_ALLOWED "ASAN_OPTIONS=detect_leaks=0"

static void sessions_on_the_stack_at_exit(void **state)
{
	char *environment[] = { "VACCEL_PLUGINS=" NOOP_PLUGIN, LEAKS_ALLOWED, NULL };
	char *line, *end;

	(void)state;
	assert_int_equal(run_child("leave-stack", environment), 0);
	line = strstr(output, "rundir: ");
	assert_non_null(line);
	line += strlen("rundir: ");
	end = strchr(line, '\n');
	assert_non_null(end);
	*end = '\0';
	assert_false(exists(line)); /* its files are gone, its memory was not touched */
}

static void sessions_on_the_heap_at_exit(void **state)
{
	char *environment[] = { "VACCEL_PLUGINS=" FAKE("remote"), "FAKE_REPORT=1", LEAKS_ALLOWED,
				NULL };

	(void)state;
	assert_int_equal(run_child("leave-heap", environment), 0);
	assert_output("fini 1 after 1 releases");
}

static void a_forked_child_leaves_its_parent_alone(void **state)
{
	char *environment[] = { "VACCEL_PLUGINS=" FAKE("local"), NULL };

	(void)state;
	assert_int_equal(run_child("fork", environment), 0);
	assert_output("parent is fine");
}

/* ---- what the children do ---- */

static int use(void)
{
	struct vaccel_session sess;
	int ret = vaccel_session_init(&sess, 0);

	if (ret) {
		printf("reason: %s\n", last_error());
		return ret;
	}
	printf("session %d on %s\n", (int)sess.id, sess.plugin->info->name);
	return vaccel_session_release(&sess);
}

static int show_rundir(void)
{
	int ret;

	if (getuid() == 0 && (setgid(65534) || setuid(61234)))
		return 99;
	ret = vaccel_bootstrap();
	printf("rundir: %s\n", ret ? last_error() : vaccel_rundir());
	return ret;
}

/* Never inlined, so that the frame is gone when the library's end comes. */
__attribute__((noinline)) static int leave_on_stack(void)
{
	struct vaccel_session sess;
	struct vaccel_resource res;
	int ret = vaccel_session_init(&sess, 0);

	if (!ret)
		ret = vaccel_resource_init_from_buf(&res, "x", 1, VACCEL_RESOURCE_DATA, "d", false);
	if (!ret)
		ret = vaccel_resource_register(&res, &sess);
	printf("rundir: %s\n", vaccel_rundir());
	memset(&sess, 0x55, sizeof(sess));
	memset(&res, 0x55, sizeof(res));
	return ret;
}

static int leave_on_heap(void)
{
	static struct vaccel_session *sess;
	return vaccel_session_new(&sess, 0);
}

static int child_of_fork(const struct fake *fake, struct vaccel_session *parents)
{
	struct vaccel_session own;

	if (vaccel_noop(parents) || vaccel_session_init(&own, 0))
		return 1;
	if (strncmp(own.rundir, parents->rundir, strlen(parents->rundir)) == 0)
		return 2;
	if (vaccel_session_release(&own) || vaccel_session_release(parents))
		return 3;
	if (!exists(parents->rundir))
		return 4;
	return fake->finis ? 5 : 0;
}

static int fork_one(bool cleanup)
{
	const struct fake *fake = fake_of(FAKE("local"));
	struct vaccel_session *sess;
	char rundir[PATH_MAX];
	int status;
	pid_t pid;

	if (vaccel_session_new(&sess, 0))
		return 10;
	snprintf(rundir, sizeof(rundir), "%s", vaccel_rundir());
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int ret = child_of_fork(fake, sess);

		if (cleanup && !ret && (vaccel_cleanup() || fake->finis))
			ret = 6;
		if (cleanup && !ret && vaccel_is_initialized())
			ret = 7;
		exit(ret);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 11;
	if (WEXITSTATUS(status))
		return WEXITSTATUS(status);
	if (!exists(rundir) || !exists(sess->rundir) || vaccel_noop(sess))
		return 12;
	return vaccel_session_delete(sess);
}

static int fork_twice(void)
{
	int ret = fork_one(false);

	if (!ret)
		ret = fork_one(true);
	if (!ret)
		puts("parent is fine");
	else
		printf("failed: %d\n", ret);
	return ret;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_constructor_reads_the_environment),
		cmocka_unit_test(the_constructor_never_ends_the_process),
		cmocka_unit_test(the_constructor_can_be_told_not_to),
		cmocka_unit_test(the_run_directory_has_other_places),
		cmocka_unit_test(sessions_on_the_stack_at_exit),
		cmocka_unit_test(sessions_on_the_heap_at_exit),
		cmocka_unit_test(a_forked_child_leaves_its_parent_alone),
	};

	if (argc < 2)
		return cmocka_run_group_tests(tests, NULL, NULL);
	if (strcmp(argv[1], "use") == 0)
		return use();
	if (strcmp(argv[1], "rundir") == 0)
		return show_rundir();
	if (strcmp(argv[1], "leave-stack") == 0)
		return leave_on_stack();
	if (strcmp(argv[1], "leave-heap") == 0)
		return leave_on_heap();
	return fork_twice();
}
