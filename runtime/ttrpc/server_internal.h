/*
 * server_internal.h - the inside of a server. Everything runs on the loop's thread.
 *
 * Of a server on several loops each has a struct ttrpc_server of its own, a branch, with its
 * connections; the first accepts, and keeps counts and limits for all.
 *
 * References, all counted, and who holds them:
 *   server  its owner, each connection in memory, and each branch of it
 *   conn    being open, each request in memory, a place in the server's list of those to flush
 * A request in memory is one being answered, or one whose answer waits to be written. Callbacks of
 * the owner may close anything, so whoever calls one holds a reference and looks again.
 *
 *   server.c    the server, its limits and counts
 *   listener.c  accepting
 *   conn.c      a connection's life: reading, its limits in time and space
 *   request.c   a frame becomes a request; its end
 *   server_stream.c    messages of streams: those that come, and the end of those that nobody takes
 *   reply.c     answers, and the queue that writes them
 *   offer.c     memory that is shared with a peer
 */
#ifndef TTRPC_SERVER_INTERNAL_H
#define TTRPC_SERVER_INTERNAL_H

#include "encode.h"
#include "reader.h"
#include "segments.h"
#include "server.h"

#include <limits.h>

enum { STREAM_BUCKETS = 64 };

/* A frame that waits to be written. */
struct outgoing {
	struct ttrpc_out out;
	struct ttrpc_sending sending;
	void (*release)(void *arg);
	void *arg;
	struct held_request *request; /* whose it is; NULL: it answers in an owner's place */
	struct outgoing *next;
};

/* What the owner sees as a struct ttrpc_request, and its answer. */
struct held_request {
	struct ttrpc_request pub;
	size_t arena_charged; /* of what its arena takes, to its connection */
	size_t held;	      /* by it in all: its frames, what was decoded, what the owner keeps */
	bool streaming;	      /* counted among the open streams of its connection */
	ev_timer deadline;    /* runs if there is one, until it is answered */
	struct outgoing answer;
	unsigned nr_sent; /* messages of its that wait to be written */
	bool waits;	  /* its owner does, for room to send */
	bool answered;	  /* by its owner after it was cut, while messages waited */
	/* messages that came: not taken yet, oldest first; and those that were */
	struct ttrpc_data *queue, **queue_end, *taken;
	unsigned nr_queued;
};

struct ttrpc_listener {
	struct ttrpc_server *server;
	struct ttrpc_address address;
	char *name;
	bool any_cid;
	bool shares; /* memory, with peers that ask for it */
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
	void *account;		 /* the owner's, for what this connection holds */
	struct ttrpc_usage told; /* to it */
	const char *over;	 /* the limit that it exceeds, or NULL */
	const char *dropped;	 /* the one for which the frame that comes was dropped */
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
	struct held_request *full; /* the stream whose queue takes no more: why reading stopped */
	ev_timer full_timer;	   /* runs while there is one */
	size_t held, out;	   /* bytes of frames in memory; waiting to be written */
	unsigned nr_coming;	   /* of the open streams: not ended */
	size_t held_coming;	   /* of held: by streams that have not ended */
	size_t decoded;		   /* of held: by what was decoded */
	struct ttrpc_request *streams[STREAM_BUCKETS];
	uint32_t last_id; /* the highest number of a stream so far */
	uint64_t recent;  /* bit n: that number - 2n was used */
	struct outgoing *queue, **queue_end;

	bool shares;		     /* its listener does */
	bool shared_by_peer;	     /* it has what was offered */
	size_t share_size;	     /* to offer when there is use for it; 0: nothing */
	int offered_fd;		     /* to go with the next bytes; -1: none */
	struct ttrpc_shared *shared; /* NULL: none was made */

	struct ttrpc_conn *next, *prev; /* on the server */
	bool dirty;			/* among those to flush */
	struct ttrpc_conn *next_dirty;
	struct ttrpc_conn *next_arriving;
};

struct ttrpc_server {
	struct ev_loop *loop;
	struct ttrpc_server_handlers handlers;
	void *ctx;
	struct ttrpc_server_limits limits;
	unsigned refs;
	unsigned nr_open;     /* of the first: in all branches */
	unsigned nr_accepted; /* in the second that began then */
	ev_tstamp accepted_at;
	bool full_logged;
	int reserve_fd; /* given up for a moment when descriptors run out */
	ev_idle flush;	/* never started; fed when connections are dirty */
	struct ttrpc_conn *dirty;
	struct ttrpc_listener *listeners;
	struct ttrpc_conn *conns;
	struct ttrpc_server *first;  /* of the branches; itself, where there is but one */
	struct ttrpc_server *next;   /* branch */
	struct ttrpc_server *turn;   /* of the first: whose the next connection is */
	struct ttrpc_conn *arriving; /* accepted for this branch, which has not begun with them */
	ev_async arrived;	     /* there are any */
	uint8_t buffer[16 << 10];
	struct iovec iov[IOV_MAX];
};

