/*
 * ttrpc_rig.c - see ttrpc_rig.h.
 */
#include "ttrpc_rig.h"
#include "cmocka_all.h"
#include "frame.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int on_opened(void *ctx, struct ttrpc_conn *conn, void **user)
{
	struct rig *rig = ctx;

	*user = rig;
	rig->opened++;
	ttrpc_conn_share(conn, rig->share);
	return rig->refuse && ttrpc_conn_is_open(conn);
}

static void on_closed(void *ctx, struct ttrpc_conn *conn, const char *reason)
{
	struct rig *rig = ctx;

	snprintf(rig->reason, sizeof(rig->reason), "%s", reason);
	/* A connection is told of once, with what opened() gave it. */
	if (ttrpc_conn_user(conn) == rig && !ttrpc_conn_is_open(conn))
		rig->closed++;
}

static void on_log(void *ctx, const char *line)
{
	struct rig *rig = ctx;

	snprintf(rig->logged, sizeof(rig->logged), "%s", line);
}

static void count_release(void *arg)
{
	struct rig *rig = arg;

	rig->released++;
}

static void echo(struct rig *rig, struct ttrpc_request *request, Vaccel__Image__Request *message)
{
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;

	response.tags = message->image;
	ttrpc_request_reply(request, &response.base, count_release, rig);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct rig_held *later = timer->data;

	(void)events;
	echo(ev_userdata(loop), later->request, later->message);
	free(later);
}

static struct rig_held *keep(struct ttrpc_request *request, Vaccel__Image__Request *message)
{
	struct rig_held *held = calloc(1, sizeof(*held));

	held->request = request;
	held->message = message;
	return held;
}

static void reject(struct ttrpc_request *request, Vaccel__Image__Request *message)
{
	const struct ttrpc_status status = {
		.code = (int)message->session_id,
		.message = "no",
		.detail_type_url = message->image.len ? "type" : NULL,
		.detail = message->image.data,
		.detail_size = message->image.len,
	};

	ttrpc_request_fail(request, &status);
}

static void unknown(struct ttrpc_request *request)
{
	char text[160];
	const struct ttrpc_status status = { .code = TTRPC_INVALID_ARGUMENT, .message = text };

	snprintf(text, sizeof(text), "/%s/%s does not exist", request->service, request->method);
	ttrpc_request_fail(request, &status);
}

static void note(struct rig *rig, const struct ttrpc_request *request)
{
	snprintf(rig->service, sizeof(rig->service), "%s", request->service);
	snprintf(rig->method, sizeof(rig->method), "%s", request->method);
	rig->payload_size = request->payload.len;
	if (request->payload.len > 0 && request->payload.len <= sizeof(rig->payload))
		memcpy(rig->payload, request->payload.data, request->payload.len);
	rig->requests++;
}

static void on_request(void *ctx, struct ttrpc_request *request)
{
	struct rig *rig = ctx;
	Vaccel__Image__Request *message;
	struct rig_held *held;

	note(rig, request);
	if (rig_stream_begin(rig, request))
		return;
	if (strcmp(request->service, "test") != 0) {
		unknown(request);
		return;
	}
	message = (Vaccel__Image__Request *)ttrpc_request_decode(
		request, &vaccel__image__request__descriptor);
	if (!message)
		return;
	if (strcmp(rig->method, "Echo") == 0) {
		echo(rig, request, message);
	} else if (strcmp(rig->method, "Fail") == 0) {
		reject(request, message);
	} else if (strcmp(rig->method, "Later") == 0) {
		held = keep(request, message);
		ev_timer_init(&held->timer, on_timer, (double)message->session_id / 1000, 0.);
		held->timer.data = held;
		ev_timer_start(rig->loop, &held->timer);
	} else if (strcmp(rig->method, "Hold") == 0) {
		held = keep(request, message);
		held->next = rig->held;
		rig->held = held;
		rig->nr_held++;
	} else {
		unknown(request);
	}
}

static void on_job(struct ev_loop *loop, ev_async *async, int events)
{
	struct rig *rig = ev_userdata(loop);

	(void)async;
	(void)events;
	pthread_mutex_lock(&rig->lock);
	if (rig->job)
		rig->job(rig, rig->job_arg);
	rig->job = NULL;
	pthread_cond_signal(&rig->job_done);
	pthread_mutex_unlock(&rig->lock);
}

