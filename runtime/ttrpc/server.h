/*
 * server.h - the serving end of ttrpc on a libev loop, or on several.
 *
 *   listener    a socket that accepts; knows its address and its name
 *   connection  one peer; a frame reader, and a queue of frames to write
 *   request     one decoded request frame; owns the frame until it was answered
 *   data        one message of a stream, beyond the request
 *
 * Everything here runs on the loop's thread and nowhere else; of several loops, a connection and
 * its requests belong to one, and what says "the loop" means that one. A request may be kept for as
 * long as its work takes: it is answered once, by ttrpc_request_reply() or ttrpc_request_fail(),
 * later or at once. It counts its connection: when the peer has gone, answering frees it and writes
 * nothing.
 *
 * A stream is a request whose peer sends messages after it (`ended` is false until the last), or
 * whose answer is several messages. What comes waits in a queue of its own until the owner takes
 * it; one whose owner does not take it for a second is cut, so that it does not hold up the others
 * of its connection: the peer has been answered then, and the owner is told to let go.
 *
 * A connection reads no further while it holds more than its limits allow (frames being answered,
 * bytes waiting to be written); a frame that does not complete in time, that announces more than
 * frame_max, or that is no request closes or refuses as limits.md says. Memory for a frame grows
 * with the bytes that arrived, never with the length that was announced.
 */
#ifndef TTRPC_SERVER_H
#define TTRPC_SERVER_H

#include "address.h"
#include "frame.h"
#include "message.h"
#include <ev.h>

struct ttrpc_server;
struct ttrpc_listener;
struct ttrpc_conn;

struct ttrpc_request {
	struct ttrpc_conn *conn;
	uint32_t stream_id;
	bool streamed; /* the peer calls it a stream, of messages to us or from us */
	bool ended;    /* the peer sends nothing more */
	bool cut; /* the peer has been answered, or has gone: answer in any way to be rid of it */
	/* What is wrong with its stream's number by ttrpc's rules, though it can be served; or
	 * NULL. */
	const char *disorder;
	const char *service; /* NUL-terminated, in the arena */
	const char *method;
	int64_t timeout_nano;	     /* 0: none given */
	ProtobufCBinaryData payload; /* in the frame */
	size_t frame_size;	     /* bytes that this request holds */
	size_t received;	     /* bytes of its frames, those of its stream included */
	struct ttrpc_arena arena;    /* for what is decoded; freed with the request */
	void *user;		     /* the owner's */
	void (*forget)(void *user);  /* called as the request leaves memory; may be NULL */
	/* private */
	uint8_t *frame;
	struct ttrpc_request *next, *prev; /* on its connection */
};

/* One message of a stream. Lives until it is freed, or its request leaves memory. */
struct ttrpc_data {
	struct ttrpc_request *request;
	ProtobufCBinaryData payload;
	struct ttrpc_arena arena; /* for what is decoded */
	/* private */
	uint8_t *frame;
	size_t charged;
	struct ttrpc_data *next, **link;
};

/* What one connection makes the server hold. */
struct ttrpc_usage {
	size_t streams; /* requests open */
	size_t held;	/* bytes of frames, in and out, and of what was decoded */
	size_t decoded; /* of those: what was decoded, beside bulk bytes */
};

