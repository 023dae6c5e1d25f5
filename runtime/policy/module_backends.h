/*
 * module_backends.h - an application's backends: names that scripts route to.
 *
 * One is a plugin that was loaded already, under its own name, or a plugin or a remote agent that a
 * script declares; without a plugin it is down. What it has done is counted: `inflight` by
 * whichever thread calls, all else by the thread that has the module's lock. They stay where they
 * are from the end of module_backends_declare() to module_backends_drop().
 */
#ifndef LUACCEL_POLICY_MODULE_BACKENDS_H
#define LUACCEL_POLICY_MODULE_BACKENDS_H

#include "policy_module.h"
#include "tally.h"

#include <stdatomic.h>

struct backend {
	char name[POLICY_NAME_MAX];
	struct policy_place place; /* without a plugin: down */
	char *uri;
	char why[256];
	atomic_size_t inflight;
	struct tally tally;
};

/* The plugins that are there without being declared. VACCEL_ENOMEM. */
int module_backends_loaded(const struct luaccel_core *core);
size_t module_backends_count(void);
/* Of all of them, so many as that. */
void module_backends_names(const char **names);
/* Those that the scripts declare. A VACCEL_* code, with the sentence in why. */
int module_backends_declare(const struct luaccel_core *core,
			    const struct policy_generation *generation, char *why, size_t size);
void module_backends_drop(void);
/* In a child of fork(): the threads that had calls under way stayed in the parent. */
void module_backends_forked(void);

struct backend *module_backend(const char *name);
/* NULL: a session is there that no script could have sent there. */
struct backend *module_backend_at(const struct policy_place *place);

/* For struct policy_engine_options. */
bool module_backend_view(void *ctx, const char *name, struct policy_backend_view *view);
enum policy_support module_backend_supports(void *ctx, const char *name, const char *operation);

/* Write the sentence; gives the code back. */
__attribute__((format(printf, 4, 5))) int module_fail(char *why, size_t size, int code,
						      const char *format, ...);

#endif
