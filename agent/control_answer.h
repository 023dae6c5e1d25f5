/*
 * control_answer.h - an answer on the control socket, and the memory that it is made of.
 *
 * Whoever builds one need not look at each allocation: what memory has not been there for is
 * empty, and the answer that is sent says so instead. The loop's thread.
 */
#ifndef AGENT_CONTROL_ANSWER_H
#define AGENT_CONTROL_ANSWER_H

#include "control.pb-c.h"
#include "listeners.h"
#include "server.h"

struct control_answer;

/* NULL when there is no memory, which the functions below take. */
struct control_answer *control_answer_new(void);

/* Zeroed; NULL: no memory, and none any more for all that follows. */
void *control_answer_alloc(struct control_answer *answer, size_t size);
/* In UTF-8; empty when there is no memory. */
__attribute__((format(printf, 2, 3))) char *control_answer_text(struct control_answer *answer,
								const char *format, ...);
void control_answer_listener(struct control_answer *answer, const struct listener *listener,
			     Luaccel__V1__ListenerInfo *info);

/* Both are gone afterwards. */
void control_answer_send(struct control_answer *answer, struct ttrpc_request *request,
			 const ProtobufCMessage *message);

#endif
