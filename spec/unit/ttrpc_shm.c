/*
 * ttrpc_shm.c - shared memory alone, both of its ends here; and frames in segments through it.
 */
#include "cmocka_all.h"
#include "encode.h"
#include "reader.h"
#include "segments.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.pb-c.h"

enum { SIZE = 512 << 10 };

struct ends {
	struct ttrpc_shared agent, client;
};

static struct ends *ends_new(void)
{
	struct ends *ends = calloc(1, sizeof(*ends));
	int fd = -1;

	assert_int_equal(ttrpc_shared_create(&ends->agent, SIZE, &fd), 0);
	assert_int_equal(ttrpc_shared_adopt(&ends->client, fd), 0);
	close(fd);
	return ends;
}

static void ends_free(struct ends *ends)
{
	ttrpc_shared_release(&ends->agent);
	ttrpc_shared_release(&ends->client);
	free(ends);
}

static uint8_t *noise(size_t size)
{
	uint8_t *bytes = malloc(size);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 2654435761U >> 13);
	return bytes;
}

/* Sizes that meet the end of the ring in every way, many times round it. */
static void pass_through(struct ttrpc_shared *from, struct ttrpc_shared *to)
{
	uint8_t *bytes = noise(SIZE), *got = malloc(SIZE);
	size_t size = 1;

	for (int i = 0; i < 300; i++, size = (size * 7 + 3) % 100003 + 1) {
		assert_true(ttrpc_shared_room(from) >= size);
		ttrpc_shared_put(from, bytes + i, size);
		assert_true(ttrpc_shared_take(to, got, size));
		assert_memory_equal(got, bytes + i, size);
		ttrpc_shared_publish(to);
	}
	free(bytes);
	free(got);
}

static void bytes_pass_in_both_directions(void **state)
{
	struct ends *ends = ends_new();

	(void)state;
	pass_through(&ends->client, &ends->agent);
	pass_through(&ends->agent, &ends->client);
	ends_free(ends);
}

static void a_ring_is_full_until_what_was_taken_is_told(void **state)
{
	struct ends *ends = ends_new();
	const size_t ring = ends->client.ring;
	uint8_t *bytes = noise(ring), *got = malloc(ring);

	(void)state;
	assert_int_equal(ttrpc_shared_room(&ends->client), ring);
	ttrpc_shared_put(&ends->client, bytes, ring);
	assert_int_equal(ttrpc_shared_room(&ends->client), 0);
	assert_true(ttrpc_shared_take(&ends->agent, got, ring));
	assert_memory_equal(got, bytes, ring);
	assert_int_equal(ttrpc_shared_room(&ends->client), 0);
	ttrpc_shared_publish(&ends->agent);
	assert_int_equal(ttrpc_shared_room(&ends->client), ring);
	assert_int_equal(ttrpc_shared_room(&ends->agent), ring);
	free(bytes);
	free(got);
	ends_free(ends);
}

static void more_than_can_be_there_is_not_taken(void **state)
{
	struct ends *ends = ends_new();
	struct ttrpc_shared *agent = &ends->agent;

	(void)state;
	assert_false(ttrpc_shared_take(agent, NULL, agent->ring + 1));
	assert_false(ttrpc_shared_take(agent, NULL, SIZE_MAX));
	assert_true(ttrpc_shared_take(agent, NULL, agent->ring - 1));
	assert_false(ttrpc_shared_take(agent, NULL, 2));
	assert_true(ttrpc_shared_take(agent, NULL, 1));
	assert_false(ttrpc_shared_take(agent, NULL, 1));
	ttrpc_shared_publish(agent);
	assert_true(ttrpc_shared_take(agent, NULL, agent->ring));
	ends_free(ends);
}

