/*
 * fault_driver.c - uses the library while things go wrong, and says what came of it.
 *
 *     fault_driver SCENARIO [always=1] [call=NAME:NTH:ERRNO] [mishap=NAME] [how=WAY]
 *     fault_driver SCENARIO sweep=NAME:ERRNO [how=WAY]
 *
 * The scenario runs twice as it should, then once with the fault, then once more as it should. The
 * answer is one line of name=value: the code of the run with the fault, whether the fault came
 * (fired), what the library had left afterwards (fds, files in the run directory, blocks of the
 * heap), the codes of the last run (again) and of a noop on a session that was there all along,
 * and at the end why=, the library's sentence. always= is for what fails with no fault
 * of ours: the runs before may fail too.
 *
 * A sweep lets the 1st, 2nd, 3rd ... call of that name fail, each in a run of its own with a good
 * one after it, until a run does not come so far. It says how many runs ended with which code, and
 * a LEAK line for each that left something.
 *
 * Preload libfaults.so. how= is what the server of fault_server.h does.
 */
#include "fault_driver.h"
#include "fault_server.h"
#include "faults.h"
#include <dirent.h>
#include <errno.h>
#include <luaccel.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CODES_MAX = 256, SWEEP_MAX = 5000 };

struct what_is_there {
	int fds, files;
	long blocks;
};

static struct {
	scenario_run *run;
	char call[32];
	long nth;
	int error;
	bool sweep, always;
	const struct mishap *mishap;
	const char *how;
} asked = { .how = "good" };

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static struct what_is_there look(void)
{
	const struct what_is_there now = { .fds = entries("/proc/self/fd"),
					   .files = entries(vaccel_rundir()),
					   .blocks = faults_blocks() };

	return now;
}

static bool same(struct what_is_there a, struct what_is_there b)
{
	return a.fds == b.fds && a.files == b.files && a.blocks == b.blocks;
}

static bool parse(int argc, char **argv)
{
	asked.run = argc > 1 ? scenario_find(argv[1]) : NULL;
	for (int i = 2; i < argc; i++) {
		const char *value = strchr(argv[i], '=');

		if (!value)
			return false;
		value++;
		if (sscanf(argv[i], "call=%31[^:]:%ld:%d", asked.call, &asked.nth, &asked.error) ==
		    3)
			continue;
		if (strncmp(argv[i], "always=", 7) == 0)
			asked.always = true;
		else if (sscanf(argv[i], "sweep=%31[^:]:%d", asked.call, &asked.error) == 2)
			asked.sweep = true;
		else if (strncmp(argv[i], "mishap=", 7) == 0 && mishap_find(value))
			asked.mishap = mishap_find(value);
		else if (strncmp(argv[i], "how=", 4) == 0)
			asked.how = value;
		else
			return false;
	}
	return asked.run != NULL;
}

static int run_well(void)
{
	bench.how = "good";
	return asked.run();
}

/* The run with what was asked for; fired: whether that came. */
static int run_badly(long nth, bool *fired)
{
	int code;

	bench.how = asked.how;
	bench.mishap = asked.mishap;
	bench.why[0] = '\0';
	bench_reach(BEFORE);
	if (nth && !faults_arm(asked.call, nth, asked.error))
		exit(3);
	code = asked.run();
	*fired = nth ? faults_disarm() : asked.mishap && !bench.mishap;
	if (asked.mishap && !asked.mishap->mend())
		bench.error = errno;
	return code;
}

static int run_once(void)
{
	const struct what_is_there before = look();
	struct what_is_there after;
	bool fired;
	const int code = run_badly(asked.nth, &fired);
	char why[sizeof(bench.why)];
	int again;

	after = look();
	memcpy(why, bench.why, sizeof(why));
	again = run_well();
	printf("code=%d fired=%d fds=%d files=%d blocks=%ld again=%d noop=%d why=%s\n", code, fired,
	       after.fds - before.fds, after.files - before.files, after.blocks - before.blocks,
	       again, vaccel_noop(bench.session), why);
	if (bench.error)
		printf("the mishap did not come or go: %s\n", strerror(bench.error));
	return bench.error != 0;
}

static int run_sweep(void)
{
	static int codes[CODES_MAX];
	bool fired = true;
	long nth = 0;
	int leaks = 0;

	while (fired && nth < SWEEP_MAX) {
		const struct what_is_there before = look();
		struct what_is_there after;
		const int code = run_badly(++nth, &fired);

		run_well();
		after = look();
		if (fired && code >= 0 && code < CODES_MAX)
			codes[code]++;
		if (!same(before, after)) {
			leaks++;
			printf("LEAK nth=%ld code=%d fds=%d files=%d blocks=%ld\n", nth, code,
			       after.fds - before.fds, after.files - before.files,
			       after.blocks - before.blocks);
		}
	}
	printf("runs=%ld leaks=%d again=%d noop=%d codes=", nth - 1, leaks, run_well(),
	       vaccel_noop(bench.session));
	for (int code = 0; code < CODES_MAX; code++) {
		if (codes[code])
			printf("%d:%d,", code, codes[code]);
	}
	printf("\n");
	return 0;
}

static bool make_bench(void)
{
	snprintf(bench.dir, sizeof(bench.dir), "%s/bench-XXXXXX", getenv("TMPDIR"));
	if (!mkdtemp(bench.dir))
		return false;
	if (snprintf(bench.file, sizeof(bench.file), "%s/file", bench.dir) >= PATH_MAX ||
	    snprintf(bench.sub, sizeof(bench.sub), "%s/sub", bench.dir) >= PATH_MAX)
		return false;
	return bench_make_files();
}

static void *nothing(void *ctx)
{
	return ctx;
}

/*
 * What the C library makes once and keeps: for the log, for dlerror(), a stack for libcurl. And
 * libfaults.so looks its functions up, after which a dlerror() is forgotten.
 */
static void warm_up(void)
{
	pthread_t thread;

	vaccel_error("a line of the log");
	vaccel_plugin_load("no such plugin");
	if (!pthread_create(&thread, NULL, nothing, NULL))
		pthread_join(thread, NULL);
	look();
}

int main(int argc, char **argv)
{
	struct fault_server server;
	int status = 2;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!parse(argc, argv) || fault_server_start(&server)) {
		fprintf(stderr, "usage: see the top of fault_driver.c\n");
		return status;
	}
	bench.port = server.port;
	if (make_bench() && !vaccel_session_new(&bench.session, 0)) {
		warm_up();
		if ((run_well() | run_well()) && !asked.always)
			fprintf(stderr, "without a fault: %s\n", bench.why);
		else
			status = asked.sweep ? run_sweep() : run_once();
		vaccel_session_delete(bench.session);
	}
	fault_server_stop(&server);
	bench_remove_files();
	rmdir(bench.dir);
	return status;
}
