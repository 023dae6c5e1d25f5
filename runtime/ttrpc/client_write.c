/*
 * client_write.c - the writer's role: one frame onto the socket, reading meanwhile if need be.
 */
#include "client_internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { IOV_BATCH = 64 };

/* True if the reader's role was free and is ours now. */
static bool begin_wait(struct ttrpc_client *client)
{
	bool reader;

	pthread_mutex_lock(&client->lock);
	reader = !client->reading && !client->lost;
	if (reader)
		client->reading = true;
	client->writer_blocked = true;
	pthread_mutex_unlock(&client->lock);
	return reader;
}

static void end_wait(struct ttrpc_client *client, bool reader)
{
	eventfd_t count;

	pthread_mutex_lock(&client->lock);
	client->writer_blocked = false;
	eventfd_read(client->wake_fd, &count);
	if (reader) {
		client->reading = false;
		ttrpc_client_hand_over(client);
	}
	pthread_mutex_unlock(&client->lock);
}

/* Until the socket takes bytes, has some for us while nobody else reads, or a reader left. */
static int await_room(struct ttrpc_client *client, int64_t deadline)
{
	struct pollfd pfd[] = {
		{ .fd = client->fd, .events = POLLOUT },
		{ .fd = client->wake_fd, .events = POLLIN },
	};
	bool reader = begin_wait(client);
	int n;

	if (reader)
		pfd[0].events |= POLLIN;
	n = poll(pfd, 2, ttrpc_left_ms(deadline));
	if (reader && n > 0 && (pfd[0].revents & ~POLLOUT))
		ttrpc_client_read(client, false, deadline);
	end_wait(client, reader);
	return n == 0 ? -ETIMEDOUT : 0;
}

static int give_up(struct ttrpc_client *client, int err, const struct ttrpc_sending *sending)
{
	if (err == -ETIMEDOUT && !sending->begun)
		return err;
	pthread_mutex_lock(&client->lock);
	ttrpc_client_fail(client);
	pthread_mutex_unlock(&client->lock);
	return err;
}

/* Long frames go in segments once there is memory to share; so does the first, which says so. */
static struct ttrpc_shared *begin(struct ttrpc_client *client, const struct ttrpc_out *out,
				  struct ttrpc_sending *sending)
{
	struct ttrpc_shared *shared = atomic_load(&client->shared);
	bool segmented = shared && (out->size >= TTRPC_SHARED_FRAME_MIN || !client->shared_told);

	client->shared_told |= segmented;
	ttrpc_sending_init(sending, out, segmented);
	return shared;
}

int ttrpc_client_write(struct ttrpc_client *client, const struct ttrpc_out *out, int64_t deadline)
{
	struct ttrpc_sending sending;
	struct ttrpc_shared *shared = begin(client, out, &sending);
	struct iovec iov[IOV_BATCH];
	struct msghdr msg = { .msg_iov = iov };
	int err = 0;

	while (!err && !ttrpc_sending_is_done(&sending)) {
		ssize_t n;

		msg.msg_iovlen = ttrpc_sending_pending(&sending, out, shared, iov, IOV_BATCH);
		n = sendmsg(client->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			ttrpc_sending_advance(&sending, out, (size_t)n);
		else if (errno == EAGAIN)
			err = await_room(client, deadline);
		else if (errno != EINTR)
			err = -ECONNRESET;
	}
	return err ? give_up(client, err, &sending) : 0;
}
