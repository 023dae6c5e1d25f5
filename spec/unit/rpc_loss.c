/*
 * rpc_loss.c - the rpc plugin's connection: lost, garbled, made anew, forked, shared by threads.
 */
#include "frame.h"
#include "rpc_fake.h"
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool leave_unanswered(const struct fake_call *call)
{
	return strcmp(call->method, "ImageClassification") == 0;
}

struct waiting {
	struct vaccel_session *sess;
	int ret;
	double ended;
	char reason[256];
};

static void *call_and_wait(void *arg)
{
	struct waiting *waiting = arg;
	char text[64];

	waiting->ret = rig_classify(waiting->sess, 10, text);
	waiting->ended = rig_seconds();
	luaccel_last_error(waiting->reason, sizeof(waiting->reason));
	return NULL;
}

static void test_lost_in_flight(void **state)
{
	enum { CALLS = 4 };
	struct fake *fake = *state;
	struct waiting waiting[CALLS];
	struct vaccel_session sess, other;
	pthread_t threads[CALLS];
	char text[64];
	double lost;

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	fake->script = leave_unanswered;
	for (int i = 0; i < CALLS; i++) {
		waiting[i].sess = &sess;
		assert_int_equal(pthread_create(&threads[i], NULL, call_and_wait, &waiting[i]), 0);
	}
	rig_wait(&fake->classifies, CALLS);
	lost = rig_seconds();
	fake_hang_up(fake);
	for (int i = 0; i < CALLS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(waiting[i].ret, VACCEL_ESESS);
		assert_true(waiting[i].ended - lost < 0.1);
		assert_non_null(strstr(waiting[i].reason, fake->uri));
		assert_non_null(strstr(waiting[i].reason, "open a new session"));
	}
	/* Later calls too, while a new session gets a new connection. */
	fake->script = NULL;
	assert_int_equal(rig_classify(&sess, 10, text), VACCEL_ESESS);
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(rig_classify(&other, 10, text), VACCEL_OK);
	assert_int_equal(rig_classify(&sess, 10, text), VACCEL_ESESS);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	assert_int_equal(fake->connections, 2);
	assert_int_equal(fake->destroys, 1);
}

/* The agent goes while nobody calls, and comes back. */
static void test_agent_restart(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess, kept;
	char text[64];

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&kept, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	fake_stop(fake);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EBACKEND);
	assert_int_equal(rig_classify(&kept, 10, text), VACCEL_ESESS);
	fake_listen(fake);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(rig_classify(&sess, 10, text), VACCEL_OK);
	luaccel_set_error("untouched");
	assert_int_equal(vaccel_session_release(&kept), VACCEL_OK);
	assert_string_equal(rig_reason(), "untouched");
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static bool hang_up_on_second_create(const struct fake_call *call)
{
	if (strcmp(call->method, "CreateSession") != 0 || call->fake->creates != 2)
		return false;
	fake_close(call);
	return true;
}

/* The time is for each call; the session goes on, and a late answer is nobody's. */
static void test_timeout(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	unsigned char tags[64];
	const double began = rig_seconds();

	setenv("LUACCEL_RPC_TIMEOUT", "0.05", 1);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	fake->script = leave_unanswered;
	assert_int_equal(vaccel_image_classification(&sess, "x", tags, NULL, 1, sizeof(tags), 0),
			 VACCEL_EIO);
	assert_true(rig_seconds() - began >= 0.05);
	assert_non_null(strstr(rig_reason(), "has not answered ImageClassification within 0.05 s"));
	fake->script = NULL;
	assert_int_equal(vaccel_image_classification(&sess, "x", tags, NULL, 1, sizeof(tags), 0),
			 VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	unsetenv("LUACCEL_RPC_TIMEOUT");
}

static void test_timeout_that_is_none(void **state)
{
	static const char *const wrong[] = { "soon", "1s", "-1", "0", "nan", "1e9" };
	struct vaccel_session sess;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setenv("LUACCEL_RPC_TIMEOUT", wrong[i], 1);
		assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EINVAL);
		assert_non_null(strstr(rig_reason(), "LUACCEL_RPC_TIMEOUT"));
	}
	unsetenv("LUACCEL_RPC_TIMEOUT");
}

