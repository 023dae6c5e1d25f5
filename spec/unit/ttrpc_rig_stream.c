/*
 * ttrpc_rig_stream.c - the rig's streaming methods, see ttrpc_rig.h. The loop's thread.
 */
#include "cmocka_all.h"
#include "ttrpc_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct served {
	struct rig *rig;
	enum { SUM, COUNT, CHAT, IDLE } kind;
	uint8_t *sum;
	size_t size;
	int64_t at, count;
	struct ttrpc_data *unsent; /* of a chat: there was no room to echo it */
};

static void forget(void *user)
{
	struct served *served = user;

	free(served->sum);
	free(served);
}

static void refuse(struct ttrpc_request *request, int code, const char *message)
{
	const struct ttrpc_status status = { .code = code, .message = message };

	ttrpc_request_fail(request, &status);
}

static int read_data(struct ttrpc_data *data, Vaccel__Image__Request **message)
{
	return ttrpc_data_decode(data, &vaccel__image__request__descriptor,
				 (ProtobufCMessage **)message, NULL, 0);
}

static void sum(struct ttrpc_request *request, struct served *served)
{
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;
	Vaccel__Image__Request *message;
	struct ttrpc_data *data;

	while ((data = ttrpc_request_take(request))) {
		if (read_data(data, &message)) {
			refuse(request, TTRPC_INVALID_ARGUMENT, "that is no image");
			return;
		}
		served->sum = realloc(served->sum, served->size + message->image.len + 1);
		if (message->image.len > 0)
			memcpy(served->sum + served->size, message->image.data, message->image.len);
		served->size += message->image.len;
		ttrpc_request_charge(request, message->image.len);
		ttrpc_data_free(data);
	}
	if (!request->ended)
		return;
	response.tags.data = served->sum;
	response.tags.len = served->size;
	ttrpc_request_reply(request, &response.base, NULL, NULL);
}

static void count_sent(void *arg)
{
	struct rig *rig = arg;

	rig->sent++;
}

static void count(struct ttrpc_request *request, struct served *served)
{
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;
	uint8_t number;
	int err = 0;

	for (; served->at < served->count; served->at++) {
		number = (uint8_t)served->at;
		response.tags = (ProtobufCBinaryData){ .data = &number, .len = 1 };
		err = ttrpc_request_send(request, &response.base, count_sent, served->rig);
		if (err)
			break;
	}
	if (err != -EAGAIN)
		ttrpc_request_finish(request);
}

/* False: it is answered, or waits for room. */
static bool echo_one(struct ttrpc_request *request, struct served *served)
{
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;
	Vaccel__Image__Request *message;
	int err;

	if (read_data(served->unsent, &message)) {
		refuse(request, TTRPC_INVALID_ARGUMENT, "that is no image");
		return false;
	}
	if (message->session_id) {
		refuse(request, (int)message->session_id, "as you say");
		return false;
	}
	response.tags = message->image;
	err = ttrpc_request_send(request, &response.base, count_sent, served->rig);
	if (!err)
		served->unsent = NULL;
	return !err;
}

static void chat(struct ttrpc_request *request, struct served *served)
{
	for (;;) {
		if (!served->unsent)
			served->unsent = ttrpc_request_take(request);
		if (!served->unsent)
			break;
		if (!echo_one(request, served))
			return;
	}
	if (request->ended)
		ttrpc_request_finish(request);
}

static void go_on(struct ttrpc_request *request, struct served *served)
{
	if (served->kind == SUM)
		sum(request, served);
	else if (served->kind == COUNT)
		count(request, served);
	else if (served->kind == CHAT)
		chat(request, served);
}

void rig_on_stream(void *ctx, struct ttrpc_request *request)
{
	struct rig *rig = ctx;
	Vaccel__Image__Response response = VACCEL__IMAGE__RESPONSE__INIT;

	if (request->cut) {
		assert_int_equal(ttrpc_request_send(request, &response.base, NULL, NULL),
				 -ECONNRESET);
		rig->cut++;
		ttrpc_request_reply(request, &response.base, NULL, NULL);
		return;
	}
	go_on(request, request->user);
}

/* How often a server streams to us. False: the request has been answered. */
static bool read_count(struct ttrpc_request *request, int64_t *number)
{
	const Vaccel__Image__Request *message =
		(const Vaccel__Image__Request *)ttrpc_request_decode(
			request, &vaccel__image__request__descriptor);

	if (message)
		*number = message->session_id;
	return message != NULL;
}

bool rig_stream_begin(struct rig *rig, struct ttrpc_request *request)
{
	static const char *const names[] = { "Sum", "Count", "Chat", "Idle" };
	struct served *served;
	int kind = 0;
	int64_t number = 0;

	while (kind <= IDLE && strcmp(names[kind], request->method) != 0)
		kind++;
	if (kind > IDLE || strcmp(request->service, "test") != 0)
		return false;
	if (kind == COUNT && !read_count(request, &number))
		return true;
	served = calloc(1, sizeof(*served));
	served->rig = rig;
	served->kind = kind;
	served->count = number;
	request->user = served;
	request->forget = forget;
	go_on(request, served);
	return true;
}
