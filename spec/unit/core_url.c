/*
 * core_url.c - resources of URLs: what may be given, what comes of it on local and remote
 * sessions and for several legs, from several threads, what the log says, and what the library
 * does when the module that downloads is missing. What servers can do wrong is faults_spec.lua's.
 */
#include "core_test.h"
#include "fault_server.h"
#include <pthread.h>
#include <sys/wait.h>

#define PLUGINS NOOP_PLUGIN ":" FAKE("remote")

static struct fault_server server;
static char log_dir[] = "/tmp/luaccel-url-XXXXXX";

static int start(void **state)
{
	(void)state;
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	if (!mkdtemp(log_dir) || fault_server_start(&server))
		return -1;
	return start_with(PLUGINS);
}

static int end(void **state)
{
	fault_server_stop(&server);
	if (rmdir(log_dir))
		return -1;
	return stop(state);
}

static const char *url_of(char *buf, const char *path)
{
	snprintf(buf, 256, "http://127.0.0.1:%u/%s", server.port, path);
	return buf;
}

static void assert_body(struct vaccel_blob *blob, size_t size)
{
	FILE *file = fopen(vaccel_blob_path(blob), "r");

	assert_non_null(file);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(fgetc(file), fault_server_byte(i));
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void a_local_session_has_the_file(void **state)
{
	static const char *const ways[] = { "good", "unsized", "chunked", "moved" };
	struct vaccel_resource res;
	struct vaccel_session sess;
	char url[256], path[PATH_MAX], way[64];

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		snprintf(way, sizeof(way), "%s/dir/model.pt", ways[i]);
		assert_int_equal(
			vaccel_resource_init(&res, url_of(url, way), VACCEL_RESOURCE_MODEL), 0);
		assert_int_equal(res.path_type, VACCEL_PATH_REMOTE_FILE);
		assert_int_equal(res.nr_paths, 1);
		assert_string_equal(res.paths[0], url);
		assert_null(res.blobs);
		assert_null(res.rundir);

		assert_int_equal(vaccel_resource_register(&res, &sess), 0);
		assert_int_equal(res.nr_blobs, 1);
		snprintf(path, sizeof(path), "%s/model.pt", res.rundir);
		assert_string_equal(res.blobs[0]->path, path);
		assert_string_equal(res.blobs[0]->name, "model.pt");
		assert_int_equal(res.blobs[0]->type, VACCEL_BLOB_FILE);
		assert_true(res.blobs[0]->path_owned);
		assert_int_equal(mode_of(path), 0600);
		assert_body(res.blobs[0], FAULT_SERVER_BODY);

		assert_int_equal(vaccel_resource_unregister(&res, &sess), 0);
		assert_true(exists(path)); /* until the resource goes */
		assert_int_equal(vaccel_resource_register(&res, &sess), 0);
		assert_int_equal(vaccel_resource_release(&res), 0);
		assert_false(exists(path));
	}
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

/* By HTTP a body is as long as the server announces, whatever follows. */
static void the_length_is_the_announced_one(void **state)
{
	struct vaccel_resource res;
	struct vaccel_session sess;
	char url[256];

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(
		vaccel_resource_init(&res, url_of(url, "overflows/m"), VACCEL_RESOURCE_DATA), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_body(res.blobs[0], 1000);
	assert_int_equal(vaccel_resource_release(&res), 0);
	assert_int_equal(vaccel_session_release(&sess), 0);
}

static void several_urls(void **state)
{
	char first[256], second[256], same[256];
	const char *urls[] = { url_of(first, "good/a.pt"), url_of(second, "chunked/b.pt?v=1"),
			       url_of(same, "unsized/a.pt") };
	const char *mixed[] = { first, "/etc/passwd" };
	struct vaccel_resource res;
	struct vaccel_session sess;

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_init_multi(&res, urls, 3, VACCEL_RESOURCE_LIB), 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_int_equal(res.nr_blobs, 3);
	assert_string_equal(res.blobs[0]->name, "a.pt");
	assert_string_equal(res.blobs[1]->name, "b.pt?v=1");
	/* Taken, so random characters go before the extension. */
	assert_int_equal(strlen(res.blobs[2]->name), strlen("a_XXXXXX.pt"));
	for (size_t i = 0; i < 3; i++) {
		assert_body(res.blobs[i], FAULT_SERVER_BODY);
		assert_int_equal(mode_of(res.blobs[i]->path), 0700); /* LIB */
	}
	assert_int_equal(vaccel_resource_release(&res), 0);
	assert_int_equal(vaccel_resource_init_multi(&res, mixed, 2, VACCEL_RESOURCE_DATA),
			 VACCEL_EINVAL);
	assert_null(res.paths);
	assert_int_equal(vaccel_session_release(&sess), 0);
}

/* The third fails, and what came of the first two goes. */
static void a_failure_half_way_leaves_nothing(void **state)
{
	char first[256], second[256], third[256];
	const char *urls[] = { url_of(first, "good/a"), url_of(second, "good/b"),
			       url_of(third, "missing/c") };
	struct vaccel_resource res;
	struct vaccel_session sess;

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_init_multi(&res, urls, 3, VACCEL_RESOURCE_DATA), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EREMOTEIO);
		assert_reason(third);
		assert_reason("404");
		assert_int_equal(res.nr_blobs, 0);
		assert_null(res.blobs);
		assert_null(res.rundir);
		assert_int_equal(count_entries(vaccel_rundir()), 1); /* the session's */
	}
	assert_int_equal(vaccel_resource_release(&res), 0);
	assert_int_equal(vaccel_session_release(&sess), 0);
}

