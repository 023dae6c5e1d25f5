/*
 * core_threads.c - sixteen threads on one library: each with its own sessions and resources, all
 * on shared ones, and sessions and resources that end while they are registered with each other.
 */
#include "core_test.h"
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 16, ROUNDS = 60 };

static atomic_int failures;
static struct vaccel_resource *shared;

#define expect(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			atomic_fetch_add(&failures, 1);                                            \
	} while (0)

static void run_all(void *(*run)(void *), void *args, size_t size)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, run, (char *)args + (size_t)i * size), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&failures), 0);
}

static void *create_use_release(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		struct vaccel_session sess, *found;
		struct vaccel_resource res, *own;
		unsigned char text[64];

		expect(vaccel_session_init(&sess, 0) == 0);
		expect(vaccel_session_get_by_id(&found, sess.id) == 0 && found == &sess);
		expect(vaccel_resource_init_from_buf(&res, "x", 1, VACCEL_RESOURCE_MODEL, "m",
						     i % 2) == 0);
		expect(vaccel_resource_register(&res, &sess) == 0);
		expect(vaccel_resource_register(shared, &sess) == 0);
		expect(vaccel_session_has_resource(&sess, shared));
		expect(vaccel_session_resource_by_id(&sess, &own, res.id) == 0 && own == &res);
		expect(vaccel_noop(&sess) == 0);
		expect(vaccel_torch_model_load(&sess, &res) == 0);
		expect(vaccel_image_classification(&sess, "i", text, NULL, 1, sizeof(text), 0) ==
		       0);
		if (i % 3)
			expect(vaccel_resource_unregister(shared, &sess) == 0);
		expect(vaccel_session_release(&sess) == 0);
		expect(vaccel_resource_release(&res) == 0);
	}
	return NULL;
}

static void each_with_its_own(void **state)
{
	static char unused[THREADS];

	(void)state;
	assert_int_equal(
		vaccel_resource_from_buf(&shared, "s", 1, VACCEL_RESOURCE_MODEL, "s", false), 0);
	run_all(create_use_release, unused, 1);
	assert_int_equal(vaccel_resource_refcount(shared), 0);
	assert_int_equal(vaccel_resource_delete(shared), 0);
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

/* Pairs of threads: one ends the session, the other the resource, at the same time. */
struct race {
	struct vaccel_session *sess;
	struct vaccel_resource *res;
	pthread_barrier_t *barrier;
	bool session_side;
};

static void *end_one_side(void *arg)
{
	struct race *race = arg;

	pthread_barrier_wait(race->barrier);
	if (race->session_side)
		expect(vaccel_session_delete(race->sess) == 0);
	else
		expect(vaccel_resource_delete(race->res) == 0);
	return NULL;
}

static void both_sides_end_at_once(void **state)
{
	struct race races[THREADS];
	pthread_barrier_t barrier;

	(void)state;
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < THREADS; i += 2) {
			struct race *race = &races[i];

			assert_int_equal(vaccel_session_new(&race->sess, 0), 0);
			assert_int_equal(vaccel_resource_from_buf(&race->res, "x", 1,
								  VACCEL_RESOURCE_DATA, "d", true),
					 0);
			assert_int_equal(vaccel_resource_register(race->res, race->sess), 0);
			race->barrier = &barrier;
			race->session_side = true;
			races[i + 1] = *race;
			races[i + 1].session_side = false;
		}
		run_all(end_one_side, races, sizeof(races[0]));
	}
	pthread_barrier_destroy(&barrier);
}

/* All register one file resource, each with its session; its path becomes blobs once. */
static void *register_shared(void *arg)
{
	struct vaccel_session *sess = arg;

	expect(vaccel_resource_register(shared, sess) == 0);
	expect(shared->nr_blobs == 1);
	return NULL;
}

static void one_resource_in_many_sessions(void **state)
{
	static struct vaccel_session sessions[THREADS];

	(void)state;
	assert_int_equal(vaccel_resource_new(&shared, NOOP_PLUGIN, VACCEL_RESOURCE_LIB), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(vaccel_session_init(&sessions[i], 0), 0);
	run_all(register_shared, sessions, sizeof(sessions[0]));
	assert_int_equal(vaccel_resource_refcount(shared), THREADS);
	assert_int_equal(vaccel_resource_delete(shared), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(sessions[i].resource_counts[VACCEL_RESOURCE_LIB], 0);
		assert_int_equal(vaccel_session_release(&sessions[i]), 0);
	}
}

static void *legs(void *arg)
{
	const struct luaccel_core *core = luaccel_core(LUACCEL_CORE_VERSION);
	struct vaccel_plugin *plugin = core->plugin_next(NULL);

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		struct vaccel_resource *hidden;
		struct vaccel_session *leg;

		expect(core->leg_open(plugin, core->session_id(), 0, NULL, &leg) == 0);
		expect(core->resource_share(shared, &hidden) == 0);
		expect(vaccel_resource_register(hidden, leg) == 0);
		expect(vaccel_torch_model_load(leg, hidden) == 0);
		if (i % 2) {
			expect(core->resource_unshare(hidden) == 0);
			expect(core->leg_close(leg) == 0);
		} else {
			expect(core->leg_close(leg) == 0);
			expect(core->resource_unshare(hidden) == 0);
		}
	}
	return NULL;
}

static void legs_on_many_threads(void **state)
{
	static char unused[THREADS];

	(void)state;
	assert_int_equal(
		vaccel_resource_from_buf(&shared, "s", 1, VACCEL_RESOURCE_MODEL, "s", false), 0);
	run_all(legs, unused, 1);
	assert_int_equal(vaccel_resource_delete(shared), 0);
	assert_int_equal(count_entries(vaccel_rundir()), 0);
}

static void *log_lines(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		slog_enable(SLOG_NOTE);
		slog_note("line %d", i);
		luaccel_set_error("thread's reason %d", i);
	}
	return NULL;
}

/* Into a file, so that whole lines can be counted. */
static void log_lines_do_not_mix(void **state)
{
	static char unused[THREADS];
	FILE *file = tmpfile();
	int saved = dup(STDOUT_FILENO);
	int lines = 0, whole = 0;
	char line[256];

	(void)state;
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	slog_init("threads", 0, 1);
	run_all(log_lines, unused, 1);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		const char *tag = strstr(line, " - <note> line ");

		lines++;
		whole += tag && tag - line == (long)strlen("2026.11.23-07:04:10.00");
	}
	fclose(file);
	assert_int_equal(lines, THREADS * ROUNDS);
	assert_int_equal(whole, lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_with_its_own),
		cmocka_unit_test(both_sides_end_at_once),
		cmocka_unit_test(one_resource_in_many_sessions),
		cmocka_unit_test(legs_on_many_threads),
		cmocka_unit_test(log_lines_do_not_mix),
	};

	return cmocka_run_group_tests(tests, start_noop, stop);
}
