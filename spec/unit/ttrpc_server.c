/*
 * ttrpc_server.c - the serving end against peers of every kind, byte by byte.
 */
#include "cmocka_all.h"
#include "frame.h"
#include "ttrpc_rig.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void answers_the_bytes_of_an_existing_client(void **state)
{
	/* Captured: session_init(7). Header and body came in two sends. */
	static const char header[] = "\x00\x00\x00\x33\x00\x00\x00\x01\x01\x00";
	static const char body[] = "\x0a\x1e"
				   "vaccel.sync.agent.AgentService"
				   "\x12\x0d"
				   "CreateSession"
				   "\x1a\x02\x08\x07";
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	char message[128];

	(void)state;
	raw_send(fd, header, sizeof(header) - 1);
	poll(NULL, 0, 5);
	raw_send(fd, body, sizeof(body) - 1);
	assert_int_equal(raw_status(fd, 1, message, sizeof(message)), TTRPC_INVALID_ARGUMENT);
	assert_string_equal(message,
			    "/vaccel.sync.agent.AgentService/CreateSession does not exist");
	assert_true(rig_await(&rig->requests, 1));
	assert_string_equal(rig->service, "vaccel.sync.agent.AgentService");
	assert_string_equal(rig->method, "CreateSession");
	assert_int_equal(rig->payload_size, 2);
	assert_memory_equal(rig->payload, "\x08\x07", 2);
	close(fd);
	rig_stop(rig);
}

static void success_has_an_empty_status_and_comes_in_one_piece(void **state)
{
	static const uint8_t expected[] = { 0, 0,  0, 8,    0, 0,    0, 5,   2,
					    0, 10, 0, 0x12, 4, 0x0a, 2, 'h', 'i' };
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[128], answer[64];

	(void)state;
	raw_send(fd, frame, raw_request(frame, sizeof(frame), 5, "Echo", 0, "hi", 2));
	assert_int_equal(recv(fd, answer, sizeof(answer), 0), sizeof(expected));
	assert_memory_equal(answer, expected, sizeof(expected));
	close(fd);
	rig_stop(rig);
}

static void frames_may_be_cut_anywhere(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[128];
	size_t size = raw_request(frame, sizeof(frame), 1, "Echo", 3, "image", 5);

	(void)state;
	for (size_t cut = 1; cut < size; cut++) {
		raw_send(fd, frame, cut);
		/* Lets the server see the first part alone. */
		rig_stats(rig);
		raw_send(fd, frame + cut, size - cut);
		assert_int_equal(raw_status(fd, 1, NULL, 0), TTRPC_OK);
	}
	for (size_t i = 0; i < size; i++) {
		raw_send(fd, frame + i, 1);
		rig_stats(rig);
	}
	assert_int_equal(raw_status(fd, 1, NULL, 0), TTRPC_OK);
	close(fd);
	rig_stop(rig);
}

static void many_frames_in_one_write(void **state)
{
	enum { FRAMES = 2000 };
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	uint8_t *frames = malloc(FRAMES * 64), *at = frames;

	(void)state;
	for (uint32_t i = 0; i < FRAMES; i++)
		at += raw_request(at, 64, 2 * i + 1, "Echo", 0, "x", 1);
	raw_send(fd, frames, (size_t)(at - frames));
	for (uint32_t i = 0; i < FRAMES; i++)
		assert_int_equal(raw_status(fd, 2 * i + 1, NULL, 0), TTRPC_OK);
	free(frames);
	close(fd);
	rig_stop(rig);
}

static void oversize_is_refused_and_skipped(void **state)
{
	const struct ttrpc_server_limits limits = { .frame_max = 1000 };
	struct rig *rig = rig_start(&limits, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[2100];
	char message[128];

	(void)state;
	memset(frame, 'x', sizeof(frame));
	raw_frame(fd, 1, TTRPC_REQUEST, 0, frame, sizeof(frame));
	assert_int_equal(raw_status(fd, 1, message, sizeof(message)), TTRPC_INVALID_ARGUMENT);
	assert_string_equal(message, "message length 2100 exceed maximum message size of 1000");
	raw_send(fd, frame, raw_request(frame, sizeof(frame), 3, "Echo", 0, "x", 1));
	assert_int_equal(raw_status(fd, 3, NULL, 0), TTRPC_OK);
	close(fd);
	rig_stop(rig);
}

static void more_than_a_gigabyte_closes(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);

	(void)state;
	raw_send(fd, "\x40\x00\x00\x01\x00\x00\x00\x01\x01\x00", 10);
	assert_true(raw_at_end(fd));
	assert_true(rig_await(&rig->closed, 1));
	assert_string_equal(rig->reason, "protocol");
	close(fd);
	rig_stop(rig);
}

