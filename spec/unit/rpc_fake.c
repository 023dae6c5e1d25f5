/*
 * rpc_fake.c - the scripted agent of rpc_fake.h.
 */
#include "rpc_fake.h"
#include "empty.pb-c.h"
#include "frame.h"
#include "genop.pb-c.h"
#include "image.pb-c.h"
#include "peer.pb-c.h"
#include "resource.pb-c.h"
#include "session.pb-c.h"
#include "torch.pb-c.h"
#include "ttrpc.pb-c.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { TAGS_SIZE = 1024 };

struct fake_conn {
	struct fake_conn *next;
	struct fake *fake;
	pthread_t thread;
	int fd;
};

static void die(const char *what)
{
	perror(what);
	abort();
}

static bool read_all(int fd, void *to, size_t size)
{
	char *at = to;

	while (size > 0) {
		ssize_t got = recv(fd, at, size, 0);

		if (got <= 0)
			return false;
		at += got;
		size -= (size_t)got;
	}
	return true;
}

void fake_raw(const struct fake_call *call, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t sent = send(call->fd, at, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		at += sent;
		size -= (size_t)sent;
	}
}

static void send_response(const struct fake_call *call, const struct ttrpc_status *status,
			  const ProtobufCMessage *message)
{
	struct ttrpc_out out;

	if (ttrpc_out_response(&out, call->stream_id, status, message, TTRPC_FRAME_DEFAULT))
		die("ttrpc_out_response");
	for (size_t i = 0; i < out.nr_iov; i++)
		fake_raw(call, out.iov[i].iov_base, out.iov[i].iov_len);
	ttrpc_out_release(&out);
}

void fake_reply(const struct fake_call *call, const ProtobufCMessage *message)
{
	const struct ttrpc_status ok = { .code = TTRPC_OK };

	send_response(call, &ok, message);
}

void fake_send(const struct fake_call *call, const ProtobufCMessage *message)
{
	struct ttrpc_frame_header header = { .stream_id = call->stream_id, .type = TTRPC_DATA };
	uint8_t bytes[TTRPC_HEADER_SIZE], *body;

	header.length = (uint32_t)protobuf_c_message_get_packed_size(message);
	body = ttrpc_arena_alloc(call->arena, header.length + 1);
	protobuf_c_message_pack(message, body);
	ttrpc_frame_header_pack(&header, bytes);
	fake_raw(call, bytes, sizeof(bytes));
	fake_raw(call, body, header.length);
}

void fake_fail(const struct fake_call *call, const struct ttrpc_status *status)
{
	send_response(call, status, NULL);
}

void fake_close(const struct fake_call *call)
{
	shutdown(call->fd, SHUT_RDWR);
}

const ProtobufCMessage *fake_request(const struct fake_call *call,
				     const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message;
	char reason[128];

	if (ttrpc_message_decode(type, call->payload.data, call->payload.len, call->arena, &message,
				 reason, sizeof(reason))) {
		fprintf(stderr, "fake agent: %s: %s\n", call->method, reason);
		abort();
	}
	return message;
}

static void answer_hello(const struct fake_call *call)
{
	Luaccel__V1__HelloResponse hello = LUACCEL__V1__HELLO_RESPONSE__INIT;

	hello.version = 1;
	hello.frame_max = call->fake->frame_max;
	hello.n_features = call->fake->feature ? 1 : 0;
	hello.features = &call->fake->feature;
	hello.content_key = call->fake->content_key;
	hello.content_nonce = call->fake->content_nonce;
	fake_reply(call, &hello.base);
}

static void answer_create(const struct fake_call *call)
{
	Vaccel__Session__CreateResponse response = VACCEL__SESSION__CREATE_RESPONSE__INIT;

	response.session_id = atomic_fetch_add(&call->fake->next_id, 1);
	fake_reply(call, &response.base);
}

static void answer_register(const struct fake_call *call)
{
	const Vaccel__Resource__RegisterRequest *request =
		(const void *)fake_request(call, &vaccel__resource__register_request__descriptor);
	Vaccel__Resource__RegisterResponse response = VACCEL__RESOURCE__REGISTER_RESPONSE__INIT;

	response.resource_id = request->resource_id;
	if (!response.resource_id)
		response.resource_id = atomic_fetch_add(&call->fake->next_id, 1);
	fake_reply(call, &response.base);
}

/* A tag of the image's length and first byte, in a buffer of the size that agents have. */
static void answer_classify(const struct fake_call *call)
{
	const Vaccel__Image__Request *request =
		(const void *)fake_request(call, &vaccel__image__request__descriptor);
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;
	char tags[TAGS_SIZE] = "";

	snprintf(tags, sizeof(tags), "%zu bytes from %d", request->image.len,
		 request->image.len ? request->image.data[0] : -1);
	response.tags.data = (uint8_t *)tags;
	response.tags.len = sizeof(tags);
	fake_reply(call, &response.base);
}

