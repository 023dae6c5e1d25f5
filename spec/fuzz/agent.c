/*
 * agent.c - fuzz target: the agent's services, on real connections and real backends (the noop
 * plugin, and one that says no: shaky.c), without threads.
 *
 *     input: settings (1 byte) | steps
 *     step:  what (3 bits), which of two peers (1 bit), a number (4 bits) | what the step takes
 *
 * There is a program for each family of requests (family.h), which calls its methods, and those of
 * sessions and resources that it needs. So that short inputs reach what they are for, settings may
 * ask for a session of the first peer, which has said Hello then in the program for uploads, and
 * for a resource in it.
 *
 * A call names its method and brings the bytes of its message. Where the message has a small
 * number N as the id of a session or of a resource, the Nth that the agent has given out in this
 * run is put there, to whichever peer: inputs stay good although ids rise from run to run, and
 * peers try each other's. Which job of the pool runs when, and comes back when, is the input's too.
 *
 * When the peers have gone nothing may be left of them: no session, resource, operation, run-time
 * file, connection, descriptor; and every call that a peer waited for was answered.
 */
#include "agent.h"
#include "allow.h"
#include "backend.h"
#include "connection.h"
#include "decide_by_hand.h"
#include "family.h"
#include "fuzz.h"
#include "fuzz_vaccel.h"
#include "log.h"
#include "pool_by_hand.h"
#include "pressure.h"
#include "server_internal.h"
#include "service.h"
#include "session.h"
#include "sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "genop.pb-c.h"
#include "peer.pb-c.h"
#include "resource.pb-c.h"
#include "session.pb-c.h"
#include "ttrpc.pb-c.h"

enum { PEERS = 2, IDS = 16, STREAMS = 128, BODY = 8 << 10, PATIENCE = 1000, METHODS = 32 };

enum step { CALL, CALL_LONG, SEND, RUN, RETURN, SETTLE, HANG_UP, DRAIN };
enum { RAW, OPEN, DATA, LAST, END }; /* what SEND sends */
/* The two bits above these are bits 12 and 13 of the hint of the session that there is. */
enum setting { FEW = 1, ALLOW = 2, VERBOSE = 4, SESSION = 8, RESOURCE = 16, LIBRARY = 32 };

struct ids {
	int64_t id[IDS];
	unsigned count;
};

struct peer {
	int fd; /* its own end; -1: not connected */
	struct ttrpc_reader frames;
	uint32_t streams;		       /* the last, of whole calls */
	uint32_t open;			       /* the last that sends messages */
	const struct method *waiting[STREAMS]; /* for the answers to them */
	bool spoilt; /* it sent bytes that may be anything: what comes back may be too */
};

struct world {
	struct peer peers[PEERS];
	struct ids sessions, resources;
};

static struct agent agent;
static struct ttrpc_listener listener;
static struct allow allow_nothing, allow_much;
static nlink_t rundir_links; /* with nothing in it */

/* What this program may call. */
static const struct method *methods[METHODS];
static unsigned nr_methods;

/* Streams are of uploads in the program for these, else of generic operations. */
static bool are_uploads(void)
{
	return fuzz_family.parts[0] == upload_methods;
}

static const struct method *stream_method(void)
{
	if (fuzz_family.control)
		return fuzz_family.control->stream;
	return are_uploads() ? upload_methods : stream_methods;
}

/* What main.c has. */
uint64_t agent_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void turn(void)
{
	ev_run(agent.loop, EVRUN_NOWAIT);
}

/* The second is an operator's, in the program for the control socket. */
static void connect_peer(struct peer *peer, bool second)
{
	const bool controls = second && fuzz_family.control;
	int fds[2];

	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	*peer = (struct peer){ .fd = fds[0] };
	ttrpc_conn_accept(controls ? fuzz_family.control->listener() : &listener, fds[1]);
}

static void hang_up(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	ttrpc_reader_release(&peer->frames);
	*peer = (struct peer){ .fd = -1 };
}

