/*
 * client.h - the calling end of a ttrpc connection, for many threads at once.
 *
 * There is no thread of its own: of the callers that wait, one reads frames and hands each to
 * whom it belongs; when its own answer is there another takes over. Writers take turns. A
 * connection that fails is failed for good: every call in flight and each later one gets
 * -ECONNRESET at once, and the owner makes a new client. Counted, so that an owner may drop it
 * while others are still in a call. SIGPIPE is never raised.
 */
#ifndef TTRPC_CLIENT_H
#define TTRPC_CLIENT_H

#include "address.h"
#include "message.h"

struct ttrpc_client;

struct ttrpc_client_options {
	int connect_timeout_ms; /* 0: 10 s */
	size_t frame_max;	/* 0: TTRPC_FRAME_DEFAULT; both directions */
};

/* Takes no ownership of the address. Negative errno and a sentence in err. */
int ttrpc_client_new(const struct ttrpc_address *address,
		     const struct ttrpc_client_options *options, struct ttrpc_client **client,
		     char *err, size_t errsize);
/* Over a connected stream socket, which it takes over (and closes if it fails). */
int ttrpc_client_from_fd(int fd, const struct ttrpc_client_options *options,
			 struct ttrpc_client **client);
struct ttrpc_client *ttrpc_client_ref(struct ttrpc_client *client);
void ttrpc_client_unref(struct ttrpc_client *client);

/* True once the connection is lost. Cheap; notices a hang-up without a call. */
bool ttrpc_client_lost(struct ttrpc_client *client);

/* Lose it now: every call in flight and each later one gets -ECONNRESET. */
void ttrpc_client_sever(struct ttrpc_client *client);

/* Lower (or raise) the largest frame body that calls may send, as the peer's Hello said. */
void ttrpc_client_set_frame_max(struct ttrpc_client *client, size_t frame_max);

/*
 * Take memory to share if the peer offers some: to be asked before it is told that it may. False:
 * that cannot be on this socket.
 */
bool ttrpc_client_share(struct ttrpc_client *client);

/*
 * In a forked child: close the descriptor without a word to the peer and without touching locks
 * that another thread of the parent may have held. The client is leaked on purpose.
 */
void ttrpc_client_abandon(struct ttrpc_client *client);

/* What came back. Everything in it lives until ttrpc_answer_release(). */
struct ttrpc_answer {
	struct ttrpc_status status; /* code TTRPC_OK: `response` is set */
	ProtobufCMessage *response;
	/* private */
	uint8_t *frame;
	struct ttrpc_arena arena;
};

/*
 * One unary call, blocking. 0 when an answer came (whatever its status; see answer->status), or
 * -ECONNRESET (lost, now or before), -EMSGSIZE (request over frame_max; nothing was sent),
 * -EBADMSG (the answer does not decode, or is larger than frame_max; the connection goes on),
 * -ETIMEDOUT (timeout_nano passed, which is also sent to the peer; 0 means none; the connection is
 * lost if the request was written in part by then), -ENOMEM. answer is valid after 0 alone.
 */
int ttrpc_client_call(struct ttrpc_client *client, const char *service, const char *method,
		      const ProtobufCMessage *request,
		      const ProtobufCMessageDescriptor *response_type, int64_t timeout_nano,
		      struct ttrpc_answer *answer);
void ttrpc_answer_release(struct ttrpc_answer *answer);

/*
 * A call with several messages from us, from the peer, or both. One thread at a time uses it; it
 * may stand beside any number of calls of its client. The deadline is for the whole of it.
 */
struct ttrpc_stream;

/* `sends`: ttrpc_stream_send() follows, and then ttrpc_stream_close(); request may be NULL then.
 * Errors as of ttrpc_client_call(). */
int ttrpc_stream_open(struct ttrpc_client *client, const char *service, const char *method,
		      const ProtobufCMessage *request, bool sends, int64_t timeout_nano,
		      struct ttrpc_stream **stream);
/* Its deadline is so long after now, for us alone; 0: none. For one that shows progress. */
void ttrpc_stream_set_timeout(struct ttrpc_stream *stream, int64_t timeout_nano);
/* -EPIPE: the peer has answered already, see ttrpc_stream_receive(). */
int ttrpc_stream_send(struct ttrpc_stream *stream, const ProtobufCMessage *message);
int ttrpc_stream_close(struct ttrpc_stream *stream);

/*
 * The next message, or the response that ends the stream, as an answer of ttrpc_client_call().
 * -ENODATA: the peer has ended the stream; -ENOBUFS: it sent more than is kept for one that nobody
 * receives from.
 */
int ttrpc_stream_receive(struct ttrpc_stream *stream, const ProtobufCMessageDescriptor *type,
			 struct ttrpc_answer *answer);
/* At any time: what still comes for it is skipped. */
void ttrpc_stream_free(struct ttrpc_stream *stream);

#endif
