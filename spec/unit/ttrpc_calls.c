/*
 * ttrpc_calls.c - the calling end, against our server and against scripted peers.
 */
#include "cmocka_all.h"
#include "frame.h"
#include "ttrpc_rig.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Both ends watch a deadline, and either may be the first to say that it has passed. */
static void assert_timed_out(int result, struct ttrpc_answer *answer)
{
	if (result) {
		assert_int_equal(result, -ETIMEDOUT);
		return;
	}
	assert_int_equal(answer->status.code, TTRPC_DEADLINE_EXCEEDED);
	ttrpc_answer_release(answer);
}

static const int64_t MS = 1000000;

static void assert_echo(struct ttrpc_client *client, const char *method, int64_t id,
			const void *image, size_t size)
{
	struct ttrpc_answer answer;

	assert_int_equal(rig_call(client, method, id, image, size, 0, &answer), 0);
	assert_int_equal(answer.status.code, TTRPC_OK);
	assert_int_equal(rig_tags(&answer)->len, size);
	if (size > 0)
		assert_memory_equal(rig_tags(&answer)->data, image, size);
	ttrpc_answer_release(&answer);
}

static void calls_are_answered(void **state)
{
	char hidden[64];
	const char *uris[] = { NULL, "tcp://127.0.0.1:0", "tcp://[::1]:0", hidden };

	(void)state;
	snprintf(hidden, sizeof(hidden), "unix://@ttrpc-calls-%d", (int)getpid());
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		struct rig *rig = rig_start(NULL, uris[i]);
		struct ttrpc_client *client = rig_client(rig, 0);

		assert_echo(client, "Echo", 0, "image", 5);
		assert_echo(client, "Echo", 0, "", 0);
		assert_echo(client, "Later", 3, "x", 1);
		assert_false(ttrpc_client_lost(client));
		ttrpc_client_unref(client);
		rig_stop(rig);
	}
}

static void refusals_carry_their_details(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	struct ttrpc_answer answer;

	(void)state;
	assert_int_equal(rig_call(client, "Fail", TTRPC_NOT_FOUND, NULL, 0, 0, &answer), 0);
	assert_int_equal(answer.status.code, TTRPC_NOT_FOUND);
	assert_string_equal(answer.status.message, "no");
	assert_null(answer.status.detail_type_url);
	assert_null(answer.response);
	ttrpc_answer_release(&answer);
	assert_int_equal(rig_call(client, "Fail", TTRPC_INTERNAL, "\x10\x16", 2, 0, &answer), 0);
	assert_int_equal(answer.status.code, TTRPC_INTERNAL);
	assert_string_equal(answer.status.detail_type_url, "type");
	assert_int_equal(answer.status.detail_size, 2);
	assert_memory_equal(answer.status.detail, "\x10\x16", 2);
	ttrpc_answer_release(&answer);
	assert_int_equal(rig_call(client, "None", 0, NULL, 0, 0, &answer), 0);
	assert_int_equal(answer.status.code, TTRPC_INVALID_ARGUMENT);
	assert_string_equal(answer.status.message, "/test/None does not exist");
	ttrpc_answer_release(&answer);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

enum { THREADS = 16, CALLS = 200 };

struct caller {
	struct ttrpc_client *client;
	unsigned number;
	pthread_t thread;
	size_t size;
	unsigned calls;
	atomic_uint failures;
};

/* Each answer must be the caller's own, however they overtake each other. */
static void *call_many(void *arg)
{
	struct caller *caller = arg;
	uint8_t *image = malloc(caller->size);
	unsigned seed = caller->number;

	for (unsigned i = 0; i < caller->calls; i++) {
		size_t size = (size_t)rand_r(&seed) % caller->size + 1;
		const char *method = rand_r(&seed) % 4 ? "Echo" : "Later";
		struct ttrpc_answer answer;

		memset(image, rand_r(&seed), size);
		memcpy(image, &caller->number, size < 4 ? size : 4);
		if (rig_call(caller->client, method, rand_r(&seed) % 4, image, size,
			     rand_r(&seed) % 2 ? 20000 * MS : 0, &answer)) {
			caller->failures++;
			break;
		}
		if (answer.status.code != TTRPC_OK || rig_tags(&answer)->len != size ||
		    memcmp(rig_tags(&answer)->data, image, size) != 0)
			caller->failures++;
		ttrpc_answer_release(&answer);
	}
	free(image);
	ttrpc_client_unref(caller->client);
	return NULL;
}

static void call_from_threads(const struct ttrpc_server_limits *limits, size_t size, unsigned calls)
{
	struct rig *rig = rig_start(limits, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	struct caller callers[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		callers[i] = (struct caller){ .client = ttrpc_client_ref(client),
					      .number = i,
					      .size = size,
					      .calls = calls };
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call_many, &callers[i]),
				 0);
	}
	/* The owner drops it while others call. */
	ttrpc_client_unref(client);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(callers[i].thread, NULL);
		assert_int_equal(callers[i].failures, 0);
	}
	rig_stop(rig);
}