void rig_run(struct rig *rig, void (*job)(struct rig *rig, void *arg), void *arg)
{
	pthread_mutex_lock(&rig->lock);
	rig->job = job;
	rig->job_arg = arg;
	ev_async_send(rig->loop, &rig->job_ready);
	while (rig->job)
		pthread_cond_wait(&rig->job_done, &rig->lock);
	pthread_mutex_unlock(&rig->lock);
}

static void *run_loop(void *arg)
{
	struct rig *rig = arg;

	ev_run(rig->loop, 0);
	return NULL;
}

static void serve(struct rig *rig, const struct ttrpc_server_limits *limits, const char *uri)
{
	static const struct ttrpc_server_handlers handlers = {
		.opened = on_opened,
		.request = on_request,
		.stream = rig_on_stream,
		.closed = on_closed,
		.log = on_log,
	};
	struct ttrpc_address address;
	char text[160], err[256] = "";

	snprintf(text, sizeof(text), "unix://%s/sock", rig->dir);
	assert_int_equal(ttrpc_server_new(rig->loop, &handlers, rig, limits, &rig->server), 0);
	assert_int_equal(ttrpc_address_parse(uri ? uri : text, &address, NULL, 0), 0);
	if (ttrpc_server_listen(rig->server, &address, NULL, "main", &rig->listener, err,
				sizeof(err)))
		fail_msg("%s", err);
	ttrpc_address_release(&address);
	/* A port that the kernel chose is in the listener's own copy. */
	assert_int_equal(ttrpc_address_parse(ttrpc_listener_address(rig->listener)->uri,
					     &rig->address, NULL, 0),
			 0);
}

struct rig *rig_start(const struct ttrpc_server_limits *limits, const char *uri)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	snprintf(rig->dir, sizeof(rig->dir), "/tmp/ttrpc-rig-XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	rig->loop = ev_loop_new(EVFLAG_AUTO);
	ev_set_userdata(rig->loop, rig);
	pthread_mutex_init(&rig->lock, NULL);
	pthread_cond_init(&rig->job_done, NULL);
	ev_async_init(&rig->job_ready, on_job);
	ev_async_start(rig->loop, &rig->job_ready);
	serve(rig, limits, uri);
	assert_int_equal(pthread_create(&rig->thread, NULL, run_loop, rig), 0);
	return rig;
}

static void answer_held(struct rig *rig, void *arg)
{
	struct rig_held *held;

	(void)arg;
	while ((held = rig->held)) {
		rig->held = held->next;
		echo(rig, held->request, held->message);
		free(held);
	}
}

void rig_answer_held(struct rig *rig)
{
	rig_run(rig, answer_held, NULL);
}

static void set_share(struct rig *rig, void *arg)
{
	rig->share = *(const size_t *)arg;
}

void rig_share(struct rig *rig, size_t size)
{
	rig_run(rig, set_share, &size);
}

static void read_stats(struct rig *rig, void *arg)
{
	ttrpc_server_stats(rig->server, arg);
}

struct ttrpc_server_stats rig_stats(struct rig *rig)
{
	struct ttrpc_server_stats stats;

	rig_run(rig, read_stats, &stats);
	return stats;
}