static void other_frames_are_ignored(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[128];

	(void)state;
	raw_frame(fd, 1, TTRPC_DATA, 0, "data", 4);
	raw_frame(fd, 1, TTRPC_RESPONSE, 0, "\x0a\x00", 2);
	raw_frame(fd, 1, 77, 0xff, NULL, 0);
	raw_send(fd, frame, raw_request(frame, sizeof(frame), 0, "Echo", 0, "x", 1));
	assert_int_equal(raw_status(fd, 0, NULL, 0), TTRPC_OK);
	close(fd);
	rig_stop(rig);
}

static void refusals_leave_the_connection_usable(void **state)
{
	static const struct {
		const char *body;
		size_t size;
		uint8_t flags;
		int code;
		const char *message;
	} table[] = {
		{ "\x0a\xff", 2, 0, TTRPC_INVALID_ARGUMENT, "ttrpc.Request is malformed" },
		{ "\x0a\x04test\x12\x04"
		  "Echo\x1a\x02\x12\x7f",
		  16, 0, TTRPC_INVALID_ARGUMENT, "vaccel.image.Request is malformed" },
		{ "\x0a\x04test\x12\x02No", 10, 0, TTRPC_INVALID_ARGUMENT,
		  "/test/No does not exist" },
		{ "", 0, 0, TTRPC_INVALID_ARGUMENT, "// does not exist" },
		{ "\x0a\x04test\x12\x04"
		  "Echo",
		  12, TTRPC_REMOTE_OPEN, TTRPC_INVALID_ARGUMENT, "StreamID cannot be re-used" },
	};
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	char message[256];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		raw_frame(fd, 7, TTRPC_REQUEST, table[i].flags, table[i].body, table[i].size);
		assert_int_equal(raw_status(fd, 7, message, sizeof(message)), table[i].code);
		if (!strstr(message, table[i].message))
			fail_msg("%zu: %s", i, message);
	}
	close(fd);
	rig_stop(rig);
}

static void a_service_answers_within_the_decoding_budget(void **state)
{
	const size_t size = (size_t)4 << 20;
	uint8_t *body = malloc(size);
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	char message[256];

	(void)state;
	for (size_t i = 0; i < size; i += 2) {
		body[i] = 0x2a;
		body[i + 1] = 0;
	}
	raw_frame(fd, 7, TTRPC_REQUEST, 0, body, size);
	assert_int_equal(raw_status(fd, 7, message, sizeof(message)), TTRPC_RESOURCE_EXHAUSTED);
	raw_frame(fd, 9, TTRPC_REQUEST, 0, body, 200);
	assert_int_equal(raw_status(fd, 9, message, sizeof(message)), TTRPC_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(message, "metadata of 100 pairs"));
	free(body);
	close(fd);
	rig_stop(rig);
}

static void a_stream_in_use_is_refused_and_abuse_closes(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[128];
	size_t size = raw_request(frame, sizeof(frame), 9, "Hold", 0, "x", 1);
	char message[128];

	(void)state;
	raw_send(fd, frame, size);
	raw_send(fd, frame, size);
	assert_int_equal(raw_status(fd, 9, message, sizeof(message)), TTRPC_INVALID_ARGUMENT);
	assert_non_null(strstr(message, "stream 9 is in use"));
	rig_answer_held(rig);
	assert_int_equal(raw_status(fd, 9, NULL, 0), TTRPC_OK);
	/* Answered, the number is free again. */
	raw_send(fd, frame, size);
	assert_true(rig_await(&rig->nr_held, 2));
	for (int i = 0; i < 15; i++)
		raw_send(fd, frame, size);
	assert_true(rig_await(&rig->closed, 1));
	assert_string_equal(rig->reason, "protocol");
	close(fd);
	rig_stop(rig);
}

static void noise_harms_nobody_else(void **state)
{
	const struct ttrpc_server_limits limits = { .frame_timeout = 0.05 };
	struct rig *rig = rig_start(&limits, NULL);
	int good = raw_connect(rig);
	uint8_t noise[512], frame[128];
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < 200; i++) {
		int fd = raw_connect(rig);

		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (uint8_t)(rand_r(&seed) >> (i % 8));
		send(fd, noise, sizeof(noise), MSG_NOSIGNAL);
		close(fd);
	}
	raw_send(good, frame, raw_request(frame, sizeof(frame), 1, "Echo", 0, "x", 1));
	assert_int_equal(raw_status(good, 1, NULL, 0), TTRPC_OK);
	close(good);
	rig_stop(rig);
}

