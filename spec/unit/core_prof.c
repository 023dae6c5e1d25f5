/*
 * core_prof.c - profile regions: what is measured, counted, kept and printed; threads; and the
 * library's own regions, printed when it goes. For those the program runs itself again; its first
 * argument says how to leave.
 */
#include "core_test.h"
#include "unit_output.h"
#include <pthread.h>
#include <regex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

enum { KEPT = 1 << 20, THREADS = 8, ROUNDS = 500, PAUSE_NS = 5000000 };

static char output[16384];
static atomic_ulong readings; /* of the profile's clock */

/* Ours comes before libc's, for libvaccel too. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
	if (clock == CLOCK_MONOTONIC_RAW)
		atomic_fetch_add(&readings, 1);
	return (int)syscall(SYS_clock_gettime, clock, now);
}

static int start_profiling(bool on)
{
	struct vaccel_config config;
	int ret;

	vaccel_config_init(&config, NOOP_PLUGIN, VACCEL_LOG_INFO, NULL, on, false);
	ret = vaccel_bootstrap_with_config(&config);
	vaccel_config_release(&config);
	return ret;
}

static int start_off(void **state)
{
	(void)state;
	return start_profiling(false);
}

static int start_on(void **state)
{
	(void)state;
	return start_profiling(true);
}

static void pause_a_while(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
}

static void switched_off_nothing_is_looked_at(void **state)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("r");
	struct vaccel_session sess;
	char *text = output;
	unsigned long before;

	(void)state;
	assert_false(vaccel_prof_enabled());
	assert_int_equal(vaccel_prof_region_start(NULL), 0);
	assert_int_equal(vaccel_prof_region_stop(NULL), 0);
	assert_int_equal(vaccel_prof_region_print(NULL), 0);
	assert_int_equal(vaccel_prof_region_init(NULL, NULL), 0);
	assert_int_equal(vaccel_prof_region_release(NULL), 0);
	assert_int_equal(vaccel_prof_regions_start_by_name(NULL, 1, "r"), 0);
	assert_int_equal(vaccel_prof_regions_stop_by_name(NULL, 1, "r"), 0);
	assert_int_equal(vaccel_prof_regions_init(NULL, 1), 0);
	assert_int_equal(vaccel_prof_regions_release(NULL, 1), 0);
	assert_int_equal(vaccel_prof_regions_print_all(NULL, 1), 0);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&text, 9, NULL, 1), 0);
	assert_ptr_equal(text, output);
	assert_int_equal(vaccel_prof_region_start(&region), 0);
	assert_int_equal(vaccel_prof_region_stop(&region), 0);
	assert_int_equal(vaccel_prof_regions_stop_by_name(&region, 1, "other"), 0);
	assert_int_equal(region.nr_entries, 0);
	assert_null(region.samples);

	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	before = atomic_load(&readings);
	for (int i = 0; i < 100; i++)
		assert_int_equal(vaccel_noop(&sess), 0);
	assert_int_equal(atomic_load(&readings), before);
	assert_int_equal(vaccel_session_release(&sess), 0);
	assert_int_equal(vaccel_cleanup(), 0);
	assert_int_equal(start_profiling(true), 0);
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(vaccel_noop(&sess), 0);
	assert_int_equal(atomic_load(&readings), before + 200); /* they are counted */
	assert_int_equal(vaccel_session_release(&sess), 0);
}

