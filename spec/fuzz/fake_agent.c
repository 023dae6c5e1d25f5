/*
 * fake_agent.c - see fake_agent.h.
 */
#include "fake_agent.h"
#include "address.h"
#include "encode.h"
#include "frame.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "genop.pb-c.h"
#include "image.pb-c.h"
#include "peer.pb-c.h"
#include "resource.pb-c.h"
#include "session.pb-c.h"
#include "torch.pb-c.h"
#include "ttrpc.pb-c.h"

enum { REQUEST = 64 << 10, PIECES = 24 };

#define WRAPPED __attribute__((visibility("default")))

/* The linker's names for what replaces the plugin's calls. */
WRAPPED int __wrap_ttrpc_address_connect(const struct ttrpc_address *address, int timeout_ms,
					 char *err, size_t errsize);
WRAPPED ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags);
WRAPPED ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
WRAPPED int __wrap_poll(struct pollfd *pfd, nfds_t count, int timeout);

static struct fuzz_input *input;
static int agent_fd = -1;
static size_t piece;	   /* bytes that the client gets at a time; 0: all there are */
static unsigned nr_pieces; /* of this answer; the rest comes whole, as nothing new is in it */

/* The last request, and how much of it has come. */
static uint8_t request[REQUEST];
static size_t request_size;
static uint32_t stream_id;
static int64_t next_id;

/* An answer that lies: in which of its numbers, and by how much. */
static struct {
	unsigned which;
	int by;
} lie;

void fake_agent_start(struct fuzz_input *from)
{
	input = from;
	next_id = 1;
}

void fake_agent_stop(void)
{
	if (agent_fd >= 0)
		close(agent_fd);
	agent_fd = -1;
	request_size = 0;
}

