/*
 * cache.h - operations that are answered with what an equal one has got before: answers.h keeps it.
 *
 * Where the session's plan names a cache, an operation that depends on its arguments and models
 * alone (operation_class.pure) is looked up when it has been admitted, before it takes a turn. It
 * is equal to another when all these are: its type, its message but for the ids in it, the backend
 * that its session is on and since when that is up, the session's hint, what the models in question
 * are (fingerprint.h) and whether they are loaded, and what the policy says is to be kept apart.
 * What is not known for certain at that moment, as when the session is being changed, is not looked
 * up. Answers that are failures are not kept. The loop's thread, which hashes each request: so
 * those above LOOKED_UP_MAX bytes run as if there were no cache.
 */
#ifndef AGENT_CACHE_H
#define AGENT_CACHE_H

#include "answers.h"
#include <stdbool.h>

struct operation;

/* True: it has been answered, and may be gone. */
bool cache_answers(struct operation *operation);
/* It is about to be answered with a response. */
void cache_keep(const struct operation *operation, const ProtobufCMessage *response);
/* It goes. */
void cache_forget(struct operation *operation);

#endif
