/*
 * ttrpc_offers.c - memory that a server and its clients share: offered, used, lost, and lied about.
 */
#include "client_internal.h"
#include "cmocka_all.h"
#include "segments.h"
#include "ttrpc_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY = 1 << 20, LONG = 300000, THREADS = 8, ROUNDS = 40, LARGEST = 5 << 20 };

static uint8_t image[LARGEST];

static void fill_image(void)
{
	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i * 2654435761U >> 11);
}

static struct ttrpc_client *sharing_client(struct rig *rig)
{
	struct ttrpc_client *client = rig_client(rig, 0);

	assert_true(ttrpc_client_share(client));
	return client;
}

static void echo(struct ttrpc_client *client, size_t from, size_t size)
{
	struct ttrpc_answer answer;

	assert_int_equal(rig_call(client, "Echo", 0, image + from, size, 0, &answer), 0);
	assert_int_equal(rig_tags(&answer)->len, size);
	assert_memory_equal(rig_tags(&answer)->data, image + from, size);
	ttrpc_answer_release(&answer);
}

static void long_frames_go_through_memory_both_ways(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client;

	(void)state;
	rig_share(rig, MEMORY);
	client = sharing_client(rig);
	echo(client, 0, 1000);
	assert_null(client->shared);
	echo(client, 1, LONG); /* is offered it now, and has answered by the next */
	assert_non_null(client->shared);
	assert_int_equal(client->shared->out.put, 0);
	echo(client, 2, LONG);
	assert_true(client->shared->out.put > LONG);
	echo(client, 3, LONG);
	assert_true(client->shared->in.taken > LONG);
	echo(client, 4, LARGEST - 4); /* several times the ring */
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void short_frames_stay_on_the_socket(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client;
	uint64_t put, taken;

	(void)state;
	rig_share(rig, MEMORY);
	client = sharing_client(rig);
	echo(client, 0, LONG);
	echo(client, 0, LONG);
	put = client->shared->out.put;
	taken = client->shared->in.taken;
	for (size_t size = 1; size < TTRPC_SHARED_FRAME_MIN - 1000; size = size * 3 + 1)
		echo(client, size, size);
	assert_int_equal(client->shared->out.put, put);
	assert_int_equal(client->shared->in.taken, taken);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

struct user {
	struct ttrpc_client *client;
	size_t size;
	pthread_t thread;
};

static void *use(void *arg)
{
	struct user *user = arg;

	for (size_t i = 0; i < ROUNDS; i++)
		echo(user->client, i, user->size + i);
	return NULL;
}

static void many_threads_share_one_memory(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *clients[2];
	struct user users[THREADS];

	(void)state;
	rig_share(rig, MEMORY);
	for (size_t i = 0; i < 2; i++)
		clients[i] = sharing_client(rig);
	for (size_t i = 0; i < THREADS; i++) {
		users[i] = (struct user){ .client = clients[i % 2], .size = (size_t)90 << (2 * i) };
		assert_int_equal(pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(users[i].thread, NULL);
	for (size_t i = 0; i < 2; i++)
		assert_non_null(clients[i]->shared);
	assert_ptr_not_equal(clients[0]->shared->base, clients[1]->shared->base);
	for (size_t i = 0; i < 2; i++)
		ttrpc_client_unref(clients[i]);
	rig_stop(rig);
}

/* Streams carry messages, which are frames too. */
static void messages_of_streams_go_through_it(void **state)
{
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client;
	struct ttrpc_stream *stream;
	struct ttrpc_answer answer;

	(void)state;
	rig_share(rig, MEMORY);
	client = sharing_client(rig);
	echo(client, 0, LONG);
	assert_int_equal(ttrpc_stream_open(client, "test", "Sum", NULL, true, 0, &stream), 0);
	request.image = (ProtobufCBinaryData){ .data = image, .len = LONG };
	for (int i = 0; i < 3; i++)
		assert_int_equal(ttrpc_stream_send(stream, &request.base), 0);
	assert_int_equal(ttrpc_stream_close(stream), 0);
	assert_int_equal(
		ttrpc_stream_receive(stream, &vaccel__image__response__descriptor, &answer), 0);
	assert_int_equal(rig_tags(&answer)->len, 3 * LONG);
	for (size_t i = 0; i < 3; i++)
		assert_memory_equal(rig_tags(&answer)->data + i * LONG, image, LONG);
	assert_true(client->shared->out.put > LONG); /* when it is full the socket serves */
	ttrpc_answer_release(&answer);
	ttrpc_stream_free(stream);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

/* As a relay that passes bytes on and descriptors not. */
static void a_descriptor_that_is_lost_costs_nothing(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client;

	(void)state;
	rig_share(rig, MEMORY);
	client = rig_client(rig, 0); /* receives without room for descriptors */
	for (size_t i = 0; i < 5; i++)
		echo(client, i, LONG);
	assert_null(client->shared);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void nothing_is_offered(struct rig *rig)
{
	struct ttrpc_client *client;

	rig_share(rig, MEMORY);
	client = rig_client(rig, 0);
	ttrpc_client_share(client);
	for (size_t i = 0; i < 3; i++)
		echo(client, i, LONG);
	assert_null(client->shared);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void other_sockets_and_relays_get_none(void **state)
{
	(void)state;
	nothing_is_offered(rig_start(NULL, "tcp://127.0.0.1:0"));
	nothing_is_offered(rig_start(NULL, "unix://@ttrpc-offers.sock_2048"));
}

static void too_little_is_as_none(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_client *client;

	(void)state;
	rig_share(rig, TTRPC_SHARED_SIZE_MIN - 1);
	client = sharing_client(rig);
	echo(client, 0, LONG);
	echo(client, 0, LONG);
	assert_null(client->shared);
	ttrpc_client_unref(client);
	rig_stop(rig);
}

static void relays_are_known_by_name(void **state)
{
	static const struct {
		const char *uri;
		bool hybrid;
	} cases[] = {
		{ "unix:///run/vm/vaccel.sock_2048", true },
		{ "unix:///run/vm/v_1", true },
		{ "unix://@vaccel_7", true },
		{ "unix:///run/vaccel.sock", false },
		{ "unix:///run/vaccel_sock", false },
		{ "unix:///run/vaccel_2048x", false },
		{ "unix:///run/vaccel_", false },
		{ "tcp://127.0.0.1:2048", false },
		{ "vsock://2:2048", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ttrpc_address address;

		assert_int_equal(ttrpc_address_parse(cases[i].uri, &address, NULL, 0), 0);
		assert_int_equal(ttrpc_address_is_hybrid(&address), cases[i].hybrid);
		ttrpc_address_release(&address);
	}
}

/* A client by hand, with the memory that it was offered. */
static int raw_sharing(struct rig *rig, struct ttrpc_shared *shared)
{
	int fd = raw_connect(rig);
	struct ttrpc_client reader = { .fd = fd, .shares = true, .offered_fd = -1 };
	uint8_t *frame = malloc(2 * LONG), header[TTRPC_HEADER_SIZE];
	struct ttrpc_frame_header offer;

	raw_send(fd, frame, raw_request(frame, 2 * LONG, 1, "Echo", 0, image, LONG));
	free(frame);
	assert_int_equal(ttrpc_client_receive(&reader, header, sizeof(header), MSG_WAITALL),
			 sizeof(header));
	ttrpc_frame_header_unpack(header, &offer);
	assert_int_equal(offer.type, TTRPC_OFFER);
	assert_int_equal(offer.length, 0);
	assert_true(reader.offered_fd >= 0);
	assert_int_equal(ttrpc_shared_adopt(shared, reader.offered_fd), 0);
	close(reader.offered_fd);
	assert_int_equal(raw_status(fd, 1, NULL, 0), TTRPC_OK);
	return fd;
}

/* In one write. */
static void raw_segments(int fd, uint32_t length, const uint32_t *words, size_t nr_words)
{
	const struct ttrpc_frame_header header = { length, 3, TTRPC_REQUEST, TTRPC_SEGMENTED };
	uint8_t bytes[TTRPC_HEADER_SIZE + 8];
	size_t size = TTRPC_HEADER_SIZE;

	ttrpc_frame_header_pack(&header, bytes);
	for (size_t i = 0; i < nr_words; i++, size += sizeof(uint32_t)) {
		uint32_t word = htonl(words[i]);

		memcpy(bytes + size, &word, sizeof(word));
	}
	raw_send(fd, bytes, size);
}

static void a_client_that_lies_is_cut_off(void **state)
{
	static const uint32_t cases[][2] = {
		{ LONG, 0 },
		{ LONG, TTRPC_SEGMENT_SHARED },
		{ LONG, LONG + 1 },
		{ LONG, TTRPC_SEGMENT_SHARED | (LONG + 1) },
		{ 200 << 20, TTRPC_SEGMENT_SHARED | (150 << 20) },
		{ 200 << 20, UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *rig = rig_start(NULL, NULL);
		struct ttrpc_shared shared = { 0 };
		int fd;

		rig_share(rig, MEMORY);
		fd = raw_sharing(rig, &shared);
		raw_segments(fd, cases[i][0], &cases[i][1], 1);
		assert_true(raw_at_end(fd));
		close(fd);
		ttrpc_shared_release(&shared);
		rig_stop(rig);
	}
}

/* One that says that it lies there without having put it; many a ring's worth at once. */
static void what_was_never_put_there_is_garbage(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	const uint32_t words[2] = { TTRPC_SEGMENT_SHARED | LONG, TTRPC_SEGMENT_SHARED | LONG };
	struct ttrpc_shared shared = { 0 };
	int fd;

	(void)state;
	rig_share(rig, MEMORY);
	fd = raw_sharing(rig, &shared);
	memset(shared.out.data, 0xff, shared.ring);
	raw_segments(fd, LONG, words, 1);
	assert_int_equal(raw_status(fd, 3, NULL, 0), TTRPC_INVALID_ARGUMENT);
	raw_segments(fd, 2 * LONG, words, 2); /* more than the ring, before it can be known */
	assert_true(raw_at_end(fd));
	close(fd);
	ttrpc_shared_release(&shared);
	rig_stop(rig);
}

static void a_client_may_go_amid_a_frame(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	const uint32_t word = TTRPC_SEGMENT_SHARED | LONG;

	(void)state;
	rig_share(rig, MEMORY);
	for (int i = 0; i < 20; i++) {
		struct ttrpc_shared shared = { 0 };
		int fd = raw_sharing(rig, &shared);

		raw_segments(fd, 3 * LONG, &word, 1);
		close(fd);
		ttrpc_shared_release(&shared);
	}
	rig_stop(rig);
}

static atomic_bool scribbling;

static void *scribble(void *arg)
{
	struct ttrpc_shared *shared = arg;
	uint8_t byte = 0;

	while (scribbling)
		memset(shared->out.data, byte++, 4096);
	return NULL;
}

/* The head of the message, its lengths and all, is rewritten while the server copies and reads. */
static void bytes_that_change_harm_nobody(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);
	struct ttrpc_shared shared = { 0 };
	pthread_t thread;
	uint8_t *frame = malloc(2 * LONG);
	size_t size = raw_request(frame, 2 * LONG, 3, "None", 0, image, LONG) - TTRPC_HEADER_SIZE;
	const uint32_t word = TTRPC_SEGMENT_SHARED | (uint32_t)size;
	int fd;

	(void)state;
	rig_share(rig, MEMORY);
	fd = raw_sharing(rig, &shared);
	scribbling = true;
	assert_int_equal(pthread_create(&thread, NULL, scribble, &shared), 0);
	for (int i = 0; i < 12; i++) { /* fewer than the breaches that are borne */
		ttrpc_shared_put(&shared, frame + TTRPC_HEADER_SIZE, size);
		raw_segments(fd, (uint32_t)size, &word, 1);
		ttrpc__response__free_unpacked(raw_response(fd, &(uint32_t){ 0 }), NULL);
	}
	scribbling = false;
	pthread_join(thread, NULL);
	close(fd);
	ttrpc_shared_release(&shared);
	free(frame);
	rig_stop(rig);
}

/* An agent by hand: what it sends before it answers a first call, with a descriptor or without. */
static void send_with(int fd, const void *bytes, size_t size, int descriptor)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (descriptor >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &descriptor, sizeof(descriptor));
	}
	assert_int_equal(sendmsg(fd, &msg, MSG_NOSIGNAL), size);
}

static void send_offer(int fd, int descriptor)
{
	const struct ttrpc_frame_header header = { .type = TTRPC_OFFER };
	uint8_t bytes[TTRPC_HEADER_SIZE];

	ttrpc_frame_header_pack(&header, bytes);
	send_with(fd, bytes, sizeof(bytes), descriptor);
}

static void send_answer(int fd, uint32_t stream_id)
{
	static const uint8_t ok[] = { 0x0a, 0, 0x12, 0 };

	raw_frame(fd, stream_id, TTRPC_RESPONSE, 0, ok, sizeof(ok));
}

static struct ttrpc_client *client_of(int fds[2])
{
	struct ttrpc_client *client;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(ttrpc_client_from_fd(fds[1], NULL, &client), 0);
	assert_true(ttrpc_client_share(client));
	return client;
}

static int call(struct ttrpc_client *client, struct ttrpc_answer *answer)
{
	return rig_call(client, "Echo", 0, "x", 1, 0, answer);
}

static int descriptors(void)
{
	int nr = 0;

	for (int fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void offers_that_are_none_are_passed_over(void **state)
{
	struct ttrpc_client *client;
	struct ttrpc_answer answer;
	int fds[2], unsealed = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING), before;

	(void)state;
	assert_int_equal(ftruncate(unsealed, MEMORY + 4096), 0);
	client = client_of(fds);
	before = descriptors();
	send_offer(fds[0], -1);
	send_offer(fds[0], unsealed);
	send_offer(fds[0], fds[0]);
	send_answer(fds[0], 1);
	assert_int_equal(call(client, &answer), 0);
	assert_int_equal(answer.status.code, TTRPC_OK);
	assert_null(client->shared);
	assert_int_equal(descriptors(), before);
	ttrpc_answer_release(&answer);
	ttrpc_client_unref(client);
	close(fds[0]);
	close(unsealed);
}

static void one_memory_is_enough(void **state)
{
	struct ttrpc_shared first, second;
	struct ttrpc_client *client;
	struct ttrpc_answer answer;
	int fds[2], memories[2];

	(void)state;
	client = client_of(fds);
	assert_int_equal(ttrpc_shared_create(&first, MEMORY, &memories[0]), 0);
	assert_int_equal(ttrpc_shared_create(&second, MEMORY, &memories[1]), 0);
	send_offer(fds[0], memories[0]);
	send_answer(fds[0], 1);
	assert_int_equal(call(client, &answer), 0);
	ttrpc_answer_release(&answer);
	send_offer(fds[0], memories[1]);
	send_answer(fds[0], 3);
	atomic_store(first.in.counter, 1); /* seen in the one that it took */
	assert_int_equal(call(client, &answer), 0);
	ttrpc_answer_release(&answer);
	assert_int_equal(atomic_load(client->shared->out.taken), 1);
	ttrpc_client_unref(client);
	for (size_t i = 0; i < 2; i++)
		close(memories[i]);
	ttrpc_shared_release(&first);
	ttrpc_shared_release(&second);
	close(fds[0]);
}

static void an_agent_that_lies_loses_its_client(void **state)
{
	static const uint32_t cases[][2] = {
		{ LONG, 0 },
		{ LONG, TTRPC_SEGMENT_SHARED | (LONG + 1) },
		{ 200 << 20, TTRPC_SEGMENT_SHARED | (150 << 20) },
		{ 200 << 20, UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ttrpc_frame_header header = { cases[i][0], 1, TTRPC_RESPONSE,
							   TTRPC_SEGMENTED };
		uint32_t word = htonl(cases[i][1]);
		uint8_t bytes[TTRPC_HEADER_SIZE];
		struct ttrpc_client *client;
		struct ttrpc_shared shared;
		struct ttrpc_answer answer;
		int fds[2], memory;

		client = client_of(fds);
		assert_int_equal(ttrpc_shared_create(&shared, MEMORY, &memory), 0);
		send_offer(fds[0], memory);
		ttrpc_frame_header_pack(&header, bytes);
		raw_send(fds[0], bytes, sizeof(bytes));
		raw_send(fds[0], &word, sizeof(word));
		assert_int_equal(call(client, &answer), -ECONNRESET);
		assert_true(ttrpc_client_lost(client));
		ttrpc_client_unref(client);
		ttrpc_shared_release(&shared);
		close(memory);
		close(fds[0]);
	}
}

static int setup(void **state)
{
	(void)state;
	fill_image();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_frames_go_through_memory_both_ways),
		cmocka_unit_test(short_frames_stay_on_the_socket),
		cmocka_unit_test(many_threads_share_one_memory),
		cmocka_unit_test(messages_of_streams_go_through_it),
		cmocka_unit_test(a_descriptor_that_is_lost_costs_nothing),
		cmocka_unit_test(other_sockets_and_relays_get_none),
		cmocka_unit_test(too_little_is_as_none),
		cmocka_unit_test(relays_are_known_by_name),
		cmocka_unit_test(a_client_that_lies_is_cut_off),
		cmocka_unit_test(what_was_never_put_there_is_garbage),
		cmocka_unit_test(a_client_may_go_amid_a_frame),
		cmocka_unit_test(bytes_that_change_harm_nobody),
		cmocka_unit_test(offers_that_are_none_are_passed_over),
		cmocka_unit_test(one_memory_is_enough),
		cmocka_unit_test(an_agent_that_lies_loses_its_client),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
