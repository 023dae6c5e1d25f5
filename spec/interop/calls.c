/*
 * calls.c - our client calls a server of containerd's ttrpc, at the address in INTEROP_ADDRESS
 * (spec/interop/go, `goport serve`).
 */
#include "address.h"
#include "client.h"
#include "cmocka_all.h"
#include "frame.h"
#include "image.pb-c.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, MILLISECOND = 1000000 };

static struct ttrpc_address server;

static struct ttrpc_client *connect_client(size_t frame_max)
{
	const struct ttrpc_client_options options = { .frame_max = frame_max };
	struct ttrpc_client *client;
	char err[256];

	if (ttrpc_client_new(&server, &options, &client, err, sizeof(err)))
		fail_msg("%s", err);
	return client;
}

static uint8_t *pattern(size_t size)
{
	uint8_t *bytes = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 4096);
	return bytes;
}

static int call(struct ttrpc_client *client, const char *method, int64_t id, const void *image,
		size_t size, int64_t timeout_nano, struct ttrpc_answer *answer)
{
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;

	request.session_id = id;
	request.image = (ProtobufCBinaryData){ .data = (uint8_t *)image, .len = size };
	return ttrpc_client_call(client, "test", method, &request.base,
				 &vaccel__image__response__descriptor, timeout_nano, answer);
}

/* The answer is a success with these tags, and is released. */
static bool has_tags(struct ttrpc_answer *answer, const void *bytes, size_t size)
{
	const Vaccel__Image__Response *response = (const Vaccel__Image__Response *)answer->response;
	bool right = answer->status.code == TTRPC_OK && response->tags.len == size &&
		     (size == 0 || memcmp(response->tags.data, bytes, size) == 0);

	ttrpc_answer_release(answer);
	return right;
}

static bool echo(struct ttrpc_client *client, size_t size)
{
	uint8_t *image = pattern(size);
	struct ttrpc_answer answer;
	bool right = call(client, "Echo", 0, image, size, 0, &answer) == 0 &&
		     has_tags(&answer, image, size);

	free(image);
	return right;
}

static int status_of(struct ttrpc_answer *answer)
{
	int code = answer->status.code;

	ttrpc_answer_release(answer);
	return code;
}

static void unary(void **state)
{
	struct ttrpc_client *client = connect_client(0);

	(void)state;
	for (size_t size = 0; size < 1000; size++)
		assert_true(echo(client, size));
	assert_true(echo(client, 4 * MIB - 1000));
	ttrpc_client_unref(client);
}

static void *echo_often(void *client)
{
	for (size_t i = 0; i < 100; i++) {
		if (!echo(client, i * 500))
			return NULL;
	}
	return client;
}

static void unary_at_once(void **state)
{
	struct ttrpc_client *client = connect_client(0);
	pthread_t threads[16];
	void *result;

	(void)state;
	for (size_t i = 0; i < 16; i++)
		pthread_create(&threads[i], NULL, echo_often, client);
	for (size_t i = 0; i < 16; i++) {
		pthread_join(threads[i], &result);
		assert_non_null(result);
	}
	ttrpc_client_unref(client);
}

static void failures(void **state)
{
	struct ttrpc_client *client = connect_client(0);
	struct ttrpc_answer answer;

	(void)state;
	for (int code = TTRPC_CANCELLED; code <= TTRPC_UNAVAILABLE; code++) {
		assert_int_equal(call(client, "Fail", code, "", 0, 0, &answer), 0);
		assert_string_equal(answer.status.message, "no");
		assert_int_equal(status_of(&answer), code);
	}
	assert_int_equal(call(client, "None", 0, "", 0, 0, &answer), 0);
	assert_int_equal(status_of(&answer), TTRPC_UNIMPLEMENTED);
	assert_int_equal(ttrpc_client_call(client, "none", "Echo", NULL,
					   &vaccel__image__response__descriptor, 0, &answer),
			 0);
	assert_int_equal(status_of(&answer), TTRPC_UNIMPLEMENTED);
	assert_true(echo(client, 1));
	ttrpc_client_unref(client);
}

static void oversize(void **state)
{
	struct ttrpc_client *client = connect_client(0);
	struct ttrpc_client *small = connect_client(MIB);
	uint8_t *image = pattern(5 * MIB);
	struct ttrpc_answer answer;

	(void)state;
	/* more than it takes */
	assert_int_equal(call(client, "Echo", 0, image, 5 * MIB, 0, &answer), 0);
	assert_non_null(strstr(answer.status.message, "exceed maximum message size of 4194304"));
	assert_int_equal(status_of(&answer), TTRPC_RESOURCE_EXHAUSTED);
	assert_true(echo(client, 1));
	/* more than we send; more than we take */
	assert_int_equal(call(small, "Echo", 0, image, 5 * MIB, 0, &answer), -EMSGSIZE);
	assert_int_equal(call(small, "Large", 2 * MIB, "", 0, 0, &answer), -EBADMSG);
	assert_true(echo(small, 1));
	free(image);
	ttrpc_client_unref(small);
	ttrpc_client_unref(client);
}

static void deadlines(void **state)
{
	struct ttrpc_client *client = connect_client(0);
	struct ttrpc_answer answer;
	int err;

	(void)state;
	assert_int_equal(call(client, "Later", 50, "x", 1, (int64_t)5000 * MILLISECOND, &answer),
			 0);
	assert_true(has_tags(&answer, "x", 1));
	/* the peer is told of the deadline too: whichever comes first */
	err = call(client, "Later", 5000, "x", 1, (int64_t)100 * MILLISECOND, &answer);
	if (!err)
		assert_int_equal(status_of(&answer), TTRPC_DEADLINE_EXCEEDED);
	else
		assert_int_equal(err, -ETIMEDOUT);
	assert_true(echo(client, 1));
	ttrpc_client_unref(client);
}

