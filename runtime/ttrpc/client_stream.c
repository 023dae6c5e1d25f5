/*
 * client_stream.c - calls of several messages: see client.h. A stream is a call that stays listed
 * while its owner does other things; what arrives meanwhile waits in it.
 */
#include "client_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ttrpc_stream {
	struct ttrpc_client *client;
	struct ttrpc_call call;
	int64_t deadline;
};

int ttrpc_stream_open(struct ttrpc_client *client, const char *service, const char *method,
		      const ProtobufCMessage *request, bool sends, int64_t timeout_nano,
		      struct ttrpc_stream **stream)
{
	const uint8_t flags =
		sends ? TTRPC_REMOTE_OPEN | (request ? 0 : TTRPC_NO_DATA) : TTRPC_REMOTE_CLOSED;
	struct ttrpc_stream *s;
	struct ttrpc_out out;
	int err;

	if (timeout_nano < 0)
		return -ETIMEDOUT;
	err = ttrpc_out_request(&out, 0, service, method, timeout_nano, request,
				atomic_load(&client->send_max));
	if (err)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s) {
		ttrpc_out_release(&out);
		return -ENOMEM;
	}
	s->client = ttrpc_client_ref(client);
	s->deadline = ttrpc_deadline_of(timeout_nano);
	ttrpc_call_init(&s->call);
	s->call.streams = true;
	pthread_mutex_lock(&client->lock);
	err = ttrpc_call_send(client, &s->call, &out, flags, s->deadline);
	pthread_mutex_unlock(&client->lock);
	ttrpc_out_release(&out);
	if (err)
		ttrpc_stream_free(s);
	else
		*stream = s;
	return err;
}

void ttrpc_stream_set_timeout(struct ttrpc_stream *stream, int64_t timeout_nano)
{
	stream->deadline = ttrpc_deadline_of(timeout_nano);
}

static int send_data(struct ttrpc_stream *stream, const ProtobufCMessage *message, uint8_t flags)
{
	struct ttrpc_client *client = stream->client;
	struct ttrpc_out out;
	int err = ttrpc_out_data(&out, stream->call.stream_id, flags, message,
				 atomic_load(&client->send_max));

	if (err)
		return err;
	pthread_mutex_lock(&client->lock);
	if (stream->call.done)
		err = stream->call.result ? stream->call.result : -EPIPE;
	else
		err = ttrpc_call_write(client, &out, stream->deadline);
	pthread_mutex_unlock(&client->lock);
	ttrpc_out_release(&out);
	return err;
}

int ttrpc_stream_send(struct ttrpc_stream *stream, const ProtobufCMessage *message)
{
	return send_data(stream, message, 0);
}

int ttrpc_stream_close(struct ttrpc_stream *stream)
{
	return send_data(stream, NULL, TTRPC_REMOTE_CLOSED | TTRPC_NO_DATA);
}

/* The oldest message that arrived; with the lock held. False: there is none. */
static bool take_arrival(struct ttrpc_call *call, uint8_t **frame, size_t *size)
{
	struct ttrpc_arrival *arrival = call->arrived;

	if (!arrival)
		return false;
	call->arrived = arrival->next;
	if (!call->arrived)
		call->arrived_end = &call->arrived;
	call->arrived_bytes -= sizeof(*arrival) + arrival->size;
	*frame = arrival->frame;
	*size = arrival->size;
	free(arrival);
	return true;
}

/* Messages come before the response, and before an error too if they arrived before it. */
static int receive(struct ttrpc_stream *stream, uint8_t **frame, size_t *size, bool *enveloped)
{
	struct ttrpc_client *client = stream->client;
	struct ttrpc_call *call = &stream->call;
	int err;

	pthread_mutex_lock(&client->lock);
	err = ttrpc_call_await(client, call, stream->deadline);
	*enveloped = !take_arrival(call, frame, size);
	if (!*enveloped) {
		err = 0;
	} else if (!err) {
		*frame = call->frame;
		*size = call->frame_size;
		call->frame = NULL;
		err = call->answered ? 0 : -ENODATA;
		call->answered = false;
	}
	pthread_mutex_unlock(&client->lock);
	return err;
}

int ttrpc_stream_receive(struct ttrpc_stream *stream, const ProtobufCMessageDescriptor *type,
			 struct ttrpc_answer *answer)
{
	bool enveloped;
	size_t size;
	int err;

	memset(answer, 0, sizeof(*answer));
	err = receive(stream, &answer->frame, &size, &enveloped);
	if (err)
		return err;
	err = ttrpc_answer_decode(answer, size, enveloped, type);
	if (err)
		ttrpc_answer_release(answer);
	return err == -ENOBUFS ? -EBADMSG : err;
}

void ttrpc_stream_free(struct ttrpc_stream *stream)
{
	uint8_t *frame;
	size_t size;

	if (!stream)
		return;
	pthread_mutex_lock(&stream->client->lock);
	ttrpc_call_end(stream->client, &stream->call);
	pthread_mutex_unlock(&stream->client->lock);
	pthread_cond_destroy(&stream->call.wake);
	while (take_arrival(&stream->call, &frame, &size))
		free(frame);
	free(stream->call.frame);
	ttrpc_client_unref(stream->client);
	free(stream);
}
