/*
 * ttrpc_address.c - headers and frames off a stream, addresses, sockets and who is behind them.
 */
#include "address.h"
#include "cmocka_all.h"
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void headers_are_big_endian(void **state)
{
	const uint8_t bytes[] = { 0, 0, 0, 0x33, 0, 0, 0, 1, 1, 0 };
	struct ttrpc_frame_header header;
	uint8_t out[TTRPC_HEADER_SIZE];

	(void)state;
	ttrpc_frame_header_unpack(bytes, &header);
	assert_int_equal(header.length, 0x33);
	assert_int_equal(header.stream_id, 1);
	assert_int_equal(header.type, TTRPC_REQUEST);
	assert_int_equal(header.flags, 0);
	ttrpc_frame_header_pack(&header, out);
	assert_memory_equal(out, bytes, sizeof(out));
	header = (struct ttrpc_frame_header){ 0xfffefdfc, 0x80000001, 2, 5 };
	ttrpc_frame_header_pack(&header, out);
	assert_memory_equal(out, "\xff\xfe\xfd\xfc\x80\x00\x00\x01\x02\x05", 10);
}

/* Three frames in pieces of `step` bytes: bodies of 5, 0 and `last` bytes. */
static void read_in_steps(const uint8_t *bytes, size_t size, size_t step, size_t last)
{
	const size_t expected[] = { 5, 0, last };
	struct ttrpc_reader reader = { 0 };
	size_t frames = 0;

	for (size_t at = 0; at < size; at += step) {
		const uint8_t *data = bytes + at;
		size_t n = step < size - at ? step : size - at;
		int event;

		while ((event = ttrpc_reader_feed(&reader, &data, &n)) != READER_MORE) {
			uint8_t *body;

			if (event == READER_HEADER) {
				assert_int_equal(reader.header.length, expected[frames]);
				continue;
			}
			assert_int_equal(event, READER_FRAME);
			assert_int_equal(reader.have, expected[frames]);
			body = ttrpc_reader_take(&reader);
			if (expected[frames])
				assert_memory_equal(body, bytes + size - expected[frames],
						    expected[frames]);
			free(body);
			frames++;
		}
	}
	assert_int_equal(frames, 3);
	assert_false(ttrpc_reader_within_frame(&reader));
	ttrpc_reader_release(&reader);
}

static void frames_arrive_in_any_pieces(void **state)
{
	enum { LAST = 300 };
	uint8_t bytes[3 * TTRPC_HEADER_SIZE + 5 + LAST];
	const size_t sizes[] = { 5, 0, LAST };
	uint8_t *at = bytes;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct ttrpc_frame_header header = { (uint32_t)sizes[i], 2 * i + 1, 1, 0 };

		ttrpc_frame_header_pack(&header, at);
		memset(at + TTRPC_HEADER_SIZE, 0x42, sizes[i]);
		at += TTRPC_HEADER_SIZE + sizes[i];
	}
	for (size_t step = 1; step <= sizeof(bytes); step++)
		read_in_steps(bytes, sizeof(bytes), step, LAST);
}

static void memory_follows_the_bytes_not_the_claim(void **state)
{
	struct ttrpc_frame_header header = { 250u << 20, 1, TTRPC_REQUEST, 0 };
	struct ttrpc_reader reader = { 0 };
	uint8_t bytes[TTRPC_HEADER_SIZE + 100] = { 0 };
	const uint8_t *data = bytes;
	size_t size = sizeof(bytes), space = 0;

	(void)state;
	ttrpc_frame_header_pack(&header, bytes);
	assert_int_equal(ttrpc_reader_feed(&reader, &data, &size), READER_HEADER);
	assert_null(reader.body);
	assert_int_equal(ttrpc_reader_feed(&reader, &data, &size), READER_MORE);
	assert_int_equal(reader.have, 100);
	assert_true(reader.capacity <= 68 << 10);
	for (int i = 0; i < 8; i++) {
		size_t had = reader.have;

		assert_non_null(ttrpc_reader_space(&reader, &space));
		assert_true(had + space <= 2 * had || had + space <= 68 << 10);
		ttrpc_reader_filled(&reader, space);
	}
	ttrpc_reader_release(&reader);
}

