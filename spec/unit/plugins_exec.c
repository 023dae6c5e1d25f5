/*
 * plugins_exec.c - the exec plugin: libraries by path and as resources, their opening and closing,
 * and its settings.
 */
#include "plugins_test.h"
#include <pthread.h>
#include <stdatomic.h>

/* The libraries (plugins_library.c) count here. */
__attribute__((visibility("default"))) atomic_int libraries_opened, libraries_closed;
/* And call this, when there is something to do while they are opened. */
__attribute__((visibility("default"))) void (*library_opening)(void);

static int start(void **state)
{
	(void)state;
	return start_plugin(EXEC_PLUGIN);
}

static int clean(void **state)
{
	(void)state;
	unsetenv("VACCEL_EXEC_DLOPEN_MODE");
	unsetenv("VACCEL_EXEC_DLCLOSE_ENABLED");
	unsetenv("VACCEL_EXEC_DLCLOSE");
	return 0;
}

static int opened(void)
{
	return atomic_load(&libraries_opened);
}

static int closed(void)
{
	return atomic_load(&libraries_closed);
}

static int in = 21, out;

static int exec(const char *library, const char *symbol)
{
	struct vaccel_arg read = raw(&in, sizeof(in)), write = raw(&out, sizeof(out));

	out = 0;
	return vaccel_exec(&sess, library, symbol, &read, 1, &write, 1);
}

static int exec_res(struct vaccel_session *session, struct vaccel_resource *resource,
		    const char *symbol)
{
	int number = 21, answer = 0;
	struct vaccel_arg read = raw(&number, sizeof(number));
	struct vaccel_arg write = raw(&answer, sizeof(answer));
	const int ret = vaccel_exec_with_resource(session, resource, symbol, &read, 1, &write, 1);

	if (session == &sess)
		out = answer;
	return ret;
}

static void says_what_it_is(void **state)
{
	const struct vaccel_plugin_info *info = sess.plugin->info;

	(void)state;
	assert_string_equal(info->name, "exec");
	assert_int_equal(info->type,
			 VACCEL_PLUGIN_SOFTWARE | VACCEL_PLUGIN_GENERIC | VACCEL_PLUGIN_CPU);
	assert_int_equal(reentrant(), LUACCEL_OP(VACCEL_OP_NOOP));
	assert_int_equal(vaccel_noop(&sess), 0);
	assert_int_equal(((int (*)(struct vaccel_session *))operation(VACCEL_OP_NOOP))(NULL),
			 VACCEL_EINVAL);
}

static void calls_a_function_of_a_path(void **state)
{
	const int before = closed();

	(void)state;
	assert_int_equal(exec(LIBRARY, "answer"), 0);
	assert_int_equal(out, 42);
	assert_int_equal(closed(), before);
	assert_int_equal(exec("/nowhere/libx.so", "answer"), VACCEL_EINVAL);
	assert_reason("dlopen failed: /nowhere/libx.so");
	assert_int_equal(exec(LIBRARY, "nothing"), VACCEL_ENOSYS);
	assert_reason("nothing");
	assert_int_equal(exec(LIBRARY, "two\nlines\033[31m"), VACCEL_ENOSYS);
	assert_reason("two lines [31m");
	assert_int_equal(exec(LIBRARY, "refuse"), VACCEL_EBACKEND);
	assert_reason("function refuse returned 5");
}