/* Found lost by CreateSession itself: one more try, on a new connection, without a reason left. */
static void test_create_on_a_connection_that_dies(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess, second;

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	fake->script = hang_up_on_second_create;
	luaccel_set_error("untouched");
	assert_int_equal(vaccel_session_init(&second, 0), VACCEL_OK);
	assert_string_equal(rig_reason(), "untouched");
	assert_int_equal(fake->connections, 2);
	assert_int_equal(vaccel_session_release(&second), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static bool hang_up_on_create(const struct fake_call *call)
{
	if (strcmp(call->method, "CreateSession") != 0)
		return false;
	fake_close(call);
	return true;
}

/* An agent that hangs up on everybody is not tried for ever. */
static void test_agent_that_always_hangs_up(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;

	fake->script = hang_up_on_create;
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ESESS);
	assert_int_equal(fake->creates, 1);
}

/* Bytes that end the connection: the call's answer is these, and then the agent hangs up. */
static const struct {
	const char *bytes;
	size_t size;
	bool hangs_up;
} garbage[] = {
	/* half a header; a header alone; half a body */
	{ "\0\0\0\x10\0", 5, true },
	{ "\0\0\0\x10\0\0\0\x05\x02\0", 10, true },
	{ "\0\0\0\x10\0\0\0\x05\x02\0\x0a\0", 12, true },
	/* announces 4 GiB */
	{ "\xff\xff\xff\xff\0\0\0\x05\x02\0xyz", 13, false },
	{ "HTTP/1.1 400 Bad Request\r\n\r\n", 28, false },
};

static bool answer_garbage(const struct fake_call *call)
{
	size_t i = *(const size_t *)call->fake->user;

	if (strcmp(call->method, "ImageClassification") != 0)
		return false;
	fake_raw(call, garbage[i].bytes, garbage[i].size);
	if (garbage[i].hangs_up)
		fake_close(call);
	return true;
}

static void test_garbage_ends_the_connection(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	char text[64];

	fake->script = answer_garbage;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		fake->user = &i;
		assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
		assert_int_equal(rig_classify(&sess, 10, text), VACCEL_ESESS);
		assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
		assert_int_equal(fake->connections, i + 1);
	}
}

static bool answer_undecodable(const struct fake_call *call)
{
	/* a Response whose payload is a field that claims more than there is */
	static const char frame[] = "\x0a\0\x12\x02\x0a\x7f";
	uint8_t header[TTRPC_HEADER_SIZE];
	const struct ttrpc_frame_header fields = {
		.length = sizeof(frame) - 1,
		.stream_id = call->stream_id,
		.type = TTRPC_RESPONSE,
	};

	if (strcmp(call->method, "ImageClassification") != 0)
		return false;
	ttrpc_frame_header_pack(&fields, header);
	fake_raw(call, header, sizeof(header));
	fake_raw(call, frame, sizeof(frame) - 1);
	return true;
}