static void arguments_that_are_wrong(void **state)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("r"),
				  nameless = { .name = NULL };
	char *text;

	(void)state;
	assert_true(vaccel_prof_enabled());
	assert_int_equal(vaccel_prof_region_start(NULL), VACCEL_EINVAL);
	assert_reason("[prof] start region: Invalid profiling region");
	assert_int_equal(vaccel_prof_region_stop(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_region_print(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_region_init(NULL, "r"), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_region_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_start_by_name(NULL, 1, "r"), VACCEL_EINVAL);
	assert_reason("[prof] start region: Invalid profiling region array");
	assert_int_equal(vaccel_prof_regions_stop_by_name(NULL, 1, "r"), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_init(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_release(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_print_all(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&text, 9, NULL, 1), -VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&text, 9, &region, -1),
			 -VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_start_by_name(&region, 1, "other"), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_stop_by_name(&region, 1, "other"), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_start_by_name(&region, 1, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_start_by_name(&nameless, 1, "r"), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_region_stop(&region), VACCEL_ENOENT);
	assert_int_equal(vaccel_prof_regions_stop_by_name(&region, 1, "r"), VACCEL_ENOENT);
	assert_null(region.samples);
}

static void samples_of_one_thread(void **state)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("r");

	(void)state;
	assert_int_equal(vaccel_prof_region_start(&region), 0); /* 0 */
	assert_int_equal(region.nr_entries, 1);
	assert_int_equal(region.size, 1024);
	assert_int_equal(region.samples[0].time, 0);
	assert_int_equal(vaccel_prof_region_start(&region), 0); /* 1, within 0 */
	pause_a_while();
	assert_int_equal(vaccel_prof_region_stop(&region), 0);
	assert_true(region.samples[1].time >= PAUSE_NS);
	assert_int_equal(region.samples[0].time, 0);
	assert_int_equal(vaccel_prof_region_stop(&region), 0);
	assert_true(region.samples[0].time >= region.samples[1].time);
	for (int i = 2; i < 1025; i++) {
		assert_int_equal(vaccel_prof_region_start(&region), 0);
		assert_int_equal(vaccel_prof_region_stop(&region), 0);
	}
	assert_int_equal(region.nr_entries, 1025);
	assert_int_equal(region.size, 2048);
	assert_true(region.samples[1].time >= PAUSE_NS); /* it moved along */
	assert_int_equal(vaccel_prof_region_release(&region), 0);
	assert_null(region.samples);
	assert_null(region.name);
	assert_int_equal(region.nr_entries, 0);
	assert_int_equal(region.size, 0);
}

/* A thread that ends what it did not begin ends the last: one with none left, too. */
static void ending_without_beginning(void **state)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("r");
	uint64_t time;

	(void)state;
	assert_int_equal(vaccel_prof_region_start(&region), 0);
	assert_int_equal(vaccel_prof_region_stop(&region), 0);
	time = region.samples[0].time;
	pause_a_while();
	assert_int_equal(vaccel_prof_region_stop(&region), 0);
	assert_true(region.samples[0].time >= time + PAUSE_NS);

	/* What was open when the samples went is not of those that came after them. */
	assert_int_equal(vaccel_prof_region_start(&region), 0);
	assert_int_equal(vaccel_prof_regions_release(&region, 1), 0);
	assert_int_equal(vaccel_prof_region_stop(&region), VACCEL_ENOENT);
	assert_int_equal(vaccel_prof_region_release(&region), 0);
}

static void more_open_than_are_remembered(void **state)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("r");

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(vaccel_prof_region_start(&region), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(vaccel_prof_region_stop(&region), 0);
	assert_int_equal(region.samples[0].time, 0); /* the oldest four stay open */
	assert_int_equal(region.samples[3].time, 0);
	for (int i = 4; i < 20; i++)
		assert_true(region.samples[i].time > 0);
	assert_int_equal(vaccel_prof_region_release(&region), 0);
}

static int entries_printed(struct vaccel_prof_region *region)
{
	const int size = vaccel_prof_regions_print_all_to_buf(NULL, 0, region, 1);
	unsigned long total;
	char *text;
	int entries;

	assert_true(size > 0);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&text, (size_t)size, region, 1), 1);
	assert_int_equal(strlen(text), size - 1);
	assert_int_equal(
		sscanf(text, "[prof] r: total_time: %lu nsec nr_entries: %d", &total, &entries), 2);
	assert_true(total > 0);
	free(text);
	return entries;
}

