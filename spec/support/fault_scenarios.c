/*
 * fault_scenarios.c - the scenarios of fault_driver.h. Each takes what it made down again however
 * far it came, and keeps the first failure's code and words.
 */
#include "fault_driver.h"
#include <errno.h>
#include <luaccel.h>
#include <luaccel_core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_SIZE = 2 * 4096 + 100, URL_MAX = 128 };

struct bench bench;

/* A step of a scenario: the code that counts is the first that is not 0. */
static int step(int *first, int code)
{
	if (code && !*first) {
		*first = code;
		luaccel_last_error(bench.why, sizeof(bench.why));
	}
	return code;
}

void bench_reach(enum moment moment)
{
	const struct mishap *mishap = bench.mishap;

	if (!mishap || mishap->moment != moment)
		return;
	bench.mishap = NULL;
	if (!mishap->happen())
		bench.error = errno;
}

static void use(struct vaccel_resource *res, struct vaccel_session *session, int *first)
{
	if (step(first, vaccel_resource_register(res, session)))
		return;
	bench_reach(REGISTERED);
	step(first, vaccel_noop(session));
	if (vaccel_session_has_resource(session, res))
		step(first, vaccel_resource_unregister(res, session));
}

/* Register with a session made for it, and a second time with another. */
static int use_and_delete(struct vaccel_resource *res, uint32_t hint)
{
	struct vaccel_session *session;
	int first = 0;

	bench_reach(CREATED);
	for (int i = 0; i < 2 && !first; i++) {
		if (step(&first, vaccel_session_new(&session, hint)))
			break;
		use(res, session, &first);
		step(&first, vaccel_session_delete(session));
	}
	step(&first, vaccel_resource_delete(res));
	return first;
}

static int from_path(const char *path, uint32_t hint)
{
	struct vaccel_resource *res;
	int first = 0;

	if (step(&first, vaccel_resource_new(&res, path, VACCEL_RESOURCE_DATA)))
		return first;
	return use_and_delete(res, hint);
}

static int session_alone(void)
{
	struct vaccel_session *session;
	int first = 0;

	if (!step(&first, vaccel_session_new(&session, 0))) {
		step(&first, vaccel_noop(session));
		step(&first, vaccel_session_delete(session));
	}
	return first;
}

static int file(void)
{
	return from_path(bench.file, 0);
}

static int remote_file(void)
{
	return from_path(bench.file, VACCEL_PLUGIN_REMOTE);
}

static int directory(void)
{
	return from_path(bench.sub, 0);
}

static int files(void)
{
	const char *paths[] = { bench.file, bench.file, bench.file };
	struct vaccel_resource *res;
	int first = 0;

	if (step(&first, vaccel_resource_multi_new(&res, paths, 3, VACCEL_RESOURCE_DATA)))
		return first;
	return use_and_delete(res, 0);
}

static int from_bytes(bool mem_only)
{
	static const char bytes[FILE_SIZE];
	struct vaccel_resource *res;
	int first = 0;

	if (step(&first, vaccel_resource_from_buf(&res, bytes, sizeof(bytes), VACCEL_RESOURCE_LIB,
						  "bytes", mem_only)))
		return first;
	return use_and_delete(res, 0);
}

static int bytes(void)
{
	return from_bytes(false);
}

static int memory(void)
{
	return from_bytes(true);
}

/* One of each kind: a file, a mapped one, an owned buffer. */
static int blobs(void)
{
	static const uint8_t data[FILE_SIZE];
	struct vaccel_blob *made[3];
	struct vaccel_resource *res;
	size_t nr = 0;
	int first = 0;

	if (!step(&first, vaccel_blob_new(&made[nr], bench.file)))
		nr++;
	if (!first && !step(&first, vaccel_blob_new(&made[nr], bench.file)))
		nr++;
	if (!first)
		step(&first, vaccel_blob_read(made[1]));
	if (!first && !step(&first, vaccel_blob_from_buf(&made[nr], data, sizeof(data), true,
							 "owned", NULL, false)))
		nr++;
	if (!first &&
	    !step(&first, vaccel_resource_from_blobs(&res, (const struct vaccel_blob **)made, nr,
						     VACCEL_RESOURCE_DATA)))
		first = use_and_delete(res, 0);
	while (nr)
		step(&first, vaccel_blob_delete(made[--nr]));
	return first;
}