static void a_claim_costs_nothing_and_a_slow_frame_ends(void **state)
{
	const struct ttrpc_server_limits limits = { .frame_timeout = 0.5 };
	struct rig *rig = rig_start(&limits, NULL);
	uint8_t bytes[110] = "\x0f\xa0\x00\x00\x00\x00\x00\x01\x01\x00";
	int fd = raw_connect(rig);
	int64_t start = now_ms();

	(void)state;
	raw_send(fd, bytes, sizeof(bytes));
	while (rig_stats(rig).bytes_held == 0 && rig->closed == 0)
		poll(NULL, 0, 1);
	assert_int_equal(rig_stats(rig).bytes_held, 100);
	assert_true(raw_at_end(fd));
	assert_in_range(now_ms() - start, 400, 5000);
	assert_true(rig_await(&rig->closed, 1));
	assert_string_equal(rig->reason, "timeout");
	close(fd);
	/* A header that does not end has no more time. */
	fd = raw_connect(rig);
	raw_send(fd, bytes, 4);
	assert_true(raw_at_end(fd));
	close(fd);
	rig_stop(rig);
}

static void a_frame_that_comes_steadily_may_take_its_time(void **state)
{
	const struct ttrpc_server_limits limits = { .frame_timeout = 0.3, .frame_rate = 1000 };
	struct rig *rig = rig_start(&limits, NULL);
	uint8_t *frame = malloc(4000);
	size_t size = raw_request(frame, 4000, 1, "Echo", 0, frame, 3000);
	int fd = raw_connect(rig);

	(void)state;
	for (size_t at = 0; at < size; at += 200) {
		raw_send(fd, frame + at, size - at < 200 ? size - at : 200);
		poll(NULL, 0, 30);
	}
	assert_int_equal(raw_status(fd, 1, NULL, 0), TTRPC_OK);
	free(frame);
	close(fd);
	rig_stop(rig);
}

