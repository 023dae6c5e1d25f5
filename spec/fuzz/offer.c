/*
 * offer.c - fuzz target: memory as two ends agree on it, by an offer with a descriptor (offer.c,
 * client_shared.c in runtime/ttrpc), and the calls and streams of a client that go through it.
 *
 *     input: settings (1 byte) | steps
 *     step:  what (3 bits), to which of both ends (1 bit), a number (4 bits) | what the step takes
 *
 * A client calls a server, both as they are, over a wire that is the input's: it passes bytes on in
 * pieces, loses descriptors as whoever relays bytes does, and lies: by frames and bytes of its own,
 * offers with descriptors of any kind, and what it leaves in the memory. While the client waits the
 * steps go on; after the last one the wire is honest, and hangs up on who still waits then.
 *
 * Without a lie each call has its answer, and the messages of a stream are those that were sent. In
 * the end no descriptor, mapping, connection or request may be left.
 */
#include "client.h"
#include "fuzz.h"
#include "memories.h"
#include "server_internal.h"
#include "sockets.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image.pb-c.h"

enum { TO_SERVER, TO_CLIENT, ENDS, PIECE = 48 << 10, LONGEST = 80000, PATIENCE = 60 };
enum step { CALL, STREAM, RELAY, TURN, OFFER, FRAME, MEMORY, OTHER };
enum other { RAW, LOSE, SILENCE, HANG_UP };
enum setting {
	SMALL = 1,
	NO_HELLO = 2,
	REFUSE = 4,
	WANT = 8
}; /* and above it what there is none of */

/* From one end's socket to the other's. */
struct way {
	int from, to;
	size_t at, size; /* in bytes: what has come and could not be passed on */
	int fd[4];	 /* that came with it */
	size_t nr_fds;
	uint8_t bytes[PIECE];
};

static struct ev_loop *loop;
static struct ttrpc_server *server;
static struct ttrpc_client *client;
static struct ttrpc_stream *stream;
static struct fuzz_input *input;
static struct way ways[ENDS];
static int client_fd;
static unsigned settings;
static bool lied, loses, silent;
static size_t shared_bytes; /* on the account, as the server says */
static bool ended;	    /* the stream, by the client */
static size_t nr_asked;	    /* messages that come back over it */
static uint8_t pattern[LONGEST];

/* The linker's names for what the client waits by. */
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
int __wrap_poll(struct pollfd *pfd, nfds_t count, int timeout);
ssize_t __real_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *msg, int flags);
int __real_poll(struct pollfd *pfd, nfds_t count, int timeout);

static size_t size_of(unsigned number)
{
	static const size_t sizes[] = { 0, 10, 3000, 40000, 65000, 65600, 70000, LONGEST };

	return sizes[number % 8];
}

/* ---- the server */

static int on_opened(void *ctx, struct ttrpc_conn *conn, void **user)
{
	*user = ctx;
	ttrpc_conn_set_account(conn, &shared_bytes);
	return 0;
}

static void on_closed(void *ctx, struct ttrpc_conn *conn, const char *reason)
{
	(void)ctx;
	fuzz_check(!ttrpc_conn_is_open(conn) && reason[0]);
}

static const char *on_usage(void *account, const struct ttrpc_usage *before,
			    const struct ttrpc_usage *now)
{
	(void)before;
	(void)now;
	fuzz_check(account == &shared_bytes);
	return NULL;
}

static bool on_share(void *account, size_t size)
{
	fuzz_check(account == &shared_bytes && shared_bytes == 0);
	if (!(settings & REFUSE))
		shared_bytes += size;
	return !(settings & REFUSE);
}

static void on_unshare(void *account, size_t size)
{
	fuzz_check(account == &shared_bytes && shared_bytes == size);
	shared_bytes = 0;
}

static void on_forget(void *account)
{
	fuzz_check(account == &shared_bytes && shared_bytes == 0);
}

static void on_refused(void *ctx, struct ttrpc_request *request, const char *reason)
{
	(void)ctx;
	(void)request;
	fuzz_check(!reason);
}