static int send_image(struct ttrpc_stream *stream, int64_t id, const void *image, size_t size)
{
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;

	request.session_id = id;
	request.image = (ProtobufCBinaryData){ .data = (uint8_t *)image, .len = size };
	return ttrpc_stream_send(stream, &request.base);
}

static int receive(struct ttrpc_stream *stream, struct ttrpc_answer *answer)
{
	return ttrpc_stream_receive(stream, &vaccel__image__response__descriptor, answer);
}

static struct ttrpc_stream *begin(struct ttrpc_client *client, const char *method)
{
	struct ttrpc_stream *stream;

	assert_int_equal(ttrpc_stream_open(client, "test", method, NULL, true, 0, &stream), 0);
	return stream;
}

static void client_streaming(void **state)
{
	enum { MESSAGES = 100, SIZE = 40000 };
	struct ttrpc_client *client = connect_client(0);
	uint8_t *image = pattern((size_t)MESSAGES * SIZE);
	struct ttrpc_stream *stream = begin(client, "Sum");
	struct ttrpc_answer answer;

	(void)state;
	for (size_t i = 0; i < MESSAGES; i++)
		assert_int_equal(send_image(stream, 0, image + i * SIZE, SIZE), 0);
	assert_int_equal(ttrpc_stream_close(stream), 0);
	assert_int_equal(receive(stream, &answer), 0);
	assert_true(has_tags(&answer, image, (size_t)MESSAGES * SIZE));
	ttrpc_stream_free(stream);
	stream = begin(client, "Sum");
	assert_int_equal(ttrpc_stream_close(stream), 0);
	assert_int_equal(receive(stream, &answer), 0);
	assert_true(has_tags(&answer, "", 0));
	ttrpc_stream_free(stream);
	free(image);
	ttrpc_client_unref(client);
}

static void server_streaming(void **state)
{
	struct ttrpc_client *client = connect_client(0);
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;
	struct ttrpc_stream *stream;
	struct ttrpc_answer answer;

	(void)state;
	for (request.session_id = 0; request.session_id < 600; request.session_id += 299) {
		assert_int_equal(ttrpc_stream_open(client, "test", "Count", &request.base, false, 0,
						   &stream),
				 0);
		for (int64_t i = 0; i < request.session_id; i++) {
			const uint8_t number = (uint8_t)i;

			assert_int_equal(receive(stream, &answer), 0);
			assert_true(has_tags(&answer, &number, 1));
		}
		assert_int_equal(receive(stream, &answer), -ENODATA);
		ttrpc_stream_free(stream);
	}
	ttrpc_client_unref(client);
}

static void both_streaming(void **state)
{
	struct ttrpc_client *client = connect_client(0);
	struct ttrpc_stream *first = begin(client, "Chat"), *second = begin(client, "Chat");
	struct ttrpc_answer answer;

	(void)state;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(send_image(first, 0, &i, sizeof(i)), 0);
		assert_int_equal(send_image(second, 0, "", 0), 0);
		assert_int_equal(receive(second, &answer), 0);
		assert_true(has_tags(&answer, "", 0));
		assert_int_equal(receive(first, &answer), 0);
		assert_true(has_tags(&answer, &i, sizeof(i)));
	}
	assert_true(echo(client, 1000));
	assert_int_equal(ttrpc_stream_close(first), 0);
	assert_int_equal(receive(first, &answer), -ENODATA);
	assert_int_equal(send_image(second, TTRPC_ABORTED, "", 0), 0);
	assert_int_equal(receive(second, &answer), 0);
	assert_int_equal(status_of(&answer), TTRPC_ABORTED);
	ttrpc_stream_free(first);
	ttrpc_stream_free(second);
	ttrpc_client_unref(client);
}

/* A frame that is no ttrpc.Request: the peer says so on its stream. */
static void malformed(void **state)
{
	static const uint8_t frame[] = { 0, 0, 0, 2, 0, 0, 0, 1, TTRPC_REQUEST, 0, 0x0a, 0x7f };
	uint8_t header[TTRPC_HEADER_SIZE];
	struct ttrpc_frame_header answer;
	int fd = ttrpc_address_connect(&server, 1000, NULL, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(send(fd, frame, sizeof(frame), MSG_NOSIGNAL), sizeof(frame));
	assert_int_equal(recv(fd, header, sizeof(header), MSG_WAITALL), sizeof(header));
	ttrpc_frame_header_unpack(header, &answer);
	assert_int_equal(answer.type, TTRPC_RESPONSE);
	assert_int_equal(answer.stream_id, 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unary),
		cmocka_unit_test(unary_at_once),
		cmocka_unit_test(failures),
		cmocka_unit_test(oversize),
		cmocka_unit_test(deadlines),
		cmocka_unit_test(client_streaming),
		cmocka_unit_test(server_streaming),
		cmocka_unit_test(both_streaming),
		cmocka_unit_test(malformed),
	};
	const char *address = getenv("INTEROP_ADDRESS");
	int failed;

	if (!address || ttrpc_address_parse(address, &server, NULL, 0))
		return 2;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	ttrpc_address_release(&server);
	return failed;
}
