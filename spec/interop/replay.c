/*
 * replay.c - what containerd's ttrpc once wrote (recordings/, by `goport record`), against our two
 * ends, without it.
 *
 *   NAME.client  is sent to our server, whole and cut at each byte: it answers with the frames that
 *                containerd's server answered, NAME.server
 *   NAME.server  answers our client, which makes the calls that containerd's client made
 *
 * Texts of failures are each server's own. Ours says that a message is malformed where that one has
 * an internal error.
 */
#include "cmocka_all.h"
#include "frame.h"
#include "ttrpc_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct recording {
	uint8_t *bytes;
	size_t size;
};

static struct recording load(const char *name, const char *end)
{
	struct recording recording = { 0 };
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.%s", RECORDINGS, name, end);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	recording.bytes = malloc(64 << 10);
	recording.size = fread(recording.bytes, 1, 64 << 10, file);
	fclose(file);
	assert_in_range(recording.size, TTRPC_HEADER_SIZE, (64 << 10) - 1);
	return recording;
}

/* The frame at *at; moves on. */
static struct ttrpc_frame_header next_frame(const struct recording *recording, size_t *at,
					    const uint8_t **body)
{
	struct ttrpc_frame_header header;

	ttrpc_frame_header_unpack(recording->bytes + *at, &header);
	*body = recording->bytes + *at + TTRPC_HEADER_SIZE;
	*at += TTRPC_HEADER_SIZE + header.length;
	assert_true(*at <= recording->size);
	return header;
}

static bool same_code(int ours, int theirs)
{
	return ours == theirs || (ours == TTRPC_INVALID_ARGUMENT && theirs == TTRPC_INTERNAL);
}

/* The same vaccel.image.Response; nothing may be written as nothing, or as a field of no bytes. */
static void assert_same_message(const uint8_t *ours, size_t size, const uint8_t *theirs,
				size_t theirs_size)
{
	Vaccel__Image__Response *a = vaccel__image__response__unpack(NULL, size, ours);
	Vaccel__Image__Response *b = vaccel__image__response__unpack(NULL, theirs_size, theirs);

	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(a->tags.len, b->tags.len);
	if (a->tags.len > 0)
		assert_memory_equal(a->tags.data, b->tags.data, a->tags.len);
	vaccel__image__response__free_unpacked(a, NULL);
	vaccel__image__response__free_unpacked(b, NULL);
}

static void assert_same_response(const uint8_t *ours, size_t size, const uint8_t *theirs,
				 size_t theirs_size)
{
	Ttrpc__Response *a = ttrpc__response__unpack(NULL, size, ours);
	Ttrpc__Response *b = ttrpc__response__unpack(NULL, theirs_size, theirs);

	assert_non_null(a);
	assert_non_null(b);
	assert_true(same_code(a->status ? a->status->code : 0, b->status ? b->status->code : 0));
	assert_same_message(a->payload.data, a->payload.len, b->payload.data, b->payload.len);
	ttrpc__response__free_unpacked(a, NULL);
	ttrpc__response__free_unpacked(b, NULL);
}

/* Our server's next frame is what theirs was. */
static void assert_answer(int fd, const struct ttrpc_frame_header *theirs, const uint8_t *body)
{
	uint8_t bytes[TTRPC_HEADER_SIZE], ours[1024];
	struct ttrpc_frame_header header;

	assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
	ttrpc_frame_header_unpack(bytes, &header);
	assert_int_equal(header.type, theirs->type);
	assert_int_equal(header.flags, theirs->flags);
	assert_int_equal(header.stream_id, theirs->stream_id);
	assert_in_range(header.length, 0, sizeof(ours));
	if (header.length > 0)
		assert_int_equal(recv(fd, ours, header.length, MSG_WAITALL), header.length);
	if (header.type == TTRPC_RESPONSE)
		assert_same_response(ours, header.length, body, theirs->length);
	else
		assert_same_message(ours, header.length, body, theirs->length);
}

static void our_server_answers(struct rig *rig, const char *name, size_t cut)
{
	struct recording client = load(name, "client"), server = load(name, "server");
	const uint8_t *body;
	int fd = raw_connect(rig);

	raw_send(fd, client.bytes, cut % client.size);
	/* lets the server see the first part alone */
	rig_stats(rig);
	raw_send(fd, client.bytes + cut % client.size, client.size - cut % client.size);
	for (size_t at = 0; at < server.size;) {
		const struct ttrpc_frame_header theirs = next_frame(&server, &at, &body);

		assert_answer(fd, &theirs, body);
	}
	close(fd);
	free(client.bytes);
	free(server.bytes);
}

static const char *const names[] = { "unary",	      "failure",
				     "metadata",      "malformed",
				     "client-stream", "server-stream",
				     "both-stream",   "both-stream-failure" };

static void recorded_clients_are_answered(void **state)
{
	struct rig *rig = rig_start(NULL, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct recording client = load(names[i], "client");

		for (size_t cut = 0; cut < client.size; cut++)
			our_server_answers(rig, names[i], cut);
		free(client.bytes);
	}
	rig_stop(rig);
}

/* A server that says what was recorded: of each stream when the client has begun it. */
struct player {
	int fd;
	const struct recording *server;
	pthread_t thread;
};

/* The client's next frame: its stream; 0 when it has gone. */
static uint32_t skip_frame(int fd)
{
	uint8_t bytes[TTRPC_HEADER_SIZE], body[4096];
	struct ttrpc_frame_header header;

	if (recv(fd, bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes))
		return 0;
	ttrpc_frame_header_unpack(bytes, &header);
	if (header.length > 0 && recv(fd, body, header.length, MSG_WAITALL) != header.length)
		return 0;
	return header.stream_id;
}