bool rig_await(const atomic_uint *counter, unsigned count)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (*counter < count) {
		if (now_ms() > end)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

bool rig_await_connections(struct rig *rig, size_t connections)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (rig_stats(rig).connections != connections) {
		if (now_ms() > end)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

/* Close the server as its owner does at exit. */
static void end_server(struct rig *rig, void *arg)
{
	(void)arg;
	ttrpc_server_free(rig->server);
	rig->server = NULL;
}

static void end_loop(struct rig *rig, void *arg)
{
	(void)arg;
	ev_async_stop(rig->loop, &rig->job_ready);
	ev_break(rig->loop, EVBREAK_ALL);
}

void rig_close_all(struct rig *rig)
{
	rig_run(rig, end_server, NULL);
}

void rig_stop(struct rig *rig)
{
	struct ttrpc_server_stats stats = { 0 };

	rig_answer_held(rig);
	if (rig->server) {
		assert_true(rig_await_connections(rig, 0));
		stats = rig_stats(rig);
		rig_close_all(rig);
	}
	rig_run(rig, end_loop, NULL);
	pthread_join(rig->thread, NULL);
	ev_loop_destroy(rig->loop);
	assert_int_equal(stats.requests, 0);
	assert_int_equal(stats.bytes_held, 0);
	assert_int_equal(stats.bytes_out, 0);
	assert_int_equal(rig->opened, rig->refuse ? rig->opened : rig->closed);
	ttrpc_address_release(&rig->address);
	pthread_mutex_destroy(&rig->lock);
	pthread_cond_destroy(&rig->job_done);
	assert_int_equal(rmdir(rig->dir), 0);
	free(rig);
}

struct ttrpc_client *rig_client(struct rig *rig, size_t frame_max)
{
	const struct ttrpc_client_options options = { .frame_max = frame_max };
	struct ttrpc_client *client = NULL;
	char err[256] = "";

	if (ttrpc_client_new(&rig->address, &options, &client, err, sizeof(err)))
		fail_msg("%s", err);
	return client;
}

int rig_call(struct ttrpc_client *client, const char *method, int64_t id, const void *image,
	     size_t size, int64_t timeout_nano, struct ttrpc_answer *answer)
{
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;

	request.session_id = id;
	request.image = (ProtobufCBinaryData){ .data = (uint8_t *)image, .len = size };
	return ttrpc_client_call(client, "test", method, &request.base,
				 &vaccel__image__response__descriptor, timeout_nano, answer);
}

const ProtobufCBinaryData *rig_tags(const struct ttrpc_answer *answer)
{
	return &((const Vaccel__Image__Response *)answer->response)->tags;
}

int raw_connect(struct rig *rig)
{
	const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	int fd = ttrpc_address_connect(&rig->address, PATIENCE_MS, NULL, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

void raw_send(int fd, const void *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

void raw_frame(int fd, uint32_t stream_id, uint8_t type, uint8_t flags, const void *body,
	       size_t size)
{
	const struct ttrpc_frame_header header = { (uint32_t)size, stream_id, type, flags };
	uint8_t bytes[TTRPC_HEADER_SIZE];

	ttrpc_frame_header_pack(&header, bytes);
	raw_send(fd, bytes, sizeof(bytes));
	if (size > 0)
		raw_send(fd, body, size);
}

size_t raw_request(uint8_t *frame, size_t room, uint32_t stream_id, const char *method, int64_t id,
		   const void *image, size_t size)
{
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;
	Ttrpc__Request envelope = TTRPC__REQUEST__INIT;
	struct ttrpc_frame_header header = { .stream_id = stream_id, .type = TTRPC_REQUEST };
	uint8_t *payload = malloc(size + 64);

	request.session_id = id;
	request.image = (ProtobufCBinaryData){ .data = (uint8_t *)image, .len = size };
	envelope.service = (char *)"test";
	envelope.method = (char *)method;
	envelope.payload.data = payload;
	envelope.payload.len = vaccel__image__request__pack(&request, payload);
	header.length = (uint32_t)ttrpc__request__get_packed_size(&envelope);
	if (TTRPC_HEADER_SIZE + header.length > room) {
		free(payload);
		return 0;
	}
	ttrpc_frame_header_pack(&header, frame);
	ttrpc__request__pack(&envelope, frame + TTRPC_HEADER_SIZE);
	free(payload);
	return TTRPC_HEADER_SIZE + header.length;
}

Ttrpc__Response *raw_response(int fd, uint32_t *stream_id)
{
	uint8_t bytes[TTRPC_HEADER_SIZE], *body;
	struct ttrpc_frame_header header;
	Ttrpc__Response *response;

	if (recv(fd, bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes))
		return NULL;
	ttrpc_frame_header_unpack(bytes, &header);
	assert_int_equal(header.type, TTRPC_RESPONSE);
	assert_int_equal(header.flags, 0);
	body = malloc(header.length);
	assert_int_equal(recv(fd, body, header.length, MSG_WAITALL), header.length);
	response = ttrpc__response__unpack(NULL, header.length, body);
	assert_non_null(response);
	free(body);
	*stream_id = header.stream_id;
	return response;
}

int raw_status(int fd, uint32_t stream_id, char *message, size_t size)
{
	uint32_t id;
	Ttrpc__Response *response = raw_response(fd, &id);
	int code;

	assert_non_null(response);
	assert_int_equal(id, stream_id);
	assert_non_null(response->status);
	code = response->status->code;
	if (message)
		snprintf(message, size, "%s", response->status->message);
	ttrpc__response__free_unpacked(response, NULL);
	return code;
}

bool raw_at_end(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}