static void send_bytes(const struct peer *peer, const uint8_t *bytes, size_t size)
{
	if (size > 0)
		send(peer->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void learn(struct ids *ids, int64_t id)
{
	for (unsigned i = 0; i < ids->count; i++) {
		if (ids->id[i] == id)
			return;
	}
	if (ids->count < IDS)
		ids->id[ids->count++] = id;
}

/* An answer that tells of an id. */
static void learn_from(struct world *world, const struct method *method,
		       const ProtobufCBinaryData *payload, struct ttrpc_arena *arena)
{
	ProtobufCMessage *message;

	if (strcmp(method->name, "CreateSession") == 0) {
		fuzz_check(ttrpc_message_decode(&vaccel__session__create_response__descriptor,
						payload->data, payload->len, arena, &message, NULL,
						0) == 0);
		learn(&world->sessions,
		      ((const Vaccel__Session__CreateResponse *)message)->session_id);
	} else if (strcmp(method->name, "RegisterResource") == 0) {
		fuzz_check(ttrpc_message_decode(&vaccel__resource__register_response__descriptor,
						payload->data, payload->len, arena, &message, NULL,
						0) == 0);
		learn(&world->resources,
		      ((const Vaccel__Resource__RegisterResponse *)message)->resource_id);
	} else if (method == upload_methods) {
		fuzz_check(ttrpc_message_decode(&luaccel__v1__upload_response__descriptor,
						payload->data, payload->len, arena, &message, NULL,
						0) == 0);
		learn(&world->resources,
		      ((const Luaccel__V1__UploadResponse *)message)->resource_id);
	}
}

static void take_answer(struct world *world, struct peer *peer)
{
	struct ttrpc_frame_header header = peer->frames.header;
	uint8_t *body = ttrpc_reader_take(&peer->frames);
	const struct method **waiting = &peer->waiting[header.stream_id / 2 % STREAMS];
	struct ttrpc_arena arena;
	ProtobufCMessage *message;
	const Ttrpc__Response *response;

	if (header.type == TTRPC_DATA) { /* an upload goes on */
		free(body);
		return;
	}
	ttrpc_arena_init(&arena, ttrpc_decode_budget(header.length));
	fuzz_check(ttrpc_message_decode(&ttrpc__response__descriptor, body, header.length, &arena,
					&message, NULL, 0) == 0);
	response = (const Ttrpc__Response *)message;
	fuzz_check(response->status && (peer->spoilt || *waiting));
	if (*waiting && response->status->code == TTRPC_OK)
		learn_from(world, *waiting, &response->payload, &arena);
	*waiting = NULL;
	ttrpc_arena_release(&arena);
	free(body);
}

static void read_answers(struct world *world, struct peer *peer)
{
	uint8_t buffer[16 << 10];
	ssize_t n;

	while (peer->fd >= 0 && (n = recv(peer->fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		const uint8_t *data = buffer;
		size_t size = (size_t)n;
		int event = READER_HEADER;

		while (size > 0 || event != READER_MORE) {
			event = ttrpc_reader_feed(&peer->frames, &data, &size);
			fuzz_check(event >= 0);
			if (event == READER_FRAME)
				take_answer(world, peer);
		}
	}
}

static void settle(struct world *world)
{
	for (int i = 0; i < PATIENCE; i++) {
		bool busy = false;

		turn();
		if (fuzz_family.control)
			fuzz_family.control->tick();
		while (pool_run_one(agent.pool, 0))
			busy = true;
		while (pool_return_one(agent.pool, 0))
			busy = true;
		for (int p = 0; p < PEERS; p++)
			read_answers(world, &world->peers[p]);
		if (!busy)
			break;
	}
	fuzz_check(pool_pending(agent.pool) == 0);
}

/* Say again, at the end of the message, where it counts, which id is meant. */
static size_t put_id(uint8_t *payload, const ProtobufCMessage *message, const char *name,
		     const struct ids *ids)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
	size_t size = 0;
	int64_t number;
	uint64_t id;

	if (!field || field->type != PROTOBUF_C_TYPE_INT64)
		return 0;
	memcpy(&number, (const char *)message + field->offset, sizeof(number));
	if (number < 1 || number > ids->count)
		return 0;
	payload[size++] = (uint8_t)(field->id << 3);
	for (id = (uint64_t)ids->id[number - 1]; id > 0x7f; id >>= 7)
		payload[size++] = (uint8_t)(id | 0x80);
	payload[size++] = (uint8_t)id;
	return size;
}

/* exec_with_resource has its resource's id in an argument: put it there in place. */
static void put_argument(const ProtobufCMessage *message, const struct ids *ids)
{
	const Vaccel__Genop__Request *genop = (const Vaccel__Genop__Request *)message;
	int64_t number;
	uint8_t *at;

	if (genop->n_read_args < 2 || genop->read_args[1]->buf.len != sizeof(number))
		return;
	at = genop->read_args[1]->buf.data;
	memcpy(&number, at, sizeof(number));
	if (number >= 1 && number <= ids->count)
		memcpy(at, &ids->id[number - 1], sizeof(number));
}

static size_t put_ids(const struct world *world, const struct method *method, uint8_t *payload,
		      size_t size)
{
	struct ttrpc_arena arena;
	ProtobufCMessage *message;
	size_t more = 0;

	if (!method->input)
		return size;
	ttrpc_arena_init(&arena, ttrpc_decode_budget(size));
	if (ttrpc_message_decode(method->input, payload, size, &arena, &message, NULL, 0) == 0) {
		if (method == genop_methods)
			put_argument(message, &world->resources);
		more += put_id(payload + size, message, "session_id", &world->sessions);
		more += put_id(payload + size + more, message, "resource_id", &world->resources);
		more += put_id(payload + size + more, message, "model_id", &world->resources);
		if (fuzz_family.control)
			more += put_id(payload + size + more, message, "id", &world->sessions);
	}
	ttrpc_arena_release(&arena);
	return size + more;
}

/* An offer names its session in a message of its own: packed again when that fits. */
static size_t put_offer(const struct world *world, uint8_t *payload, size_t size, size_t room)
{
	struct ttrpc_arena arena;
	ProtobufCMessage *message;
	Luaccel__V1__UploadOffer *offer;

	ttrpc_arena_init(&arena, ttrpc_decode_budget(size));
	if (ttrpc_message_decode(&luaccel__v1__upload_request__descriptor, payload, size, &arena,
				 &message, NULL, 0) == 0) {
		offer = ((Luaccel__V1__UploadRequest *)message)->offer;
		if (offer && offer->session_id >= 1 && offer->session_id <= world->sessions.count) {
			uint8_t packed[1024];

			offer->session_id = world->sessions.id[offer->session_id - 1];
			if (protobuf_c_message_get_packed_size(message) <= room) {
				size = protobuf_c_message_pack(message, packed);
				memcpy(payload, packed, size);
			}
		}
	}
	ttrpc_arena_release(&arena);
	return size;
}

static const char *service_of(const struct method *method, bool asynchronous)
{
	if (!method->call) /* as control.c has them */
		return "luaccel.v1.Control";
	if (method == peer_methods || method == upload_methods)
		return "luaccel.v1.Peer";
	return asynchronous ? "vaccel.asynchronous.agent.AgentService"
			    : "vaccel.sync.agent.AgentService";
}

/* A request frame; `name` is its method's. */
static void send_request(const struct peer *peer, const char *service, const char *name,
			 uint32_t stream_id, uint8_t flags, int64_t timeout, uint8_t *payload,
			 size_t size)
{
	uint8_t frame[BODY + 256];
	Ttrpc__Request request = TTRPC__REQUEST__INIT;
	struct ttrpc_frame_header header = {
		.type = TTRPC_REQUEST,
		.flags = flags,
		.stream_id = stream_id,
	};

	request.service = (char *)service;
	request.method = (char *)name;
	request.timeout_nano = timeout;
	request.payload.data = payload;
	request.payload.len = size;
	header.length = (uint32_t)ttrpc__request__pack(&request, frame + TTRPC_HEADER_SIZE);
	ttrpc_frame_header_pack(&header, frame);
	send_bytes(peer, frame, TTRPC_HEADER_SIZE + header.length);
}

/* A number for a new stream, and the place for who waits for its answer. */
static const struct method **new_stream(struct peer *peer)
{
	peer->streams += peer->streams ? 2 : 1;
	return &peer->waiting[peer->streams / 2 % STREAMS];
}

/* `how`: REMOTE_CLOSED, the other service, a bad timeout. The payload has room for ids. */
static void call_method(const struct world *world, struct peer *peer, const struct method *method,
			uint8_t how, uint8_t *payload, size_t size)
{
	const struct method **waiting = new_stream(peer);

	if (*waiting)
		return; /* so many unanswered ones are enough */
	send_request(peer, service_of(method, how & 0x40), method->name, peer->streams,
		     how & 0x20 ? TTRPC_REMOTE_CLOSED : 0, how & 0x80 ? -1 : 0, payload,
		     put_ids(world, method, payload, size));
	*waiting = method;
	turn();
}

static void call(const struct world *world, struct peer *peer, struct fuzz_input *input,
		 size_t size)
{
	uint8_t number = fuzz_byte(input);
	const uint8_t *bytes = fuzz_bytes(input, &size);
	uint8_t payload[BODY];

	if (size > 0)
		memcpy(payload, bytes, size);
	call_method(world, peer, methods[(number & 0x1f) % nr_methods], number, payload, size);
}

/* A message of the open stream, in a data frame. */
static void send_data(const struct world *world, const struct peer *peer, const uint8_t *bytes,
		      size_t size, uint8_t flags)
{
	uint8_t frame[TTRPC_HEADER_SIZE + 1024];
	struct ttrpc_frame_header header = {
		.type = TTRPC_DATA,
		.flags = flags,
		.stream_id = peer->open,
	};

	if (size > 0)
		memcpy(frame + TTRPC_HEADER_SIZE, bytes, size);
	if (are_uploads())
		size = put_offer(world, frame + TTRPC_HEADER_SIZE, size, 1024);
	else
		size = put_ids(world, genop_methods, frame + TTRPC_HEADER_SIZE, size);
	header.length = (uint32_t)size;
	ttrpc_frame_header_pack(&header, frame);
	send_bytes(peer, frame, TTRPC_HEADER_SIZE + size);
}

static void open_stream(struct peer *peer)
{
	const struct method **waiting = new_stream(peer);

	if (*waiting)
		return;
	peer->open = peer->streams;
	send_request(peer, service_of(stream_method(), true), stream_method()->name, peer->open,
		     TTRPC_REMOTE_OPEN | TTRPC_NO_DATA, 0, NULL, 0);
	*waiting = stream_method();
}

static void send_other(const struct world *world, struct peer *peer, struct fuzz_input *input,
		       unsigned what)
{
	size_t size = what == OPEN || what == END ? 0 : fuzz_byte(input);
	const uint8_t *bytes = fuzz_bytes(input, &size);

	switch (what) {
	case RAW:
		send_bytes(peer, bytes, size);
		peer->spoilt = true;
		break;
	case OPEN:
		open_stream(peer);
		break;
	case DATA:
		send_data(world, peer, bytes, size, 0);
		break;
	case LAST:
		send_data(world, peer, bytes, size, TTRPC_REMOTE_CLOSED);
		break;
	default:
		send_data(world, peer, bytes, 0, TTRPC_REMOTE_CLOSED | TTRPC_NO_DATA);
		break;
	}
	turn();
}

static void step(struct world *world, struct fuzz_input *input)
{
	uint8_t byte = fuzz_byte(input);
	struct peer *peer = &world->peers[byte >> 3 & 1];
	unsigned number = byte >> 4;

	if (peer->fd < 0)
		connect_peer(peer, peer == &world->peers[1]);
	switch ((enum step)(byte & 7)) {
	case CALL:
		call(world, peer, input, fuzz_byte(input));
		break;
	case CALL_LONG:
		call(world, peer, input, fuzz_u16(input) % (BODY - 64));
		break;
	case SEND:
		send_other(world, peer, input, number % (END + 1));
		break;
	case RUN:
		pool_run_one(agent.pool, number);
		break;
	case RETURN:
		pool_return_one(agent.pool, number);
		turn();
		read_answers(world, peer);
		break;
	case SETTLE:
		settle(world);
		break;
	case HANG_UP:
		hang_up(peer);
		turn();
		break;
	case DRAIN:
		agent.draining = number & 1;
		break;
	}
}

/* A peer that is there, and sent nothing but calls, has its answers. */
static void check_answered(const struct peer *peer)
{
	if (fuzz_family.control && fuzz_family.control->closes())
		return;
	for (int i = 0; i < STREAMS && peer->fd >= 0 && !peer->spoilt; i++)
		/* A stream may not have ended. */
		fuzz_check(!peer->waiting[i] || peer->waiting[i] == stream_method());
}

static void check_nothing_left(void)
{
	struct ttrpc_server_stats stats;
	struct stat st;

	ttrpc_server_stats(agent.server, &stats);
	fuzz_check(stats.connections == 0 && stats.requests == 0);
	fuzz_check(stats.bytes_held == 0 && stats.bytes_out == 0);
	fuzz_check(!agent.connections && !agent.server->conns);
	fuzz_check(agent.nr_operations == 0 && decide_running() == 0);
	for (int kind = 0; kind < ACCOUNT_KINDS; kind++)
		fuzz_check(agent.accounts.total.used[kind] == 0);
	fuzz_check(stat(vaccel_rundir(), &st) == 0 && st.st_nlink == rundir_links);
	for (int i = 0; are_uploads() && i < CONTENT_BUCKETS; i++)
		fuzz_check(!agent.contents.buckets[i]);
	if (fuzz_family.control)
		fuzz_family.control->end();
	fuzz_check(sockets_open() == 0);
	fuzz_descriptors_check();
}

static void limit(enum account_level level, size_t count)
{
	agent.limits.account[level][ACCOUNT_SESSIONS] = count;
	agent.limits.account[level][ACCOUNT_RESOURCES] = count;
}

/* A session of the first peer, and a resource in it. */
static void prepare(struct world *world, unsigned settings)
{
	Vaccel__Session__CreateRequest create = VACCEL__SESSION__CREATE_REQUEST__INIT;
	Vaccel__Resource__RegisterRequest registering = VACCEL__RESOURCE__REGISTER_REQUEST__INIT;
	Vaccel__Resource__Blob blob = VACCEL__RESOURCE__BLOB__INIT, *blobs[] = { &blob };
	static char name[] = "model";
	uint8_t payload[BODY];

	connect_peer(&world->peers[0], false);
	if (are_uploads())
		call_method(world, &world->peers[0], peer_methods, 0, payload, 0);
	create.flags = (settings >> 6) << 12;
	call_method(world, &world->peers[0], session_methods, 0, payload,
		    vaccel__session__create_request__pack(&create, payload));
	settle(world);
	if (!(settings & RESOURCE))
		return;
	blob.type = VACCEL_BLOB_BUFFER;
	blob.name = name;
	blob.data = (ProtobufCBinaryData){ .data = (uint8_t *)name, .len = sizeof(name) };
	registering.session_id = 1;
	registering.resource_type =
		settings & LIBRARY ? VACCEL_RESOURCE_LIB : VACCEL_RESOURCE_MODEL;
	registering.n_blobs = 1;
	registering.blobs = blobs;
	call_method(world, &world->peers[0], resource_methods, 0, payload,
		    vaccel__resource__register_request__pack(&registering, payload));
	settle(world);
}

static void start(unsigned settings)
{
	agent.limits = limits_default;
	agent.limits.executing = 4;
	if (settings & FEW) {
		agent.limits.executing = 1;
		limit(ACCOUNT_CONNECTION, 2);
		limit(ACCOUNT_TOTAL, 3);
	}
	agent.allow = settings & ALLOW ? &allow_much : &allow_nothing;
	agent.draining = false;
	log_open(settings & VERBOSE ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, data + size };
	struct world world = { .peers = { { .fd = -1 }, { .fd = -1 } } };
	unsigned settings = fuzz_byte(&input);
	int i;

	fuzz_descriptors_note();
	start(settings);
	if (settings & (SESSION | RESOURCE))
		prepare(&world, settings);
	while (fuzz_left(&input) > 0)
		step(&world, &input);
	settle(&world);
	for (i = 0; i < PEERS; i++)
		check_answered(&world.peers[i]);
	for (i = 0; i < PEERS; i++)
		hang_up(&world.peers[i]);
	settle(&world);
	listeners_close(&agent.listeners);
	check_nothing_left();
	return 0;
}

/* What peers may name of this host when the input allows it: small, and wherever this is built. */
static void allow_host_files(void)
{
	static const char list[] =
		"exec,lib,path=/usr/include/luajit-2.1,path=/usr/share/luajit-2.1.0-beta3";
	char err[256];

	fuzz_check(allow_parse(&allow_much, list, err, sizeof(err)) == 0);
	fuzz_check(allow_open(&allow_much, err, sizeof(err)) == 0);
}

static void choose_methods(void)
{
	for (size_t i = 0; i < FAMILY_PARTS && fuzz_family.parts[i]; i++) {
		for (const struct method *method = fuzz_family.parts[i]; method->name; method++) {
			fuzz_check(nr_methods < METHODS);
			methods[nr_methods++] = method;
		}
	}
}

static void start_vaccel(void)
{
	struct stat st;

	fuzz_start_vaccel(FUZZ_PLUGINS, true);
	fuzz_check(stat(vaccel_rundir(), &st) == 0);
	rundir_links = st.st_nlink;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct ttrpc_server_handlers handlers = {
		.opened = connection_opened,
		.request = service_request,
		.stream = service_stream,
		.closed = connection_closed,
		.usage = connection_usage,
		.share = connection_share,
		.unshare = connection_unshare,
		.refused = service_refused,
		.forget = connection_forget,
	};
	static char name[] = "fuzz";
	const struct ttrpc_server_limits limits = { .frame_max = 64 << 10 };

	(void)argc;
	(void)argv;
	log_open(LOG_LEVEL_ERROR);
	choose_methods();
	start_vaccel();
	allow_host_files();
	agent.core = luaccel_core(LUACCEL_CORE_VERSION);
	agent.loop = ev_default_loop(EVBACKEND_POLL | EVFLAG_NOENV);
	fuzz_check(agent.core && agent.loop);
	fuzz_check(loops_open(&agent.loops, agent.loop, 1) == 0);
	turn();
	agent.limits = limits_default;
	accounts_init(&agent.accounts, &agent.limits);
	aftermath_init(&agent);
	waiting_init(&agent);
	fuzz_check(pool_new(&agent.loops, 1, &agent.pool) == 0);
	fuzz_check(backends_from_plugins(&agent) == 0 && backends_count(&agent, true) == 2);
	fuzz_check(ttrpc_server_new(agent.loop, &handlers, &agent, &limits, &agent.server) == 0);
	fuzz_check(pressure_new(&agent) == 0);
	if (fuzz_family.control)
		fuzz_family.control->open(&agent);
	listener = (struct ttrpc_listener){ .server = agent.server, .name = name };
	return 0;
}