static void a_remote_session_gets_the_url(void **state)
{
	struct vaccel_resource res;
	struct vaccel_session sess;
	char url[256];

	(void)state;
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_REMOTE), 0);
	assert_true(sess.is_virtio);
	assert_int_equal(vaccel_resource_init(&res, url_of(url, "silent/m"), VACCEL_RESOURCE_MODEL),
			 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_int_equal(res.nr_blobs, 0);
	assert_null(res.rundir);
	assert_string_equal(res.paths[0], url);
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(vaccel_resource_release(&res), 0);
}

/* Legs of two backends share one download. */
static void hidden_resources_share_the_file(void **state)
{
	const struct luaccel_core *core = luaccel_core(LUACCEL_CORE_VERSION);
	struct vaccel_plugin *noop = core->plugin_for_hint(0);
	struct vaccel_resource shared, *hidden[2];
	struct vaccel_session *leg;
	char url[256];

	(void)state;
	assert_int_equal(vaccel_resource_init(&shared, url_of(url, "good/m"), VACCEL_RESOURCE_DATA),
			 0);
	assert_int_equal(core->leg_open(noop, core->session_id(), 0, NULL, &leg), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(core->resource_share(&shared, &hidden[i]), 0);
		assert_int_equal(vaccel_resource_register(hidden[i], leg), 0);
		assert_int_equal(hidden[i]->nr_blobs, 1);
		assert_string_equal(hidden[i]->rundir, shared.rundir);
		assert_string_equal(hidden[i]->blobs[0]->path, shared.blobs[0]->path);
		assert_false(hidden[i]->blobs[0]->path_owned);
	}
	assert_body(shared.blobs[0], FAULT_SERVER_BODY);
	for (int i = 0; i < 2; i++)
		assert_int_equal(core->resource_unshare(hidden[i]), 0);
	assert_true(exists(shared.blobs[0]->path));
	assert_int_equal(core->leg_close(leg), 0);
	assert_int_equal(vaccel_resource_release(&shared), 0);
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

static void names_that_are_none(void **state)
{
	char url[400] = "http://127.0.0.1:1/", tail[300];
	const struct {
		const char *tail;
		int code;
	} rows[] = { { "", VACCEL_EINVAL },
		     { "dir/", VACCEL_EINVAL },
		     { "x?q=/..", VACCEL_EINVAL },
		     { "x?q=/.", VACCEL_EINVAL },
		     { tail, VACCEL_ENAMETOOLONG } };
	struct vaccel_resource res;
	struct vaccel_session sess;

	(void)state;
	memset(tail, 'x', sizeof(tail) - 1);
	tail[sizeof(tail) - 1] = '\0';
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(url, sizeof(url), "http://127.0.0.1:1/%s", rows[i].tail);
		assert_int_equal(vaccel_resource_init(&res, url, VACCEL_RESOURCE_MODEL), 0);
		assert_int_equal(vaccel_resource_register(&res, &sess), rows[i].code);
		assert_null(res.rundir);
		assert_int_equal(vaccel_resource_release(&res), 0);
	}
	assert_int_equal(vaccel_session_release(&sess), 0);
}