/* Each write argument gets a text: "op 3 arg 0". */
static void answer_genop(const struct fake_call *call)
{
	const Vaccel__Genop__Request *request =
		(const void *)fake_request(call, &vaccel__genop__request__descriptor);
	Vaccel__Genop__Response response = VACCEL__GENOP__RESPONSE__INIT;

	for (size_t i = 0; i < request->n_write_args; i++) {
		ProtobufCBinaryData *buf = &request->write_args[i]->buf;
		char *text = ttrpc_arena_alloc(call->arena, buf->len);

		memset(text, 0, buf->len);
		snprintf(text, buf->len, "op %d arg %zu", request->read_args[0]->buf.data[0], i);
		buf->data = (uint8_t *)text;
	}
	response.n_write_args = request->n_write_args;
	response.write_args = request->write_args;
	fake_reply(call, &response.base);
}

/* Every output is the first input. */
static void answer_run(const struct fake_call *call)
{
	const Vaccel__Torch__ModelRunRequest *request =
		(const void *)fake_request(call, &vaccel__torch__model_run_request__descriptor);
	Vaccel__Torch__ModelRunResponse response = VACCEL__TORCH__MODEL_RUN_RESPONSE__INIT;
	size_t count = (size_t)request->nr_out_tensors;

	response.n_out_tensors = count;
	response.out_tensors = ttrpc_arena_alloc(call->arena, count * sizeof(void *));
	for (size_t i = 0; i < count; i++)
		response.out_tensors[i] = request->in_tensors[0];
	fake_reply(call, &response.base);
}

static void answer_empty(const struct fake_call *call)
{
	Vaccel__Empty empty = VACCEL__EMPTY__INIT;

	fake_reply(call, &empty.base);
}

static const struct method {
	const char *name;
	void (*answer)(const struct fake_call *call);
	size_t counter;
} methods[] = {
	{ "Hello", answer_hello, offsetof(struct fake, hellos) },
	{ "CreateSession", answer_create, offsetof(struct fake, creates) },
	{ "UpdateSession", answer_empty, offsetof(struct fake, updates) },
	{ "DestroySession", answer_empty, offsetof(struct fake, destroys) },
	{ "RegisterResource", answer_register, offsetof(struct fake, registers) },
	{ "UnregisterResource", answer_empty, offsetof(struct fake, unregisters) },
	{ "SyncResource", NULL, offsetof(struct fake, syncs) },
	{ "ImageClassification", answer_classify, offsetof(struct fake, classifies) },
	{ "Genop", answer_genop, offsetof(struct fake, genops) },
	{ "GenopStream", NULL, offsetof(struct fake, genop_streams) }, /* a script's */
	{ "Upload", NULL, offsetof(struct fake, uploads) },
	{ "TorchModelLoad", answer_empty, offsetof(struct fake, loads) },
	{ "TorchModelRun", answer_run, offsetof(struct fake, runs) },
	/* a script's */
	{ "TensorflowModelLoad", NULL, offsetof(struct fake, loads) },
	{ "TensorflowModelUnload", NULL, offsetof(struct fake, unloads) },
	{ "TensorflowModelRun", NULL, offsetof(struct fake, runs) },
	{ "TensorflowLiteModelLoad", answer_empty, offsetof(struct fake, loads) },
	{ "TensorflowLiteModelUnload", answer_empty, offsetof(struct fake, unloads) },
	{ "TensorflowLiteModelRun", NULL, offsetof(struct fake, runs) },
};

/* As the two kinds of original agents say it. */
static void refuse_service(const struct fake_call *call)
{
	struct ttrpc_status status = { .code = TTRPC_INVALID_ARGUMENT };
	char text[160];

	if (strcmp(call->fake->service, FAKE_ASYNC) == 0)
		snprintf(text, sizeof(text), "%s service does not exist", call->service);
	else
		snprintf(text, sizeof(text), "/%s/%s does not exist", call->service, call->method);
	status.message = text;
	fake_fail(call, &status);
}

static void serve_call(const struct fake_call *call)
{
	struct fake *fake = call->fake;
	bool hello = strcmp(call->service, "luaccel.v1.Peer") == 0;
	const struct method *method = NULL;
	fake_script script;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, call->method) == 0)
			method = &methods[i];
	}
	if (!method)
		die(call->method);
	if (hello ? fake->plain : strcmp(call->service, fake->service) != 0) {
		atomic_fetch_add(&fake->refused, 1);
		refuse_service(call);
		return;
	}
	atomic_fetch_add((atomic_int *)(void *)((char *)fake + method->counter), 1);
	script = atomic_load(&fake->script);
	if (!script || !script(call))
		method->answer(call);
}

