/*
 * conn.c - fuzz target: a server's connections (runtime/ttrpc: conn.c, request.c, reply.c,
 * server.c, server_stream.c), on a loop without threads.
 *
 *     input: settings (1 byte) | steps
 *     step:  what (3 bits), which of two peers (1 bit), a number (4 bits) | what the step takes
 *
 * Peers send what the input has, cut where it says, read or do not read, hang up and come again;
 * the handler answers at once, later or not before the end, takes a stream or makes one, or hangs
 * up, as a request's method says. In the end everybody goes, in one order or the other, and nothing
 * may be left: no request, no byte held, no connection, no descriptor, no watcher.
 */
#include "fuzz.h"
#include "server_internal.h"
#include "sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image.pb-c.h"
#include "ttrpc.pb-c.h"

enum { PEERS = 2, TURNS = 200, SEND_BUFFER = 4608, MESSAGES = 70 };

enum step { RAW, FRAME, TURN, ANSWER, HANG_UP, CLOSE, READ, TIMER };
enum setting { SMALL = 1, SERVER_FIRST = 2, REFUSE = 4, FEW = 8 };

struct kept {
	struct ttrpc_request *request;
	const Vaccel__Image__Request *message; /* NULL: not decoded */
	bool never;			       /* not before the end */
	struct kept *next;
};

struct peer {
	int fd; /* its own end; -1: not connected */
	struct ttrpc_conn *conn;
	struct ttrpc_reader frames;
};

struct world {
	struct ttrpc_server *server;
	struct ttrpc_listener listener;
	struct peer peers[PEERS];
	struct peer *arriving;
	struct kept *kept;
	unsigned settings, opened, closed, replied, released;
};

static struct ev_loop *loop;

static int on_opened(void *ctx, struct ttrpc_conn *conn, void **user)
{
	struct world *world = ctx;

	*user = world->arriving;
	/* Every third, if at all. */
	if ((world->settings & REFUSE) && world->opened % 3 == 2) {
		world->arriving = NULL;
		return -1;
	}
	world->arriving->conn = conn;
	world->opened++;
	return 0;
}

static void on_closed(void *ctx, struct ttrpc_conn *conn, const char *reason)
{
	struct world *world = ctx;
	struct peer *peer = ttrpc_conn_user(conn);

	fuzz_check(!ttrpc_conn_is_open(conn) && reason[0]);
	/* Its peer may have come again before the server saw that it had gone. */
	if (peer->conn == conn)
		peer->conn = NULL;
	world->closed++;
}

static void on_log(void *ctx, const char *line)
{
	(void)ctx;
	fuzz_check(line[0]);
}

static void on_released(void *arg)
{
	struct world *world = arg;

	world->released++;
}

static void echo(struct world *world, struct ttrpc_request *request,
		 const Vaccel__Image__Request *message)
{
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;

	if (message)
		response.tags = message->image;
	world->replied++;
	ttrpc_request_reply(request, &response.base, on_released, world);
}

static void fail(struct ttrpc_request *request)
{
	const struct ttrpc_status status = {
		.code = TTRPC_INTERNAL,
		.message = request->method,
		.detail_type_url = "type",
		.detail = request->payload.data,
		.detail_size = request->payload.len,
	};

	ttrpc_request_fail(request, &status);
}

static void keep(struct world *world, struct ttrpc_request *request,
		 const Vaccel__Image__Request *message, bool never)
{
	struct kept *kept = malloc(sizeof(*kept));

	fuzz_check(kept);
	*kept = (struct kept){ request, message, never, world->kept };
	world->kept = kept;
}

/* The messages of a stream are taken as they come, and some of them kept. */
static void gather(struct world *world, struct ttrpc_request *request)
{
	struct ttrpc_data *data;
	ProtobufCMessage *message;

	while ((data = ttrpc_request_take(request))) {
		fuzz_check(data->request == request);
		ttrpc_request_charge(request, data->payload.len);
		ttrpc_request_progressed(request);
		if (ttrpc_data_decode(data, &vaccel__image__request__descriptor, &message, NULL,
				      0)) {
			fail(request);
			return;
		}
		if (data->payload.len % 2)
			ttrpc_data_free(data);
	}
	if (request->ended)
		echo(world, request, NULL);
}

