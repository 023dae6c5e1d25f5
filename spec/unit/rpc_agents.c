/*
 * rpc_agents.c - the rpc plugin with several agents: a connection to each, whose sessions know
 * which is theirs; and what is asked about an agent beside its sessions.
 */
#include "luaccel_core.h"
#include "rpc_fake.h"
#include "session.pb-c.h"
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* `first` is the environment's agent, `second` another one. */
struct rig {
	struct fake first, second;
	const struct luaccel_core *core;
	struct vaccel_plugin *plugin;
	const struct luaccel_targets *targets;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig)
		return -1;
	fake_init(&rig->second);
	fake_listen(&rig->second);
	fake_init(&rig->first);
	fake_listen(&rig->first);
	rig_bootstrap(RPC_PLUGIN);
	rig->core = luaccel_core(LUACCEL_CORE_VERSION);
	rig->plugin = rig->core->plugin_next(NULL);
	rig->targets = rig->core->plugin_targets(rig->plugin);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	fake_release(&rig->first);
	fake_release(&rig->second);
	free(rig);
	return 0;
}

/* A session on the agent at `uri`. */
static int open_at(const struct rig *rig, const char *uri, struct vaccel_session **leg)
{
	static const uint64_t via[] = { 11, UINT64_C(0xfedcba9876543210) };
	const struct luaccel_target target = { .uri = uri, .via = via, .nr_via = 2 };

	return rig->core->leg_open(rig->plugin, rig->core->session_id(), 0, &target, leg);
}

static void test_one_connection_to_each(void **state)
{
	struct rig *rig = *state;
	struct vaccel_session own, *legs[4];
	char text[64];

	assert_int_equal(vaccel_session_init(&own, 0), VACCEL_OK);
	for (int i = 0; i < 4; i++)
		assert_int_equal(open_at(rig, i % 2 ? rig->second.uri : rig->first.uri, &legs[i]),
				 VACCEL_OK);
	assert_int_equal(rig->first.creates, 3);
	assert_int_equal(rig->second.creates, 2);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(rig_classify(legs[i], 10, text), VACCEL_OK);
		assert_string_equal(text, "10 bytes from 7");
	}
	assert_int_equal(rig_classify(&own, 10, text), VACCEL_OK);
	assert_int_equal(rig->first.classifies, 3);
	assert_int_equal(rig->second.classifies, 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(rig->core->leg_close(legs[i]), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&own), VACCEL_OK);
	assert_int_equal(rig->first.connections, 1);
	assert_int_equal(rig->second.connections, 1);
	assert_int_equal(rig->first.destroys, 3);
	assert_int_equal(rig->second.destroys, 2);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	rig_wait(&rig->first.closed, 1);
	rig_wait(&rig->second.closed, 1);
}

/* What CreateSession said of the agents before this one. */
struct noted {
	size_t count;
	uint64_t via[4];
};

static bool note_via(const struct fake_call *call)
{
	struct noted *noted = call->fake->user;
	const Vaccel__Session__CreateRequest *create;

	if (strcmp(call->method, "CreateSession") != 0)
		return false;
	create = (const void *)fake_request(call, &vaccel__session__create_request__descriptor);
	noted->count = create->n_luaccel_via;
	for (size_t i = 0; i < create->n_luaccel_via && i < 4; i++)
		noted->via[i] = create->luaccel_via[i];
	return false;
}

static void test_only_our_own_are_told_the_way(void **state)
{
	struct rig *rig = *state;
	struct noted ours = { 0 }, plain = { .count = 99 };
	struct vaccel_session *leg;

	rig->first.script = rig->second.script = note_via;
	rig->first.user = &ours;
	rig->second.user = &plain;
	rig->second.plain = true;
	assert_int_equal(open_at(rig, rig->first.uri, &leg), VACCEL_OK);
	assert_int_equal(ours.count, 2);
	assert_true(ours.via[0] == 11 && ours.via[1] == UINT64_C(0xfedcba9876543210));
	assert_int_equal(rig->core->leg_close(leg), VACCEL_OK);
	assert_int_equal(open_at(rig, rig->second.uri, &leg), VACCEL_OK);
	assert_int_equal(plain.count, 0);
	assert_int_equal(rig->core->leg_close(leg), VACCEL_OK);
}

static bool say_nothing(const struct fake_call *call)
{
	(void)call;
	return true;
}

static void test_probe(void **state)
{
	struct rig *rig = *state;

	rig->second.plain = true;
	assert_int_equal(rig->targets->probe(rig->first.uri), VACCEL_OK);
	assert_int_equal(rig->targets->probe(rig->second.uri), VACCEL_OK);
	rig_wait(&rig->first.closed, 1);
	rig_wait(&rig->second.closed, 1);
	assert_int_equal(rig->first.creates, 0);
	assert_int_equal(rig->targets->connected(rig->first.uri), 0);
	assert_int_equal(rig->targets->probe("unix:///nowhere/agent.sock"), VACCEL_EBACKEND);
	assert_non_null(strstr(rig_reason(), "cannot connect to unix:///nowhere/agent.sock"));
	assert_int_equal(rig->targets->probe("pigeon://loft"), VACCEL_EBACKEND);
	assert_non_null(strstr(rig_reason(), "pigeon://loft"));
	rig->first.script = say_nothing;
	assert_int_equal(rig->targets->probe(rig->first.uri), VACCEL_EAGAIN);
	assert_non_null(strstr(rig_reason(), "does not answer"));
}

