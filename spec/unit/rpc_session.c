/*
 * rpc_session.c - the rpc plugin's sessions: Hello, service names, addresses, errors.
 */
#include "error.pb-c.h"
#include "frame.h"
#include "peer.pb-c.h"
#include "rpc_fake.h"
#include "session.pb-c.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Checks are the test's own thread's, so a script notes down what the test then looks at. */
struct noted {
	uint32_t version, created_with, updated_to;
	uint64_t frame_max;
	int64_t updated;
	bool named;
};

static bool note_hello_and_flags(const struct fake_call *call)
{
	struct noted *noted = call->fake->user;

	if (strcmp(call->method, "Hello") == 0) {
		const Luaccel__V1__HelloRequest *hello =
			(const void *)fake_request(call, &luaccel__v1__hello_request__descriptor);

		noted->version = hello->version;
		noted->frame_max = hello->frame_max;
		noted->named = strstr(hello->build, "luaccel");
	}
	if (strcmp(call->method, "CreateSession") == 0) {
		const Vaccel__Session__CreateRequest *create = (const void *)fake_request(
			call, &vaccel__session__create_request__descriptor);

		noted->created_with = create->flags;
	}
	if (strcmp(call->method, "UpdateSession") == 0) {
		const Vaccel__Session__UpdateRequest *update = (const void *)fake_request(
			call, &vaccel__session__update_request__descriptor);

		noted->updated = update->session_id;
		noted->updated_to = update->flags;
	}
	return false;
}

static void test_life_of_a_session(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	struct noted noted = { 0 };
	/* Deprecated, and therefore fetched by name. */
	int (*update)(struct vaccel_session *, uint32_t);

	*(void **)&update = dlsym(RTLD_DEFAULT, "vaccel_session_update");
	assert_non_null(update);
	fake->script = note_hello_and_flags;
	fake->user = &noted;
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_GPU | VACCEL_PLUGIN_REMOTE),
			 VACCEL_OK);
	assert_int_equal(sess.remote_id, 1000);
	assert_true(sess.is_virtio);
	assert_int_equal(update(&sess, VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_REMOTE), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(noted.version, 1);
	assert_int_equal(noted.frame_max, TTRPC_FRAME_DEFAULT);
	assert_true(noted.named);
	assert_int_equal(noted.created_with, VACCEL_PLUGIN_GPU);
	assert_int_equal(noted.updated, 1000);
	assert_int_equal(noted.updated_to, VACCEL_PLUGIN_CPU);
	assert_int_equal(fake->hellos, 1);
	assert_int_equal(fake->updates, 1);
	assert_int_equal(fake->destroys, 1);
}

static void test_one_connection_is_kept_until_fini(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session first, second;

	assert_int_equal(fake->connections, 0);
	assert_int_equal(vaccel_session_init(&first, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&second, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&first), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&second), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&first, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&first), VACCEL_OK);
	assert_int_equal(fake->connections, 1);
	assert_int_equal(fake->closed, 0);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	rig_wait(&fake->closed, 1);
}

static void test_plain_peer(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	char text[64];

	fake->plain = true;
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(rig_classify(&sess, 10, text), VACCEL_OK);
	assert_string_equal(text, "10 bytes from 7");
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(fake->connections, 1);
}

