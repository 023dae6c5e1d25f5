/*
 * ttrpc_streams.c - calls of several messages: our client with our server, and our server with
 * peers that know less than they should.
 */
#include "cmocka_all.h"
#include "frame.h"
#include "ttrpc_rig.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_stream(struct ttrpc_client *client, const char *method, int64_t timeout_nano,
		       struct ttrpc_stream **stream)
{
	return ttrpc_stream_open(client, "test", method, NULL, true, timeout_nano, stream);
}

static int send_image(struct ttrpc_stream *stream, int64_t id, const void *image, size_t size)
{
	Vaccel__Image__Request message = VACCEL__IMAGE__REQUEST__INIT;

	message.session_id = id;
	message.image = (ProtobufCBinaryData){ .data = (uint8_t *)image, .len = size };
	return ttrpc_stream_send(stream, &message.base);
}

static int receive(struct ttrpc_stream *stream, struct ttrpc_answer *answer)
{
	return ttrpc_stream_receive(stream, &vaccel__image__response__descriptor, answer);
}

static void assert_tags(struct ttrpc_stream *stream, const void *bytes, size_t size)
{
	struct ttrpc_answer answer;

	assert_int_equal(receive(stream, &answer), 0);
	assert_int_equal(answer.status.code, TTRPC_OK);
	assert_int_equal(rig_tags(&answer)->len, size);
	if (size > 0)
		assert_memory_equal(rig_tags(&answer)->data, bytes, size);
	ttrpc_answer_release(&answer);
}

static int receive_status(struct ttrpc_stream *stream)
{
	struct ttrpc_answer answer;
	int code;

	assert_int_equal(receive(stream, &answer), 0);
	code = answer.status.code;
	ttrpc_answer_release(&answer);
	return code;
}

static void a_client_streams(void **state)
{
	enum { MESSAGES = 500, SIZE = 40000 };
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	uint8_t *sum = malloc((size_t)MESSAGES * SIZE);
	struct ttrpc_stream *stream;

	(void)state;
	assert_int_equal(open_stream(client, "Sum", 0, &stream), 0);
	for (int i = 0; i < MESSAGES; i++) {
		memset(sum + (size_t)i * SIZE, i, SIZE);
		assert_int_equal(send_image(stream, 0, sum + (size_t)i * SIZE, SIZE), 0);
	}
	assert_int_equal(ttrpc_stream_close(stream), 0);
	assert_tags(stream, sum, (size_t)MESSAGES * SIZE);
	ttrpc_stream_free(stream);
	/* none at all */
	assert_int_equal(open_stream(client, "Sum", 0, &stream), 0);
	assert_int_equal(ttrpc_stream_close(stream), 0);
	assert_tags(stream, "", 0);
	ttrpc_stream_free(stream);
	ttrpc_client_unref(client);
	free(sum);
	rig_stop(rig);
}

