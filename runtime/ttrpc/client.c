/*
 * client.c - a client's life, and one call: write, wait, decode. The roles of the threads are in
 * client_internal.h. Any thread.
 */
#include "client_internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ttrpc.pb-c.h"

enum { CONNECT_TIMEOUT_MS = 10000, NANO = 1000000000, NANO_PER_MS = 1000000 };

int64_t ttrpc_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NANO + now.tv_nsec;
}

int ttrpc_left_ms(int64_t deadline)
{
	int64_t left;

	if (deadline == TTRPC_NO_DEADLINE)
		return -1;
	left = deadline - ttrpc_now();
	if (left <= 0)
		return 0;
	left = (left + NANO_PER_MS - 1) / NANO_PER_MS;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static void init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

/* -ETIMEDOUT when the deadline passed. */
static int wait_on(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline)
{
	struct timespec until = { .tv_sec = (time_t)(deadline / NANO),
				  .tv_nsec = (long)(deadline % NANO) };

	if (deadline == TTRPC_NO_DEADLINE)
		return -pthread_cond_wait(cond, lock);
	return -pthread_cond_timedwait(cond, lock, &until);
}

static size_t frame_limit(size_t size)
{
	if (size == 0)
		return TTRPC_FRAME_DEFAULT;
	return size < TTRPC_FRAME_MAX ? size : TTRPC_FRAME_MAX;
}

int ttrpc_client_from_fd(int fd, const struct ttrpc_client_options *options,
			 struct ttrpc_client **client)
{
	struct ttrpc_client *c = calloc(1, sizeof(*c));
	size_t limit = frame_limit(options ? options->frame_max : 0);
	int err = -ENOMEM;

	if (!c)
		goto out_close;
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake_fd < 0) {
		err = -errno;
		goto out_free;
	}
	c->fd = fd;
	c->offered_fd = -1;
	c->receive_max = limit;
	atomic_init(&c->send_max, limit);
	atomic_init(&c->refs, 1);
	pthread_mutex_init(&c->lock, NULL);
	init_cond(&c->turn);
	c->last = &c->calls;
	*client = c;
	return 0;
out_free:
	free(c);
out_close:
	close(fd);
	return err;
}

int ttrpc_client_new(const struct ttrpc_address *address,
		     const struct ttrpc_client_options *options, struct ttrpc_client **client,
		     char *err, size_t errsize)
{
	int timeout = options && options->connect_timeout_ms ? options->connect_timeout_ms
							     : CONNECT_TIMEOUT_MS;
	int fd = ttrpc_address_connect(address, timeout, err, errsize);
	int code;

	if (fd < 0)
		return fd;
	code = ttrpc_client_from_fd(fd, options, client);
	if (code && err && errsize > 0)
		snprintf(err, errsize, "cannot set up the connection to %s: %s", address->uri,
			 strerror(-code));
	return code;
}

struct ttrpc_client *ttrpc_client_ref(struct ttrpc_client *client)
{
	atomic_fetch_add_explicit(&client->refs, 1, memory_order_relaxed);
	return client;
}