/* The other end can write any number there, at any time. */
static void a_counter_that_lies_leaves_no_room(void **state)
{
	static const uint64_t ahead[] = { 101, SIZE, INT64_MAX, UINT64_C(1) << 63 };
	struct ends *ends = ends_new();
	struct ttrpc_shared *client = &ends->client;
	uint8_t bytes[100] = { 0 };

	(void)state;
	ttrpc_shared_put(client, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
		atomic_store(client->out.taken, ahead[i]);
		assert_int_equal(ttrpc_shared_room(client), 0);
	}
	atomic_store(client->out.taken, 100);
	assert_int_equal(ttrpc_shared_room(client), client->ring);
	ttrpc_shared_put(client, bytes, sizeof(bytes));
	for (int i = 0; i < 5000; i++) { /* behind: all that it says it has not taken is kept */
		if (ttrpc_shared_room(client) >= sizeof(bytes))
			ttrpc_shared_put(client, bytes, sizeof(bytes));
	}
	assert_true(ttrpc_shared_room(client) < sizeof(bytes));
	ends_free(ends);
}

static int memory(size_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	if (seals)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void refuses(int fd, int code)
{
	struct ttrpc_shared shared = { 0 };

	assert_true(fd >= 0);
	assert_int_equal(ttrpc_shared_adopt(&shared, fd), code);
	close(fd);
}

static void a_client_takes_only_memory_that_stays(void **state)
{
	int pipes[2];

	(void)state;
	refuses(memory(SIZE + 4096, 0), -EPERM);
	refuses(memory(SIZE + 4096, F_SEAL_GROW), -EPERM);
	refuses(memory(SIZE + 4097, F_SEAL_SHRINK), -EINVAL);
	refuses(memory(4096, F_SEAL_SHRINK), -EINVAL);
	refuses(memory(0, F_SEAL_SHRINK), -EINVAL);
	refuses(memory(TTRPC_SHARED_SIZE_MAX + 8192, F_SEAL_SHRINK), -EINVAL);
	refuses(open("/dev/zero", O_RDWR | O_CLOEXEC), -EINVAL);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	refuses(pipes[0], -EINVAL);
	close(pipes[1]);
}

static void an_agent_makes_memory_that_nobody_resizes(void **state)
{
	struct ttrpc_shared shared = { 0 };
	int fd = -1;

	(void)state;
	assert_int_equal(ttrpc_shared_create(&shared, TTRPC_SHARED_SIZE_MIN - 1, &fd), -EINVAL);
	assert_int_equal(ttrpc_shared_create(&shared, TTRPC_SHARED_SIZE_MAX + 1, &fd), -EINVAL);
	assert_int_equal(fd, -1);
	assert_int_equal(ttrpc_shared_create(&shared, TTRPC_SHARED_SIZE_MIN + 5000, &fd), 0);
	assert_true(shared.size <= TTRPC_SHARED_SIZE_MIN + 5000);
	assert_int_equal(ftruncate(fd, 4096), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 64 << 20), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	ttrpc_shared_release(&shared);
	close(fd);
}

static long blocks(int fd)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	return (long)status.st_blocks;
}

/* Both the memory's pages, and those that its peer has mapped. */
static void what_was_made_is_taken_back_from_who_keeps_it(void **state)
{
	struct ttrpc_shared agent = { 0 }, client = { 0 };
	int fd = -1;

	(void)state;
	assert_int_equal(ttrpc_shared_create(&agent, SIZE, &fd), 0);
	assert_true(blocks(fd) >= (long)agent.size / 512);
	assert_int_equal(ttrpc_shared_adopt(&client, fd), 0);
	ttrpc_shared_put(&client, "kept", 4);
	ttrpc_shared_release(&agent);
	assert_int_equal(blocks(fd), 0);
	assert_memory_equal(client.out.data, "\0\0\0\0", 4);
	ttrpc_shared_release(&client);
	close(fd);
}

/* What a frame in segments is, as bytes of a socket; ring segments lie in the ring already. */
struct bytes {
	uint8_t data[4096];
	size_t size;
};

static void put_header(struct bytes *bytes, uint32_t length)
{
	const struct ttrpc_frame_header header = { .length = length,
						   .stream_id = 1,
						   .type = TTRPC_REQUEST,
						   .flags = TTRPC_SEGMENTED | TTRPC_REMOTE_OPEN };

	ttrpc_frame_header_pack(&header, bytes->data);
	bytes->size = TTRPC_HEADER_SIZE;
}

static void put_segment(struct bytes *bytes, uint32_t word, const void *data)
{
	uint32_t head = htonl(word);

	memcpy(bytes->data + bytes->size, &head, sizeof(head));
	bytes->size += sizeof(head);
	if (!data)
		return;
	memcpy(bytes->data + bytes->size, data, word);
	bytes->size += word;
}