static void test_hello_lowers_the_frame_limit(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	char text[64];

	fake->frame_max = 1024;
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(rig_classify(&sess, 500, text), VACCEL_OK);
	assert_int_equal(rig_classify(&sess, 2000, text), VACCEL_EINVAL);
	assert_non_null(strstr(rig_reason(), "ImageClassification of 200"));
	assert_non_null(strstr(rig_reason(), "may have 1024 bytes"));
	assert_int_equal(fake->classifies, 1);
	assert_int_equal(rig_classify(&sess, 500, text), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_async_service_name(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	char text[64];

	fake->plain = true;
	fake->service = FAKE_ASYNC;
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(rig_classify(&sess, 10, text), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(fake->creates, 1);
	assert_int_equal(fake->classifies, 1);
	assert_int_equal(fake->destroys, 1);
	/* asked for Hello and, once, for the other name */
	assert_int_equal(fake->refused, 2);
}

static void test_neither_service(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;

	fake->service = "some.other.Service";
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EIO);
	assert_string_equal(rig_reason(), "/" FAKE_SYNC "/CreateSession does not exist");
}

static bool has_no_classification(const struct fake_call *call)
{
	static const struct ttrpc_status absent = {
		.code = TTRPC_INVALID_ARGUMENT,
		.message = "/" FAKE_SYNC "/ImageClassification does not exist",
	};

	if (strcmp(call->method, "ImageClassification") != 0)
		return false;
	fake_fail(call, &absent);
	return true;
}

/* A peer that lacks a method keeps the name that it has answered to. */
static void test_missing_method_keeps_the_service(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	char text[64];

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	fake->script = has_no_classification;
	assert_int_equal(rig_classify(&sess, 10, text), VACCEL_EIO);
	fake->script = NULL;
	assert_int_equal(rig_classify(&sess, 10, text), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_nobody_there(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;

	setenv("VACCEL_RPC_ADDRESS", "unix:///nowhere/agent.sock", 1);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EBACKEND);
	assert_string_equal(rig_reason(),
			    "cannot reach the agent at unix:///nowhere/agent.sock: No such file or "
			    "directory; start vaccelrt-agent -a unix:///nowhere/agent.sock, or set "
			    "VACCEL_RPC_ADDRESS");
	setenv("VACCEL_RPC_ADDRESS", "carrier-pigeon://loft", 1);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EINVAL);
	assert_non_null(strstr(rig_reason(), "carrier-pigeon://loft"));
	setenv("VACCEL_RPC_ADDRESS", "tcp://no-such-name.invalid:1", 1);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EBACKEND);
	assert_non_null(strstr(rig_reason(), "cannot resolve tcp://no-such-name.invalid:1"));
	assert_int_equal(fake->connections, 0);
}

static void test_names_of_the_address(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;

	setenv("VACCEL_RPC_ADDRESS", "unix:///a", 1);
	setenv("VACCEL_RPC_ADDR", "unix:///b", 1);
	setenv("VACCEL_VSOCK", "unix:///c", 1);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EBACKEND);
	assert_non_null(strstr(rig_reason(), "agent at unix:///a:"));
	unsetenv("VACCEL_RPC_ADDRESS");
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EBACKEND);
	assert_non_null(strstr(rig_reason(), "agent at unix:///b:"));
	unsetenv("VACCEL_RPC_ADDR");
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EBACKEND);
	assert_non_null(strstr(rig_reason(), "agent at unix:///c:"));
	unsetenv("VACCEL_VSOCK");
	setenv("VACCEL_RPC_ADDRESS", fake->uri, 1);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

/* One failed call, and what the caller gets for it. */
struct failure {
	struct ttrpc_status status;
	int code;
	const char *reason;
};

#define DETAIL(bytes)                                                                              \
	.detail_type_url = "type.googleapis.com/vaccel.ProtoError",                                \
	.detail = (const uint8_t *)(bytes), .detail_size = sizeof(bytes) - 1