/* Messages are sent back, when the last has come. */
static void on_stream(void *ctx, struct ttrpc_request *request)
{
	static const struct ttrpc_status cut = { .code = TTRPC_CANCELLED, .message = "cut" };
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;
	struct ttrpc_data *data;
	int err = 0;

	(void)ctx;
	while (!request->cut && !err && request->ended && (data = ttrpc_request_take(request))) {
		ProtobufCMessage *message;

		err = ttrpc_data_decode(data, &vaccel__image__request__descriptor, &message, NULL,
					0);
		if (!err)
			response.tags = ((const Vaccel__Image__Request *)message)->image;
		if (!err)
			err = ttrpc_request_send(request, &response.base, NULL, NULL);
	}
	if (err || request->cut)
		ttrpc_request_fail(request, &cut);
	else if (request->ended)
		ttrpc_request_finish(request);
}

static void on_request(void *ctx, struct ttrpc_request *request)
{
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;
	const Vaccel__Image__Request *message;

	if (request->method[0] == 's')
		return on_stream(ctx, request);
	message = (const void *)ttrpc_request_decode(request, &vaccel__image__request__descriptor);
	if (!message)
		return;
	if (request->method[0] == 'h')
		ttrpc_conn_share(request->conn, TTRPC_SHARED_SIZE_MIN);
	response.tags = message->image;
	if (request->method[0] == 'l')
		response.tags = (ProtobufCBinaryData){ LONGEST, pattern };
	ttrpc_request_reply(request, &response.base, NULL, NULL);
}

static void turn(void)
{
	ev_run(loop, EVRUN_NOWAIT);
}

/* ---- the wire */

static void close_descriptors(struct way *way)
{
	while (way->nr_fds > 0)
		close(way->fd[--way->nr_fds]);
}

static void hang_up(void)
{
	for (int i = 0; i < ENDS; i++) {
		close_descriptors(&ways[i]);
		if (ways[i].from >= 0)
			close(ways[i].from);
		ways[i].from = ways[i].to = -1;
	}
}

/* As one message, with these descriptors. How many bytes were taken. */
static size_t put(int fd, const void *bytes, size_t size, const int *fds, size_t nr_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { (void *)bytes, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd < 0 || size == 0)
		return 0;
	if (nr_fds > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, nr_fds * sizeof(int));
	}
	n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n > 0 ? (size_t)n : 0;
}

/* The next bytes of one end. False: there are none. */
static bool take(struct way *way, size_t most)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = { way->bytes, most < PIECE ? most : PIECE };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *header;
	ssize_t n;

	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control);
	n = recvmsg(way->from, &msg, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		hang_up();
	if (n <= 0)
		return false;
	way->at = 0;
	way->size = (size_t)n;
	header = CMSG_FIRSTHDR(&msg);
	if (header) {
		way->nr_fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(way->fd, CMSG_DATA(header), way->nr_fds * sizeof(int));
	}
	if (loses)
		close_descriptors(way);
	return true;
}

/* False: nothing moves. */
static bool relay(struct way *way, size_t most)
{
	size_t n;

	if (way->from < 0 || (way->at == way->size && !take(way, most)))
		return false;
	n = put(way->to, way->bytes + way->at, way->size - way->at, way->fd, way->nr_fds);
	way->at += n;
	if (n > 0)
		close_descriptors(way);
	return n > 0;
}

/* ---- lies */

/* Frames of an offer, with descriptors; `number` says how many. */
static void lie_offer(unsigned number)
{
	static const uint64_t sizes[] = {
		(256 << 10) - 8192, 0, 4096, 4098, 4097, 1 << 30, 262144
	};
	struct ttrpc_frame_header header = { .type = TTRPC_OFFER };
	uint8_t bytes[TTRPC_HEADER_SIZE];
	int fds[8];
	size_t count = 0;

	ttrpc_frame_header_pack(&header, bytes);
	for (unsigned i = 0; i < (number & 7); i++) {
		uint8_t kind = fuzz_byte(input);
		int fd = memories_open(sizes[(kind & 7) % 7], kind & 0x40     ? MEMORIES_NO_SEALS
							      : kind >> 3 & 7 ? 0
									      : 2);

		if (fd >= 0)
			fds[count++] = fd;
	}
	put(ways[TO_CLIENT].to, bytes, number & 8 ? 1 : sizeof(bytes), fds, count);
	if (number & 8)
		put(ways[TO_CLIENT].to, bytes + 1, sizeof(bytes) - 1, NULL, 0);
	while (count > 0)
		close(fds[--count]);
}