static void a_region_stays_bounded_and_counts_on(void **state)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("r");
	uint64_t last;

	(void)state;
	for (int i = 0; i < KEPT; i++) {
		if (vaccel_prof_region_start(&region) || vaccel_prof_region_stop(&region))
			fail();
	}
	assert_int_equal(region.nr_entries, KEPT);
	assert_int_equal(region.size, KEPT);
	assert_int_equal(entries_printed(&region), KEPT);
	last = region.samples[KEPT - 1].time;
	for (int i = 0; i < 7; i++) {
		assert_int_equal(vaccel_prof_region_start(&region), 0);
		pause_a_while();
		assert_int_equal(vaccel_prof_region_stop(&region), 0);
	}
	assert_int_equal(vaccel_prof_region_stop(&region), 0); /* of none */
	assert_int_equal(region.nr_entries, KEPT);
	assert_int_equal(region.size, KEPT);
	assert_int_equal(region.samples[KEPT - 1].time, last);
	assert_int_equal(entries_printed(&region), KEPT + 7);
	assert_int_equal(vaccel_prof_region_release(&region), 0);
}

static void names(void **state)
{
	struct vaccel_prof_region region, several[3];
	char name[] = "mine";

	(void)state;
	memset(&region, 0xff, sizeof(region));
	assert_int_equal(vaccel_prof_region_init(&region, name), 0);
	assert_ptr_not_equal(region.name, name);
	assert_string_equal(region.name, "mine");
	assert_true(region.name_owned);
	assert_int_equal(region.nr_entries, 0);
	assert_int_equal(vaccel_prof_region_release(&region), 0);
	assert_false(region.name_owned);

	assert_int_equal(vaccel_prof_regions_init(several, 3), 0);
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 256; j++)
			assert_int_equal(several[i].name[j], 0);
		snprintf((char *)several[i].name, 256, "region %d", i);
	}
	assert_int_equal(vaccel_prof_regions_start_by_name(several, 3, "region 1"), 0);
	assert_int_equal(vaccel_prof_regions_stop_by_name(several, 3, "region 1"), 0);
	assert_int_equal(several[0].nr_entries, 0);
	assert_int_equal(several[1].nr_entries, 1);
	assert_true(several[1].samples[0].time > 0);
	assert_int_equal(vaccel_prof_regions_release(several, 3), 0);
	assert_null(several[1].samples);
	assert_int_equal(several[1].nr_entries, 0);
	assert_string_equal(several[1].name, "region 1"); /* names stay */
	for (int i = 0; i < 3; i++)
		assert_int_equal(vaccel_prof_region_release(&several[i]), 0);
}

static struct vaccel_prof_region shown[3] = { VACCEL_PROF_REGION_INIT("first"),
					      VACCEL_PROF_REGION_INIT("empty"),
					      VACCEL_PROF_REGION_INIT("last") };

static void print_shown(void)
{
	vaccel_prof_region_print(&shown[0]);
	vaccel_prof_regions_print_all(shown, 3);
}

static void assert_matches(const char *pattern)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, output, 0, NULL, 0))
		fail_msg("\"%s\" does not match %s", output, pattern);
	regfree(&regex);
}

#define LINE(name, entries)                                                                        \
	"[0-9.:-]+ - <info> \\[prof\\] " name                                                      \
	": total_time: [1-9][0-9]* nsec nr_entries: " entries "\n"