static void send_bytes(const void *bytes, size_t size)
{
	if (size > 0)
		send(agent_fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void send_frame(const struct ttrpc_frame_header *header, const uint8_t *body)
{
	uint8_t bytes[TTRPC_HEADER_SIZE];

	ttrpc_frame_header_pack(header, bytes);
	send_bytes(bytes, sizeof(bytes));
	send_bytes(body, header->length);
}

static void send_response(const struct ttrpc_status *status, const ProtobufCMessage *message)
{
	struct ttrpc_out out;

	fuzz_check(ttrpc_out_response(&out, stream_id, status, message, TTRPC_FRAME_MAX) == 0);
	for (size_t i = 0; i < out.nr_iov; i++)
		send_bytes(out.iov[i].iov_base, out.iov[i].iov_len);
	ttrpc_out_release(&out);
}

/* What the client has written since; of several requests the last counts. */
static void take_requests(void)
{
	struct ttrpc_frame_header header;
	ssize_t n;

	while ((n = recv(agent_fd, request + request_size, REQUEST - request_size, MSG_DONTWAIT)) >
	       0) {
		/* Behind a whole one comes the next. */
		request_size += (size_t)n;
		fuzz_check(request_size >= TTRPC_HEADER_SIZE);
		ttrpc_frame_header_unpack(request, &header);
		while (request_size > TTRPC_HEADER_SIZE + header.length) {
			request_size -= TTRPC_HEADER_SIZE + header.length;
			memmove(request, request + TTRPC_HEADER_SIZE + header.length, request_size);
			ttrpc_frame_header_unpack(request, &header);
		}
		stream_id = header.stream_id;
	}
}

static const Ttrpc__Request *open_request(struct ttrpc_arena *arena)
{
	struct ttrpc_frame_header header;
	ProtobufCMessage *message;

	if (request_size < TTRPC_HEADER_SIZE)
		return NULL;
	ttrpc_frame_header_unpack(request, &header);
	fuzz_check(request_size == TTRPC_HEADER_SIZE + header.length);
	fuzz_check(ttrpc_message_decode(&ttrpc__request__descriptor, request + TTRPC_HEADER_SIZE,
					header.length, arena, &message, NULL, 0) == 0);
	return (const Ttrpc__Request *)message;
}

static ProtobufCMessage *open_payload(const Ttrpc__Request *envelope,
				      const ProtobufCMessageDescriptor *type,
				      struct ttrpc_arena *arena)
{
	ProtobufCMessage *message;

	fuzz_check(ttrpc_message_decode(type, envelope->payload.data, envelope->payload.len, arena,
					&message, NULL, 0) == 0);
	return message;
}

/* The honest number, unless it is the one that is wrong. */
static size_t told(unsigned which, size_t honest)
{
	if (lie.by == 0 || lie.which != which)
		return honest;
	return lie.by < 0 && (size_t)-lie.by > honest ? 0 : honest + (size_t)lie.by;
}

enum { COUNT, SIZE, LAST_SIZE, TYPE, DIMS };

/* So many bytes, which are there. */
static void tell_bytes(ProtobufCBinaryData *data, size_t size)
{
	static uint8_t bytes[4096];

	data->data = bytes;
	data->len = size < sizeof(bytes) ? size : sizeof(bytes);
}

static size_t tell_count(size_t honest, size_t most)
{
	size_t count = told(COUNT, honest);

	return count < most ? count : most;
}

static void answer_genop(const Ttrpc__Request *envelope, struct ttrpc_arena *arena)
{
	const Vaccel__Genop__Request *genop =
		(const void *)open_payload(envelope, &vaccel__genop__request__descriptor, arena);
	Vaccel__Genop__Response response = VACCEL__GENOP__RESPONSE__INIT;
	size_t count = genop->n_write_args;

	response.n_write_args = count;
	response.write_args = genop->write_args;
	for (size_t i = 0; lie.by && i < count; i++) {
		Vaccel__Genop__Arg *arg = genop->write_args[i];

		tell_bytes(&arg->buf, told(i + 1 < count ? SIZE : LAST_SIZE, arg->buf.len));
		arg->arg_type = (uint32_t)told(TYPE, arg->arg_type);
	}
	response.n_write_args = tell_count(count, count);
	send_response(NULL, &response.base);
}

/* As many outputs as are asked for, each as the input. */
static void answer_torch(const Ttrpc__Request *envelope, struct ttrpc_arena *arena)
{
	enum { OUTS_MAX = 4 };
	const Vaccel__Torch__ModelRunRequest *run = (const void *)open_payload(
		envelope, &vaccel__torch__model_run_request__descriptor, arena);
	Vaccel__Torch__ModelRunResponse response = VACCEL__TORCH__MODEL_RUN_RESPONSE__INIT;
	Vaccel__Torch__Tensor *tensors[OUTS_MAX], *tensor = run->in_tensors[0];
	size_t count = run->nr_out_tensors < OUTS_MAX ? (size_t)run->nr_out_tensors : OUTS_MAX;

	for (size_t i = 0; i < OUTS_MAX; i++)
		tensors[i] = tensor;
	if (lie.by)
		tell_bytes(&tensor->data, told(SIZE, tensor->data.len));
	tensor->type = (uint32_t)told(TYPE, tensor->type);
	tensor->dims[0] = (int64_t)told(DIMS, (size_t)tensor->dims[0]);
	response.n_out_tensors = tell_count(count, OUTS_MAX);
	response.out_tensors = tensors;
	send_response(NULL, &response.base);
}

static void answer_sync(void)
{
	Vaccel__Resource__SyncResponse response = VACCEL__RESOURCE__SYNC_RESPONSE__INIT;
	Vaccel__Resource__Blob blob = VACCEL__RESOURCE__BLOB__INIT, *blobs[] = { &blob, &blob };

	tell_bytes(&blob.data, told(SIZE, 32));
	blob.size = (uint32_t)told(LAST_SIZE, 32);
	response.n_blobs = tell_count(1, 2);
	response.blobs = blobs;
	send_response(NULL, &response.base);
}

static void answer_hello(void)
{
	Luaccel__V1__HelloResponse hello = LUACCEL__V1__HELLO_RESPONSE__INIT;
	char noop[] = "noop", *features[] = { noop };

	hello.version = 1;
	hello.n_features = 1;
	hello.features = features;
	send_response(NULL, &hello.base);
}

static void answer_id(const char *method)
{
	Vaccel__Session__CreateResponse created = VACCEL__SESSION__CREATE_RESPONSE__INIT;
	Vaccel__Resource__RegisterResponse registered = VACCEL__RESOURCE__REGISTER_RESPONSE__INIT;

	created.session_id = registered.resource_id = next_id++;
	send_response(NULL, strcmp(method, "CreateSession") ? &registered.base : &created.base);
}

/* Tags without a NUL, when they are shorter than agents have them. */
static void answer_tags(void)
{
	static uint8_t tags[1024] = "a tag of an image that has no tag";
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;

	response.tags.data = tags;
	response.tags.len = lie.by ? lie.which + (size_t)(lie.by > 0) : sizeof(tags);
	send_response(NULL, &response.base);
}

/* What a good agent says; to a method that is not here, nothing but success. */
static void answer_honestly(void)
{
	struct ttrpc_arena arena;
	const Ttrpc__Request *envelope;
	const char *method;

	ttrpc_arena_init(&arena, 1 << 20);
	envelope = open_request(&arena);
	method = envelope ? envelope->method : "";
	if (strcmp(method, "Hello") == 0)
		answer_hello();
	else if (strcmp(method, "CreateSession") == 0 || strcmp(method, "RegisterResource") == 0)
		answer_id(method);
	else if (strcmp(method, "SyncResource") == 0)
		answer_sync();
	else if (strcmp(method, "ImageClassification") == 0)
		answer_tags();
	else if (strcmp(method, "Genop") == 0)
		answer_genop(envelope, &arena);
	else if (strcmp(method, "TorchModelRun") == 0)
		answer_torch(envelope, &arena);
	else
		send_response(NULL, NULL);
	ttrpc_arena_release(&arena);
}

static const uint8_t *sized_bytes(size_t *size)
{
	*size = fuzz_byte(input);
	/* One large size, so that answers can outgrow what fits one byte. */
	if (*size == 255)
		*size = fuzz_u16(input);
	return fuzz_bytes(input, size);
}

/* A Response whose payload are these bytes. */
static void answer_payload(void)
{
	Ttrpc__Response response = TTRPC__RESPONSE__INIT;
	Ttrpc__Status status = TTRPC__STATUS__INIT;
	struct ttrpc_frame_header header = { .stream_id = stream_id, .type = TTRPC_RESPONSE };
	uint8_t *body;

	response.status = &status;
	response.payload.data = (uint8_t *)sized_bytes(&response.payload.len);
	body = malloc(ttrpc__response__get_packed_size(&response));
	fuzz_check(body);
	header.length = (uint32_t)ttrpc__response__pack(&response, body);
	send_frame(&header, body);
	free(body);
}

static void answer_status(void)
{
	struct ttrpc_status status = {
		.code = fuzz_byte(input),
		.message = "the agent says /vaccel.sync.agent.AgentService/ no",
		.detail_type_url = "type.googleapis.com/vaccel.ProtoError",
	};

	status.detail = sized_bytes(&status.detail_size);
	if (status.detail_size == 0)
		status.detail_type_url = NULL;
	send_response(&status, NULL);
}

static void answer_frame(bool whole)
{
	struct ttrpc_frame_header header = { .type = TTRPC_RESPONSE, .stream_id = stream_id };
	const uint8_t *body;
	size_t size;

	if (!whole) {
		header.type = fuzz_byte(input);
		header.flags = fuzz_byte(input);
		header.stream_id += fuzz_byte(input);
	}
	body = sized_bytes(&size);
	header.length = (uint32_t)size;
	send_frame(&header, body);
}

/* The next record onto the socket. False: silence. */
static bool answer(void)
{
	uint8_t byte = fuzz_byte(input);
	size_t size;
	const uint8_t *bytes;

	take_requests();
	piece = byte >> 4;
	nr_pieces = 0;
	lie.by = 0;
	switch ((enum fake_answer)(byte & 15)) {
	case FAKE_HONEST:
	default:
		answer_honestly();
		break;
	case FAKE_LIE:
		byte = fuzz_byte(input);
		lie.which = byte & 7;
		lie.by = (byte >> 3) - 16;
		answer_honestly();
		break;
	case FAKE_PAYLOAD:
		answer_payload();
		break;
	case FAKE_ENVELOPE:
		answer_frame(true);
		break;
	case FAKE_STATUS:
		answer_status();
		break;
	case FAKE_FRAME:
		answer_frame(false);
		break;
	case FAKE_RAW:
		bytes = sized_bytes(&size);
		send_bytes(bytes, size);
		break;
	case FAKE_HANG_UP:
		fake_agent_stop();
		break;
	case FAKE_SILENCE:
		return false;
	}
	return true;
}

/* Until the client has something to read, be it the end. False: the agent is silent. */
static bool provide(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	while (poll(&pfd, 1, 0) == 0) {
		if (fuzz_left(input) == 0)
			fake_agent_stop();
		else if (!answer())
			return false;
	}
	return true;
}

int __wrap_ttrpc_address_connect(const struct ttrpc_address *address, int timeout_ms, char *err,
				 size_t errsize)
{
	int fds[2];

	(void)timeout_ms;
	fake_agent_stop();
	if (fuzz_left(input) == 0) {
		snprintf(err, errsize, "cannot connect to %s: there is no agent", address->uri);
		return -ECONNREFUSED;
	}
	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	agent_fd = fds[1];
	piece = 0;
	return fds[0];
}

/* When there is something for the client: how much of it that it gets. */
static size_t most_of(int fd, size_t size)
{
	if (!provide(fd))
		fake_agent_stop();
	return piece > 0 && piece < size && nr_pieces++ < PIECES ? piece : size;
}

ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags)
{
	return recv(fd, buf, most_of(fd, size), flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	msg->msg_iov[0].iov_len = most_of(fd, msg->msg_iov[0].iov_len);
	return recvmsg(fd, msg, flags);
}

/* With a timeout it is for an answer; without, whether the agent has hung up. */
int __wrap_poll(struct pollfd *pfd, nfds_t count, int timeout)
{
	if (timeout != 0 && count == 1 && !provide(pfd->fd))
		return 0;
	return poll(pfd, count, timeout);
}