static void test_answer_that_does_not_decode(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	char text[64];

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	fake->script = answer_undecodable;
	assert_int_equal(rig_classify(&sess, 10, text), VACCEL_EIO);
	assert_non_null(strstr(rig_reason(), "does not decode"));
	fake->script = NULL;
	assert_int_equal(rig_classify(&sess, 10, text), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

/* In the child; its result is its exit status, since cmocka's checks are the parent's. */
static int live_as_child(struct vaccel_session *inherited)
{
	struct vaccel_session own;
	char text[64];

	if (rig_classify(inherited, 10, text) != VACCEL_ESESS)
		return 1;
	if (!strstr(rig_reason(), "open a session here"))
		return 2;
	if (vaccel_session_init(&own, 0) != VACCEL_OK)
		return 3;
	if (rig_classify(&own, 10, text) != VACCEL_OK || strcmp(text, "10 bytes from 7") != 0)
		return 4;
	if (vaccel_session_release(&own) != VACCEL_OK)
		return 5;
	if (vaccel_session_release(inherited) != VACCEL_OK)
		return 6;
	if (vaccel_cleanup() != VACCEL_OK)
		return 7;
	return 0;
}

static void test_forked_child(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	char text[64];
	int status;
	pid_t child;

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	child = fork();
	if (child == 0)
		_exit(live_as_child(&sess));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* The child's session came and went on a connection of its own; ours is as it was. */
	rig_wait(&fake->closed, 1);
	assert_int_equal(fake->connections, 2);
	assert_int_equal(fake->destroys, 1);
	assert_int_equal(rig_classify(&sess, 10, text), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(fake->closed, 1);
}

/* A child holds nothing of its parent's connection: the agent sees the parent leave. */
static void test_parent_leaves_before_its_child(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	int status, ends[2];
	pid_t child;
	char byte;

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[1]);
		/* until the parent is done */
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	assert_true(child > 0);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	rig_wait(&fake->closed, 1);
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(ends[0]);
}

static bool leave_first_hello(const struct fake_call *call)
{
	return strcmp(call->method, "Hello") == 0 && call->fake->hellos == 1;
}

static void *open_and_close(void *arg)
{
	struct vaccel_session sess;

	(void)arg;
	if (vaccel_session_init(&sess, 0) != VACCEL_OK)
		return "init";
	if (vaccel_session_release(&sess) != VACCEL_OK)
		return "release";
	return NULL;
}

/* Forked while another thread connects, with whatever it holds: the child is not stopped by it. */
static void test_fork_while_connecting(void **state)
{
	struct fake *fake = *state;
	double begun = rig_seconds();
	pthread_t thread;
	void *failed;
	int status;
	pid_t child;

	fake->script = leave_first_hello;
	assert_int_equal(pthread_create(&thread, NULL, open_and_close, NULL), 0);
	rig_wait(&fake->hellos, 1);
	child = fork();
	if (child == 0)
		_exit(open_and_close(NULL) == NULL ? 0 : 1);
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(rig_seconds() - begun < 3);
	/* A Hello that nobody answers makes a plain peer, later. */
	pthread_join(thread, &failed);
	assert_null(failed);
	assert_int_equal(fake->creates, 2);
}

static void *use_a_session(void *arg)
{
	enum { ROUNDS = 50 };
	struct vaccel_session sess;
	char text[64], expected[64];
	size_t size = *(const size_t *)arg;

	if (vaccel_session_init(&sess, 0) != VACCEL_OK)
		return "init";
	snprintf(expected, sizeof(expected), "%zu bytes from 7", size);
	for (int i = 0; i < ROUNDS; i++) {
		if (rig_classify(&sess, size, text) != VACCEL_OK || strcmp(text, expected) != 0)
			return "classify";
	}
	if (vaccel_session_release(&sess) != VACCEL_OK)
		return "release";
	return NULL;
}

static void test_threads_share_the_connection(void **state)
{
	enum { THREADS = 8 };
	struct fake *fake = *state;
	pthread_t threads[THREADS];
	size_t sizes[THREADS];
	void *failed;

	for (size_t i = 0; i < THREADS; i++) {
		sizes[i] = i * 100 + 1;
		assert_int_equal(pthread_create(&threads[i], NULL, use_a_session, &sizes[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(fake->connections, 1);
	assert_int_equal(fake->hellos, 1);
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_lost_in_flight),
		RIG(test_agent_restart),
		RIG(test_timeout),
		RIG(test_timeout_that_is_none),
		RIG(test_create_on_a_connection_that_dies),
		RIG(test_agent_that_always_hangs_up),
		RIG(test_garbage_ends_the_connection),
		RIG(test_answer_that_does_not_decode),
		RIG(test_forked_child),
		RIG(test_parent_leaves_before_its_child),
		RIG(test_fork_while_connecting),
		RIG(test_threads_share_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
