/*
 * operation.h - one call of a peer, from its receipt to its reply, as an object.
 *
 *     received ─▶ admitted ─▶ queued ─▶ running ─▶ done ─▶ replied
 *        policy's   a turn on     work for       answer     written, or the
 *        op_admit   the session's backends,      to the     peer has gone
 *                   strand        step by step   peer
 *
 * It can wait in any state without a thread. It owns its request, and with it the bytes that the
 * call refers to, until the reply has been written. Clearing up after a peer is an operation too,
 * without a request. The loop's thread, except class->run, which a worker calls.
 */
#ifndef AGENT_OPERATION_H
#define AGENT_OPERATION_H

#include "backend.h"
#include "session.h"
#include "strand.h"

enum operation_state {
	OPERATION_RECEIVED,
	OPERATION_QUEUED,
	OPERATION_RUNNING,
	OPERATION_DONE,
};

enum operation_kind {
	OPERATION_CREATE,   /* a session: open its leg */
	OPERATION_DESTROY,  /* a session: leave its leg */
	OPERATION_REGISTER, /* a resource with a session */
	OPERATION_UNREGISTER,
	OPERATION_LOAD,	  /* a model; repeated when the session moves */
	OPERATION_UNLOAD, /* not repeated any more */
	OPERATION_RUN,
};

struct operation_class {
	const char *method; /* as in `session:1 Image classification` */
	enum operation_kind kind;
	enum model_family family; /* LOAD, UNLOAD */
	/*
	 * LOAD, UNLOAD and RUN, which are what policies call an operation; on a worker: VACCEL_*
	 * code. `model` is set when the operation names a resource.
	 */
	int (*run)(struct operation *operation, struct vaccel_session *leg,
		   struct vaccel_resource *model);
	/*
	 * RUN, when run() writes into its message: one in the arena for another run, which shares
	 * with this one what is only read. NULL from it: out of memory.
	 */
	const ProtobufCMessage *(*copy)(const ProtobufCMessage *message, struct ttrpc_arena *arena);
	/* Answer a success: calls operation_reply(). */
	void (*reply)(struct operation *operation);
	/* Free what run() made. May be NULL. */
	void (*release)(struct operation *operation);
	bool pure; /* the answer depends on nothing but the message and the models: see cache.h */
};

struct operation {
	const struct operation_class *class;
	struct agent *agent;
	enum operation_state state;
	int64_t id;
	vaccel_op_type_t type;		 /* what policies and strands know it by */
	struct ttrpc_request *request;	 /* NULL: the agent's own */
	const ProtobufCMessage *message; /* decoded, in the arena */
	struct ttrpc_arena *arena;	 /* the request's, for what the answer takes */
	struct session *session;	 /* counted */
	struct resource *resource;	 /* counted; NULL: names none */
	const struct backend *backend;	 /* that it was given to last; NULL: to none */
	void *result;			 /* of run(); class->release() frees it */
	size_t bytes_in, bytes_out;	 /* of the request; of the result */
	bool cached;			 /* the answer is an earlier operation's */

	/* of one that runs aside, for another session; NULL of all others */
	struct session *home;			    /* counted: that session */
	struct operation *first;		    /* that it is an attempt of */
	void (*ended)(struct operation *operation); /* in place of an answer; frees it */

	/* private: where it stands */
	struct attempt *attempt; /* NULL: it runs once, where the session is */
	struct mirror *mirror;	 /* NULL: on one backend alone */
	bool denied;		 /* its failure is a refusal of the policy's */
	enum { PHASE_LEAVE, PHASE_ENTER, PHASE_OWN } phase;
	struct pass pass;	      /* to run at all, with the peer's others */
	struct turn turn, model_turn; /* on the session's strand, on the replica's */
	struct registration *at;      /* what the work in progress is about */
	bool moved;
	struct lookup *lookup;	       /* NULL: no cache was asked */
	const struct backend *refused; /* it, in a shared turn; the next turn is to move on */
	struct work work;
	int code;
	uint64_t received_us;
};

/* Memory that starts as zeros becomes one. */
void operation_init(struct operation *operation, const struct operation_class *class,
		    struct session *session, struct resource *resource);

/* Is it one in the sense of policies: something that a backend does for the peer? */
bool operation_is_call(const struct operation *operation);

/* May others of the session come to another answer once it has run? */
bool operation_changes(const struct operation *operation);

/* For a request of a peer; takes over nothing until operation_start(). NULL: out of memory. */
struct operation *operation_new(const struct operation_class *class, struct session *session,
				struct resource *resource);

/* The operation takes over the request and answers it, whatever comes. */
void operation_start(struct operation *operation, struct ttrpc_request *request,
		     const ProtobufCMessage *message);

/* One that no peer has asked for, or is asked for elsewhere: it ends by ended(), or in silence. */
void operation_start_own(struct operation *operation);

/* Of one that has run: run it on its session's backend once more. */
void operation_run_again(struct operation *operation);

/* Whoever would have the answer has gone, or has another. */
bool operation_is_in_vain(const struct operation *operation);
/* Ask whether it may run, and go on as that says. It may be gone afterwards, as after each of
 * these. */
void operation_admit(struct operation *operation);
/* It has been admitted, and counted: take a turn in the session. */
void operation_go_on(struct operation *operation);
/* It has not: answer with the code and the sentence. */
void operation_refuse(struct operation *operation, int code, const char *text);

/* Answer with a message; what it references must live until class->release(). */
void operation_reply(struct operation *operation, const ProtobufCMessage *response);

/* Answer with a failure instead, when a success cannot be told. */
void operation_reply_failure(struct operation *operation, int code, const char *reason);

/*
 * The session's end: no new operation finds it, those that wait fail, and when the last that runs
 * has ended its leg is left. `request` (DestroySession) is answered then; NULL when the peer has
 * gone. Never fails: the operation for it was made with the session.
 */
void operation_end_session(struct session *session, const char *why, struct ttrpc_request *request,
			   const struct operation_class *class);

#endif