static bool leave_classification(const struct fake_call *call)
{
	return strcmp(call->method, "ImageClassification") == 0;
}

static void *classify(void *arg)
{
	char text[64];

	return (void *)(intptr_t)rig_classify(arg, 10, text);
}

static void test_close_now(void **state)
{
	struct rig *rig = *state;
	struct vaccel_session *leg, *other;
	pthread_t thread;
	void *code;

	assert_int_equal(rig->targets->connected(rig->second.uri), 0);
	rig->targets->close(rig->second.uri, 1); /* nothing yet: nothing happens */
	assert_int_equal(open_at(rig, rig->first.uri, &other), VACCEL_OK);
	assert_int_equal(open_at(rig, rig->second.uri, &leg), VACCEL_OK);
	assert_int_equal(rig->targets->connected(rig->second.uri), 1);
	rig->second.script = leave_classification;
	assert_int_equal(pthread_create(&thread, NULL, classify, leg), 0);
	rig_wait(&rig->second.classifies, 1);
	rig->targets->close(rig->second.uri, 1);
	pthread_join(thread, &code);
	assert_int_equal((intptr_t)code, VACCEL_ESESS);
	assert_int_equal(rig->targets->connected(rig->second.uri), 0);
	assert_int_equal(rig->core->leg_close(leg), VACCEL_OK);
	rig_wait(&rig->second.closed, 1);
	assert_int_equal((intptr_t)classify(other), VACCEL_OK);
	assert_int_equal(rig->core->leg_close(other), VACCEL_OK);
}

static void test_close_with_the_last_session(void **state)
{
	struct rig *rig = *state;
	struct vaccel_session *old, *young;

	assert_int_equal(open_at(rig, rig->second.uri, &old), VACCEL_OK);
	rig->targets->close(rig->second.uri, 0);
	assert_int_equal(rig->targets->connected(rig->second.uri), 0);
	assert_int_equal((intptr_t)classify(old), VACCEL_OK);
	assert_int_equal(open_at(rig, rig->second.uri, &young), VACCEL_OK);
	assert_int_equal(rig->second.connections, 2);
	assert_int_equal(rig->second.closed, 0);
	assert_int_equal(rig->core->leg_close(old), VACCEL_OK);
	rig_wait(&rig->second.closed, 1);
	assert_int_equal((intptr_t)classify(young), VACCEL_OK);
	assert_int_equal(rig->core->leg_close(young), VACCEL_OK);
}

static void *fail_to_open(void *arg)
{
	const struct rig *rig = arg;
	struct vaccel_session *leg;

	if (open_at(rig, rig->second.uri, &leg) != VACCEL_EBACKEND)
		return "it opened";
	return strstr(rig_reason(), "does not answer") ? NULL : "another reason";
}

/* Each for himself would wait for the Hello that nobody answers, one after the other. */
static void test_threads_share_a_failure(void **state)
{
	enum { THREADS = 8 };
	struct rig *rig = *state;
	const double begun = rig_seconds();
	pthread_t threads[THREADS];
	void *failed;

	rig->second.script = say_nothing;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fail_to_open, rig), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_true(rig_seconds() - begun < 15);
	assert_int_equal(rig->second.creates, 0);
}

static int live_as_child(const struct rig *rig, struct vaccel_session *const *inherited)
{
	const struct fake *fakes[] = { &rig->first, &rig->second };
	struct vaccel_session *own;

	for (int i = 0; i < 2; i++) {
		if ((intptr_t)classify(inherited[i]) != VACCEL_ESESS)
			return 1;
		if (open_at(rig, fakes[i]->uri, &own) != VACCEL_OK)
			return 2;
		if ((intptr_t)classify(own) != VACCEL_OK)
			return 3;
		if (rig->core->leg_close(own) != VACCEL_OK)
			return 4;
	}
	return vaccel_cleanup() == VACCEL_OK ? 0 : 5;
}

/* The child has connections of its own to both, and its end touches none of ours. */
static void test_forked_child(void **state)
{
	struct rig *rig = *state;
	struct fake *fakes[] = { &rig->first, &rig->second };
	struct vaccel_session *legs[2];
	int status;
	pid_t child;

	for (int i = 0; i < 2; i++)
		assert_int_equal(open_at(rig, fakes[i]->uri, &legs[i]), VACCEL_OK);
	child = fork();
	if (child == 0)
		_exit(live_as_child(rig, legs));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	for (int i = 0; i < 2; i++) {
		rig_wait(&fakes[i]->closed, 1);
		assert_int_equal(fakes[i]->connections, 2);
		assert_int_equal((intptr_t)classify(legs[i]), VACCEL_OK);
		assert_int_equal(rig->core->leg_close(legs[i]), VACCEL_OK);
		assert_int_equal(fakes[i]->closed, 1);
	}
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_one_connection_to_each),
		RIG(test_only_our_own_are_told_the_way),
		RIG(test_probe),
		RIG(test_close_now),
		RIG(test_close_with_the_last_session),
		RIG(test_threads_share_a_failure),
		RIG(test_forked_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