static void urls_that_are_none(void **state)
{
	static const char *const urls[] = { "http://",	    "http://a b/m", "http://host:port/m",
					    "httpx://host", "ftp://[::1/m", "https://ho\nst/m" };
	static char longest[PATH_MAX + 20] = "http://host/";
	struct vaccel_resource res;

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		assert_int_equal(vaccel_resource_init(&res, urls[i], VACCEL_RESOURCE_MODEL),
				 VACCEL_EINVAL);
		assert_reason("not a URL");
		assert_null(res.paths);
	}
	memset(longest + strlen(longest), 'p', sizeof(longest) - strlen(longest) - 1);
	assert_int_equal(vaccel_resource_init(&res, longest, VACCEL_RESOURCE_MODEL),
			 VACCEL_ENAMETOOLONG);
	assert_int_equal(vaccel_resource_init(&res, "gopher://x", VACCEL_RESOURCE_MODEL),
			 VACCEL_EINVAL);
	assert_reason("Unsupported URI prefix");
}

enum { THREADS = 8, ROUNDS = 5 };

static void *download_and_release(void *ctx)
{
	const char *url = ctx;

	for (int i = 0; i < ROUNDS; i++) {
		struct vaccel_resource *res;
		struct vaccel_session *sess;
		int failed = vaccel_session_new(&sess, 0);

		if (failed || vaccel_resource_new(&res, url, VACCEL_RESOURCE_DATA))
			return ctx;
		failed |= vaccel_resource_register(res, sess);
		failed |= res->nr_blobs != 1;
		failed |= vaccel_resource_delete(res);
		failed |= vaccel_session_delete(sess);
		if (failed)
			return ctx;
	}
	return NULL;
}

static void from_many_threads(void **state)
{
	pthread_t threads[THREADS];
	char url[256];
	void *failed;

	(void)state;
	url_of(url, "good/m");
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, download_and_release, url), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

/* Returns the status of a program that runs act() in a process where the library starts anew. */
static int in_a_child(int (*act)(void))
{
	const pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(act());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int download_in_child(void)
{
	char url[256];

	if (start_with(NOOP_PLUGIN))
		return 1;
	url_of(url, "good/m");
	return download_and_release(url) ? 2 : vaccel_cleanup();
}

static void in_a_forked_child(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(download_in_child), 0);
}

/* What is in the log of log_dir, which goes. */
static void take_log(char *text, size_t size)
{
	char path[512] = "";
	const struct dirent *entry;
	FILE *log;
	DIR *dir = opendir(log_dir);

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			snprintf(path, sizeof(path), "%s/%s", log_dir, entry->d_name);
	}
	closedir(dir);
	log = fopen(path, "r");
	assert_non_null(log);
	text[fread(text, 1, size - 1, log)] = '\0';
	fclose(log);
	unlink(path);
}

/* A line a second for a file of this size, which takes no second unless the machine is busy. */
static void log_shows_progress(void **state)
{
	const time_t begun = time(NULL);
	struct vaccel_config config;
	struct vaccel_resource res;
	struct vaccel_session sess;
	char url[256], base[64], text[16384], *line, *last = NULL;
	size_t lines = 0;

	(void)state;
	snprintf(base, sizeof(base), "%s/url", log_dir);
	assert_int_equal(
		vaccel_config_init(&config, NOOP_PLUGIN, VACCEL_LOG_DEBUG, base, false, false), 0);
	assert_int_equal(vaccel_bootstrap_with_config(&config), 0);
	vaccel_config_release(&config);
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(vaccel_resource_init(&res, url_of(url, "good/m"), VACCEL_RESOURCE_DATA),
			 0);
	assert_int_equal(vaccel_resource_register(&res, &sess), 0);
	assert_int_equal(vaccel_resource_release(&res), 0);
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(start_with(PLUGINS), 0);

	take_log(text, sizeof(text));
	assert_non_null(strstr(text, "Downloading http://127.0.0.1:"));
	for (line = text; (line = strstr(line, "Downloaded: ")); line++) {
		last = line;
		lines++;
	}
	assert_non_null(last);
	assert_ptr_equal(strstr(text, "Downloaded: 97.7 KB of 97.7 KB (100.0%) | Speed: "), last);
	assert_in_range(lines, 1, 1 + (size_t)(time(NULL) - begun));
	assert_non_null(strstr(text, "Download completed successfully"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_local_session_has_the_file),
		cmocka_unit_test(the_length_is_the_announced_one),
		cmocka_unit_test(several_urls),
		cmocka_unit_test(a_failure_half_way_leaves_nothing),
		cmocka_unit_test(a_remote_session_gets_the_url),
		cmocka_unit_test(hidden_resources_share_the_file),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(urls_that_are_none),
		cmocka_unit_test(from_many_threads),
		cmocka_unit_test(in_a_forked_child),
		cmocka_unit_test(log_shows_progress),
	};

	return cmocka_run_group_tests(tests, start, end);
}
