/*
 * server_internal.h - the inside of a server. Everything runs on the loop's thread.
 *
 * References, all counted, and who holds them:
 *   server  its owner, and each connection in memory
 *   conn    being open, each request in memory, a place in the server's list of those to flush
 * A request in memory is one being answered, or one whose answer waits to be written. Callbacks of
 * the owner may close anything, so whoever calls one holds a reference and looks again.
 *
 *   server.c    the server, its limits and counts
 *   listener.c  accepting
 *   conn.c      a connection's life: reading, its limits in time and space
 *   request.c   a frame becomes a request; its end
 *   reply.c     answers, and the queue that writes them
 */
#ifndef TTRPC_SERVER_INTERNAL_H
#define TTRPC_SERVER_INTERNAL_H

#include "encode.h"
#include "reader.h"
#include "server.h"

#include <limits.h>

enum { STREAM_BUCKETS = 64 };

/* What the owner sees as a struct ttrpc_request, and its answer. */
struct held_request {
	struct ttrpc_request pub;
	size_t charged; /* of what its arena takes, to its connection */
	bool streaming; /* counted among the open streams of its connection */
	struct ttrpc_out out;
	struct ttrpc_out_position position;
	void (*release)(void *arg);
	void *arg;
	struct held_request *next_out;
};

struct ttrpc_listener {
	struct ttrpc_server *server;
	struct ttrpc_address address;
	char *name;
	bool any_cid;
	int fd;
	ev_io accept;
	ev_timer pause;
	double delay; /* of the next pause */
	struct ttrpc_listener *next;
};

struct ttrpc_conn {
	struct ttrpc_server *server;
	unsigned refs;
	bool open;
	int fd;
	struct ttrpc_peer peer;
	char *listener_name;
	void *user;
	unsigned violations;

	ev_io readable, writable;
	ev_timer frame_timer, write_timer;
	struct ttrpc_reader frames;
	int refusal;   /* enum ttrpc_code for a frame that is discarded, or 0 */
	size_t window; /* bytes of the frame at the start of the timer's period */
	bool stalled;  /* reading stopped amid what was received; the rest: */
	uint8_t *rest;
	size_t rest_size;

	unsigned nr_streams, nr_requests; /* open; in memory */
	size_t held, out;		  /* bytes of frames in memory; waiting to be written */
	struct ttrpc_request *streams[STREAM_BUCKETS];
	struct held_request *queue, **queue_end;

	struct ttrpc_conn *next, *prev; /* on the server */
	bool dirty;			/* among those to flush */
	struct ttrpc_conn *next_dirty;
};

struct ttrpc_server {
	struct ev_loop *loop;
	struct ttrpc_server_handlers handlers;
	void *ctx;
	struct ttrpc_server_limits limits;
	unsigned refs;
	unsigned nr_open;
	bool full_logged;
	int reserve_fd; /* given up for a moment when descriptors run out */
	ev_idle flush;	/* never started; fed when connections are dirty */
	struct ttrpc_conn *dirty;
	struct ttrpc_listener *listeners;
	struct ttrpc_conn *conns;
	uint8_t buffer[16 << 10];
	struct iovec iov[IOV_MAX];
};

__attribute__((format(printf, 2, 3))) void ttrpc_server_log(struct ttrpc_server *server,
							    const char *format, ...);
void ttrpc_server_unref(struct ttrpc_server *server);

/* Takes over fd; a connection that cannot be set up is closed. */
void ttrpc_conn_accept(struct ttrpc_listener *listener, int fd);
struct ttrpc_conn *ttrpc_conn_ref(struct ttrpc_conn *conn);
void ttrpc_conn_unref(struct ttrpc_conn *conn);
/* Read, or stop reading, as the limits say; after anything that they count has changed. */
void ttrpc_conn_throttle(struct ttrpc_conn *conn);
/* One more breach of the protocol; the last one that is borne closes the connection. */
void ttrpc_conn_violation(struct ttrpc_conn *conn);

/* A complete request frame (body may be NULL if empty): to the handler, or refused. */
void ttrpc_request_receive(struct ttrpc_conn *conn, const struct ttrpc_frame_header *header,
			   uint8_t *body);
/* Refuse a frame that has been discarded. */
void ttrpc_request_refuse(struct ttrpc_conn *conn, const struct ttrpc_frame_header *header,
			  int code);
/* The stream is answered: its number may be used again, and no longer counts. */
void ttrpc_request_answered(struct ttrpc_request *request);
/* The request leaves memory: it was written, or nobody is there to read it. */
void ttrpc_request_end(struct ttrpc_request *request);

/* Write what is queued. */
void ttrpc_conn_write(struct ttrpc_conn *conn);
/* Drop what is queued. */
void ttrpc_conn_drop_queue(struct ttrpc_conn *conn);

static inline struct held_request *held_of(struct ttrpc_request *request)
{
	return (struct held_request *)(void *)request;
}

#endif
