/*
 * client_shared.c - a client's part in sharing memory with its agent (shared.h): the reader takes
 * what is offered, the writer finds it. An offer whose descriptor was lost on the way, or whose
 * memory is not as it must be, is as if it had not come. Memory stays until the client goes.
 */
#include "client_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More descriptors than one: to be closed, not to be lost. */
enum { DESCRIPTORS_MAX = 4 };

bool ttrpc_client_share(struct ttrpc_client *client)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	client->shares = getsockname(client->fd, (struct sockaddr *)&address, &size) == 0 &&
			 address.ss_family == AF_UNIX;
	return client->shares;
}

/* The last that came counts. */
static void keep_descriptor(struct ttrpc_client *client, int fd)
{
	if (client->offered_fd >= 0)
		close(client->offered_fd);
	client->offered_fd = fd;
}

static void keep_descriptors(struct ttrpc_client *client, struct msghdr *msg)
{
	struct cmsghdr *header;

	for (header = CMSG_FIRSTHDR(msg); header; header = CMSG_NXTHDR(msg, header)) {
		size_t size = header->cmsg_len - CMSG_LEN(0);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= size; at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + at, sizeof(fd));
			keep_descriptor(client, fd);
		}
	}
}

ssize_t ttrpc_client_receive(struct ttrpc_client *client, void *buffer, size_t size, int flags)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buffer, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n;

	if (!client->shares)
		return recv(client->fd, buffer, size, flags);
	n = recvmsg(client->fd, &msg, flags | MSG_CMSG_CLOEXEC);
	if (n > 0)
		keep_descriptors(client, &msg);
	return n;
}

void ttrpc_client_take_offer(struct ttrpc_client *client)
{
	struct ttrpc_shared *shared = NULL;

	if (client->offered_fd < 0)
		return;
	if (!client->frames.shared)
		shared = calloc(1, sizeof(*shared));
	if (shared && ttrpc_shared_adopt(shared, client->offered_fd)) {
		free(shared);
		shared = NULL;
	}
	keep_descriptor(client, -1);
	if (!shared)
		return;
	client->shares = false; /* one is enough */
	client->frames.shared = shared;
	atomic_store(&client->shared, shared);
}

void ttrpc_client_unshare(struct ttrpc_client *client)
{
	keep_descriptor(client, -1);
	if (client->frames.shared)
		ttrpc_shared_release(client->frames.shared);
	free(client->frames.shared);
}