static void each_frame_has_its_own_time(void **state)
{
	const struct ttrpc_server_limits limits = { .frame_timeout = 0.5 };
	/* The second half of a frame and the first half of the next, ignored as all data is. */
	static const uint8_t halves[] = { 'd', 'a', 't', 'a', 0, 0,   0,   8,	0,
					  0,   0,   1,	 3,   0, 'd', 'a', 't', 'a' };
	struct rig *rig = rig_start(&limits, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[128];

	(void)state;
	/* There is always one that is not complete, and never the same one for long. */
	raw_send(fd, halves + 4, sizeof(halves) - 4);
	for (int i = 0; i < 12; i++) {
		poll(NULL, 0, 60);
		raw_send(fd, halves, sizeof(halves));
	}
	raw_send(fd, halves, 4);
	raw_send(fd, frame, raw_request(frame, sizeof(frame), 1, "Echo", 0, "x", 1));
	assert_int_equal(raw_status(fd, 1, NULL, 0), TTRPC_OK);
	close(fd);
	rig_stop(rig);
}

static void a_peer_that_does_not_read_is_closed(void **state)
{
	const struct ttrpc_server_limits limits = { .write_timeout = 0.1 };
	const size_t size = (size_t)4 << 20;
	struct rig *rig = rig_start(&limits, NULL);
	uint8_t *frame = calloc(1, size + 128);
	int fd = raw_connect(rig);

	(void)state;
	raw_send(fd, frame, raw_request(frame, size + 128, 1, "Echo", 0, frame, size));
	assert_true(rig_await(&rig->closed, 1));
	assert_string_equal(rig->reason, "slow");
	assert_int_equal(rig->released, 1);
	free(frame);
	close(fd);
	rig_stop(rig);
}

static void streams_are_limited(void **state)
{
	const struct ttrpc_server_limits limits = { .streams_max = 4 };
	struct rig *rig = rig_start(&limits, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[128];

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		raw_send(fd, frame,
			 raw_request(frame, sizeof(frame), 2 * i + 1, "Hold", 0, "x", 1));
	assert_true(rig_await(&rig->nr_held, 4));
	poll(NULL, 0, 20);
	assert_int_equal(rig_stats(rig).requests, 4);
	rig_answer_held(rig);
	assert_true(rig_await(&rig->nr_held, 8));
	rig_answer_held(rig);
	assert_true(rig_await(&rig->nr_held, 10));
	rig_answer_held(rig);
	for (int i = 0; i < 10; i++) {
		uint32_t id;
		Ttrpc__Response *response = raw_response(fd, &id);

		assert_non_null(response);
		ttrpc__response__free_unpacked(response, NULL);
	}
	close(fd);
	rig_stop(rig);
}

static void held_bytes_are_limited(void **state)
{
	enum { BULK = 10000, HELD_MAX = 25000, READ_AHEAD = 16 << 10, FRAMES = 12 };
	const struct ttrpc_server_limits limits = { .held_max = HELD_MAX };
	struct rig *rig = rig_start(&limits, NULL);
	uint8_t *frame = calloc(1, BULK + 128);
	int fds[2] = { raw_connect(rig), raw_connect(rig) };

	(void)state;
	/* Both connections have more to send than may be held for one. */
	for (uint32_t i = 0; i < FRAMES; i++)
		raw_send(fds[i % 2], frame,
			 raw_request(frame, BULK + 128, i, "Hold", 0, frame, BULK));
	assert_true(rig_await(&rig->nr_held, 4));
	poll(NULL, 0, 20);
	assert_true(rig_stats(rig).bytes_held <= 2 * (HELD_MAX + 2 * READ_AHEAD));
	assert_true(rig_stats(rig).requests < FRAMES);
	while (rig->nr_held < FRAMES)
		rig_answer_held(rig);
	close(fds[0]);
	close(fds[1]);
	free(frame);
	rig_stop(rig);
}

static void unread_answers_stop_the_reading(void **state)
{
	enum { BULK = 64 << 10, CALLS = 100 };
	const struct ttrpc_server_limits limits = { .out_max = 300 << 10 };
	struct rig *rig = rig_start(&limits, NULL);
	uint8_t *frame = calloc(1, BULK + 128);
	size_t size = raw_request(frame, BULK + 128, 3, "Echo", 0, frame, BULK);
	int fd = raw_connect(rig);
	size_t sent = 0, calls = 0;
	unsigned served;

	(void)state;
	/* As much as it takes without our reading anything; on a busy machine it comes late. */
	for (int idle = 0; idle < 100 || (idle < 10000 && !rig_stats(rig).bytes_out); idle++) {
		ssize_t n = send(fd, frame + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			idle = 0;
			sent = (sent + (size_t)n) % size;
			calls += sent == 0;
		}
		assert_true(calls < CALLS);
		poll(NULL, 0, n > 0 ? 0 : 1);
	}
	assert_true(rig_stats(rig).bytes_out <= (300 << 10) + 2 * BULK);
	assert_true(rig_stats(rig).bytes_out > 0);
	served = rig->requests;
	assert_true(served < calls);
	for (size_t i = 0; i < calls; i++)
		assert_int_equal(raw_status(fd, 3, NULL, 0), TTRPC_OK);
	free(frame);
	close(fd);
	rig_stop(rig);
}

static void a_peer_that_went_leaves_nothing(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	int fd = raw_connect(rig);
	uint8_t frame[128];

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		raw_send(fd, frame, raw_request(frame, sizeof(frame), i, "Hold", 0, "x", 1));
	assert_true(rig_await(&rig->nr_held, 5));
	close(fd);
	assert_true(rig_await(&rig->closed, 1));
	assert_string_equal(rig->reason, "client");
	assert_int_equal(rig_stats(rig).connections, 0);
	assert_int_equal(rig_stats(rig).requests, 5);
	assert_true(rig_stats(rig).bytes_held > 0);
	rig_answer_held(rig);
	assert_int_equal(rig->released, 5);
	assert_int_equal(rig_stats(rig).requests, 0);
	assert_int_equal(rig_stats(rig).bytes_held, 0);
	rig_stop(rig);
}

static void a_server_may_go_before_its_requests(void **state)
{
	const struct ttrpc_server_limits limits = { .streams_max = 1 };
	struct rig *rig = rig_start(&limits, NULL);
	int fd = raw_connect(rig);
	uint8_t frames[256];
	size_t size = raw_request(frames, sizeof(frames), 1, "Hold", 0, "x", 1);

	(void)state;
	/* The second one was received, and waits for its turn to be looked at. */
	memcpy(frames + size, frames, size);
	raw_send(fd, frames, 2 * size);
	assert_true(rig_await(&rig->nr_held, 1));
	rig_close_all(rig);
	assert_true(raw_at_end(fd));
	assert_string_equal(rig->reason, "shutdown");
	assert_int_equal(access(rig->address.path, F_OK), -1);
	close(fd);
	rig_stop(rig);
}

static void a_thousand_connections_leave_nothing(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	int fds[100];
	uint8_t frame[128];

	(void)state;
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 100; i++) {
			fds[i] = raw_connect(rig);
			raw_send(fds[i], frame,
				 raw_request(frame, sizeof(frame), 1, i % 3 ? "Echo" : "Hold", 0,
					     "x", 1));
		}
		/* Some have their answer, some are waited for, some cut off. */
		for (int i = 0; i < 100; i++) {
			if (i % 3 == 1)
				assert_int_equal(raw_status(fds[i], 1, NULL, 0), TTRPC_OK);
			close(fds[i]);
		}
		rig_answer_held(rig);
	}
	assert_true(rig_await(&rig->closed, 1000));
	assert_int_equal(rig->opened, 1000);
	rig_stop(rig);
}

