/*
 * record.h - what policies are asked and what they answer, written down while somebody records
 * (luaccel policy record). docs/policies/reference.md has the lines; no payload is in them.
 *
 *   recorder   a stream of the control socket and the lines that wait for it
 *              (record_send.c)
 *   question   from record_ask() to the line that record_*() writes about it: the time that scripts
 *              see stands, so that the line can tell it
 *
 * Lines are made once and put into the queue of each recorder, which is bounded: the agent waits
 * for none of them. Nobody records: nothing here is called, after one look at agent->record.first.
 * The loop's thread.
 */
#ifndef AGENT_RECORD_H
#define AGENT_RECORD_H

#include "loop.h"
#include "record_queue.h"
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct aftermath_entry;
struct agent;
struct backend;
struct connection;
struct operation;
struct policy_decision;
struct policy_op;
struct policy_peer;
struct policy_resource;
struct policy_result;
struct session;
struct ttrpc_request;

enum { RECORDERS_MAX = 4, RECORDING_VERSION = 1 };

struct recorder {
	struct agent *agent;
	struct ttrpc_request *request; /* NULL: its peer has gone */
	bool ending, over;	       /* when all has been sent; all has been, and that was said */
	unsigned refs;		       /* the list's, and one for each chunk that is being sent */
	struct record_queue queue;
	/* that it was to have */
	uint64_t lines, connections, sessions, resources, operations;
	struct recorder *next;
};

struct record {
	struct recorder *first;	 /* NULL: nobody records */
	ev_timer tick;		 /* runs while somebody does: sends what waits */
	struct job soon;	 /* the same, before its time */
	double ended;		 /* when all of them were told to end, loop's time; 0: not yet */
	uint64_t origin, now;	 /* of the times in lines; of the question: agent_now_us() */
	struct record_line line; /* in the making */
};

/* Before whatever a line will be about. */
void record_ask(struct agent *agent);

/* What was asked, and what came of it. */
void record_connection(const struct connection *connection, const struct policy_peer *peer,
		       const struct policy_decision *decision);
void record_session(const struct session *session, const struct policy_peer *peer,
		    const struct policy_decision *decision);
void record_resource(const struct session *session, const struct policy_resource *resource,
		     const struct policy_decision *decision);
void record_operation(const struct operation *operation, const struct policy_op *op,
		      const struct policy_decision *decision);
void record_op_route(const struct operation *operation, const struct policy_op *op,
		     const struct policy_decision *decision);
void record_op_failed(const struct operation *operation, const struct policy_op *op,
		      const struct policy_result *result, const struct policy_decision *decision);
/* What became of it: a session is on a backend, an operation has ended. */
void record_moved(const struct session *session);
void record_ended(const struct operation *operation);
/* What scripts were told afterwards. */
void record_told(struct agent *agent, const struct aftermath_entry *entry);
/* Others are asked from now on. */
void record_loaded(struct agent *agent);

/* record.c, for a new recorder: what there is when it begins. */
void record_describe(struct recorder *recorder);

/* ---- record_send.c */

/* One more, for a stream that the control socket has. NULL: no memory, or there are enough. */
struct recorder *record_start(struct agent *agent, struct ttrpc_request *request);
/* Something has changed with its stream. */
void record_go_on(struct recorder *recorder);
/*
 * The agent leaves: recordings end when all of it has been sent. True: so they have; or it has been
 * a second, which is enough.
 */
bool record_is_over(struct agent *agent);
/* At the agent's end. */
void record_release(struct agent *agent);

/* What waits is sent when the first loop is next at it. Any loop's thread. */
void record_send_soon(struct agent *agent);

#endif
