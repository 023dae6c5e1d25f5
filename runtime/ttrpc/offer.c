/*
 * offer.c - a server's part in sharing memory with a peer that asked for it.
 *
 * It is made when the first long frame comes from such a peer or goes to it, and offered by a frame
 * of its own with the descriptor attached. Whoever relays bytes loses the descriptor, and the peer
 * goes on without. A peer that has it says so by the first frame that it sends in segments; from
 * then on we send ours so too. It goes with the connection.
 */
#include "server_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool ttrpc_conn_share(struct ttrpc_conn *conn, size_t size)
{
	if (conn->shares)
		conn->share_size = size;
	return conn->share_size >= TTRPC_SHARED_SIZE_MIN;
}

/* The owner's word first; it counts what was asked for. */
static bool take_room(struct ttrpc_conn *conn)
{
	const struct ttrpc_server_handlers *handlers = &conn->server->handlers;

	return !conn->account || handlers->share(conn->account, conn->share_size);
}

static void give_room(struct ttrpc_conn *conn)
{
	if (conn->account)
		conn->server->handlers.unshare(conn->account, conn->share_size);
}

static struct ttrpc_shared *make(struct ttrpc_conn *conn)
{
	struct ttrpc_shared *shared = calloc(1, sizeof(*shared));

	if (shared && ttrpc_shared_create(shared, conn->share_size, &conn->offered_fd)) {
		free(shared);
		return NULL;
	}
	return shared;
}

static bool queue_offer(struct ttrpc_conn *conn)
{
	struct outgoing *outgoing = calloc(1, sizeof(*outgoing));

	if (!outgoing || ttrpc_out_header(&outgoing->out, TTRPC_OFFER)) {
		free(outgoing);
		return false;
	}
	ttrpc_conn_queue(conn, outgoing);
	return true;
}

void ttrpc_conn_offer(struct ttrpc_conn *conn)
{
	if (conn->shared || conn->share_size < TTRPC_SHARED_SIZE_MIN || !take_room(conn))
		return;
	conn->shared = make(conn);
	if (!conn->shared)
		give_room(conn);
	if (!conn->shared || !queue_offer(conn)) {
		ttrpc_conn_unshare(conn);
		conn->share_size = 0; /* what cannot be had is not tried at every frame */
		return;
	}
	conn->frames.shared = conn->shared;
}

void ttrpc_conn_unshare(struct ttrpc_conn *conn)
{
	if (conn->offered_fd >= 0)
		close(conn->offered_fd);
	conn->offered_fd = -1;
	if (!conn->shared)
		return;
	ttrpc_shared_release(conn->shared);
	free(conn->shared);
	conn->shared = conn->frames.shared = NULL;
	give_room(conn);
}

void ttrpc_conn_attach(struct ttrpc_conn *conn, struct msghdr *msg, union ttrpc_control *control)
{
	struct cmsghdr *header;

	if (conn->offered_fd < 0)
		return;
	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = sizeof(*control);
	header = CMSG_FIRSTHDR(msg);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &conn->offered_fd, sizeof(int));
}

void ttrpc_conn_attached(struct ttrpc_conn *conn)
{
	if (conn->offered_fd < 0)
		return;
	close(conn->offered_fd);
	conn->offered_fd = -1;
}