/* Found by fuzzing: arithmetic on NULL, which clang's sanitizer reports. */
static void nothing_may_be_fed_from_nowhere(void **state)
{
	struct ttrpc_reader reader = { 0 };
	const uint8_t *data = NULL;
	size_t size = 0;

	(void)state;
	assert_int_equal(ttrpc_reader_feed(&reader, &data, &size), READER_MORE);
	assert_null(data);
	assert_false(ttrpc_reader_within_frame(&reader));
}

static void a_discarded_body_is_not_kept(void **state)
{
	struct ttrpc_frame_header header = { 1000, 3, TTRPC_DATA, 0 };
	struct ttrpc_reader reader = { 0 };
	uint8_t bytes[TTRPC_HEADER_SIZE + 1000] = { 0 };
	const uint8_t *data = bytes;
	size_t size = sizeof(bytes), space;

	(void)state;
	ttrpc_frame_header_pack(&header, bytes);
	assert_int_equal(ttrpc_reader_feed(&reader, &data, &size), READER_HEADER);
	ttrpc_reader_discard(&reader);
	assert_null(ttrpc_reader_space(&reader, &space));
	assert_int_equal(ttrpc_reader_feed(&reader, &data, &size), READER_FRAME);
	assert_true(reader.discarding);
	assert_null(ttrpc_reader_take(&reader));
	assert_int_equal(size, 0);
}