static void sixteen_threads_share_a_connection(void **state)
{
	(void)state;
	call_from_threads(NULL, 300, CALLS);
}

static void large_frames_both_ways_do_not_lock_up(void **state)
{
	/* The server reads nothing while more than this waits to be read by us. */
	const struct ttrpc_server_limits limits = { .out_max = 256 << 10 };

	(void)state;
	call_from_threads(&limits, 2 << 20, 6);
}

static void answers_overtake_each_other(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	struct ttrpc_answer answer;
	int64_t start = now_ms();

	(void)state;
	/* One that timed out, and whose answer comes in between. */
	assert_timed_out(rig_call(client, "Later", 400, "slow", 4, 5 * MS, &answer), &answer);
	assert_echo(client, "Echo", 0, "fast", 4);
	assert_true(now_ms() - start < 400);
	assert_echo(client, "Later", 420, "slower", 6);
	assert_true(now_ms() - start >= 420);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void a_payload_of_32_mib(void **state)
{
	const size_t size = (size_t)32 << 20;
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	uint8_t *image = malloc(size);

	(void)state;
	for (size_t i = 0; i < size; i += 4096)
		memcpy(image + i, &i, sizeof(i));
	assert_echo(client, "Echo", 0, image, size);
	free(image);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void reading_goes_on_while_a_lone_writer_blocks(void **state)
{
	/* Nobody waits for the first answer, and the server will not read before it has left. */
	const struct ttrpc_server_limits limits = { .out_max = 1 };
	const size_t size = (size_t)8 << 20;
	struct rig *rig = rig_start(&limits, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	uint8_t *image = calloc(1, size);
	struct ttrpc_answer answer;

	(void)state;
	assert_timed_out(rig_call(client, "Hold", 0, image, size, 500 * MS, &answer), &answer);
	assert_true(rig_await(&rig->nr_held, 1));
	rig_answer_held(rig);
	assert_echo(client, "Echo", 0, image, size);
	free(image);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

struct waiter {
	struct ttrpc_client *client;
	pthread_t thread;
	int result;
	int64_t ended;
};

static void *call_hold(void *arg)
{
	struct waiter *waiter = arg;
	struct ttrpc_answer answer;

	waiter->result = rig_call(waiter->client, "Hold", 0, "x", 1, 0, &answer);
	waiter->ended = now_ms();
	if (waiter->result == 0)
		ttrpc_answer_release(&answer);
	return NULL;
}

static void *call_echo(void *arg)
{
	struct waiter *waiter = arg;
	const size_t size = (size_t)8 << 20;
	uint8_t *image = calloc(1, size);
	struct ttrpc_answer answer;

	waiter->result = rig_call(waiter->client, "Echo", 0, image, size, 0, &answer);
	if (waiter->result == 0)
		ttrpc_answer_release(&answer);
	free(image);
	return NULL;
}

static void a_blocked_writer_reads_when_the_reader_leaves(void **state)
{
	/* With two calls held the server takes no third, nor before all answers have left. */
	const struct ttrpc_server_limits limits = { .out_max = 1, .streams_max = 2 };
	const size_t size = (size_t)8 << 20;
	struct rig *rig = rig_start(&limits, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	struct waiter reader = { .client = client }, writer = { .client = client };
	uint8_t *image = calloc(1, size);
	struct ttrpc_answer answer;

	(void)state;
	assert_timed_out(rig_call(client, "Hold", 0, image, size, 500 * MS, &answer), &answer);
	pthread_create(&reader.thread, NULL, call_hold, &reader);
	assert_true(rig_await(&rig->nr_held, 2));
	pthread_create(&writer.thread, NULL, call_echo, &writer);
	poll(NULL, 0, 50);
	/* The reader's answer goes first; then one of 8 MiB that nobody waits for. */
	rig_answer_held(rig);
	pthread_join(reader.thread, NULL);
	pthread_join(writer.thread, NULL);
	assert_int_equal(reader.result, 0);
	assert_int_equal(writer.result, 0);
	free(image);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void deadlines_pass(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	struct ttrpc_answer answer;
	int64_t start = now_ms();

	(void)state;
	assert_timed_out(rig_call(client, "Hold", 0, "x", 1, 30 * MS, &answer), &answer);
	assert_in_range(now_ms() - start, 30, 1000);
	assert_int_equal(rig_call(client, "Echo", 0, "x", 1, -1, &answer), -ETIMEDOUT);
	assert_int_equal(rig_call(client, "Echo", 0, "x", 1, INT64_MAX, &answer), 0);
	ttrpc_answer_release(&answer);
	rig_answer_held(rig);
	assert_echo(client, "Echo", 0, "after", 5);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void sizes_are_limited(void **state)
{
	const size_t size = 2 << 20;
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 1 << 20);
	uint8_t *image = calloc(1, size);
	struct ttrpc_answer answer;

	(void)state;
	assert_int_equal(rig_call(client, "Echo", 0, image, size, 0, &answer), -EMSGSIZE);
	assert_true(rig_stats(rig).requests == 0 && rig->requests == 0);
	/* Sent, since its peer would take more; the answer is more than we take. */
	ttrpc_client_set_frame_max(client, 4 << 20);
	assert_int_equal(rig_call(client, "Echo", 0, image, size, 0, &answer), -EBADMSG);
	assert_echo(client, "Echo", 0, image, 1000);
	free(image);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void a_lost_connection_ends_every_call(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0), *idle = rig_client(rig, 0);
	struct waiter waiters[8];
	struct ttrpc_answer answer;
	int64_t cut;

	(void)state;
	for (int i = 0; i < 8; i++) {
		waiters[i].client = client;
		pthread_create(&waiters[i].thread, NULL, call_hold, &waiters[i]);
	}
	assert_true(rig_await(&rig->nr_held, 8));
	assert_false(ttrpc_client_lost(idle));
	cut = now_ms();
	rig_close_all(rig);
	for (int i = 0; i < 8; i++) {
		pthread_join(waiters[i].thread, NULL);
		assert_int_equal(waiters[i].result, -ECONNRESET);
		assert_true(waiters[i].ended - cut < 500);
	}
	assert_true(ttrpc_client_lost(client));
	assert_true(ttrpc_client_lost(idle));
	assert_int_equal(rig_call(client, "Echo", 0, "x", 1, 0, &answer), -ECONNRESET);
	assert_int_equal(rig_call(idle, "Echo", 0, "x", 1, 0, &answer), -ECONNRESET);
	ttrpc_client_unref(client);
	ttrpc_client_unref(idle);
	rig_stop(rig);
}

static void a_lost_connection_ends_every_writer(void **state)
{
	/* While one call is held the server reads no other: one writes, the rest wait for that. */
	const struct ttrpc_server_limits limits = { .streams_max = 1 };
	struct rig *rig = rig_start(&limits, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	struct waiter waiters[5];

	(void)state;
	for (int i = 0; i < 5; i++) {
		waiters[i].client = client;
		pthread_create(&waiters[i].thread, NULL, i ? call_echo : call_hold, &waiters[i]);
		if (i == 0)
			assert_true(rig_await(&rig->nr_held, 1));
	}
	poll(NULL, 0, 50);
	rig_close_all(rig);
	for (int i = 0; i < 5; i++) {
		pthread_join(waiters[i].thread, NULL);
		assert_int_equal(waiters[i].result, -ECONNRESET);
	}
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void a_forked_child_leaves_the_connection_alone(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	pid_t child;
	int status;

	(void)state;
	assert_echo(client, "Echo", 0, "before", 6);
	child = fork();
	if (child == 0) {
		ttrpc_client_abandon(client);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_echo(client, "Echo", 0, "after", 5);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

/* A peer that takes one request and writes these bytes, `step` at a time, then closes. */
struct script {
	int fd;
	const void *bytes;
	size_t size, step;
	int linger_ms; /* between the last byte and the end */
};

static void *play(void *arg)
{
	const struct script *script = arg;
	uint8_t request[512];

	assert_true(recv(script->fd, request, sizeof(request), 0) > TTRPC_HEADER_SIZE);
	for (size_t at = 0; at < script->size; at += script->step) {
		size_t left = script->size - at;

		raw_send(script->fd, (const uint8_t *)script->bytes + at,
			 left < script->step ? left : script->step);
		if (script->size / script->step < 100)
			poll(NULL, 0, 1);
	}
	poll(NULL, 0, script->linger_ms);
	shutdown(script->fd, SHUT_RDWR);
	close(script->fd);
	return NULL;
}

/* One call with an image of that size, to a peer with that script. */
static int call_script(struct script script, size_t image_size, size_t frame_max,
		       struct ttrpc_answer *answer)
{
	const struct ttrpc_client_options options = { .frame_max = frame_max };
	uint8_t *image = calloc(1, image_size);
	struct ttrpc_client *client;
	pthread_t thread;
	int pair[2], err;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	script.fd = pair[1];
	assert_int_equal(ttrpc_client_from_fd(pair[0], &options, &client), 0);
	pthread_create(&thread, NULL, play, &script);
	err = rig_call(client, "Echo", 0, image, image_size, 0, answer);
	pthread_join(thread, NULL);
	ttrpc_client_unref(client);
	free(image);
	return err;
}

static int call_scripted(const void *bytes, size_t size, size_t step, size_t frame_max,
			 struct ttrpc_answer *answer)
{
	const struct script script = { .bytes = bytes, .size = size, .step = step };

	return call_script(script, 1, frame_max, answer);
}

#define SCRIPT(bytes, step, answer) call_scripted(bytes, sizeof(bytes) - 1, step, 1000, answer)

static void answers_may_come_in_any_pieces(void **state)
{
	/* For nobody; no response; ours, with header and body as existing agents send them. */
	static const char bytes[] = "\x00\x00\x00\x02\x00\x00\x00\x09\x02\x00\x0a\x00"
				    "\x00\x00\x00\x03\x00\x00\x00\x01\x03\x00xyz"
				    "\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00"
				    "\x00\x00\x00\x08\x00\x00\x00\x01\x02\x00"
				    "\x0a\x00\x12\x04\x0a\x02hi";

	(void)state;
	for (size_t step = 1; step < sizeof(bytes); step++) {
		struct ttrpc_answer answer;

		assert_int_equal(SCRIPT(bytes, step, &answer), 0);
		assert_int_equal(answer.status.code, TTRPC_OK);
		assert_int_equal(rig_tags(&answer)->len, 2);
		assert_memory_equal(rig_tags(&answer)->data, "hi", 2);
		ttrpc_answer_release(&answer);
	}
}

static void odd_answers_have_their_error(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		int err;
	} table[] = {
		/* an envelope that is none; a payload that is none; both, cut short */
		{ "\x00\x00\x00\x02\x00\x00\x00\x01\x02\x00\x0a\x7f", 12, -EBADMSG },
		{ "\x00\x00\x00\x06\x00\x00\x00\x01\x02\x00\x0a\x00\x12\x02\x0a\x7f", 16,
		  -EBADMSG },
		{ "\x00\x00\x00\x06\x00\x00\x00\x01\x02\x00\x0a\x00", 12, -ECONNRESET },
		{ "\x00\x00\x00", 3, -ECONNRESET },
		{ "", 0, -ECONNRESET },
		/* more than a gigabyte; more than comes */
		{ "\x40\x00\x00\x01\x00\x00\x00\x01\x02\x00", 10, -ECONNRESET },
		{ "\x3f\xff\xff\xff\x00\x00\x00\x01\x02\x00", 10, -ECONNRESET },
		/* the answer for somebody else */
		{ "\x00\x00\x00\x02\x00\x00\x00\x03\x02\x00\x0a\x00", 12, -ECONNRESET },
		/* no status, no payload: existing clients take it */
		{ "\x00\x00\x00\x00\x00\x00\x00\x01\x02\x00", 10, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ttrpc_answer answer;
		int err = call_scripted(table[i].bytes, table[i].size, 100, 1000, &answer);

		if (err != table[i].err)
			fail_msg("%zu: %d", i, err);
		if (err == 0)
			ttrpc_answer_release(&answer);
	}
}

static void an_oversize_answer_fails_its_call_alone(void **state)
{
	uint8_t bytes[TTRPC_HEADER_SIZE + 70000] = "\x00\x01\x11\x70\x00\x00\x00\x01\x02\x00";
	struct ttrpc_answer answer;

	(void)state;
	assert_int_equal(call_scripted(bytes, sizeof(bytes), 30000, 1000, &answer), -EBADMSG);
}

static void an_answer_with_more_fields_than_its_budget_is_refused(void **state)
{
	/* 4 MiB of empty details within a status. */
	const size_t size = (size_t)4 << 20;
	uint8_t *bytes = malloc(size);
	const struct ttrpc_frame_header header = { (uint32_t)(size - TTRPC_HEADER_SIZE), 1,
						   TTRPC_RESPONSE, 0 };
	size_t at = TTRPC_HEADER_SIZE, inner = size - TTRPC_HEADER_SIZE - 5;
	struct ttrpc_answer answer;

	(void)state;
	ttrpc_frame_header_pack(&header, bytes);
	bytes[at++] = 0x0a;
	for (int i = 0; i < 4; i++)
		bytes[at++] = (uint8_t)((inner >> (7 * i) & 0x7f) | (i < 3 ? 0x80 : 0));
	while (at < size) {
		/* Two bytes each; an odd one at the end is a tag that ends nothing. */
		bytes[at++] = 0x1a;
		if (at < size)
			bytes[at++] = 0;
	}
	assert_int_equal(call_scripted(bytes, size, 1 << 20, 0, &answer), -EBADMSG);
	free(bytes);
}

static void a_refusal_may_come_before_the_whole_request_was_read(void **state)
{
	const struct ttrpc_server_limits limits = { .frame_max = 1 << 20 };
	const size_t size = (size_t)16 << 20;
	struct rig *rig = rig_start(&limits, NULL);
	struct ttrpc_client *client = rig_client(rig, 0);
	uint8_t *image = calloc(1, size);
	struct ttrpc_answer answer;

	(void)state;
	assert_int_equal(rig_call(client, "Echo", 0, image, size, 0, &answer), 0);
	assert_int_equal(answer.status.code, TTRPC_INVALID_ARGUMENT);
	assert_non_null(strstr(answer.status.message, "exceed maximum message size of 1048576"));
	ttrpc_answer_release(&answer);
	assert_echo(client, "Echo", 0, "after", 5);
	free(image);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void a_refusal_counts_though_the_peer_then_hangs_up(void **state)
{
	/* status{code 8} */
	static const char bytes[] = "\x00\x00\x00\x04\x00\x00\x00\x01\x02\x00\x0a\x02\x08\x08";
	const struct script script = {
		.bytes = bytes,
		.size = sizeof(bytes) - 1,
		.step = sizeof(bytes),
		.linger_ms = 100,
	};
	struct ttrpc_answer answer;

	(void)state;
	assert_int_equal(call_script(script, 8 << 20, 0, &answer), 0);
	assert_int_equal(answer.status.code, TTRPC_RESOURCE_EXHAUSTED);
	ttrpc_answer_release(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_answered),
		cmocka_unit_test(refusals_carry_their_details),
		cmocka_unit_test(sixteen_threads_share_a_connection),
		cmocka_unit_test(large_frames_both_ways_do_not_lock_up),
		cmocka_unit_test(answers_overtake_each_other),
		cmocka_unit_test(a_payload_of_32_mib),
		cmocka_unit_test(reading_goes_on_while_a_lone_writer_blocks),
		cmocka_unit_test(a_blocked_writer_reads_when_the_reader_leaves),
		cmocka_unit_test(deadlines_pass),
		cmocka_unit_test(sizes_are_limited),
		cmocka_unit_test(a_lost_connection_ends_every_call),
		cmocka_unit_test(a_lost_connection_ends_every_writer),
		cmocka_unit_test(a_forked_child_leaves_the_connection_alone),
		cmocka_unit_test(answers_may_come_in_any_pieces),
		cmocka_unit_test(odd_answers_have_their_error),
		cmocka_unit_test(an_oversize_answer_fails_its_call_alone),
		cmocka_unit_test(an_answer_with_more_fields_than_its_budget_is_refused),
		cmocka_unit_test(a_refusal_may_come_before_the_whole_request_was_read),
		cmocka_unit_test(a_refusal_counts_though_the_peer_then_hangs_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