static void lie_frame(const struct way *way, unsigned number)
{
	struct ttrpc_frame_header header = { .type = fuzz_byte(input), .flags = fuzz_byte(input) };
	uint8_t bytes[TTRPC_HEADER_SIZE];
	size_t size;
	const uint8_t *body;

	header.stream_id = fuzz_byte(input);
	size = fuzz_byte(input);
	body = fuzz_bytes(input, &size);
	header.length = (uint32_t)(number & 8 ? size_of(number) : size);
	ttrpc_frame_header_pack(&header, bytes);
	put(way->to, bytes, sizeof(bytes), NULL, 0);
	put(way->to, body, size, NULL, 0);
	if (number & 8)
		put(way->to, pattern, header.length > size ? header.length - size : 0, NULL, 0);
}

/* A counter, or a byte. */
static void lie_memory(unsigned number)
{
	size_t at = fuzz_u16(input), size;
	const uint8_t by = fuzz_byte(input);
	uint8_t *bytes = memories_last(&size);

	if (!bytes || size == 0)
		return;
	if (number & 1)
		at = number & 2 ? at % 8 : 128 + at % 8;
	else
		at *= 4;
	if (at < size)
		bytes[at] ^= by;
}

static void other(struct way *way, unsigned number)
{
	size_t size;
	const uint8_t *bytes;

	switch ((enum other)(number & 3)) {
	case RAW:
		size = fuzz_byte(input);
		bytes = fuzz_bytes(input, &size);
		put(way->to, bytes, size, NULL, 0);
		lied = true;
		break;
	case LOSE:
		loses = !loses;
		break;
	case SILENCE:
		silent = true;
		break;
	case HANG_UP:
		hang_up();
		lied = true;
		break;
	}
}

/* ---- the client */

static const ProtobufCMessage *request_of(Vaccel__Image__Request *request, unsigned number)
{
	vaccel__image__request__init(request);
	request->image = (ProtobufCBinaryData){ size_of(number), pattern };
	return &request->base;
}

/* Whoever lied may have put anything there. */
static void check_answer(struct ttrpc_answer *answer, size_t size)
{
	const Vaccel__Image__Response *response = (const void *)answer->response;

	if (!lied) {
		fuzz_check(answer->status.code == TTRPC_OK && response->tags.len == size);
		fuzz_check(size == 0 || memcmp(response->tags.data, pattern, size) == 0);
	}
	ttrpc_answer_release(answer);
}

static void call(const char *method, unsigned number)
{
	const int64_t timeout = number & 8 ? INT64_C(1000000000000) : 0;
	Vaccel__Image__Request request;
	struct ttrpc_answer answer;
	int err = ttrpc_client_call(client, "fuzz", method, request_of(&request, number),
				    &vaccel__image__response__descriptor, timeout, &answer);

	fuzz_check(err == 0 || lied || silent);
	if (err == 0)
		check_answer(&answer, method[0] == 'l' ? LONGEST : size_of(number));
}

static void free_stream(void)
{
	ttrpc_stream_free(stream);
	stream = NULL;
}

static void receive(void)
{
	struct ttrpc_answer answer;
	int err = ttrpc_stream_receive(stream, &vaccel__image__response__descriptor, &answer);

	if (!err)
		ttrpc_answer_release(&answer);
	fuzz_check(lied || silent || err == (nr_asked > 0 ? 0 : -ENODATA));
	nr_asked -= nr_asked > 0;
}

static void step_stream(unsigned number)
{
	Vaccel__Image__Request request;

	switch (number & 3) {
	case 0:
		free_stream();
		ended = false;
		nr_asked = 0;
		if (ttrpc_stream_open(client, "fuzz", "stream", NULL, true, 0, &stream))
			stream = NULL;
		break;
	case 1:
		if (stream && !ended && nr_asked < 8 &&
		    !ttrpc_stream_send(stream, request_of(&request, number >> 1)))
			nr_asked++;
		break;
	case 2:
		if (stream && !ended)
			ttrpc_stream_close(stream);
		ended = true;
		break;
	default:
		if (stream && ended)
			receive();
		break;
	}
}

/* ---- steps */

static void step(bool waiting)
{
	uint8_t byte = fuzz_byte(input);
	struct way *way = &ways[byte >> 3 & 1];
	unsigned number = byte >> 4;

	switch ((enum step)(byte & 7)) {
	case CALL:
		if (!waiting)
			call(way == &ways[TO_CLIENT] ? "long" : "echo", number);
		break;
	case STREAM:
		if (!waiting)
			step_stream(number);
		break;
	case RELAY:
		relay(way, number == 15 ? PIECE : (size_t)number * number + 1);
		break;
	case TURN:
		turn();
		break;
	case OFFER:
		lied = true;
		lie_offer(number);
		break;
	case FRAME:
		lied = true;
		lie_frame(way, number);
		break;
	case MEMORY:
		lied = true;
		lie_memory(number);
		break;
	case OTHER:
		other(way, number);
		break;
	}
}