/* Feeds `step` bytes at a time; the last event that is not READER_MORE, after a header. */
static int feed(struct ttrpc_reader *reader, const struct bytes *bytes, size_t step, bool discard)
{
	int event = READER_MORE, last = READER_MORE;

	for (size_t at = 0; at < bytes->size && last >= 0 && last != READER_FRAME; at += step) {
		const uint8_t *data = bytes->data + at;
		size_t size = step < bytes->size - at ? step : bytes->size - at;

		while ((event = ttrpc_reader_feed(reader, &data, &size)) > READER_MORE) {
			last = event;
			if (event == READER_HEADER && discard)
				ttrpc_reader_discard(reader);
			if (event == READER_FRAME)
				return event;
		}
		if (event < 0)
			return event;
		ttrpc_reader_settle(reader);
	}
	return READER_MORE;
}

static void segments_make_a_body(void **state)
{
	static const size_t steps[] = { 1, 3, 7, 4096 };
	struct ends *ends = ends_new();
	struct ttrpc_reader reader = { .shared = &ends->agent };
	uint8_t *ring = noise(200000), *body;
	struct bytes bytes;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(steps) / sizeof(steps[0]); i++) {
		bool discard = i % 2;

		put_header(&bytes, 3 + 150000 + 50000 + 2);
		put_segment(&bytes, 3, "abc");
		put_segment(&bytes, TTRPC_SEGMENT_SHARED | 150000, NULL);
		put_segment(&bytes, TTRPC_SEGMENT_SHARED | 50000, NULL);
		put_segment(&bytes, 2, "yz");
		ttrpc_shared_put(&ends->client, ring, 200000);
		assert_int_equal(feed(&reader, &bytes, steps[i / 2], discard), READER_FRAME);
		assert_int_equal(reader.header.length, 200005);
		assert_int_equal(reader.header.flags, TTRPC_REMOTE_OPEN);
		body = ttrpc_reader_take(&reader);
		if (!discard) {
			assert_memory_equal(body, "abc", 3);
			assert_memory_equal(body + 3, ring, 200000);
			assert_memory_equal(body + 200003, "yz", 2);
		}
		assert_true(discard == !body);
		free(body);
		ttrpc_reader_settle(&reader);
		assert_int_equal(ttrpc_shared_room(&ends->client), ends->client.ring);
	}
	free(ring);
	ends_free(ends);
}

static void segments_that_cannot_be_are_refused(void **state)
{
	const uint32_t ring = SIZE / 2, shared = TTRPC_SEGMENT_SHARED;
	const struct {
		uint32_t length, first, second;
	} cases[] = {
		{ 100, 0, 0 },
		{ 100, shared, 0 },
		{ 100, 101, 0 },
		{ 100, shared | 101, 0 },
		{ 100, shared | 0x7fffffff, 0 },
		{ 100, 0x7fffffff, 0 },
		{ 100, shared | 50, shared | 51 },
		{ 1 << 30, shared | (ring + 1), 0 },
		{ 1 << 30, shared | (ring - 8192), shared | 8193 },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct ends *ends = ends_new();
		struct ttrpc_reader reader = { .shared = &ends->agent };
		struct bytes bytes;

		put_header(&bytes, cases[i / 2].length);
		put_segment(&bytes, cases[i / 2].first, NULL);
		if (cases[i / 2].second)
			put_segment(&bytes, cases[i / 2].second, NULL);
		assert_int_equal(feed(&reader, &bytes, sizeof(bytes.data), i % 2), -EPROTO);
		ttrpc_reader_release(&reader);
		ends_free(ends);
	}
}

static void without_memory_the_flag_means_nothing(void **state)
{
	struct ttrpc_reader reader = { 0 };
	struct bytes bytes;
	uint8_t *body;

	(void)state;
	put_header(&bytes, 7);
	put_segment(&bytes, 3, "abc");
	assert_int_equal(feed(&reader, &bytes, 1, false), READER_FRAME);
	assert_int_equal(reader.header.flags, TTRPC_SEGMENTED | TTRPC_REMOTE_OPEN);
	body = ttrpc_reader_take(&reader);
	assert_memory_equal(body, "\0\0\0\3abc", 7);
	free(body);
}

