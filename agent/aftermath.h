/*
 * aftermath.h - what policies are told afterwards: op_done when the reply has been written,
 * session_close, backend_state.
 *
 * A bounded ring that the loop empties when it has nothing better to do, a few entries at a time,
 * so that a slow hook delays no reply. Over-full, it drops operations and counts them; all else is
 * always told. Each loop has one, for what ends on its thread.
 */
#ifndef AGENT_AFTERMATH_H
#define AGENT_AFTERMATH_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent;
struct backend;
struct operation;
struct session;

enum { AFTERMATH_RING = 1024 };

struct aftermath_entry {
	struct session *session;       /* counted; NULL: it is about the backend */
	const struct backend *backend; /* where the operation ran; NULL: nowhere */
	bool up;		       /* the backend is, from then on */
	int64_t operation;	       /* id; 0: the session's end */
	int type, code;
	unsigned retries;
	const char *mirror; /* what the policy reads as result.mirror */
	size_t bytes_in, bytes_out;
	uint64_t queue_us, service_us;
	bool cached;
};

struct aftermath {
	struct agent *agent;
	ev_idle idle;
	struct aftermath_entry ring[AFTERMATH_RING];
	size_t first, count;
	uint64_t dropped;
};

void aftermath_init(struct agent *agent);
void aftermath_operation(const struct operation *operation);
/* Of one that ran beside another, whose session it is for: "equal", "differ" or "failed". */
void aftermath_mirror(const struct operation *operation, const char *outcome);
void aftermath_session(struct session *session);
/* It has come up, or gone down. */
void aftermath_backend(const struct backend *backend, bool up);
/* Tell all that is left, before the agent goes. */
void aftermath_finish(struct agent *agent);

#endif