static void forget(void *user)
{
	unsigned *sent = user;

	free(sent);
}

/* Answer with many messages, while there is room. */
static void pour(struct world *world, struct ttrpc_request *request)
{
	static uint8_t much[700];
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;
	unsigned *sent = request->user;
	int err = 0;

	if (!sent)
		request->user = sent = calloc(1, sizeof(*sent));
	fuzz_check(sent);
	request->forget = forget;
	response.tags.data = much;
	for (; err == 0 && *sent < MESSAGES; (*sent)++) {
		response.tags.len = *sent % 2 ? sizeof(much) : 3;
		/* By then on_released may have been called. */
		world->replied++;
		err = ttrpc_request_send(request, &response.base, on_released, world);
		if (err) {
			world->replied--;
			break;
		}
	}
	if (err == 0)
		ttrpc_request_finish(request);
	else if (err != -EAGAIN)
		fail(request);
}

static void on_stream(void *ctx, struct ttrpc_request *request)
{
	struct world *world = ctx;

	if (request->method[0] != 's' && request->method[0] != 'm')
		return; /* it is kept */
	if (request->cut)
		fail(request);
	else if (request->method[0] == 's')
		gather(world, request);
	else
		pour(world, request);
}

static void on_request(void *ctx, struct ttrpc_request *request)
{
	struct world *world = ctx;
	const Vaccel__Image__Request *message;
	bool never = request->method[0] == 'n';

	fuzz_check(ttrpc_conn_is_open(request->conn));
	fuzz_check(ttrpc_conn_peer(request->conn)->has_credentials);
	fuzz_check(ttrpc_request_left(request) >= 0 || request->timeout_nano == 0);
	switch (request->method[0]) {
	case 'f':
		fail(request);
		return;
	case 'c': /* hang up, with the answer after it */
		ttrpc_conn_close(request->conn, "protocol");
		keep(world, request, NULL, false);
		return;
	case 's':
		gather(world, request);
		return;
	case 'm':
		pour(world, request);
		return;
	case 'e':
	case 'l':
	case 'n':
		message = (const void *)ttrpc_request_decode(request,
							     &vaccel__image__request__descriptor);
		if (message && request->method[0] == 'e')
			echo(world, request, message);
		else if (message)
			keep(world, request, message, never);
		return;
	default:
		keep(world, request, NULL, request->service[0] == 'n');
		return;
	}
}

static void turn(void)
{
	ev_run(loop, EVRUN_NOWAIT);
}

/* Answer one of those kept, or (at the end) any. False: there is none. */
static bool answer(struct world *world, unsigned skip, bool all)
{
	struct kept **link = &world->kept, *kept;

	while (*link && ((*link)->never || skip-- > 0) && !all)
		link = &(*link)->next;
	kept = *link;
	if (!kept)
		return false;
	*link = kept->next;
	echo(world, kept->request, kept->message);
	free(kept);
	return true;
}

/* Time passes for one of those kept, which is answered; whoever kept it does not know. */
static void pass_deadline(const struct world *world, unsigned skip)
{
	const struct kept *kept = world->kept;
	ev_timer *deadline;

	while (kept && skip-- > 0)
		kept = kept->next;
	if (!kept)
		return;
	ttrpc_request_within(kept->request, 1);
	deadline = &held_of(kept->request)->deadline;
	if (!ev_is_active(deadline))
		return;
	ev_timer_stop(loop, deadline);
	ev_invoke(loop, deadline, EV_TIMER);
	fuzz_check(kept->request->cut);
}

static void connect_peer(struct world *world, struct peer *peer)
{
	const int small = SEND_BUFFER;
	int fds[2];

	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	if (world->settings & SMALL)
		setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	peer->fd = fds[0];
	world->arriving = peer;
	ttrpc_conn_accept(&world->listener, fds[1]);
}

static void hang_up(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	peer->conn = NULL;
	ttrpc_reader_release(&peer->frames);
}

