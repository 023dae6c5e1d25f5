/*
 * client_internal.h - the inside of a client: calls in flight and the roles of their threads.
 *
 *   writer   has the turn to write; one at a time, in client_write.c
 *   reader   receives and hands out frames; one at a time, in client_read.c
 *   waiter   sleeps until its call is done or the reader's role is offered to it
 *
 * A role is a flag under `lock`; what belongs to a role is touched without the lock by the thread
 * that has it. Any caller that has to wait takes the reader's role if it is free: also a writer
 * whose peer does not read, since that peer may be waiting for us to read. A reader that leaves
 * offers the role to a waiter, or else wakes the writer through wake_fd.
 */
#ifndef TTRPC_CLIENT_INTERNAL_H
#define TTRPC_CLIENT_INTERNAL_H

#include "client.h"
#include "encode.h"
#include "frame.h"
#include "reader.h"
#include "segments.h"

#include <pthread.h>
#include <stdatomic.h>

/* A message of a stream that came and was not taken yet. */
struct ttrpc_arrival {
	struct ttrpc_arrival *next;
	uint8_t *frame;
	size_t size;
};

/*
 * A call in flight, its caller's memory; listed from before it is written until it is done. One
 * that streams may get messages before; when it is done without a frame, they were all.
 */
struct ttrpc_call {
	struct ttrpc_call *next, **link;
	uint32_t stream_id;
	bool waiting, done;
	bool streams, answered; /* a response came, and not only messages */
	int result;		/* 0: frame is there; else negative errno */
	uint8_t *frame;		/* of the response */
	size_t frame_size;
	struct ttrpc_arrival *arrived, **arrived_end;
	size_t arrived_bytes;
	pthread_cond_t wake;
};

struct ttrpc_client {
	atomic_uint refs;
	int fd;
	int wake_fd; /* eventfd */
	size_t receive_max;
	atomic_size_t send_max;

	pthread_mutex_t lock;
	bool lost, reading, writing;
	bool writer_blocked; /* the writer sleeps in poll() */
	pthread_cond_t turn; /* writing ended, or the connection */
	uint32_t last_id;
	struct ttrpc_call *calls, **last; /* oldest first */

	/* the writer's; what the reader has put there */
	_Atomic(struct ttrpc_shared *) shared;
	bool shared_told; /* the peer knows that we have it */

	/* the reader's */
	bool shares; /* an offer of memory is welcome; set before it can come */
	int offered_fd;
	struct ttrpc_reader frames;
	int verdict; /* why the frame in progress is discarded; 0: it is not wanted */
	uint8_t buffer[16 << 10];
};

enum { TTRPC_NO_DEADLINE = -1 };

/* Monotonic nanoseconds; and what is left until a deadline, in milliseconds for poll(). */
int64_t ttrpc_now(void);
int ttrpc_left_ms(int64_t deadline);

/*
 * The parts of a call, in client.c. With the lock held, which is given up meanwhile: write its
 * first frame, and list it; write a further one; wait until it is done, or a message has arrived.
 * -ETIMEDOUT when the deadline passed, and what ttrpc_client_write() returns.
 */
void ttrpc_call_init(struct ttrpc_call *call);
int ttrpc_call_send(struct ttrpc_client *client, struct ttrpc_call *call, struct ttrpc_out *out,
		    uint8_t flags, int64_t deadline);
int ttrpc_call_write(struct ttrpc_client *client, const struct ttrpc_out *out, int64_t deadline);
int ttrpc_call_await(struct ttrpc_client *client, struct ttrpc_call *call, int64_t deadline);
/* It is over for its caller, done or not; the reader's role goes on. With the lock held. */
void ttrpc_call_end(struct ttrpc_client *client, struct ttrpc_call *call);
/* The answer of a response frame, which it has in answer->frame; or of a message alone. */
int ttrpc_answer_decode(struct ttrpc_answer *answer, size_t size, bool enveloped,
			const ProtobufCMessageDescriptor *response_type);
int64_t ttrpc_deadline_of(int64_t timeout_nano);

/* With the lock held. Every call in flight is done with -ECONNRESET. */
void ttrpc_client_fail(struct ttrpc_client *client);
void ttrpc_call_complete(struct ttrpc_client *client, struct ttrpc_call *call, int result);
struct ttrpc_call *ttrpc_call_find(struct ttrpc_client *client, uint32_t stream_id);
/* If the reader's role is free, offer it. */
void ttrpc_client_hand_over(struct ttrpc_client *client);

/*
 * In the reader's role, without the lock: receive once and hand out what is complete. Waits for
 * bytes if `wait`. -ETIMEDOUT when the deadline passed; a lost connection is not an error here.
 */
int ttrpc_client_read(struct ttrpc_client *client, bool wait, int64_t deadline);

/* In the reader's role: receive as recv(), with a descriptor if one comes; take an offer. */
ssize_t ttrpc_client_receive(struct ttrpc_client *client, void *buffer, size_t size, int flags);
void ttrpc_client_take_offer(struct ttrpc_client *client);
/* At the client's end. */
void ttrpc_client_unshare(struct ttrpc_client *client);

/*
 * In the writer's role, without the lock: the whole frame. -ECONNRESET, or -ETIMEDOUT; a frame
 * that was cut in two by its deadline takes the connection with it.
 */
int ttrpc_client_write(struct ttrpc_client *client, const struct ttrpc_out *out, int64_t deadline);

#endif