static void connections_are_limited(void **state)
{
	const struct ttrpc_server_limits limits = { .connections_max = 2 };
	struct rig *rig = rig_start(&limits, NULL);
	int a = raw_connect(rig), b = raw_connect(rig), c = raw_connect(rig);

	(void)state;
	assert_true(raw_at_end(c));
	rig_stats(rig);
	assert_non_null(strstr(rig->logged, "connections are refused: 2 are open"));
	close(c);
	close(a);
	assert_true(rig_await(&rig->closed, 1));
	c = raw_connect(rig);
	assert_true(rig_await(&rig->opened, 3));
	close(b);
	close(c);
	rig_stop(rig);
}

static void refuse_all(struct rig *rig, void *arg)
{
	(void)arg;
	rig->refuse = true;
}

static void the_owner_may_refuse_a_connection(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	int fd;

	(void)state;
	rig_run(rig, refuse_all, NULL);
	fd = raw_connect(rig);
	assert_true(raw_at_end(fd));
	assert_true(rig_await_connections(rig, 0));
	assert_int_equal(rig->opened, 1);
	assert_int_equal(rig->closed, 0);
	close(fd);
	rig_stop(rig);
}

static void without_descriptors_the_listener_pauses(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct rlimit was, few;
	int fd, next;

	(void)state;
	rig_stats(rig);
	next = dup(0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = (rlim_t)next + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	/* Takes the last descriptor; the other side has none, and hangs up. */
	fd = raw_connect(rig);
	assert_true(raw_at_end(fd));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	close(fd);
	rig_stats(rig);
	assert_non_null(strstr(rig->logged, "pauses: Too many open files"));
	fd = raw_connect(rig);
	assert_true(rig_await(&rig->opened, 1));
	close(fd);
	rig_stop(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_the_bytes_of_an_existing_client),
		cmocka_unit_test(success_has_an_empty_status_and_comes_in_one_piece),
		cmocka_unit_test(frames_may_be_cut_anywhere),
		cmocka_unit_test(many_frames_in_one_write),
		cmocka_unit_test(oversize_is_refused_and_skipped),
		cmocka_unit_test(more_than_a_gigabyte_closes),
		cmocka_unit_test(other_frames_are_ignored),
		cmocka_unit_test(refusals_leave_the_connection_usable),
		cmocka_unit_test(a_service_answers_within_the_decoding_budget),
		cmocka_unit_test(a_stream_in_use_is_refused_and_abuse_closes),
		cmocka_unit_test(noise_harms_nobody_else),
		cmocka_unit_test(a_claim_costs_nothing_and_a_slow_frame_ends),
		cmocka_unit_test(a_frame_that_comes_steadily_may_take_its_time),
		cmocka_unit_test(each_frame_has_its_own_time),
		cmocka_unit_test(a_peer_that_does_not_read_is_closed),
		cmocka_unit_test(streams_are_limited),
		cmocka_unit_test(held_bytes_are_limited),
		cmocka_unit_test(unread_answers_stop_the_reading),
		cmocka_unit_test(a_peer_that_went_leaves_nothing),
		cmocka_unit_test(a_server_may_go_before_its_requests),
		cmocka_unit_test(a_thousand_connections_leave_nothing),
		cmocka_unit_test(connections_are_limited),
		cmocka_unit_test(the_owner_may_refuse_a_connection),
		cmocka_unit_test(without_descriptors_the_listener_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