/* An honest wire. False: nothing moves on it, and nobody has anything to do. */
static bool be_honest(void)
{
	bool moved = false;

	for (int i = 0; i < ENDS; i++)
		moved |= relay(&ways[i], PIECE);
	turn();
	return moved;
}

/* Until the client has what it waits for. False: it has waited for too long. */
static bool provide(short events)
{
	struct pollfd pfd = { .fd = client_fd, .events = events };
	unsigned still = 0;

	while (__real_poll(&pfd, 1, 0) == 0) {
		if (silent)
			return false;
		if (fuzz_left(input) > 0)
			step(true);
		else
			still = be_honest() ? 0 : still + 1;
		if (still == PATIENCE) {
			fuzz_check(lied);
			hang_up();
		}
	}
	return true;
}

ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags)
{
	if (fd == client_fd && !(flags & MSG_DONTWAIT) && !provide(POLLIN))
		hang_up();
	return __real_recv(fd, bytes, size, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	if (fd == client_fd && !(flags & MSG_DONTWAIT) && !provide(POLLIN))
		hang_up();
	return __real_recvmsg(fd, msg, flags);
}

/* With a timeout of 0 it looks whether the other end has gone. */
int __wrap_poll(struct pollfd *pfd, nfds_t count, int timeout)
{
	if (pfd->fd == client_fd && timeout != 0 && !provide(pfd->events)) {
		if (timeout > 0)
			return 0;
		hang_up();
	}
	return __real_poll(pfd, count, timeout);
}

/* ---- a run */

static void start(void)
{
	static const struct ttrpc_server_handlers handlers = {
		.opened = on_opened,
		.request = on_request,
		.stream = on_stream,
		.closed = on_closed,
		.usage = on_usage,
		.refused = on_refused,
		.share = on_share,
		.unshare = on_unshare,
		.forget = on_forget,
	};
	static char name[] = "fuzz";
	static const int small = 9000;
	const struct ttrpc_server_limits limits = { .frame_max = 1 << 20 };
	const struct ttrpc_client_options options = { .frame_max = 1 << 20 };
	static struct ttrpc_listener listener;
	int near[2], far[2];

	lied = loses = silent = false;
	memories_start((enum memories_want)((settings / WANT) % (WANT_ROOM + 1)));
	fuzz_check(ttrpc_server_new(loop, &handlers, NULL, &limits, &server) == 0);
	listener = (struct ttrpc_listener){ .server = server, .name = name, .shares = true };
	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM, 0, near) == 0);
	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM, 0, far) == 0);
	for (int i = 0; i < ENDS; i++)
		ways[i].at = ways[i].size = ways[i].nr_fds = 0;
	ways[TO_SERVER].from = ways[TO_CLIENT].to = near[1];
	ways[TO_CLIENT].from = ways[TO_SERVER].to = far[0];
	client_fd = near[0];
	for (int i = 0; (settings & SMALL) && i < 2; i++) {
		setsockopt(near[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		setsockopt(far[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	}
	ttrpc_conn_accept(&listener, far[1]);
	fuzz_check(ttrpc_client_from_fd(client_fd, &options, &client) == 0);
}

static void finish(void)
{
	struct ttrpc_server_stats stats;

	free_stream();
	ttrpc_client_unref(client);
	client_fd = -1;
	hang_up();
	for (int i = 0; i < PATIENCE && server->nr_open > 0; i++)
		turn();
	ttrpc_server_stats(server, &stats);
	fuzz_check(stats.connections == 0 && stats.requests == 0);
	fuzz_check(stats.bytes_held == 0 && stats.bytes_out == 0);
	ttrpc_server_free(server);
	fuzz_check(shared_bytes == 0 && memories_left() == 0 && sockets_open() == 0);
	fuzz_descriptors_check();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + i / 256);
	loop = ev_default_loop(EVBACKEND_POLL | EVFLAG_NOENV);
	fuzz_check(loop);
	turn();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input bytes = { data, data + size };

	fuzz_descriptors_note();
	input = &bytes;
	settings = fuzz_byte(input);
	start();
	if (!(settings & NO_HELLO)) {
		fuzz_check(ttrpc_client_share(client));
		call("hello", 1);
	}
	while (fuzz_left(input) > 0)
		step(false);
	finish();
	return 0;
}