/* See the handlers of these names. */
static inline void ttrpc_server_release(const struct ttrpc_server *server)
{
	if (server->handlers.release)
		server->handlers.release(server->ctx);
}

static inline void ttrpc_server_acquire(const struct ttrpc_server *server)
{
	if (server->handlers.acquire)
		server->handlers.acquire(server->ctx);
}

__attribute__((format(printf, 2, 3))) void ttrpc_server_log(struct ttrpc_server *server,
							    const char *format, ...);
void ttrpc_server_unref(struct ttrpc_server *server);

/* Takes over fd; a connection that cannot be set up is closed. */
void ttrpc_conn_accept(struct ttrpc_listener *listener, int fd);
/* Begin with one that has arrived; or, at the branch's end, do not. */
void ttrpc_conn_begin(struct ttrpc_conn *conn);
void ttrpc_conn_drop(struct ttrpc_conn *conn);
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
/* The open stream of that number, or NULL. */
struct ttrpc_request *ttrpc_request_find(struct ttrpc_conn *conn, uint32_t stream_id);
/* It holds so much more (or less) than before. */
void ttrpc_request_hold(struct held_request *held, size_t more, size_t less);
/* The stream is answered: its number may be used again, and no longer counts. */
void ttrpc_request_answered(struct ttrpc_request *request);
/* The request leaves memory: it was written, or nobody is there to read it. */
void ttrpc_request_end(struct ttrpc_request *request);

/* May a data frame with this header be kept? It is skipped otherwise, and the stream cut perhaps.
 */
bool ttrpc_streamed_wants(struct ttrpc_conn *conn, const struct ttrpc_frame_header *header);
/* A complete data frame of a stream that wanted it. */
void ttrpc_streamed_receive(struct ttrpc_conn *conn, const struct ttrpc_frame_header *header,
			    uint8_t *body);
/* Messages follow the request; its payload, if it has one, is the first. False: out of memory. */
bool ttrpc_streamed_begin(struct held_request *held);
/* No message comes any more. */
void ttrpc_streamed_ended(struct held_request *held);
/* Nobody will take what came and was not taken. */
void ttrpc_streamed_drop(struct held_request *held);
/* Free what came; as the request leaves memory. */
void ttrpc_streamed_release(struct held_request *held);
/* Answer in the owner's place, if anybody is there to be answered, and tell the owner. */
void ttrpc_streamed_cut(struct held_request *held, int code, const char *reason);
/* The connection has gone: no stream that was to come will. */
void ttrpc_streamed_cut_all(struct ttrpc_conn *conn);
/* Streams that have not ended hold all that may be held, so they never will: the largest is cut. */
bool ttrpc_streamed_needs_room(const struct ttrpc_conn *conn);
void ttrpc_streamed_make_room(struct ttrpc_conn *conn);
void ttrpc_streamed_on_full(struct ev_loop *loop, ev_timer *watcher, int events);

/* Queue a packed frame. */
void ttrpc_conn_queue(struct ttrpc_conn *conn, struct outgoing *outgoing);
/* Answer in an owner's place. */
void ttrpc_conn_refuse(struct ttrpc_conn *conn, uint32_t stream_id, int code, const char *reason);

/* A long frame has come, or is to go: offer memory, if the peer asked for it and has not got any.
 */
void ttrpc_conn_offer(struct ttrpc_conn *conn);
/* Give it back, with what is left of an offer. */
void ttrpc_conn_unshare(struct ttrpc_conn *conn);
/*
 * The descriptor of an offer goes with whatever is written next, which is the offer or comes before
 * it; it was attached when any of that was written.
 */
union ttrpc_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};
void ttrpc_conn_attach(struct ttrpc_conn *conn, struct msghdr *msg, union ttrpc_control *control);
void ttrpc_conn_attached(struct ttrpc_conn *conn);

/* Write what is queued. */
void ttrpc_conn_write(struct ttrpc_conn *conn);
/* Drop what is queued. */
void ttrpc_conn_drop_queue(struct ttrpc_conn *conn);

static inline struct held_request *held_of(struct ttrpc_request *request)
{
	return (struct held_request *)(void *)request;
}

#endif