static void a_server_streams(void **state)
{
	enum { MESSAGES = 1000 };
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;
	struct ttrpc_stream *stream;
	struct ttrpc_answer answer;

	(void)state;
	request.session_id = MESSAGES;
	assert_int_equal(
		ttrpc_stream_open(client, "test", "Count", &request.base, false, 0, &stream), 0);
	for (int i = 0; i < MESSAGES; i++) {
		uint8_t number = (uint8_t)i;

		assert_tags(stream, &number, 1);
	}
	assert_int_equal(receive(stream, &answer), -ENODATA);
	assert_int_equal(receive(stream, &answer), -ENODATA);
	ttrpc_stream_free(stream);
	assert_true(rig_await(&rig->sent, MESSAGES));
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void both_stream(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	struct ttrpc_stream *stream, *second;
	struct ttrpc_answer answer;

	(void)state;
	assert_int_equal(open_stream(client, "Chat", 0, &stream), 0);
	assert_int_equal(open_stream(client, "Chat", 0, &second), 0);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(send_image(stream, 0, &i, sizeof(i)), 0);
		assert_int_equal(send_image(second, 0, "", 0), 0);
		assert_tags(stream, &i, sizeof(i));
		assert_tags(second, "", 0);
	}
	/* a unary call beside them */
	assert_int_equal(rig_call(client, "Echo", 0, "x", 1, 0, &answer), 0);
	ttrpc_answer_release(&answer);
	assert_int_equal(ttrpc_stream_close(stream), 0);
	assert_int_equal(receive(stream, &answer), -ENODATA);
	ttrpc_stream_free(stream);
	assert_int_equal(send_image(second, TTRPC_ABORTED, "", 0), 0);
	assert_int_equal(receive_status(second), TTRPC_ABORTED);
	assert_int_equal(send_image(second, 0, "", 0), -EPIPE);
	ttrpc_stream_free(second);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

/* All messages are sent before one is received: they wait on our side, and on the server's. */
static void messages_wait(void **state)
{
	enum { MESSAGES = 1000 };
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	uint8_t *image = calloc(1, 5000);
	struct ttrpc_stream *stream;

	(void)state;
	assert_int_equal(open_stream(client, "Chat", 0, &stream), 0);
	for (int i = 0; i < MESSAGES; i++) {
		image[0] = (uint8_t)i;
		assert_int_equal(send_image(stream, 0, image, 5000), 0);
	}
	assert_int_equal(ttrpc_stream_close(stream), 0);
	for (int i = 0; i < MESSAGES; i++) {
		image[0] = (uint8_t)i;
		assert_tags(stream, image, 5000);
	}
	ttrpc_stream_free(stream);
	ttrpc_client_unref(client);
	free(image);
	rig_stop(rig);
}

static void a_stream_that_nobody_receives_from_ends_alone(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 100000);
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;
	struct ttrpc_stream *stream;
	struct ttrpc_answer answer;
	int err;

	(void)state;
	request.session_id = 10000;
	assert_int_equal(
		ttrpc_stream_open(client, "test", "Count", &request.base, false, 0, &stream), 0);
	/* The answers of these calls come behind the stream's messages. */
	while (rig->sent < 10000) {
		assert_int_equal(rig_call(client, "Echo", 0, "x", 1, 0, &answer), 0);
		ttrpc_answer_release(&answer);
	}
	assert_int_equal(rig_call(client, "Echo", 0, "x", 1, 0, &answer), 0);
	ttrpc_answer_release(&answer);
	while ((err = receive(stream, &answer)) == 0)
		ttrpc_answer_release(&answer);
	assert_int_equal(err, -ENOBUFS);
	ttrpc_stream_free(stream);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void a_stream_may_be_left(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;
	struct ttrpc_stream *stream;
	struct ttrpc_answer answer;

	(void)state;
	request.session_id = 1000;
	assert_int_equal(
		ttrpc_stream_open(client, "test", "Count", &request.base, false, 0, &stream), 0);
	assert_tags(stream, "", 1);
	ttrpc_stream_free(stream);
	assert_int_equal(rig_call(client, "Echo", 0, "x", 1, 0, &answer), 0);
	ttrpc_answer_release(&answer);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void a_stream_has_a_deadline(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	struct ttrpc_stream *stream;
	struct ttrpc_answer answer;
	int64_t began = now_ms();
	int result;

	(void)state;
	assert_int_equal(open_stream(client, "Chat", -1, &stream), -ETIMEDOUT);
	assert_int_equal(open_stream(client, "Chat", 50 * 1000000, &stream), 0);
	/* Both ends watch it, and either may be the first to say that it has passed. */
	result = receive(stream, &answer);
	assert_in_range(now_ms() - began, 50, 2000);
	if (!result) {
		assert_int_equal(answer.status.code, TTRPC_DEADLINE_EXCEEDED);
		ttrpc_answer_release(&answer);
	} else {
		assert_int_equal(result, -ETIMEDOUT);
	}
	ttrpc_stream_free(stream);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void a_lost_connection_ends_streams(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	struct ttrpc_stream *stream;
	struct ttrpc_answer answer;

	(void)state;
	assert_int_equal(open_stream(client, "Chat", 0, &stream), 0);
	assert_int_equal(send_image(stream, 0, "x", 1), 0);
	assert_tags(stream, "x", 1);
	rig_close_all(rig);
	assert_int_equal(receive(stream, &answer), -ECONNRESET);
	assert_int_equal(send_image(stream, 0, "x", 1), -ECONNRESET);
	ttrpc_stream_free(stream);
	ttrpc_client_unref(client);
	assert_int_equal(rig->cut, 1);
	rig_stop(rig);
}

/* From here on: bytes by hand. */

static void begin_raw(int fd, uint32_t id, const char *method, uint8_t flags)
{
	uint8_t frame[128];
	size_t size = raw_request(frame, sizeof(frame), id, method, 0, NULL, 0);

	frame[9] = flags;
	raw_send(fd, frame, size);
}

/* An image.Request of one byte. */
static const uint8_t IMAGE[] = { 0x12, 1, 'x' };

static void data_raw(int fd, uint32_t id, uint8_t flags)
{
	raw_frame(fd, id, TTRPC_DATA, flags, IMAGE, flags & TTRPC_NO_DATA ? 0 : sizeof(IMAGE));
}

static size_t sum_raw(int fd, uint32_t stream_id)
{
	uint32_t id;
	Ttrpc__Response *response = raw_response(fd, &id);
	size_t size = response->payload.len;

	assert_int_equal(id, stream_id);
	assert_int_equal(response->status->code, TTRPC_OK);
	ttrpc__response__free_unpacked(response, NULL);
	return size > 2 ? size - 2 : 0; /* tag and length of the tags */
}

static void ends_come_in_each_form(void **state)
{
	const uint8_t open = TTRPC_REMOTE_OPEN;
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[128];
	size_t size;

	(void)state;
	/* a last message with data; a close without; a message with neither data nor the flag */
	begin_raw(fd, 1, "Sum", open | TTRPC_NO_DATA);
	data_raw(fd, 1, 0);
	data_raw(fd, 1, TTRPC_REMOTE_CLOSED);
	assert_int_equal(sum_raw(fd, 1), 2);
	begin_raw(fd, 3, "Sum", open);
	data_raw(fd, 3, TTRPC_REMOTE_CLOSED | TTRPC_NO_DATA);
	assert_int_equal(sum_raw(fd, 3), 0);
	begin_raw(fd, 5, "Sum", open);
	raw_frame(fd, 5, TTRPC_DATA, 0, NULL, 0);
	data_raw(fd, 5, TTRPC_NO_DATA);
	data_raw(fd, 5, TTRPC_REMOTE_CLOSED);
	assert_int_equal(sum_raw(fd, 5), 1);
	/* the request's own payload is the first message */
	size = raw_request(frame, sizeof(frame), 7, "Sum", 0, "ab", 2);
	frame[9] = open;
	raw_send(fd, frame, size);
	data_raw(fd, 7, TTRPC_REMOTE_CLOSED);
	assert_int_equal(sum_raw(fd, 7), 3);
	/* a request that says that nothing follows */
	begin_raw(fd, 9, "Sum", TTRPC_REMOTE_CLOSED);
	assert_int_equal(sum_raw(fd, 9), 0);
	close(fd);
	rig_stop(rig);
}

static void data_for_no_stream_is_skipped(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[128];

	(void)state;
	for (int i = 0; i < 40; i++)
		data_raw(fd, 1, TTRPC_REMOTE_CLOSED);
	raw_send(fd, frame, raw_request(frame, sizeof(frame), 1, "Hold", 0, "x", 1));
	assert_true(rig_await(&rig->nr_held, 1));
	data_raw(fd, 1, 0);
	rig_answer_held(rig);
	assert_int_equal(raw_status(fd, 1, NULL, 0), TTRPC_OK);
	/* after the end */
	begin_raw(fd, 3, "Sum", TTRPC_REMOTE_OPEN);
	data_raw(fd, 3, TTRPC_REMOTE_CLOSED);
	data_raw(fd, 3, 0);
	assert_int_equal(sum_raw(fd, 3), 1);
	data_raw(fd, 3, 0);
	begin_raw(fd, 5, "Sum", TTRPC_REMOTE_CLOSED);
	assert_int_equal(sum_raw(fd, 5), 0);
	close(fd);
	rig_stop(rig);
}

static void breaches_end_their_stream(void **state)
{
	const struct ttrpc_server_limits limits = { .frame_max = 1000 };
	struct rig *rig = rig_start(&limits, NULL);
	int fd = raw_connect(rig);
	uint8_t large[1500] = { 0 };
	char message[160];

	(void)state;
	begin_raw(fd, 1, "Sum", TTRPC_REMOTE_OPEN | TTRPC_REMOTE_CLOSED);
	assert_int_equal(raw_status(fd, 1, message, sizeof(message)), TTRPC_INVALID_ARGUMENT);
	begin_raw(fd, 3, "Sum", TTRPC_REMOTE_OPEN);
	raw_frame(fd, 3, TTRPC_DATA, TTRPC_NO_DATA, IMAGE, sizeof(IMAGE));
	assert_int_equal(raw_status(fd, 3, message, sizeof(message)), TTRPC_INVALID_ARGUMENT);
	begin_raw(fd, 5, "Sum", TTRPC_REMOTE_OPEN);
	raw_frame(fd, 5, TTRPC_DATA, 0, large, sizeof(large));
	assert_int_equal(raw_status(fd, 5, message, sizeof(message)), TTRPC_INVALID_ARGUMENT);
	assert_string_equal(message, "message length 1500 exceed maximum message size of 1000");
	begin_raw(fd, 7, "Sum", TTRPC_REMOTE_OPEN);
	raw_frame(fd, 7, TTRPC_DATA, 0, "\xff", 1);
	assert_int_equal(raw_status(fd, 7, message, sizeof(message)), TTRPC_INVALID_ARGUMENT);
	assert_string_equal(message, "that is no image");
	begin_raw(fd, 9, "Sum", TTRPC_REMOTE_OPEN);
	data_raw(fd, 9, TTRPC_REMOTE_CLOSED);
	assert_int_equal(sum_raw(fd, 9), 1);
	assert_int_equal(rig->cut, 2);
	close(fd);
	rig_stop(rig);
}

static void numbers_of_streams_are_odd_and_rise(void **state)
{
	static const struct {
		uint32_t id;
		const char *refusal;
	} table[] = {
		{ 0, "StreamID must be odd for client initiated streams" },
		{ 2, "StreamID must be odd for client initiated streams" },
		{ 201, NULL },
		{ 201, "StreamID cannot be re-used and must increment" },
		{ 199, NULL }, /* threads that share a connection may be a little late */
		{ 199, "StreamID cannot be re-used and must increment" },
		{ 1, "StreamID cannot be re-used and must increment" },
		{ 75, NULL },
		{ 73, "StreamID cannot be re-used and must increment" },
		{ 203, NULL },
		{ 201, "StreamID cannot be re-used and must increment" },
		{ 199, "StreamID cannot be re-used and must increment" },
		{ 0xffffffff, NULL },
		{ 203, "StreamID cannot be re-used and must increment" },
		{ 0xfffffffd, NULL },
	};
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	char message[160];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		begin_raw(fd, table[i].id, "Sum", TTRPC_REMOTE_CLOSED);
		if (!table[i].refusal) {
			assert_int_equal(sum_raw(fd, table[i].id), 0);
			continue;
		}
		assert_int_equal(raw_status(fd, table[i].id, message, sizeof(message)),
				 TTRPC_INVALID_ARGUMENT);
		assert_string_equal(message, table[i].refusal);
	}
	/* there were nine: the sixteenth closes */
	for (int i = 0; i < 7; i++)
		begin_raw(fd, 2, "Sum", TTRPC_REMOTE_CLOSED);
	assert_true(rig_await(&rig->closed, 1));
	assert_string_equal(rig->reason, "protocol");
	close(fd);
	rig_stop(rig);
}

static void a_stream_that_nobody_takes_from_is_cut_alone(void **state)
{
	const struct ttrpc_server_limits limits = { .stream_timeout = 0.1 };
	struct rig *rig = rig_start(&limits, NULL);
	int fd = raw_connect(rig);
	char message[160];

	(void)state;
	begin_raw(fd, 1, "Idle", TTRPC_REMOTE_OPEN);
	for (int i = 0; i < 100; i++)
		data_raw(fd, 1, 0);
	begin_raw(fd, 3, "Sum", TTRPC_REMOTE_OPEN);
	data_raw(fd, 3, TTRPC_REMOTE_CLOSED);
	assert_int_equal(raw_status(fd, 1, message, sizeof(message)), TTRPC_RESOURCE_EXHAUSTED);
	assert_string_equal(message, "nobody takes the messages of this stream");
	assert_int_equal(sum_raw(fd, 3), 1);
	assert_int_equal(rig->cut, 1);
	close(fd);
	rig_stop(rig);
}

/* Streams that never end may not stop their connection; the largest goes. */
static void streams_hold_no_more_than_may_be_held(void **state)
{
	const struct ttrpc_server_limits limits = { .held_max = 100000 };
	struct rig *rig = rig_start(&limits, NULL);
	int fd = raw_connect(rig);
	uint8_t *image = calloc(1, 20000);
	const uint8_t head[] = { 0x12, 0x9c, 0x9c, 1 };
	char message[160];

	(void)state;
	memcpy(image, head, sizeof(head));
	begin_raw(fd, 1, "Sum", TTRPC_REMOTE_OPEN);
	begin_raw(fd, 3, "Sum", TTRPC_REMOTE_OPEN);
	raw_frame(fd, 3, TTRPC_DATA, 0, image, 20000);
	for (int i = 0; i < 6; i++)
		raw_frame(fd, 1, TTRPC_DATA, 0, image, 20000);
	assert_int_equal(raw_status(fd, 1, message, sizeof(message)), TTRPC_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(message, "limit held"));
	data_raw(fd, 3, TTRPC_REMOTE_CLOSED);
	assert_int_equal(raw_status(fd, 3, NULL, 0), TTRPC_OK);
	assert_int_equal(rig->cut, 1);
	free(image);
	close(fd);
	rig_stop(rig);
}

static void open_streams_are_limited_and_do_not_stop_calls(void **state)
{
	const struct ttrpc_server_limits limits = { .streams_max = 4 };
	struct rig *rig = rig_start(&limits, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[128];
	char message[160];

	(void)state;
	for (uint32_t id = 1; id < 9; id += 2)
		begin_raw(fd, id, "Sum", TTRPC_REMOTE_OPEN);
	begin_raw(fd, 9, "Sum", TTRPC_REMOTE_OPEN);
	assert_int_equal(raw_status(fd, 9, message, sizeof(message)), TTRPC_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(message, "limit streams"));
	raw_send(fd, frame, raw_request(frame, sizeof(frame), 11, "Echo", 0, "x", 1));
	assert_int_equal(raw_status(fd, 11, NULL, 0), TTRPC_OK);
	data_raw(fd, 3, TTRPC_REMOTE_CLOSED);
	assert_int_equal(sum_raw(fd, 3), 1);
	begin_raw(fd, 13, "Sum", TTRPC_REMOTE_OPEN);
	data_raw(fd, 13, TTRPC_REMOTE_CLOSED);
	assert_int_equal(sum_raw(fd, 13), 1);
	close(fd);
	rig_stop(rig);
}

static void a_peer_that_left_amid_streams_leaves_nothing(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	int fd;

	(void)state;
	for (int round = 0; round < 50; round++) {
		fd = raw_connect(rig);
		begin_raw(fd, 1, "Sum", TTRPC_REMOTE_OPEN);
		begin_raw(fd, 3, "Chat", TTRPC_REMOTE_OPEN);
		begin_raw(fd, 5, "Idle", TTRPC_REMOTE_OPEN);
		for (int i = 0; i < round; i++)
			data_raw(fd, 1 + 2 * (uint32_t)(i % 3), 0);
		close(fd);
	}
	assert_true(rig_await(&rig->closed, 50));
	rig_stop(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_streams),
		cmocka_unit_test(a_server_streams),
		cmocka_unit_test(both_stream),
		cmocka_unit_test(messages_wait),
		cmocka_unit_test(a_stream_that_nobody_receives_from_ends_alone),
		cmocka_unit_test(a_stream_may_be_left),
		cmocka_unit_test(a_stream_has_a_deadline),
		cmocka_unit_test(a_lost_connection_ends_streams),
		cmocka_unit_test(ends_come_in_each_form),
		cmocka_unit_test(data_for_no_stream_is_skipped),
		cmocka_unit_test(breaches_end_their_stream),
		cmocka_unit_test(numbers_of_streams_are_odd_and_rise),
		cmocka_unit_test(a_stream_that_nobody_takes_from_is_cut_alone),
		cmocka_unit_test(streams_hold_no_more_than_may_be_held),
		cmocka_unit_test(open_streams_are_limited_and_do_not_stop_calls),
		cmocka_unit_test(a_peer_that_left_amid_streams_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
