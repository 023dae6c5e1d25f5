/*
 * decide.h - where the agent asks the policy: in one file, and nowhere else. The loop's thread.
 */
#ifndef AGENT_DECIDE_H
#define AGENT_DECIDE_H

#include "agent.h"
#include <stdbool.h>

struct connection;
struct operation;
struct session;

/* Is the connection's peer taken? False: refused, with code and text in the decision. */
bool decide_connection(const struct connection *connection, struct policy_decision *decision);

/*
 * Give the session its plan. False: it is refused, with code and text in the decision. Without a
 * policy, or when no script decides, the hint chooses as in vAccel.
 */
bool decide_session(struct session *session, struct policy_decision *decision);

/*
 * Before a resource of that vaccel_resource_type_t is registered with a session; its type in words
 * is filled in here. False: refused, as above.
 */
bool decide_resource(struct session *session, uint32_t type, const struct policy_resource *facts,
		     struct policy_decision *decision);

/* Before an operation runs: it may, or is to wait. False: refused, as above. */
bool decide_operation(struct operation *operation, struct policy_decision *decision);

/*
 * Where one that may run twice is to run: ROUTE, MIRROR, REJECT or PASS. False from wants: it need
 * not be asked.
 */
bool decide_wants_op_route(const struct operation *operation);
void decide_op_route(const struct operation *operation, struct policy_decision *decision);
/*
 * One has failed. True: it is to be tried again, where the decision says. False from wants: it
 * never is.
 */
bool decide_wants_op_failed(const struct operation *operation);
bool decide_op_failed(const struct operation *operation, struct policy_decision *decision);

/* One that was admitted, and its end: once each. For what scripts read as s.inflight. */
void decide_began(const struct operation *operation);
void decide_ended(const struct operation *operation);
/* One that was to wait has done so in vain, with its code: for those who record. */
void decide_refused(const struct operation *operation);

/* Tell the policy on which backend the session is now. */
void decide_moved(struct session *session);

/* What policies may know of a backend; see struct policy_engine_options. */
bool decide_backend(const struct agent *agent, const char *name, struct policy_backend_view *view);
enum policy_support decide_supports(const struct agent *agent, const char *name,
				    const char *operation);

/*
 * Load scripts and declare their backends: the first time, and for a reload. All or nothing;
 * -1 with a sentence in err leaves what is active as it was.
 */
int decide_load(struct agent *agent, const char *const *scripts, size_t nr_scripts, char *err,
		size_t errsize);

#endif
