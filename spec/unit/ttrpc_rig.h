/*
 * ttrpc_rig.h - a ttrpc server on a unix socket, its loop in a thread, for the tests.
 *
 * Service "test", all with vaccel.image messages:
 *   Echo    the tags are the image, by reference into the request's frame
 *   Later   the same after session_id milliseconds
 *   Hold    answered (as Echo) by rig_answer_held()
 *   Fail    status session_id, message "no", and the image as the detail's value if there is one
 * and as streams
 *   Sum     the tags are the images of all messages, one after the other
 *   Count   session_id messages, whose tags are their numbers from 0, one byte each
 *   Chat    each message echoed as it comes; one whose session_id is not 0 ends it, with that
 * status Idle    takes nothing; answered (as Sum) when it is cut Any other method: INVALID_ARGUMENT
 * "/SERVICE/METHOD does not exist".
 */
#ifndef TTRPC_RIG_H
#define TTRPC_RIG_H

#include "client.h"
#include "server.h"

#include <pthread.h>
#include <stdatomic.h>

#include "image.pb-c.h"
#include "ttrpc.pb-c.h"

struct rig_held {
	struct ttrpc_request *request;
	Vaccel__Image__Request *message;
	ev_timer timer;
	struct rig_held *next;
};

struct rig {
	char dir[64];
	struct ttrpc_address address;
	struct ev_loop *loop;
	pthread_t thread;
	ev_async job_ready;
	pthread_mutex_t lock;
	pthread_cond_t job_done;
	void (*job)(struct rig *rig, void *arg);
	void *job_arg;

	/* the loop's */
	struct ttrpc_server *server;
	struct ttrpc_listener *listener;
	struct rig_held *held;
	atomic_uint opened, closed, requests, released, nr_held; /* read by the tests */
	atomic_uint cut, sent;
	bool refuse;  /* what opened() says */
	size_t share; /* bytes of memory with peers that come; rig_share() */
	char reason[32], logged[256];
	char service[64], method[64]; /* of the last request */
	uint8_t payload[64];
	size_t payload_size;
};

/* ttrpc_rig_stream.c: true if the method is one of the streams, which is served then. */
bool rig_stream_begin(struct rig *rig, struct ttrpc_request *request);
void rig_on_stream(void *ctx, struct ttrpc_request *request);

/* limits may be NULL; uri too: a unix socket in a new folder. Fails the test if it cannot. */
struct rig *rig_start(const struct ttrpc_server_limits *limits, const char *uri);
/* Answers what is held; asserts that nothing is left of any peer. */
void rig_stop(struct rig *rig);
/* Run on the loop's thread; returns when it has. */
void rig_run(struct rig *rig, void (*job)(struct rig *rig, void *arg), void *arg);

/* Peers that connect from now on may have so much shared memory. */
void rig_share(struct rig *rig, size_t size);
void rig_answer_held(struct rig *rig);
void rig_close_all(struct rig *rig);
struct ttrpc_server_stats rig_stats(struct rig *rig);
/* Until the counter (a member of the rig) is at least `count`; false after five seconds. */
bool rig_await(const atomic_uint *counter, unsigned count);
bool rig_await_connections(struct rig *rig, size_t connections);

struct ttrpc_client *rig_client(struct rig *rig, size_t frame_max);
/* One call of the service, with the answer's tags in *tags (they live as long as the answer). */
int rig_call(struct ttrpc_client *client, const char *method, int64_t id, const void *image,
	     size_t size, int64_t timeout_nano, struct ttrpc_answer *answer);
const ProtobufCBinaryData *rig_tags(const struct ttrpc_answer *answer);

/* Bytes without a client. */
int raw_connect(struct rig *rig);
void raw_send(int fd, const void *bytes, size_t size);
void raw_frame(int fd, uint32_t stream_id, uint8_t type, uint8_t flags, const void *body,
	       size_t size);
/* A request frame of the service, as protobuf-c packs it; returns its size, 0 if it did not fit. */
size_t raw_request(uint8_t *frame, size_t room, uint32_t stream_id, const char *method, int64_t id,
		   const void *image, size_t size);
/* The next response; NULL at the end of the stream. Free with free_unpacked. */
Ttrpc__Response *raw_response(int fd, uint32_t *stream_id);
/* The status code of the next response, which must be for this stream. */
int raw_status(int fd, uint32_t stream_id, char *message, size_t size);
bool raw_at_end(int fd);

int64_t now_ms(void);

#endif