static bool serve_frame(struct fake_conn *conn)
{
	uint8_t bytes[TTRPC_HEADER_SIZE];
	struct ttrpc_frame_header header;
	struct ttrpc_arena arena;
	ProtobufCMessage *message;
	uint8_t *body;
	bool ok;

	if (!read_all(conn->fd, bytes, sizeof(bytes)))
		return false;
	ttrpc_frame_header_unpack(bytes, &header);
	body = malloc(header.length + 1);
	ttrpc_arena_init(&arena, 16 << 20);
	ok = body && read_all(conn->fd, body, header.length) &&
	     ttrpc_message_decode(&ttrpc__request__descriptor, body, header.length, &arena,
				  &message, NULL, 0) == 0;
	if (ok) {
		const Ttrpc__Request *request = (const Ttrpc__Request *)message;
		const struct fake_call call = {
			.fake = conn->fake,
			.fd = conn->fd,
			.stream_id = header.stream_id,
			.service = request->service,
			.method = request->method,
			.payload = request->payload,
			.arena = &arena,
		};

		serve_call(&call);
	}
	ttrpc_arena_release(&arena);
	free(body);
	return ok;
}

static void *serve_conn(void *arg)
{
	struct fake_conn *conn = arg;

	while (serve_frame(conn))
		;
	shutdown(conn->fd, SHUT_RDWR);
	atomic_fetch_add(&conn->fake->closed, 1);
	return NULL;
}

static void *accept_conns(void *arg)
{
	struct fake *fake = arg;
	int fd;

	while ((fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct fake_conn *conn = calloc(1, sizeof(*conn));

		if (!conn)
			die("calloc");
		conn->fake = fake;
		conn->fd = fd;
		pthread_mutex_lock(&fake->lock);
		conn->next = fake->conns;
		fake->conns = conn;
		pthread_mutex_unlock(&fake->lock);
		atomic_fetch_add(&fake->connections, 1);
		if (pthread_create(&conn->thread, NULL, serve_conn, conn))
			die("pthread_create");
	}
	return NULL;
}

void fake_init(struct fake *fake)
{
	memset(fake, 0, sizeof(*fake));
	strcpy(fake->dir, "/tmp/rpc-spec-XXXXXX");
	if (!mkdtemp(fake->dir))
		die("mkdtemp");
	snprintf(fake->path, sizeof(fake->path), "%s/agent.sock", fake->dir);
	snprintf(fake->uri, sizeof(fake->uri), "unix://%s", fake->path);
	fake->service = FAKE_SYNC;
	fake->listener = -1;
	atomic_init(&fake->next_id, 1000);
	pthread_mutex_init(&fake->lock, NULL);
	setenv("VACCEL_RPC_ADDRESS", fake->uri, 1);
}

void fake_listen(struct fake *fake)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, fake->path);
	unlink(fake->path);
	fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fake->listener < 0 ||
	    bind(fake->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fake->listener, 64))
		die("listen");
	if (pthread_create(&fake->thread, NULL, accept_conns, fake))
		die("pthread_create");
}

void fake_hang_up(struct fake *fake)
{
	pthread_mutex_lock(&fake->lock);
	for (struct fake_conn *conn = fake->conns; conn; conn = conn->next)
		shutdown(conn->fd, SHUT_RDWR);
	pthread_mutex_unlock(&fake->lock);
}

void fake_stop(struct fake *fake)
{
	if (fake->listener < 0)
		return;
	shutdown(fake->listener, SHUT_RDWR);
	pthread_join(fake->thread, NULL);
	close(fake->listener);
	fake->listener = -1;
	unlink(fake->path);
	fake_hang_up(fake);
	while (fake->conns) {
		struct fake_conn *conn = fake->conns;

		fake->conns = conn->next;
		pthread_join(conn->thread, NULL);
		close(conn->fd);
		free(conn);
	}
}

void fake_release(struct fake *fake)
{
	fake_stop(fake);
	rmdir(fake->dir);
	pthread_mutex_destroy(&fake->lock);
}

void rig_bootstrap(const char *plugin)
{
	struct vaccel_config config;

	/* Failures are what most tests are about; their log lines are not. */
	assert_int_equal(vaccel_config_init(&config, plugin, 0, NULL, false, false), VACCEL_OK);
	assert_int_equal(vaccel_bootstrap_with_config(&config), VACCEL_OK);
	assert_int_equal(vaccel_config_release(&config), VACCEL_OK);
}

int rig_setup(void **state)
{
	struct fake *fake = malloc(sizeof(*fake));

	if (!fake)
		return -1;
	fake_init(fake);
	fake_listen(fake);
	rig_bootstrap(RPC_PLUGIN);
	*state = fake;
	return 0;
}

int rig_teardown(void **state)
{
	struct fake *fake = *state;

	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	fake_release(fake);
	free(fake);
	return 0;
}

int rig_classify(struct vaccel_session *sess, size_t size, char text[64])
{
	static const uint8_t image[4096] = { 7 };

	return vaccel_image_classification(sess, image, (unsigned char *)text, NULL, size, 64, 0);
}

const char *rig_reason(void)
{
	static _Thread_local char reason[1024];

	luaccel_last_error(reason, sizeof(reason));
	return reason;
}

double rig_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void rig_wait(atomic_int *counter, int value)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	double until = rig_seconds() + 5;

	while (atomic_load(counter) < value) {
		assert_true(rig_seconds() < until);
		nanosleep(&pause, NULL);
	}
}
