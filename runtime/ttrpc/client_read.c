/*
 * client_read.c - the reader's role: bytes off the socket, frames to their callers.
 */
#include "client_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A body up to this size is kept without asking who wants it. */
enum { ASK_FIRST = 64 << 10 };

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

/* Answers are kept; what is too large, or belongs to nobody, is skipped. False: no ttrpc. */
static bool on_header(struct ttrpc_client *client)
{
	const struct ttrpc_frame_header *header = &client->frames.header;

	client->verdict = 0;
	if (header->length > TTRPC_FRAME_MAX)
		return false;
	if (header->type != TTRPC_RESPONSE)
		discard(client, 0);
	else if (header->length > client->receive_max)
		discard(client, -EBADMSG);
	else if (header->length > ASK_FIRST && !is_wanted(client, header->stream_id))
		discard(client, 0);
	return true;
}

static void on_frame(struct ttrpc_client *client)
{
	struct ttrpc_frame_header header = client->frames.header;
	bool unwanted = client->frames.discarding && client->verdict == 0;
	uint8_t *body = ttrpc_reader_take(&client->frames);
	struct ttrpc_call *call = NULL;

	pthread_mutex_lock(&client->lock);
	if (!unwanted)
		call = ttrpc_call_find(client, header.stream_id);
	if (call) {
		call->frame = body;
		call->frame_size = header.length;
		ttrpc_call_complete(client, call, client->verdict);
	}
	pthread_mutex_unlock(&client->lock);
	if (!call)
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
		else if (!on_header(client))
			return false;
	}
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
	n = recv(client->fd, direct ? direct : client->buffer, size, blocking ? 0 : MSG_DONTWAIT);
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