static const char *url_text(char *text, const char *how)
{
	snprintf(text, URL_MAX, "http://127.0.0.1:%u/%s/m.bin", bench.port, how);
	return text;
}

static int url(void)
{
	char text[URL_MAX];

	return from_path(url_text(text, bench.how), 0);
}

/* libcurl takes this for none. */
static int bad_url(void)
{
	return from_path("http://a b/m", 0);
}

/* The one that is asked for comes third. */
static int urls(void)
{
	char good[URL_MAX], last[URL_MAX];
	const char *paths[] = { url_text(good, "good"), good, url_text(last, bench.how) };
	struct vaccel_resource *res;
	int first = 0;

	if (step(&first, vaccel_resource_multi_new(&res, paths, 3, VACCEL_RESOURCE_DATA)))
		return first;
	return use_and_delete(res, 0);
}

/* As an agent does it: a leg, and a hidden resource that shares the first one's file. */
static int leg_with(const char *path)
{
	const struct luaccel_core *core = luaccel_core(LUACCEL_CORE_VERSION);
	struct vaccel_resource *res, *hidden;
	struct vaccel_session *session;
	int first = 0;

	if (step(&first, vaccel_resource_new(&res, path, VACCEL_RESOURCE_DATA)))
		return first;
	if (!step(&first, core->leg_open(core->plugin_for_hint(0), core->session_id(), 0, NULL,
					 &session))) {
		if (!step(&first, core->resource_share(res, &hidden))) {
			use(hidden, session, &first);
			step(&first, core->resource_unshare(hidden));
		}
		step(&first, core->leg_close(session));
	}
	step(&first, vaccel_resource_delete(res));
	return first;
}

static int leg(void)
{
	return leg_with(bench.file);
}

static int leg_url(void)
{
	char text[URL_MAX];

	return leg_with(url_text(text, bench.how));
}

/* All of the library down and up again, with the session that is there all along. */
static int bootstrap(void)
{
	int first = 0;

	if (bench.session)
		step(&first, vaccel_session_delete(bench.session));
	bench.session = NULL;
	step(&first, vaccel_cleanup());
	if (!step(&first, vaccel_bootstrap()) &&
	    step(&first, vaccel_session_new(&bench.session, 0)))
		bench.session = NULL;
	return first;
}

static const struct {
	const char *name;
	scenario_run *run;
} scenarios[] = {
	{ "session", session_alone }, { "file", file },		  { "remote-file", remote_file },
	{ "files", files },	      { "directory", directory }, { "bytes", bytes },
	{ "memory", memory },	      { "blobs", blobs },	  { "url", url },
	{ "bad-url", bad_url },	      { "urls", urls },		  { "leg", leg },
	{ "leg-url", leg_url },	      { "bootstrap", bootstrap },
};

scenario_run *scenario_find(const char *name)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (strcmp(scenarios[i].name, name) == 0)
			return scenarios[i].run;
	}
	return NULL;
}

static bool write_file(const char *path)
{
	static const char bytes[FILE_SIZE];
	FILE *stream = fopen(path, "w");
	bool done;

	if (!stream)
		return false;
	done = fwrite(bytes, 1, sizeof(bytes), stream) == sizeof(bytes);
	return fclose(stream) == 0 && done;
}

bool bench_make_files(void)
{
	char inner[PATH_MAX + 16];

	snprintf(inner, sizeof(inner), "%s/inner", bench.sub);
	return (mkdir(bench.sub, 0700) == 0 || errno == EEXIST) && write_file(inner) &&
	       write_file(bench.file);
}

void bench_remove_files(void)
{
	char inner[PATH_MAX + 16];

	snprintf(inner, sizeof(inner), "%s/inner", bench.sub);
	unlink(inner);
	rmdir(bench.sub);
	if (unlink(bench.file))
		rmdir(bench.file);
}
