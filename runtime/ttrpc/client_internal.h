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

#include <pthread.h>
#include <stdatomic.h>

/* A call in flight, on its caller's stack; listed from before it is written until it is done. */
struct ttrpc_call {
	struct ttrpc_call *next, **link;
	uint32_t stream_id;
	bool waiting, done;
	int result; /* 0: frame is there; else negative errno */
	uint8_t *frame;
	size_t frame_size;
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

	/* the reader's */
	struct ttrpc_reader frames;
	int verdict; /* why the frame in progress is discarded; 0: it is not wanted */
	uint8_t buffer[16 << 10];
};

enum { TTRPC_NO_DEADLINE = -1 };

/* Monotonic nanoseconds; and what is left until a deadline, in milliseconds for poll(). */
int64_t ttrpc_now(void);
int ttrpc_left_ms(int64_t deadline);

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

/*
 * In the writer's role, without the lock: the whole frame. -ECONNRESET, or -ETIMEDOUT; a frame
 * that was cut in two by its deadline takes the connection with it.
 */
int ttrpc_client_write(struct ttrpc_client *client, const struct ttrpc_out *out, int64_t deadline);

#endif