struct ttrpc_server_handlers {
	/* A connection was accepted; *user stays with it. Non-zero closes it at once. */
	int (*opened)(void *ctx, struct ttrpc_conn *conn, void **user);
	/* The handler owns the request from here until it answers it. */
	void (*request)(void *ctx, struct ttrpc_request *request);
	/*
	 * Of a stream that is not answered: a message or the end has come, there is room again for
	 * ttrpc_request_send(), or the stream was cut. NULL: streams are refused.
	 */
	void (*stream)(void *ctx, struct ttrpc_request *request);
	/*
	 * The connection is gone (reason: "client", "timeout", "protocol", "slow", "shutdown").
	 * Requests not yet answered stay valid until they are; streams that had not ended were cut
	 * before. Called exactly once if opened()
	 * returned 0; `conn` itself lives on until its last request has been answered.
	 */
	void (*closed)(void *ctx, struct ttrpc_conn *conn, const char *reason);
	/*
	 * What a connection with an account makes the server hold has changed. The name of a limit
	 * that it exceeds now, or NULL: a frame that is on its way is dropped then, and its request
	 * handed to refused(), to be answered.
	 */
	const char *(*usage)(void *account, const struct ttrpc_usage *before,
			     const struct ttrpc_usage *now);
	void (*refused)(void *ctx, struct ttrpc_request *request, const char *reason);
	/*
	 * May `size` bytes of memory be shared with the peer? They count from then on until
	 * unshare(). Called for a connection that has an account.
	 */
	bool (*share)(void *account, size_t size);
	void (*unshare)(void *account, size_t size);
	/* The connection has left memory; nothing is held for its account. */
	void (*forget)(void *account);
	/*
	 * The thread can do for a while without what the owner's loops share (it receives, writes,
	 * or copies much): other loops' threads may use that until acquire(). May be NULL, both.
	 */
	void (*release)(void *ctx);
	void (*acquire)(void *ctx);
	/* One line for the operator: a listener that pauses, an accept that fails. May be NULL. */
	void (*log)(void *ctx, const char *line);
};

struct ttrpc_server_limits {
	size_t frame_max;     /* 0: TTRPC_FRAME_DEFAULT */
	size_t held_max;      /* bytes of requests held for one connection, decoded; 0: 272 MiB */
	size_t out_max;	      /* bytes waiting to be written before reading stops; 0: the same */
	unsigned streams_max; /* requests open on one connection; 0: 1024 */
	unsigned connections_max; /* 0: 1024 */
	unsigned accepts_max;	  /* a second; 0: any number */
	double frame_timeout;	  /* seconds for a frame to complete; 0: 30 */
	size_t frame_rate;	  /* and at least so many bytes a second after that; 0: 16 KiB */
	double write_timeout;	  /* seconds without progress of a writer; 0: 30 */
	double stream_timeout;	  /* seconds until a stream that nobody takes from is cut; 0: 1 */
	unsigned metadata_max;	  /* pairs; 0: 64 */
	double deadline;	  /* seconds, for a request that says none; 0: none */
	double deadline_max;	  /* that a request may ask for; 0: 3600 */
};

int ttrpc_server_new(struct ev_loop *loop, const struct ttrpc_server_handlers *handlers, void *ctx,
		     const struct ttrpc_server_limits *limits, struct ttrpc_server **server);
/*
 * Give connections to these loops as well, in turn, the server's own first. Each is run by a thread
 * of its own, which has the owner's lock within callbacks but between release() and acquire(); so
 * has whoever calls a function of the server. Listeners stay with the server's own loop; limits and
 * counts are those of all together. Once, before it listens. 0 or -ENOMEM.
 */
int ttrpc_server_spread(struct ttrpc_server *server, struct ev_loop *const *loops, size_t count);
/* For all that comes from now on. */
void ttrpc_server_set_limits(struct ttrpc_server *server, const struct ttrpc_server_limits *limits);
/*
 * Closes listeners and connections; the server itself goes with its last unanswered request. No
 * other thread runs a loop of it any more.
 */
void ttrpc_server_free(struct ttrpc_server *server);

/* Listen; takes over nothing (the address is copied). Negative errno and a sentence in err. */
int ttrpc_server_listen(struct ttrpc_server *server, const struct ttrpc_address *address,
			const struct ttrpc_listen_options *options, const char *name,
			struct ttrpc_listener **listener, char *err, size_t errsize);
/* Stop accepting there, and remove a unix socket file. Connections stay. */
void ttrpc_listener_free(struct ttrpc_listener *listener);
const char *ttrpc_listener_name(const struct ttrpc_listener *listener);
const struct ttrpc_address *ttrpc_listener_address(const struct ttrpc_listener *listener);
bool ttrpc_listener_any_cid(const struct ttrpc_listener *listener);

