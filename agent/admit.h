/*
 * admit.h - may a resource be registered with a session? What is known of it is put to the policy,
 * whether its bytes came with the request, are to come by an upload, or have been here before. The
 * loop's thread.
 */
#ifndef AGENT_ADMIT_H
#define AGENT_ADMIT_H

#include "peer.pb-c.h"
#include "policy.h"
#include "resource.pb-c.h"
#include <stdbool.h>

struct resource;
struct session;

/* False: it is refused, with code and text in the decision. */
bool admit_request(struct session *session, const Vaccel__Resource__RegisterRequest *request,
		   struct policy_decision *decision);
bool admit_offer(struct session *session, const Luaccel__V1__UploadOffer *offer,
		 struct policy_decision *decision);
bool admit_known(struct session *session, const struct resource *resource,
		 struct policy_decision *decision);

#endif