/* A socket that takes `step` bytes at a time, between a sender and a reader. */
static uint8_t *carry(const struct ttrpc_out *out, struct ends *ends, size_t step,
		      size_t *on_socket)
{
	struct ttrpc_reader reader = { .shared = &ends->agent };
	struct ttrpc_sending sending;
	int event = READER_MORE;

	ttrpc_sending_init(&sending, out, true);
	assert_false(sending.begun);
	for (*on_socket = 0; !ttrpc_sending_is_done(&sending);) {
		struct iovec iov[3];
		size_t n = ttrpc_sending_pending(&sending, out, &ends->client, iov, 3);
		const uint8_t *data = iov[0].iov_base;
		size_t size = step < iov[0].iov_len ? step : iov[0].iov_len;

		assert_true(n > 0 && size > 0);
		*on_socket += size;
		assert_int_equal(ttrpc_sending_advance(&sending, out, size), 0);
		/* What was written may have been all of the frame's parts so far: data stays. */
		while ((event = ttrpc_reader_feed(&reader, &data, &size)) > READER_MORE)
			if (event == READER_FRAME)
				break;
		assert_true(event >= READER_MORE);
		ttrpc_reader_settle(&reader);
	}
	assert_int_equal(event, READER_FRAME);
	assert_int_equal(reader.header.length, out->size - TTRPC_HEADER_SIZE);
	return ttrpc_reader_take(&reader);
}

static void a_frame_goes_through_in_any_steps(void **state)
{
	static const size_t steps[] = { 1, 5, 1000, SIZE_MAX };
	const size_t size = 3 << 20;
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;
	uint8_t *image = noise(size), *body;
	struct ends *ends = ends_new();
	struct ttrpc_out out;
	size_t on_socket;

	(void)state;
	request.image = (ProtobufCBinaryData){ .data = image, .len = size };
	assert_int_equal(
		ttrpc_out_request(&out, 1, "service", "method", 5, &request.base, SIZE_MAX), 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		body = carry(&out, ends, steps[i], &on_socket);
		assert_true(on_socket < 200); /* heads alone */
		assert_memory_equal(body + out.size - TTRPC_HEADER_SIZE - size - 2, image, size);
		free(body);
	}
	ttrpc_out_release(&out);
	free(image);
	ends_free(ends);
}

/* What the other end's counter says cannot be. */
static void without_room_a_frame_goes_over_the_socket(void **state)
{
	const size_t size = 1 << 20;
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;
	uint8_t *image = noise(size), *body;
	struct ends *ends = ends_new();
	struct ttrpc_out out;
	_Atomic uint64_t elsewhere = 0;
	size_t on_socket;

	(void)state;
	request.image = (ProtobufCBinaryData){ .data = image, .len = size };
	assert_int_equal(
		ttrpc_out_request(&out, 1, "service", "method", 5, &request.base, SIZE_MAX), 0);
	atomic_store(ends->client.out.taken, INT64_MAX);
	ends->agent.in.counter = &elsewhere;
	body = carry(&out, ends, 1000, &on_socket);
	assert_true(on_socket > size);
	assert_memory_equal(body + out.size - TTRPC_HEADER_SIZE - size - 2, image, size);
	free(body);
	ttrpc_out_release(&out);
	free(image);
	ends_free(ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_pass_in_both_directions),
		cmocka_unit_test(a_ring_is_full_until_what_was_taken_is_told),
		cmocka_unit_test(more_than_can_be_there_is_not_taken),
		cmocka_unit_test(a_counter_that_lies_leaves_no_room),
		cmocka_unit_test(a_client_takes_only_memory_that_stays),
		cmocka_unit_test(an_agent_makes_memory_that_nobody_resizes),
		cmocka_unit_test(what_was_made_is_taken_back_from_who_keeps_it),
		cmocka_unit_test(segments_make_a_body),
		cmocka_unit_test(segments_that_cannot_be_are_refused),
		cmocka_unit_test(without_memory_the_flag_means_nothing),
		cmocka_unit_test(a_frame_goes_through_in_any_steps),
		cmocka_unit_test(without_room_a_frame_goes_over_the_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
