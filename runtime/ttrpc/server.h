/*
 * server.h - the serving end of ttrpc on one libev loop.
 *
 *   listener    a socket that accepts; knows its address and its name
 *   connection  one peer; a frame reader, and a queue of frames to write
 *   request     one decoded request frame; owns the frame until it was answered
 *
 * Everything here runs on the loop's thread and nowhere else. A request may be kept for as long as
 * its work takes: it is answered once, by ttrpc_request_reply() or ttrpc_request_fail(), later or
 * at once. It counts its connection: when the peer has gone, answering frees it and writes nothing.
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
	const char *service; /* NUL-terminated, in the arena */
	const char *method;
	int64_t timeout_nano;	     /* 0: none given */
	ProtobufCBinaryData payload; /* in the frame */
	size_t frame_size;	     /* bytes that this request holds */
	struct ttrpc_arena arena;    /* for what is decoded; freed with the request */
	void *user;		     /* the owner's */
	/* private */
	uint8_t *frame;
	struct ttrpc_request *next, *prev; /* on its connection */
};

struct ttrpc_server_handlers {
	/* A connection was accepted; *user stays with it. Non-zero closes it at once. */
	int (*opened)(void *ctx, struct ttrpc_conn *conn, void **user);
	/* The handler owns the request from here until it answers it. */
	void (*request)(void *ctx, struct ttrpc_request *request);
	/*
	 * The connection is gone (reason: "client", "timeout", "protocol", "slow", "shutdown").
	 * Requests not yet answered stay valid until they are. Called exactly once if opened()
	 * returned 0; `conn` itself lives on until its last request has been answered.
	 */
	void (*closed)(void *ctx, struct ttrpc_conn *conn, const char *reason);
	/* One line for the operator: a listener that pauses, an accept that fails. May be NULL. */
	void (*log)(void *ctx, const char *line);
};

struct ttrpc_server_limits {
	size_t frame_max;     /* 0: TTRPC_FRAME_DEFAULT */
	size_t held_max;      /* bytes of requests held for one connection, decoded; 0: 272 MiB */
	size_t out_max;	      /* bytes waiting to be written before reading stops; 0: the same */
	unsigned streams_max; /* requests open on one connection; 0: 1024 */
	unsigned connections_max; /* 0: 1024 */
	double frame_timeout;	  /* seconds for a frame to complete; 0: 30 */
	size_t frame_rate;	  /* and at least so many bytes a second after that; 0: 16 KiB */
	double write_timeout;	  /* seconds without progress of a writer; 0: 30 */
	unsigned metadata_max;	  /* pairs; 0: 64 */
};

int ttrpc_server_new(struct ev_loop *loop, const struct ttrpc_server_handlers *handlers, void *ctx,
		     const struct ttrpc_server_limits *limits, struct ttrpc_server **server);
/* Closes listeners and connections; the server itself goes with its last unanswered request. */
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
bool ttrpc_conn_is_open(const struct ttrpc_conn *conn);
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

#endif