const struct ttrpc_peer *ttrpc_conn_peer(const struct ttrpc_conn *conn);
const char *ttrpc_conn_listener_name(const struct ttrpc_conn *conn);
void *ttrpc_conn_user(const struct ttrpc_conn *conn);
struct ev_loop *ttrpc_conn_loop(const struct ttrpc_conn *conn);
bool ttrpc_conn_is_open(const struct ttrpc_conn *conn);
/* Or has it to wait, for what it holds or does not read? */
bool ttrpc_conn_is_reading(const struct ttrpc_conn *conn);
/* In opened(): whom what it holds is charged to, by usage(). */
void ttrpc_conn_set_account(struct ttrpc_conn *conn, void *account);
/*
 * The peer can use shared memory: make `size` bytes when they are of use (0: never). False: not on
 * this connection; it is no unix socket, its listener says so, or they are too few.
 */
bool ttrpc_conn_share(struct ttrpc_conn *conn, size_t size);
void ttrpc_conn_close(struct ttrpc_conn *conn, const char *reason);

struct ttrpc_server_stats {
	size_t connections, requests, bytes_held, bytes_out;
};
void ttrpc_server_stats(const struct ttrpc_server *server, struct ttrpc_server_stats *stats);

/*
 * Decode the payload into the request's arena. NULL when it does not decode: the request has then
 * been answered (INVALID_ARGUMENT, or RESOURCE_EXHAUSTED over the budget) and is gone.
 */
ProtobufCMessage *ttrpc_request_decode(struct ttrpc_request *request,
				       const ProtobufCMessageDescriptor *type);

/*
 * Answer with a message. Bytes that it references must live until release(arg), which is called
 * once, on the loop's thread: after the last byte was written, or when the connection is lost.
 * release may be NULL. The request, its frame and its arena live until then too, so a message in
 * the request's own arena, or one that references the request's frame, is fine.
 */
void ttrpc_request_reply(struct ttrpc_request *request, const ProtobufCMessage *response,
			 void (*release)(void *arg), void *arg);
void ttrpc_request_fail(struct ttrpc_request *request, const struct ttrpc_status *status);

/* Refuse it, INVALID_ARGUMENT, as a breach of the protocol: enough of those close a connection. */
void ttrpc_request_breach(struct ttrpc_request *request, const char *reason);

/* Count memory that the owner keeps for it among what its connection holds, until it is gone. */
void ttrpc_request_charge(struct ttrpc_request *request, size_t bytes);

/* Seconds until its deadline, 0 when that has passed; negative: it has none. */
double ttrpc_request_left(const struct ttrpc_request *request);

/*
 * For a stream whose owner minds its progress: where its caller gave no deadline, the time of the
 * one by default counts from now.
 */
void ttrpc_request_progressed(struct ttrpc_request *request);

/* It is answered with DEADLINE_EXCEEDED in so many seconds from now, or when its caller said. */
void ttrpc_request_within(struct ttrpc_request *request, double seconds);

/* The stream's oldest message that was not taken yet; NULL: none has come (`ended`: none will). */
struct ttrpc_data *ttrpc_request_take(struct ttrpc_request *request);
/* 0, or -EBADMSG, -ENOBUFS, -ENOMEM as ttrpc_message_decode(). */
int ttrpc_data_decode(struct ttrpc_data *data, const ProtobufCMessageDescriptor *type,
		      ProtobufCMessage **message, char *err, size_t errsize);
/* Before its request's end, for what is of no more use. */
void ttrpc_data_free(struct ttrpc_data *data);

/*
 * Send one message of a stream that answers with several. release is called as
 * ttrpc_request_reply() calls it, if this returns 0. -EAGAIN: enough wait to be written, the
 * stream's handler is called when there is room; -EMSGSIZE, -ENOMEM; -ECONNRESET: it was cut.
 */
int ttrpc_request_send(struct ttrpc_request *request, const ProtobufCMessage *message,
		       void (*release)(void *arg), void *arg);
/* Answer: no further message comes. Instead of ttrpc_request_reply(). */
void ttrpc_request_finish(struct ttrpc_request *request);

#endif
