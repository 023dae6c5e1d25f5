/*
 * client_read.c - the reader's role: bytes off the socket, frames to their callers.
 */
#include "client_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A body up to ASK_FIRST is kept without asking who wants it. */
enum { ASK_FIRST = 64 << 10, ARRIVALS_MAX = 1024 };

static void fail(struct ttrpc_client *client)
{
	pthread_mutex_lock(&client->lock);
	ttrpc_client_fail(client);
	pthread_mutex_unlock(&client->lock);
}

static bool is_wanted(struct ttrpc_client *client, uint32_t stream_id)
{
	bool wanted;

	pthread_mutex_lock(&client->lock);
	wanted = ttrpc_call_find(client, stream_id) != NULL;
	pthread_mutex_unlock(&client->lock);
	return wanted;
}

static void discard(struct ttrpc_client *client, int verdict)
{
	client->verdict = verdict;
	ttrpc_reader_discard(&client->frames);
}

/* Answers and messages are kept; what is too large, or belongs to nobody, is skipped. False: no
 * ttrpc. */
static bool on_header(struct ttrpc_client *client)
{
	const struct ttrpc_frame_header *header = &client->frames.header;

	client->verdict = 0;
	if (header->length > TTRPC_FRAME_MAX)
		return false;
	if (header->type == TTRPC_OFFER)
		ttrpc_client_take_offer(client);
	if (header->type != TTRPC_RESPONSE && header->type != TTRPC_DATA)
		discard(client, 0);
	else if (header->length > client->receive_max)
		discard(client, -EBADMSG);
	else if (header->length > ASK_FIRST && !is_wanted(client, header->stream_id))
		discard(client, 0);
	return true;
}

/* A message of a stream. True if it was kept. With the lock held. */
static bool arrive(struct ttrpc_client *client, struct ttrpc_call *call, uint8_t *body, size_t size)
{
	struct ttrpc_arrival *arrival = malloc(sizeof(*arrival));

	if (!arrival)
		return false;
	*arrival = (struct ttrpc_arrival){ .frame = body, .size = size };
	*call->arrived_end = arrival;
	call->arrived_end = &arrival->next;
	call->arrived_bytes += sizeof(*arrival) + size;
	/* The others that use this connection do not wait until somebody takes these. */
	if (call->arrived_bytes > client->receive_max + ARRIVALS_MAX * sizeof(struct ttrpc_arrival))
		ttrpc_call_complete(client, call, -ENOBUFS);
	else
		pthread_cond_signal(&call->wake);
	return true;
}

/* True if the body was kept. With the lock held. */
static bool on_data(struct ttrpc_client *client, struct ttrpc_call *call,
		    const struct ttrpc_frame_header *header, uint8_t *body)
{
	bool kept = false;

	if (!call->streams)
		return false;
	if (client->verdict) {
		ttrpc_call_complete(client, call, client->verdict);
		return false;
	}
	if (!(header->flags & TTRPC_NO_DATA)) {
		kept = arrive(client, call, body, header->length);
		if (!kept)
			ttrpc_call_complete(client, call, -ENOMEM);
	}
	if (!call->done && (header->flags & TTRPC_REMOTE_CLOSED))
		ttrpc_call_complete(client, call, 0);
	return kept;
}

static void on_frame(struct ttrpc_client *client)
{
	struct ttrpc_frame_header header = client->frames.header;
	bool unwanted = client->frames.discarding && client->verdict == 0;
	uint8_t *body = ttrpc_reader_take(&client->frames);
	struct ttrpc_call *call = NULL;
	bool kept = false;

	pthread_mutex_lock(&client->lock);
	if (!unwanted)
		call = ttrpc_call_find(client, header.stream_id);
	if (call && header.type == TTRPC_DATA) {
		kept = on_data(client, call, &header, body);
	} else if (call) {
		call->frame = body;
		call->frame_size = header.length;
		call->answered = true;
		ttrpc_call_complete(client, call, client->verdict);
		kept = true;
	}
	pthread_mutex_unlock(&client->lock);
	if (!kept)
		free(body);
}

static bool consume(struct ttrpc_client *client, const uint8_t *data, size_t size)
{
	int event;

	while ((event = ttrpc_reader_feed(&client->frames, &data, &size)) != READER_MORE) {
		if (event == READER_FRAME)
			on_frame(client);
		else if (event == -ENOMEM)
			discard(client, -ENOMEM);
		else if (event == -EPROTO || !on_header(client))
			return false;
	}
	ttrpc_reader_settle(&client->frames);
	return true;
}

static int await_bytes(struct ttrpc_client *client, int64_t deadline)
{
	struct pollfd pfd = { .fd = client->fd, .events = POLLIN };

	return poll(&pfd, 1, ttrpc_left_ms(deadline)) == 0 ? -ETIMEDOUT : 0;
}

int ttrpc_client_read(struct ttrpc_client *client, bool wait, int64_t deadline)
{
	/* Without a deadline the call itself may wait: one system call instead of two. */
	bool blocking = wait && deadline == TTRPC_NO_DEADLINE;
	size_t size = sizeof(client->buffer);
	uint8_t *direct;
	ssize_t n;
	int err;

	if (wait && !blocking) {
		err = await_bytes(client, deadline);
		if (err)
			return err;
	}
	direct = ttrpc_reader_space(&client->frames, &size);
	n = ttrpc_client_receive(client, direct ? direct : client->buffer, size,
				 blocking ? 0 : MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN && blocking)
		return await_bytes(client, deadline);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0 && direct)
		ttrpc_reader_filled(&client->frames, (size_t)n);
	if (n <= 0 || !consume(client, client->buffer, direct ? 0 : (size_t)n))
		fail(client);
	return 0;
}