/* A peer whose connection the server has closed comes again. */
static void send_bytes(struct world *world, struct peer *peer, const uint8_t *bytes, size_t size)
{
	if (peer->fd >= 0 && !peer->conn)
		hang_up(peer);
	if (peer->fd < 0)
		connect_peer(world, peer);
	if (size > 0)
		send(peer->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A whole frame whose body the input has, in two pieces. */
static void send_frame(struct world *world, struct peer *peer, struct fuzz_input *input,
		       unsigned where)
{
	static const uint8_t usual[] = { TTRPC_REQUEST, TTRPC_REQUEST, TTRPC_RESPONSE, TTRPC_DATA };
	uint8_t kind = fuzz_byte(input);
	struct ttrpc_frame_header header = { .stream_id = fuzz_byte(input) };
	uint8_t bytes[TTRPC_HEADER_SIZE + (1 << 12)];
	size_t size = fuzz_u16(input) % (1 << 12), cut;
	const uint8_t *body = fuzz_bytes(input, &size);

	header.length = (uint32_t)size;
	header.type = kind & 0x40 ? kind : usual[kind & 3];
	header.flags = kind >> 2 & 7;
	ttrpc_frame_header_pack(&header, bytes);
	if (size > 0)
		memcpy(bytes + TTRPC_HEADER_SIZE, body, size);
	size += TTRPC_HEADER_SIZE;
	cut = where == 0 ? 0 : size * where / 16;
	send_bytes(world, peer, bytes, cut);
	if (cut > 0)
		turn();
	if (peer->conn)
		send_bytes(world, peer, bytes + cut, size - cut);
}

static void check_answer(struct ttrpc_reader *frames)
{
	struct ttrpc_frame_header header = frames->header;
	uint8_t *body = ttrpc_reader_take(frames);
	struct ttrpc_arena arena;
	ProtobufCMessage *message;

	if (header.type == TTRPC_DATA) {
		free(body);
		return;
	}
	ttrpc_arena_init(&arena, ttrpc_decode_budget(header.length));
	fuzz_check(header.type == TTRPC_RESPONSE && header.flags == 0);
	fuzz_check(ttrpc_message_decode(&ttrpc__response__descriptor, body, header.length, &arena,
					&message, NULL, 0) == 0);
	fuzz_check(((const Ttrpc__Response *)message)->status);
	ttrpc_arena_release(&arena);
	free(body);
}

/* The peer reads some of its answers, which are whole and well-formed. */
static void read_answers(struct peer *peer, size_t most)
{
	uint8_t buffer[4096];
	const uint8_t *data = buffer;
	size_t size;
	ssize_t n;
	int event = READER_HEADER;

	if (peer->fd < 0)
		return;
	n = recv(peer->fd, buffer, most < sizeof(buffer) ? most : sizeof(buffer), MSG_DONTWAIT);
	size = n > 0 ? (size_t)n : 0;
	while (size > 0 || event != READER_MORE) {
		event = ttrpc_reader_feed(&peer->frames, &data, &size);
		fuzz_check(event >= 0);
		if (event == READER_FRAME)
			check_answer(&peer->frames);
	}
}

/* Time passes for this peer alone. */
static void fire_timer(const struct peer *peer, unsigned which)
{
	struct ttrpc_conn *conn = peer->conn;
	ev_timer *timers[] = {
		conn ? &conn->frame_timer : NULL,
		conn ? &conn->write_timer : NULL,
		conn ? &conn->full_timer : NULL,
	};
	ev_timer *timer = timers[which % 3];

	if (!timer || !ev_is_active(timer))
		return;
	ttrpc_conn_ref(conn);
	ev_invoke(loop, timer, EV_TIMER);
	ttrpc_conn_unref(conn);
}

static void check_limits(const struct world *world)
{
	const struct ttrpc_server_limits *limits = &world->server->limits;
	struct ttrpc_server_stats stats;

	ttrpc_server_stats(world->server, &stats);
	fuzz_check(stats.connections <= limits->connections_max);
	for (const struct ttrpc_conn *conn = world->server->conns; conn; conn = conn->next) {
		/* So many streams that send, which calls do not wait for, and so many calls. */
		fuzz_check(conn->nr_coming <= limits->streams_max);
		fuzz_check(!conn->open || conn->nr_streams <= 2 * limits->streams_max);
		/* What was received last may still be held when the limit has been reached. */
		fuzz_check(conn->frames.capacity <= limits->frame_max || conn->frames.discarding);
		fuzz_check(conn->rest_size <= sizeof(world->server->buffer));
	}
}

static void step(struct world *world, struct fuzz_input *input)
{
	uint8_t byte = fuzz_byte(input);
	struct peer *peer = &world->peers[byte >> 3 & 1];
	unsigned number = byte >> 4;
	size_t size;

	switch ((enum step)(byte & 7)) {
	case RAW:
		size = fuzz_byte(input);
		send_bytes(world, peer, fuzz_bytes(input, &size), size);
		break;
	case FRAME:
		send_frame(world, peer, input, number);
		break;
	case TURN:
		turn();
		break;
	case ANSWER:
		answer(world, number, false);
		break;
	case HANG_UP:
		if (number == 0 && peer->fd >= 0)
			shutdown(peer->fd, SHUT_WR);
		else
			hang_up(peer);
		break;
	case CLOSE:
		if (peer->conn)
			ttrpc_conn_close(peer->conn, "shutdown");
		break;
	case READ:
		read_answers(peer, ((size_t)number + 1) << 8);
		break;
	case TIMER:
		if (number & 8)
			pass_deadline(world, number & 7);
		else
			fire_timer(peer, number);
		break;
	}
	check_limits(world);
}

static void start(struct world *world)
{
	static const struct ttrpc_server_handlers handlers = {
		.opened = on_opened,
		.request = on_request,
		.stream = on_stream,
		.closed = on_closed,
		.log = on_log,
	};
	static char name[] = "fuzz";
	struct ttrpc_server_limits limits = { 0 };

	if (world->settings & SMALL)
		limits = (struct ttrpc_server_limits){
			.frame_max = 512,
			.held_max = 2048,
			.out_max = 1024,
			.streams_max = 3,
			.metadata_max = 2,
		};
	if (world->settings & FEW)
		limits.connections_max = 1;
	for (int i = 0; i < PEERS; i++)
		world->peers[i].fd = -1;
	fuzz_check(ttrpc_server_new(loop, &handlers, world, &limits, &world->server) == 0);
	world->listener = (struct ttrpc_listener){ .server = world->server, .name = name };
}

static void peers_leave(struct world *world)
{
	for (int i = 0; i < PEERS; i++)
		hang_up(&world->peers[i]);
	/* One that has reached a limit is not read, and its end is not seen until it is answered.
	 */
	for (int i = 0; i < TURNS && world->server->nr_open > 0; i++) {
		turn();
		answer(world, 0, true);
	}
	fuzz_check(world->server->nr_open == 0);
}

static void finish(struct world *world)
{
	struct ttrpc_server_stats stats;

	if (!(world->settings & SERVER_FIRST)) {
		peers_leave(world);
		while (answer(world, 0, true))
			;
		turn();
		ttrpc_server_stats(world->server, &stats);
		fuzz_check(stats.connections == 0 && stats.requests == 0);
		fuzz_check(stats.bytes_held == 0 && stats.bytes_out == 0);
		fuzz_check(!world->server->conns && world->server->refs == 1);
	}
	ttrpc_server_free(world->server);
	/* The server lives on until these have been answered. */
	while (answer(world, 0, true))
		;
	for (int i = 0; i < PEERS; i++)
		hang_up(&world->peers[i]);
	fuzz_check(world->opened == world->closed && world->replied == world->released);
	fuzz_check(!ev_run(loop, EVRUN_NOWAIT) && ev_pending_count(loop) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* The backend with the fewest system calls. */
	loop = ev_default_loop(EVBACKEND_POLL | EVFLAG_NOENV);
	fuzz_check(loop);
	turn();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, data + size };
	struct world world = { .settings = fuzz_byte(&input) };

	fuzz_descriptors_note();
	start(&world);
	while (fuzz_left(&input) > 0)
		step(&world, &input);
	finish(&world);
	fuzz_check(sockets_open() == 0);
	fuzz_descriptors_check();
	return 0;
}