static void *play(void *arg)
{
	struct player *player = arg;
	const struct recording *server = player->server;
	uint32_t begun = 0, stream;
	const uint8_t *body;

	for (size_t at = 0; at < server->size;) {
		size_t from = at;
		const struct ttrpc_frame_header header = next_frame(server, &at, &body);

		while (begun < header.stream_id && (stream = skip_frame(player->fd)))
			begun = stream;
		if (begun < header.stream_id)
			break;
		send(player->fd, server->bytes + from, at - from, MSG_NOSIGNAL);
	}
	while (skip_frame(player->fd))
		;
	close(player->fd);
	return NULL;
}

static struct ttrpc_client *begin_play(struct player *player, const struct recording *server)
{
	struct ttrpc_client *client;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	player->fd = pair[1];
	player->server = server;
	assert_int_equal(ttrpc_client_from_fd(pair[0], NULL, &client), 0);
	assert_int_equal(pthread_create(&player->thread, NULL, play, player), 0);
	return client;
}

static void end_play(struct player *player, struct ttrpc_client *client)
{
	ttrpc_client_unref(client);
	pthread_join(player->thread, NULL);
}

static void assert_echo(struct ttrpc_client *client, const char *image)
{
	struct ttrpc_answer answer;

	assert_int_equal(rig_call(client, "Echo", 0, image, strlen(image), 0, &answer), 0);
	assert_int_equal(answer.status.code, TTRPC_OK);
	assert_int_equal(rig_tags(&answer)->len, strlen(image));
	assert_memory_equal(rig_tags(&answer)->data, image, strlen(image));
	ttrpc_answer_release(&answer);
}

static void assert_failure(struct ttrpc_client *client, const char *method, int code)
{
	struct ttrpc_answer answer;

	assert_int_equal(rig_call(client, method, code, "", 0, 0, &answer), 0);
	assert_int_equal(answer.status.code, code);
	ttrpc_answer_release(&answer);
}

static int send_image(struct ttrpc_stream *stream, int64_t id, const void *image, size_t size)
{
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;

	request.session_id = id;
	request.image = (ProtobufCBinaryData){ .data = (uint8_t *)image, .len = size };
	return ttrpc_stream_send(stream, &request.base);
}

/* The stream's next message, or -ENODATA. */
static int receive_tags(struct ttrpc_stream *stream, size_t size)
{
	struct ttrpc_answer answer;
	int err = ttrpc_stream_receive(stream, &vaccel__image__response__descriptor, &answer);

	if (err)
		return err;
	err = answer.status.code;
	if (!err)
		assert_int_equal(rig_tags(&answer)->len, size);
	ttrpc_answer_release(&answer);
	return err;
}

static void play_unary(struct ttrpc_client *client)
{
	assert_echo(client, "image");
}

static void play_failure(struct ttrpc_client *client)
{
	assert_failure(client, "Fail", TTRPC_NOT_FOUND);
}

static void play_metadata(struct ttrpc_client *client)
{
	assert_echo(client, "x");
}

static void play_malformed(struct ttrpc_client *client)
{
	assert_failure(client, "Echo", TTRPC_INTERNAL);
	assert_echo(client, "x");
}

static void play_client_stream(struct ttrpc_client *client)
{
	struct ttrpc_stream *stream;

	assert_int_equal(ttrpc_stream_open(client, "test", "Sum", NULL, true, 0, &stream), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(send_image(stream, 0, "01234", 5), 0);
	assert_int_equal(ttrpc_stream_close(stream), 0);
	assert_int_equal(receive_tags(stream, 15), 0);
	ttrpc_stream_free(stream);
}

static void play_server_stream(struct ttrpc_client *client)
{
	Vaccel__Image__Request request = VACCEL__IMAGE__REQUEST__INIT;
	struct ttrpc_stream *stream;

	request.session_id = 3;
	assert_int_equal(
		ttrpc_stream_open(client, "test", "Count", &request.base, false, 0, &stream), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(receive_tags(stream, 1), 0);
	assert_int_equal(receive_tags(stream, 0), -ENODATA);
	ttrpc_stream_free(stream);
}

static struct ttrpc_stream *chat(struct ttrpc_client *client)
{
	struct ttrpc_stream *stream;
	int err;

	assert_int_equal(ttrpc_stream_open(client, "test", "Chat", NULL, true, 0, &stream), 0);
	for (size_t i = 0; i < 3; i++) {
		/* The end may have come before this has been sent. */
		err = send_image(stream, 0, "01", i);
		assert_true(err == 0 || err == -EPIPE);
		assert_int_equal(receive_tags(stream, i), 0);
	}
	return stream;
}

static void play_both_stream(struct ttrpc_client *client)
{
	struct ttrpc_stream *stream = chat(client);

	/* The end has been sent already, and may have come. */
	ttrpc_stream_close(stream);
	assert_int_equal(receive_tags(stream, 0), -ENODATA);
	ttrpc_stream_free(stream);
}

static void play_both_stream_failure(struct ttrpc_client *client)
{
	struct ttrpc_stream *stream = chat(client);

	assert_int_equal(receive_tags(stream, 0), TTRPC_ABORTED);
	ttrpc_stream_free(stream);
}

static void recorded_servers_are_understood(void **state)
{
	static void (*const plays[])(struct ttrpc_client * client) = {
		play_unary,	    play_failure,	play_metadata,	  play_malformed,
		play_client_stream, play_server_stream, play_both_stream, play_both_stream_failure,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct recording server = load(names[i], "server");
		struct player player;
		struct ttrpc_client *client = begin_play(&player, &server);

		plays[i](client);
		end_play(&player, client);
		free(server.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_clients_are_answered),
		cmocka_unit_test(recorded_servers_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