void ttrpc_client_unref(struct ttrpc_client *client)
{
	if (!client || atomic_fetch_sub_explicit(&client->refs, 1, memory_order_acq_rel) > 1)
		return;
	close(client->fd);
	close(client->wake_fd);
	ttrpc_client_unshare(client);
	ttrpc_reader_release(&client->frames);
	pthread_cond_destroy(&client->turn);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

void ttrpc_client_abandon(struct ttrpc_client *client)
{
	close(client->fd);
	close(client->wake_fd);
}

void ttrpc_client_set_frame_max(struct ttrpc_client *client, size_t frame_max)
{
	atomic_store(&client->send_max, frame_limit(frame_max));
}

bool ttrpc_client_lost(struct ttrpc_client *client)
{
	struct pollfd pfd = { .fd = client->fd, .events = POLLRDHUP };
	bool lost;

	pthread_mutex_lock(&client->lock);
	/* With calls in flight their reader notices, and answers that came before count. */
	if (!client->lost && !client->calls && poll(&pfd, 1, 0) > 0)
		ttrpc_client_fail(client);
	lost = client->lost;
	pthread_mutex_unlock(&client->lock);
	return lost;
}

static void call_add(struct ttrpc_client *client, struct ttrpc_call *call)
{
	call->link = client->last;
	*client->last = call;
	client->last = &call->next;
}

static void call_remove(struct ttrpc_client *client, struct ttrpc_call *call)
{
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	else
		client->last = call->link;
	call->next = NULL;
}

struct ttrpc_call *ttrpc_call_find(struct ttrpc_client *client, uint32_t stream_id)
{
	struct ttrpc_call *call = client->calls;

	while (call && call->stream_id != stream_id)
		call = call->next;
	return call;
}

void ttrpc_call_complete(struct ttrpc_client *client, struct ttrpc_call *call, int result)
{
	call_remove(client, call);
	call->result = result;
	call->done = true;
	pthread_cond_signal(&call->wake);
}

void ttrpc_client_fail(struct ttrpc_client *client)
{
	if (client->lost)
		return;
	client->lost = true;
	/* Wakes whoever sleeps on the socket. */
	shutdown(client->fd, SHUT_RDWR);
	while (client->calls)
		ttrpc_call_complete(client, client->calls, -ECONNRESET);
	pthread_cond_broadcast(&client->turn);
}

void ttrpc_client_sever(struct ttrpc_client *client)
{
	pthread_mutex_lock(&client->lock);
	ttrpc_client_fail(client);
	pthread_mutex_unlock(&client->lock);
}

void ttrpc_client_hand_over(struct ttrpc_client *client)
{
	struct ttrpc_call *call = client->calls;

	if (client->reading)
		return;
	while (call && !call->waiting)
		call = call->next;
	if (call)
		pthread_cond_signal(&call->wake);
	else if (client->writer_blocked)
		eventfd_write(client->wake_fd, 1);
}

/* Odd numbers that rise; after 2^31 calls they begin anew, around those in flight. */
static uint32_t next_stream_id(struct ttrpc_client *client)
{
	do
		client->last_id = client->last_id ? client->last_id + 2 : 1;
	while (client->last_id == UINT32_MAX || ttrpc_call_find(client, client->last_id));
	return client->last_id;
}

/* Until the writer's role is ours. */
static int take_turn(struct ttrpc_client *client, int64_t deadline)
{
	int err = 0;

	while (client->writing && !client->lost && !err)
		err = wait_on(&client->turn, &client->lock, deadline);
	if (client->lost)
		return -ECONNRESET;
	if (client->writing)
		return err;
	client->writing = true;
	return 0;
}

/* In our turn, which is over then. */
static int write_frame(struct ttrpc_client *client, const struct ttrpc_out *out, int64_t deadline)
{
	int err;

	pthread_mutex_unlock(&client->lock);
	err = ttrpc_client_write(client, out, deadline);
	pthread_mutex_lock(&client->lock);
	client->writing = false;
	pthread_cond_signal(&client->turn);
	return err;
}

int ttrpc_call_send(struct ttrpc_client *client, struct ttrpc_call *call, struct ttrpc_out *out,
		    uint8_t flags, int64_t deadline)
{
	int err = take_turn(client, deadline);

	if (err)
		return err;
	call->stream_id = next_stream_id(client);
	call_add(client, call);
	ttrpc_out_set_stream(out, call->stream_id, flags);
	return write_frame(client, out, deadline);
}

int ttrpc_call_write(struct ttrpc_client *client, const struct ttrpc_out *out, int64_t deadline)
{
	int err = take_turn(client, deadline);

	return err ? err : write_frame(client, out, deadline);
}

/* Reads if nobody else does. */
int ttrpc_call_await(struct ttrpc_client *client, struct ttrpc_call *call, int64_t deadline)
{
	int err = 0;

	while (!call->done && !call->arrived && !err) {
		if (client->reading) {
			call->waiting = true;
			err = wait_on(&call->wake, &client->lock, deadline);
			call->waiting = false;
			continue;
		}
		client->reading = true;
		pthread_mutex_unlock(&client->lock);
		err = ttrpc_client_read(client, true, deadline);
		pthread_mutex_lock(&client->lock);
		client->reading = false;
	}
	return call->done ? call->result : err;
}

void ttrpc_call_init(struct ttrpc_call *call)
{
	memset(call, 0, sizeof(*call));
	call->arrived_end = &call->arrived;
	init_cond(&call->wake);
}

void ttrpc_call_end(struct ttrpc_client *client, struct ttrpc_call *call)
{
	if (!call->done && call->link)
		call_remove(client, call);
	ttrpc_client_hand_over(client);
}

/* The frame of the answer, or a negative errno. */
static int exchange(struct ttrpc_client *client, struct ttrpc_call *call, struct ttrpc_out *out,
		    int64_t deadline)
{
	int err;

	ttrpc_call_init(call);
	pthread_mutex_lock(&client->lock);
	err = ttrpc_call_send(client, call, out, 0, deadline);
	if (!err)
		err = ttrpc_call_await(client, call, deadline);
	/* A peer may refuse a frame before it has read all of it. */
	if (call->done && call->result == 0)
		err = 0;
	ttrpc_call_end(client, call);
	pthread_mutex_unlock(&client->lock);
	pthread_cond_destroy(&call->wake);
	return err;
}

static void read_status(const Ttrpc__Response *envelope, struct ttrpc_status *status)
{
	const Ttrpc__Status *from = envelope->status;

	if (!from || from->code == TTRPC_OK)
		return;
	status->code = from->code;
	status->message = from->message;
	if (from->n_details == 0)
		return;
	status->detail_type_url = from->details[0]->type_url;
	status->detail = from->details[0]->value.data;
	status->detail_size = from->details[0]->value.len;
}

int ttrpc_answer_decode(struct ttrpc_answer *answer, size_t size, bool enveloped,
			const ProtobufCMessageDescriptor *response_type)
{
	ProtobufCMessage *message;
	const Ttrpc__Response *envelope;
	int err;

	ttrpc_arena_init(&answer->arena, ttrpc_decode_budget(size));
	if (!enveloped)
		return ttrpc_message_decode(response_type, answer->frame, size, &answer->arena,
					    &answer->response, NULL, 0);
	err = ttrpc_message_decode(&ttrpc__response__descriptor, answer->frame, size,
				   &answer->arena, &message, NULL, 0);
	if (err)
		return err;
	envelope = (const Ttrpc__Response *)message;
	read_status(envelope, &answer->status);
	if (answer->status.code != TTRPC_OK)
		return 0;
	return ttrpc_message_decode(response_type, envelope->payload.data, envelope->payload.len,
				    &answer->arena, &answer->response, NULL, 0);
}

/* When a call that starts now must have ended. */
int64_t ttrpc_deadline_of(int64_t timeout_nano)
{
	int64_t now = ttrpc_now();

	if (timeout_nano == 0)
		return TTRPC_NO_DEADLINE;
	return timeout_nano < INT64_MAX - now ? now + timeout_nano : INT64_MAX;
}

int ttrpc_client_call(struct ttrpc_client *client, const char *service, const char *method,
		      const ProtobufCMessage *request,
		      const ProtobufCMessageDescriptor *response_type, int64_t timeout_nano,
		      struct ttrpc_answer *answer)
{
	struct ttrpc_call call;
	struct ttrpc_out out;
	int err;

	memset(answer, 0, sizeof(*answer));
	if (timeout_nano < 0)
		return -ETIMEDOUT;
	err = ttrpc_out_request(&out, 0, service, method, timeout_nano, request,
				atomic_load(&client->send_max));
	if (err)
		return err;
	ttrpc_client_ref(client);
	err = exchange(client, &call, &out, ttrpc_deadline_of(timeout_nano));
	ttrpc_client_unref(client);
	ttrpc_out_release(&out);
	if (err)
		return err;
	answer->frame = call.frame;
	err = ttrpc_answer_decode(answer, call.frame_size, true, response_type);
	if (err)
		ttrpc_answer_release(answer);
	return err == -ENOBUFS ? -EBADMSG : err;
}

void ttrpc_answer_release(struct ttrpc_answer *answer)
{
	ttrpc_arena_release(&answer->arena);
	free(answer->frame);
	memset(answer, 0, sizeof(*answer));
}