static void refuses_what_is_missing(void **state)
{
	const exec_fn run = (exec_fn)operation(VACCEL_OP_EXEC);
	const exec_with_resource_fn run_res =
		(exec_with_resource_fn)operation(VACCEL_OP_EXEC_WITH_RESOURCE);
	struct vaccel_resource empty = { .nr_blobs = 0 };

	(void)state;
	assert_int_equal(run(NULL, LIBRARY, "answer", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(run(&sess, NULL, "answer", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(run(&sess, "", "answer", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(run(&sess, LIBRARY, NULL, NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(run(&sess, LIBRARY, "answer", NULL, 1, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(run(&sess, LIBRARY, "answer", NULL, 0, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(run_res(NULL, &empty, "answer", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(run_res(&sess, NULL, "answer", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(run_res(&sess, &empty, NULL, NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(run_res(&sess, &empty, "answer", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_reason("No library provided");
}

static void closes_a_path_when_told(void **state)
{
	static const struct {
		const char *variable, *value;
		int closes;
	} cases[] = { { "VACCEL_EXEC_DLCLOSE_ENABLED", "1", 1 },
		      { "VACCEL_EXEC_DLCLOSE_ENABLED", "TRUE", 1 },
		      { "VACCEL_EXEC_DLCLOSE", "true", 1 },
		      { "VACCEL_EXEC_DLCLOSE_ENABLED", "0", 0 },
		      { "VACCEL_EXEC_DLCLOSE_ENABLED", "False", 0 },
		      { "VACCEL_EXEC_DLCLOSE_ENABLED", "maybe", 0 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const int was_opened = opened(), was_closed = closed();

		clean(state);
		setenv(cases[i].variable, cases[i].value, 1);
		/* A library for each: one that stays open is not closed later. */
		assert_int_equal(exec(i < 3 ? LIBRARY_CLOSED : LIBRARY, "answer"), 0);
		assert_int_equal(closed() - was_closed, cases[i].closes);
		assert_int_equal(opened() - was_opened, cases[i].closes);
	}
}

static char lines[16384];

static void run_with_odd_settings(void)
{
	setenv("VACCEL_EXEC_DLOPEN_MODE", "sometimes", 1);
	setenv("VACCEL_EXEC_DLCLOSE", "0", 1);
	assert_int_equal(exec(LIBRARY, "answer"), 0);
	setenv("VACCEL_EXEC_DLCLOSE_ENABLED", "maybe", 1);
	assert_int_equal(exec(LIBRARY, "answer"), 0);
	assert_int_equal(vaccel_noop(&sess), 0);
}

static void prints_what_it_does(void **state)
{
	static const char *const expected[] = {
		"<debug> [exec] session:1 Calling exec\n",
		"<debug> [exec] Library: " LIBRARY "\n",
		"<warn> [exec] Invalid value 'sometimes' for VACCEL_EXEC_DLOPEN_MODE. "
		"Using default: now\n",
		"<debug> [exec] Symbol: answer\n",
		"<debug> [exec] read[0].size: 4\n",
		"<debug> [exec] read[0].type: raw\n",
		"<debug> [exec] write[0].size: 4\n",
		"<debug> [exec] write[0].type: raw\n",
		"<warn> [exec] VACCEL_EXEC_DLCLOSE is deprecated. "
		"Use VACCEL_EXEC_DLCLOSE_ENABLED instead.\n",
		"<warn> [exec] Invalid value 'maybe' for VACCEL_EXEC_DLCLOSE_ENABLED. "
		"Using default: false\n",
		"<debug> [exec] session:1 Calling no-op\n",
		"<debug> [exec] [noop]\n",
	};
	const char *from = lines;

	(void)state;
	capture(run_with_odd_settings, lines, sizeof(lines));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		from = strstr(from, expected[i]);
		if (!from)
			fail_msg("no %s in %s", expected[i], lines);
	}
}

static void opens_lazily_when_told(void **state)
{
	(void)state;
	/* What it needs is not there, which only an early binding notices. */
	assert_int_equal(exec(LIBRARY_NEEDS, "refuse"), VACCEL_EINVAL);
	setenv("VACCEL_EXEC_DLOPEN_MODE", "Lazy", 1);
	setenv("VACCEL_EXEC_DLCLOSE_ENABLED", "1", 1);
	assert_int_equal(exec(LIBRARY_NEEDS, "refuse"), VACCEL_EBACKEND);
}

static void keeps_a_resource_open_until_its_last_session_lets_go(void **state)
{
	const int was_opened = opened(), was_closed = closed();
	struct vaccel_resource lib;
	struct vaccel_session other;

	(void)state;
	assert_int_equal(vaccel_resource_init(&lib, LIBRARY_CLOSED, VACCEL_RESOURCE_LIB), 0);
	assert_int_equal(vaccel_session_init(&other, 0), 0);
	assert_int_equal(vaccel_resource_register(&lib, &sess), 0);
	assert_int_equal(vaccel_resource_register(&lib, &other), 0);
	assert_null(lib.plugin_priv);
	assert_int_equal(exec_res(&sess, &lib, "answer"), 0);
	assert_int_equal(out, 42);
	assert_int_equal(exec_res(&sess, &lib, "answer"), 0);
	assert_int_equal(opened() - was_opened, 1);
	assert_non_null(lib.plugin_priv);
	assert_int_equal(exec_res(&sess, &lib, "nothing"), VACCEL_ENOSYS);
	assert_int_equal(exec_res(&sess, &lib, "refuse"), VACCEL_EBACKEND);
	assert_int_equal(vaccel_resource_unregister(&lib, &sess), 0);
	assert_int_equal(closed() - was_closed, 0);
	assert_int_equal(exec_res(&other, &lib, "answer"), 0);
	assert_int_equal(vaccel_resource_unregister(&lib, &other), 0);
	assert_int_equal(closed() - was_closed, 1);
	assert_null(lib.plugin_priv);

	/* And once more, without closing. */
	setenv("VACCEL_EXEC_DLCLOSE_ENABLED", "0", 1);
	assert_int_equal(vaccel_resource_register(&lib, &sess), 0);
	assert_int_equal(exec_res(&sess, &lib, "answer"), 0);
	assert_int_equal(vaccel_resource_unregister(&lib, &sess), 0);
	assert_int_equal(closed() - was_closed, 1);
	assert_null(lib.plugin_priv);
	assert_int_equal(vaccel_session_release(&other), 0);
	assert_int_equal(vaccel_resource_release(&lib), 0);
}

static struct vaccel_resource leaving;

static void let_go(void)
{
	library_opening = NULL;
	assert_int_equal(vaccel_resource_unregister(&leaving, &sess), 0);
}

static void keeps_nothing_of_a_resource_that_was_let_go_while_it_opened(void **state)
{
	const int was_closed = closed();

	(void)state;
	assert_int_equal(vaccel_resource_init(&leaving, LIBRARY_CLOSED, VACCEL_RESOURCE_LIB), 0);
	assert_int_equal(vaccel_resource_register(&leaving, &sess), 0);
	library_opening = let_go;
	assert_int_equal(exec_res(&sess, &leaving, "answer"), 0);
	assert_int_equal(out, 42);
	assert_null(leaving.plugin_priv);
	assert_int_equal(closed() - was_closed, 1);
	assert_int_equal(vaccel_resource_release(&leaving), 0);
}

static void opens_what_a_library_needs_before_it(void **state)
{
	const char *paths[] = { LIBRARY_GIVES, LIBRARY_NEEDS };
	struct vaccel_resource both, one;

	(void)state;
	assert_int_equal(vaccel_resource_init_multi(&both, paths, 2, VACCEL_RESOURCE_LIB), 0);
	assert_int_equal(vaccel_resource_register(&both, &sess), 0);
	assert_int_equal(exec_res(&sess, &both, "answer"), 0);
	assert_int_equal(out, 63);
	assert_int_equal(vaccel_resource_release(&both), 0);

	assert_int_equal(vaccel_resource_init(&one, LIBRARY_NEEDS, VACCEL_RESOURCE_LIB), 0);
	assert_int_equal(vaccel_resource_register(&one, &sess), 0);
	assert_int_equal(exec_res(&sess, &one, "answer"), VACCEL_EINVAL);
	assert_reason("dlopen failed for " LIBRARY_NEEDS);
	assert_int_equal(vaccel_resource_release(&one), 0);
}

/* In the wrong order the first does not bind at once: the other way of binding is tried. */
static void tries_the_other_binding(void **state)
{
	const char *paths[] = { LIBRARY_NEEDS, LIBRARY_GIVES };
	struct vaccel_resource both;

	(void)state;
	assert_int_equal(vaccel_resource_init_multi(&both, paths, 2, VACCEL_RESOURCE_LIB), 0);
	assert_int_equal(vaccel_resource_register(&both, &sess), 0);
	assert_int_equal(exec_res(&sess, &both, "answer"), 0);
	assert_int_equal(out, 63);
	assert_int_equal(vaccel_resource_release(&both), 0);
}

static void takes_files_of_memory_but_not_memory(void **state)
{
	struct vaccel_resource file, memory, junk;
	struct vaccel_blob blob;
	uint8_t *bytes;
	size_t size;

	(void)state;
	assert_int_equal(vaccel_blob_init(&blob, LIBRARY), 0);
	bytes = vaccel_blob_data(&blob, &size);
	assert_non_null(bytes);
	assert_int_equal(vaccel_resource_init_from_buf(&file, bytes, size, VACCEL_RESOURCE_LIB,
						       "lib.so", false),
			 0);
	assert_int_equal(vaccel_resource_init_from_buf(&memory, bytes, size, VACCEL_RESOURCE_LIB,
						       "lib.so", true),
			 0);
	assert_int_equal(vaccel_resource_init_from_buf(&junk, "junk", 4, VACCEL_RESOURCE_LIB,
						       "lib.so", false),
			 0);
	assert_int_equal(vaccel_resource_register(&file, &sess), 0);
	assert_int_equal(vaccel_resource_register(&memory, &sess), 0);
	assert_int_equal(vaccel_resource_register(&junk, &sess), 0);
	assert_int_equal(exec_res(&sess, &file, "answer"), 0);
	assert_int_equal(out, 42);
	assert_int_equal(exec_res(&sess, &memory, "answer"), VACCEL_EINVAL);
	assert_reason("is in memory alone");
	assert_int_equal(exec_res(&sess, &junk, "answer"), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(&file), 0);
	assert_int_equal(vaccel_resource_release(&memory), 0);
	assert_int_equal(vaccel_resource_release(&junk), 0);
	assert_int_equal(vaccel_blob_release(&blob), 0);
}

/* A name without a directory is the file here, not what the loader would find elsewhere. */
static void takes_a_relative_path_as_it_is(void **state)
{
	char cwd[PATH_MAX];
	struct vaccel_resource lib;
	int ret;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(LIBRARY_DIR), 0);
	ret = vaccel_resource_init(&lib, LIBRARY_NAME, VACCEL_RESOURCE_LIB);
	if (!ret)
		ret = vaccel_resource_register(&lib, &sess);
	if (!ret)
		ret = exec_res(&sess, &lib, "answer");
	assert_int_equal(chdir(cwd), 0);
	assert_int_equal(ret, 0);
	assert_int_equal(out, 42);
	assert_int_equal(vaccel_resource_release(&lib), 0);
}

enum { THREADS = 8, ROUNDS = 40 };

static struct vaccel_resource shared;

/* Every thread registers, runs and unregisters: libraries open and close under each other. */
static void *use_shared(void *unused)
{
	struct vaccel_session session;
	long failures = vaccel_session_init(&session, 0) != 0;

	(void)unused;
	for (int i = 0; i < ROUNDS && !failures; i++) {
		failures += vaccel_resource_register(&shared, &session) != 0;
		failures += exec_res(&session, &shared, "pause_a_while") != 0;
		failures += vaccel_resource_unregister(&shared, &session) != 0;
	}
	failures += vaccel_session_release(&session) != 0;
	return (void *)failures;
}

static void stands_many_threads(void **state)
{
	const int was_opened = opened(), was_closed = closed();
	pthread_t threads[THREADS];
	void *failures;

	(void)state;
	assert_int_equal(vaccel_resource_init(&shared, LIBRARY_SHARED, VACCEL_RESOURCE_LIB), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_shared, NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &failures), 0);
		assert_int_equal((long)failures, 0);
	}
	assert_int_equal(vaccel_resource_release(&shared), 0);
	assert_true(opened() > was_opened);
	assert_int_equal(opened() - was_opened, closed() - was_closed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, clean)
	const struct CMUnitTest tests[] = {
		TEST(says_what_it_is),
		TEST(calls_a_function_of_a_path),
		TEST(refuses_what_is_missing),
		TEST(closes_a_path_when_told),
		TEST(prints_what_it_does),
		TEST(opens_lazily_when_told),
		TEST(keeps_nothing_of_a_resource_that_was_let_go_while_it_opened),
		TEST(keeps_a_resource_open_until_its_last_session_lets_go),
		TEST(opens_what_a_library_needs_before_it),
		TEST(tries_the_other_binding),
		TEST(takes_files_of_memory_but_not_memory),
		TEST(takes_a_relative_path_as_it_is),
		TEST(stands_many_threads),
	};

	return cmocka_run_group_tests(tests, start, stop_plugin);
}