static const struct failure failures[] = {
	{ { TTRPC_NOT_FOUND, "Unknown session 7", NULL, NULL, 0 },
	  VACCEL_EIO,
	  "Unknown session 7" },
	{ { TTRPC_INTERNAL, "FFI error: 22", DETAIL("\x10\x16") }, VACCEL_EINVAL, "FFI error: 22" },
	{ { TTRPC_INTERNAL, "FFI error: 95", DETAIL("\x10\x5f") },
	  VACCEL_ENOTSUP,
	  "FFI error: 95" },
	/* FFI_WITH_STATUS: its message is the plain sentence */
	{ { TTRPC_PERMISSION_DENIED, "FFI error: 87 [over quota (87)]",
	    DETAIL("\x08\x01\x10\x57\x1a\x0e\x18\x57\x22\x0aover quota") },
	  VACCEL_EUSERS,
	  "over quota" },
	{ { TTRPC_INTERNAL, "FFI error: 1", DETAIL("\x08\x01\x10\x01\x1a\x00") },
	  VACCEL_EPERM,
	  "FFI error: 1" },
	/* other kinds, no code, a code that would be success, one that is no int */
	{ { TTRPC_INTERNAL, "Invalid argument: Invalid ID: 0",
	    DETAIL("\x08\x02\x1a\x0f\x22\x0dInvalid ID: 0") },
	  VACCEL_EBACKEND,
	  "Invalid ID: 0" },
	{ { TTRPC_INTERNAL, "Empty value", DETAIL("\x08\x05") }, VACCEL_EBACKEND, "Empty value" },
	{ { TTRPC_INTERNAL, "FFI error", DETAIL("\x08\x00") }, VACCEL_EBACKEND, "FFI error" },
	{ { TTRPC_INTERNAL, "fine", DETAIL("\x10\x00") }, VACCEL_EBACKEND, "fine" },
	{ { TTRPC_INTERNAL, "huge", DETAIL("\x10\xff\xff\xff\xff\x0f") }, VACCEL_EBACKEND, "huge" },
	/* a detail that is none; bytes that a terminal would obey */
	{ { TTRPC_INTERNAL, "garbage", DETAIL("\xff\xff\xff") }, VACCEL_EIO, "garbage" },
	{ { TTRPC_INTERNAL, "a\x1b[2Jb\nc", NULL, NULL, 0 }, VACCEL_EIO, "a [2Jb c" },
};

static bool fail_as_told(const struct fake_call *call)
{
	const struct failure *failure = call->fake->user;

	if (strcmp(call->method, "ImageClassification") != 0)
		return false;
	fake_fail(call, &failure->status);
	return true;
}

static void test_error_forms(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;
	char text[64];

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	fake->script = fail_as_told;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		fake->user = (void *)&failures[i];
		assert_int_equal(rig_classify(&sess, 10, text), failures[i].code);
		assert_string_equal(rig_reason(), failures[i].reason);
	}
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(fake->connections, 1);
}

static bool fail_without_a_word(const struct fake_call *call)
{
	static const struct ttrpc_status status = { .code = TTRPC_UNAVAILABLE };

	if (strcmp(call->method, "CreateSession") != 0)
		return false;
	fake_fail(call, &status);
	return true;
}

static void test_error_without_a_message(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;

	fake->script = fail_without_a_word;
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EIO);
	assert_non_null(strstr(rig_reason(), "refused CreateSession with status 14"));
	assert_non_null(strstr(rig_reason(), fake->uri));
}

static bool answer_no_id(const struct fake_call *call)
{
	Vaccel__Session__CreateResponse response = VACCEL__SESSION__CREATE_RESPONSE__INIT;

	if (strcmp(call->method, "CreateSession") != 0)
		return false;
	response.session_id = -3;
	fake_reply(call, &response.base);
	return true;
}

static void test_session_id_that_is_none(void **state)
{
	struct fake *fake = *state;
	struct vaccel_session sess;

	fake->script = answer_no_id;
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EBACKEND);
	assert_non_null(strstr(rig_reason(), "-3, which is no session"));
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_life_of_a_session),
		RIG(test_one_connection_is_kept_until_fini),
		RIG(test_plain_peer),
		RIG(test_hello_lowers_the_frame_limit),
		RIG(test_async_service_name),
		RIG(test_neither_service),
		RIG(test_missing_method_keeps_the_service),
		RIG(test_nobody_there),
		RIG(test_names_of_the_address),
		RIG(test_error_forms),
		RIG(test_error_without_a_message),
		RIG(test_session_id_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