static void lines_that_are_printed(void **state)
{
	char expected[256], *text;
	int size, first;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(vaccel_prof_region_start(&shown[i ? 2 : 0]), 0);
		assert_int_equal(vaccel_prof_region_stop(&shown[i ? 2 : 0]), 0);
	}
	capture(print_shown, output, sizeof(output));
	assert_matches("^" LINE("first", "1") LINE("first", "1") LINE("last", "2") "$");

	shown[0].samples[0].time = 12;
	shown[2].samples[0].time = 30;
	shown[2].samples[1].time = 4;
	first = snprintf(expected, sizeof(expected),
			 "[prof] first: total_time: 12 nsec nr_entries: 1") +
		1;
	size = first +
	       snprintf(expected + first, sizeof(expected) - (size_t)first,
			"[prof] last: total_time: 34 nsec nr_entries: 2") +
	       1;
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(NULL, 0, shown, 3), size);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&text, (size_t)size, shown, 3), 3);
	assert_memory_equal(text, expected, (size_t)size);
	free(text);
	/* As much as there is room for, and no byte more. */
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&text, (size_t)first + 5, shown, 3),
			 3);
	assert_string_equal(text, "[prof] first: total_time: 12 nsec nr_entries: 1");
	assert_string_equal(text + first, "[pro");
	free(text);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&text, 0, shown, 3), 3);
	free(text);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(NULL, 0, &shown[1], 1), 0);
	assert_int_equal(vaccel_prof_regions_release(shown, 3), 0);
}

static struct vaccel_prof_region common = VACCEL_PROF_REGION_INIT("r");
static pthread_barrier_t barrier;

/* Begins second, ends last. */
static void *begin_within(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	vaccel_prof_region_start(&common);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	pause_a_while();
	vaccel_prof_region_stop(&common);
	return NULL;
}

static void each_thread_ends_its_own(void **state)
{
	pthread_t thread;

	(void)state;
	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, begin_within, NULL), 0);
	assert_int_equal(vaccel_prof_region_start(&common), 0);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	assert_int_equal(vaccel_prof_region_stop(&common), 0);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
	assert_int_equal(common.nr_entries, 2);
	assert_true(common.samples[0].time > 0);
	assert_true(common.samples[1].start + common.samples[1].time >=
		    common.samples[0].start + common.samples[0].time + PAUSE_NS);
	assert_int_equal(vaccel_prof_regions_release(&common, 1), 0);
}

static void *end(void *arg)
{
	(void)arg;
	vaccel_prof_region_stop(&common);
	return NULL;
}

static void another_thread_may_end_it(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(vaccel_prof_region_start(&common), 0);
	assert_int_equal(pthread_create(&thread, NULL, end, NULL), 0);
	pthread_join(thread, NULL);
	assert_true(common.samples[0].time > 0);
	assert_int_equal(vaccel_prof_regions_release(&common, 1), 0);
}

static void *begin_afresh(void *arg)
{
	(void)arg;
	vaccel_prof_regions_release(&common, 1);
	vaccel_prof_region_start(&common);
	vaccel_prof_region_start(&common);
	return NULL;
}