static void good_addresses(void **state)
{
	static const struct {
		const char *uri;
		struct ttrpc_address expected;
	} table[] = {
		{ "unix:///run/vaccel.sock",
		  { .transport = TTRPC_UNIX, .path = "/run/vaccel.sock" } },
		{ "unix://relative.sock", { .transport = TTRPC_UNIX, .path = "relative.sock" } },
		{ "unix://@hidden", { .transport = TTRPC_UNIX, .path = "@hidden" } },
		{ "vsock://2:2048", { .transport = TTRPC_VSOCK, .cid = 2, .port = 2048 } },
		{ "vsock://4294967295:1",
		  { .transport = TTRPC_VSOCK, .cid = UINT32_MAX, .port = 1 } },
		{ "tcp://127.0.0.1:65500",
		  { .transport = TTRPC_TCP, .host = "127.0.0.1", .port = 65500 } },
		{ "TCP://Example.ORG:1",
		  { .transport = TTRPC_TCP, .host = "example.org", .port = 1 } },
		{ "tcp://[::1]:80", { .transport = TTRPC_TCP, .host = "::1", .port = 80 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct ttrpc_address *e = &table[i].expected;
		struct ttrpc_address a;
		char err[256] = "";

		assert_int_equal(ttrpc_address_parse(table[i].uri, &a, err, sizeof(err)), 0);
		assert_int_equal(a.transport, e->transport);
		assert_string_equal(a.uri, table[i].uri);
		assert_string_equal(a.path ? a.path : "", e->path ? e->path : "");
		assert_string_equal(a.host ? a.host : "", e->host ? e->host : "");
		assert_int_equal(a.cid, e->cid);
		assert_int_equal(a.port, e->port);
		ttrpc_address_release(&a);
	}
}

static void bad_addresses(void **state)
{
	static const char long_path[] =
		"unix:///aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const struct {
		const char *uri, *reason;
	} table[] = {
		{ "", "Invalid server address uri" },
		{ "/run/vaccel.sock", "Invalid server address uri" },
		{ "unix:/run/vaccel.sock", "Invalid server address uri" },
		{ "unix://a://b", "Invalid server address uri" },
		{ "udp://127.0.0.1:1", "Unsupported protocol" },
		{ "UNIX:///run/x", "Unsupported protocol" },
		{ "Vsock://2:2048", "Unsupported protocol" },
		{ "://x", "Unsupported protocol" },
		{ "unix://", "path is missing" },
		{ "unix://@", "path is missing" },
		{ long_path, "use a shorter one" },
		{ "vsock://2", "two numbers" },
		{ "vsock://2:", "two numbers" },
		{ "vsock://:2048", "two numbers" },
		{ "vsock://host:2048", "two numbers" },
		{ "vsock://2:port", "two numbers" },
		{ "vsock://4294967296:1", "two numbers" },
		{ "vsock://2:4294967295", "two numbers" },
		{ "vsock://2:-1", "two numbers" },
		{ "vsock://2:20:48", "two numbers" },
		{ "tcp://127.0.0.1", "HOST:PORT" },
		{ "tcp://:65500", "HOST:PORT" },
		{ "tcp://host:", "HOST:PORT" },
		{ "tcp://host:65536", "HOST:PORT" },
		{ "tcp://host:80x", "HOST:PORT" },
		{ "tcp://::1:80", "brackets" },
		{ "tcp://[::1]", "brackets" },
		{ "tcp://[]:80", "brackets" },
		{ "tcp://[::1:80", "brackets" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ttrpc_address a;
		char err[256] = "";

		assert_int_equal(ttrpc_address_parse(table[i].uri, &a, err, sizeof(err)), -EINVAL);
		if (!strstr(err, table[i].reason))
			fail_msg("%s: %s", table[i].uri, err);
		assert_null(a.uri);
		assert_int_equal(ttrpc_address_parse(table[i].uri, &a, NULL, 0), -EINVAL);
	}
}

static struct ttrpc_address address_of(const char *format, const char *name)
{
	struct ttrpc_address address;
	char uri[160];

	snprintf(uri, sizeof(uri), format, name);
	assert_int_equal(ttrpc_address_parse(uri, &address, NULL, 0), 0);
	return address;
}

/* A peer connects and is told who we are, and we who it is. */
static void meet(const struct ttrpc_address *address, int listener, struct ttrpc_peer *peer)
{
	char err[256] = "";
	int fd = ttrpc_address_connect(address, 1000, err, sizeof(err)), accepted;

	if (fd < 0)
		fail_msg("%s", err);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	accepted = accept(listener, NULL, NULL);
	assert_true(accepted >= 0);
	assert_int_equal(ttrpc_peer_of(accepted, peer), 0);
	close(accepted);
	close(fd);
}

static void unix_sockets(void **state)
{
	const char *forms[] = { "unix://%s/a.sock", "unix://@%s/abstract" };
	struct ttrpc_peer peer;
	char text[64], expected[64];

	(void)state;
	snprintf(expected, sizeof(expected), "uid:%u", (unsigned)getuid());
	for (size_t i = 0; i < 2; i++) {
		struct ttrpc_address address = address_of(forms[i], dir);
		int fd = ttrpc_address_listen(&address, NULL, NULL, NULL, 0);

		assert_true(fd >= 0);
		meet(&address, fd, &peer);
		assert_int_equal(peer.transport, TTRPC_UNIX);
		assert_true(peer.has_credentials && !peer.has_cid);
		assert_int_equal(peer.pid, getpid());
		assert_string_equal(ttrpc_peer_str(&peer, text, sizeof(text)), expected);
		close(fd);
		ttrpc_address_unlink(&address);
		if (address.path[0] != '@')
			assert_int_equal(access(address.path, F_OK), -1);
		ttrpc_address_release(&address);
	}
}

static void a_stale_socket_is_replaced_a_live_one_is_not(void **state)
{
	struct ttrpc_address address = address_of("unix://%s/stale.sock", dir);
	char err[256] = "";
	int first, second;

	(void)state;
	first = ttrpc_address_listen(&address, NULL, NULL, err, sizeof(err));
	assert_true(first >= 0);
	assert_int_equal(ttrpc_address_listen(&address, NULL, NULL, err, sizeof(err)), -EADDRINUSE);
	assert_non_null(strstr(err, "an agent runs there already"));
	close(first);
	second = ttrpc_address_listen(&address, NULL, NULL, err, sizeof(err));
	assert_true(second >= 0);
	close(second);
	ttrpc_address_unlink(&address);
	/* Something else at that path is not ours to remove. */
	close(open(address.path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(ttrpc_address_listen(&address, NULL, NULL, err, sizeof(err)), -EADDRINUSE);
	assert_non_null(strstr(err, "no socket"));
	assert_int_equal(unlink(address.path), 0);
	ttrpc_address_release(&address);
}

static void a_socket_file_has_the_mode_asked_for(void **state)
{
	struct ttrpc_address address = address_of("unix://%s/mode.sock", dir);
	struct ttrpc_listen_options options = { .mode = 0666 };
	mode_t mask = umask(0077);
	struct stat st;
	int fd;

	(void)state;
	fd = ttrpc_address_listen(&address, &options, NULL, NULL, 0);
	umask(mask);
	assert_true(fd >= 0);
	assert_int_equal(stat(address.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
	close(fd);
	ttrpc_address_unlink(&address);
	ttrpc_address_release(&address);
}

static void sockets_that_fail_say_why(void **state)
{
	struct ttrpc_address address = address_of("unix://%s/no/folder.sock", dir);
	char err[256] = "";

	(void)state;
	assert_int_equal(ttrpc_address_listen(&address, NULL, NULL, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "make the folder first"));
	assert_int_equal(ttrpc_address_connect(&address, 100, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, address.uri));
	ttrpc_address_release(&address);
	address = address_of("tcp://127.0.0.1:%s", "1");
	assert_int_equal(ttrpc_address_connect(&address, 1000, err, sizeof(err)), -ECONNREFUSED);
	ttrpc_address_release(&address);
	address = address_of("tcp://%s:1", "no.such.host.invalid");
	assert_int_equal(ttrpc_address_connect(&address, 1000, err, sizeof(err)), -EADDRNOTAVAIL);
	assert_non_null(strstr(err, "cannot resolve"));
	ttrpc_address_release(&address);
}

static void connecting_has_a_deadline(void **state)
{
	struct ttrpc_address address = address_of("unix://%s/full.sock", dir);
	struct ttrpc_listen_options options = { .backlog = 1 };
	int fd = ttrpc_address_listen(&address, &options, NULL, NULL, 0);
	int peers[8], n = 0;

	(void)state;
	assert_true(fd >= 0);
	while (n < 8 && (peers[n] = ttrpc_address_connect(&address, 30, NULL, 0)) >= 0)
		n++;
	assert_true(n < 8);
	assert_int_equal(peers[n], -ETIMEDOUT);
	while (n > 0)
		close(peers[--n]);
	close(fd);
	ttrpc_address_unlink(&address);
	ttrpc_address_release(&address);
}

/* Port 0 is any free one. */
static uint16_t listen_tcp(int *fd)
{
	struct ttrpc_address address = address_of("tcp://%s:1", "127.0.0.1");
	struct sockaddr_in bound;
	socklen_t size = sizeof(bound);

	address.port = 0;
	*fd = ttrpc_address_listen(&address, NULL, NULL, NULL, 0);
	assert_true(*fd >= 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&bound, &size), 0);
	ttrpc_address_release(&address);
	return ntohs(bound.sin_port);
}

static void a_machine_that_went_is_noticed(void **state)
{
	struct ttrpc_address address;
	int listener, fd, alive = 0, idle = 0;
	socklen_t size = sizeof(int);
	char port[8];

	(void)state;
	snprintf(port, sizeof(port), "%u", (unsigned)listen_tcp(&listener));
	address = address_of("tcp://127.0.0.1:%s", port);
	fd = ttrpc_address_connect(&address, 1000, NULL, 0);
	assert_true(fd >= 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &alive, &size), 0);
	assert_int_equal(alive, 1);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &size), 0);
	assert_true(idle <= 60);
	close(fd);
	close(listener);
	ttrpc_address_release(&address);
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/ttrpc-address-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_big_endian),
		cmocka_unit_test(frames_arrive_in_any_pieces),
		cmocka_unit_test(memory_follows_the_bytes_not_the_claim),
		cmocka_unit_test(nothing_may_be_fed_from_nowhere),
		cmocka_unit_test(a_discarded_body_is_not_kept),
		cmocka_unit_test(good_addresses),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(unix_sockets),
		cmocka_unit_test(a_stale_socket_is_replaced_a_live_one_is_not),
		cmocka_unit_test(a_socket_file_has_the_mode_asked_for),
		cmocka_unit_test(sockets_that_fail_say_why),
		cmocka_unit_test(connecting_has_a_deadline),
		cmocka_unit_test(a_machine_that_went_is_noticed),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
