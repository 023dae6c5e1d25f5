/*
 * decide.h - where the agent asks the policy: in one file, and nowhere else. The loop's thread.
 */
#ifndef AGENT_DECIDE_H
#define AGENT_DECIDE_H

#include "agent.h"
#include <stdbool.h>

struct operation;
struct session;

/*
 * Give the session its plan. False: it is refused, with code and text in the decision. Without a
 * policy, or when no script decides, the hint chooses as in vAccel.
 */
bool decide_session(struct session *session, struct policy_decision *decision);

/* Before an operation runs. False: refused, as above. */
bool decide_operation(struct operation *operation, struct policy_decision *decision);

/* Tell the policy on which backend the session is now. */
void decide_moved(struct session *session);

/*
 * Load scripts and declare their backends: the first time, and for a reload. All or nothing;
 * -1 with a sentence in err leaves what is active as it was.
 */
int decide_load(struct agent *agent, const char *const *scripts, size_t nr_scripts, char *err,
		size_t errsize);

#endif