/* What a thread began is gone; it is not the sample in the same place. */
static void samples_that_another_thread_forgot(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(vaccel_prof_region_start(&common), 0);
	assert_int_equal(pthread_create(&thread, NULL, begin_afresh, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(vaccel_prof_region_stop(&common), 0);
	assert_int_equal(common.samples[0].time, 0);
	assert_true(common.samples[1].time > 0);
	assert_int_equal(vaccel_prof_regions_release(&common, 1), 0);
}

static void *measure_and_read(void *arg)
{
	struct vaccel_prof_region *passing = arg;

	for (int i = 0; i < ROUNDS; i++) {
		vaccel_prof_region_start(&common);
		vaccel_prof_region_start(passing);
		vaccel_prof_region_stop(passing);
		vaccel_prof_region_stop(&common);
		if (i % 100 == 0)
			vaccel_prof_regions_print_all_to_buf(NULL, 0, &common, 1);
		if (i % 50 == 0)
			vaccel_prof_regions_release(passing, 1);
	}
	return NULL;
}

static void many_threads_in_one_region(void **state)
{
	struct vaccel_prof_region passing = VACCEL_PROF_REGION_INIT("passing");
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, measure_and_read, &passing), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(common.nr_entries, THREADS * ROUNDS);
	for (int i = 0; i < THREADS * ROUNDS; i++)
		assert_true(common.samples[i].time > 0);
	assert_int_equal(vaccel_prof_regions_release(&common, 1), 0);
	assert_int_equal(vaccel_prof_regions_release(&passing, 1), 0);
}

/* The library's own, in a program of its own. */

static void run_with(const char *what, const char *profiling, const char *cleanup)
{
	char *environment[] = { (char *)"VACCEL_PLUGINS=" NOOP_PLUGIN, (char *)"VACCEL_LOG_LEVEL=3",
				(char *)profiling, (char *)cleanup, NULL };

	assert_int_equal(run_again(what, environment, output, sizeof(output)), 0);
}

#define ON  "VACCEL_PROFILING_ENABLED=1"
#define OFF "VACCEL_PROFILING_ENABLED=0"

static void assert_lines(int lines, const char *pattern)
{
	int count = 0;

	for (const char *at = output; (at = strstr(at, "[prof]")); at++)
		count++;
	if (count != lines)
		fail_msg("%d lines in \"%s\"", count, output);
	if (pattern)
		assert_matches(pattern);
}

static void printed_when_the_library_goes(void **state)
{
	(void)state;
	run_with("leave", ON, NULL);
	assert_lines(1, LINE("vaccel_noop_op", "2"));
	run_with("leave", ON, "VACCEL_CLEANUP_ENABLED=0");
	assert_lines(1, LINE("vaccel_noop_op", "2"));
	run_with("clean-up", ON, NULL);
	assert_lines(1, LINE("vaccel_noop_op", "2") "after\n");
	run_with("bootstrap-again", ON, NULL);
	assert_lines(2, LINE("vaccel_noop_op", "2") ".*" LINE("vaccel_noop_op", "1"));
	run_with("leave", OFF, NULL);
	assert_lines(0, NULL);
}

static void a_child_prints_its_own(void **state)
{
	(void)state;
	run_with("fork", ON, NULL);
	assert_lines(2, LINE("vaccel_noop_op", "3") ".*" LINE("vaccel_noop_op", "2"));
}

static int noops(int count)
{
	struct vaccel_session sess;
	int ret = vaccel_session_init(&sess, 0);

	for (int i = 0; !ret && i < count; i++)
		ret = vaccel_noop(&sess);
	return ret ? ret : vaccel_session_release(&sess);
}

static int leave(const char *how)
{
	int ret = noops(2), status = 0;
	pid_t child;

	if (strcmp(how, "clean-up") == 0) {
		ret |= vaccel_cleanup();
		ret |= vaccel_prof_enabled();
		puts("after");
	} else if (strcmp(how, "bootstrap-again") == 0) {
		ret |= vaccel_bootstrap() || noops(1);
	} else if (strcmp(how, "fork") == 0) {
		fflush(stdout);
		child = fork();
		if (!child)
			return noops(3);
		ret |= waitpid(child, &status, 0) != child || status;
	}
	return ret;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(switched_off_nothing_is_looked_at, start_off),
		cmocka_unit_test(arguments_that_are_wrong),
		cmocka_unit_test(samples_of_one_thread),
		cmocka_unit_test(ending_without_beginning),
		cmocka_unit_test(more_open_than_are_remembered),
		cmocka_unit_test(a_region_stays_bounded_and_counts_on),
		cmocka_unit_test(names),
		cmocka_unit_test(lines_that_are_printed),
		cmocka_unit_test(each_thread_ends_its_own),
		cmocka_unit_test(another_thread_may_end_it),
		cmocka_unit_test(samples_that_another_thread_forgot),
		cmocka_unit_test(many_threads_in_one_region),
		cmocka_unit_test(printed_when_the_library_goes),
		cmocka_unit_test(a_child_prints_its_own),
	};

	return argc < 2 ? cmocka_run_group_tests(tests, start_on, stop) : leave(argv[1]);
}
