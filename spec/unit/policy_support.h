/*
 * policy_support.h - what the policy engine's tests share: scripts in a folder of their own, an
 * engine, and the lines that it logged.
 */
#ifndef POLICY_SUPPORT_H
#define POLICY_SUPPORT_H

#include "cmocka_all.h"
#include "policy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct fixture {
	struct policy_engine *engine;
	struct policy_session *session; /* id 7, hint 3, uid 1000 on unix listener "main" */
	struct policy_backend_view cpu; /* what is known of backend cpu, up; of others nothing is */
	char dir[64];
	char err[512];
	char log[8192]; /* its lines, each with a newline */
};

/* Two scripts at most: p.lua and q.lua, as `where` and errors show them. */
enum { SCRIPT_P, SCRIPT_Q, NR_SCRIPT_FILES };

/* cmocka's setup and teardown; *state becomes a struct fixture. */
int policy_setup(void **state);
int policy_teardown(void **state);
#define POLICY_TEST(name) cmocka_unit_test_setup_teardown(name, policy_setup, policy_teardown)

void policy_write(struct fixture *f, int which, const char *text);
const char *policy_path(struct fixture *f, int which);
/* Load p.lua (and q.lua, when text_q is not NULL) with `noop` known; err has the reason. */
int policy_try(struct fixture *f, const char *text_p, const char *text_q,
	       struct policy_generation **generation);
/* The same, must fail, with this sentence. */
void policy_fails_to_load(struct fixture *f, const char *text, const char *err);
/* The same, must succeed, and becomes the active one. */
void policy_use(struct fixture *f, const char *text_p, const char *text_q);

/* An engine's log, whose ctx is the fixture. */
void policy_take_line(void *ctx, const char *line);

/* "pass", "route cpu,test @p.lua:3" or "reject 16 @p.lua:3 refused by ...". */
const char *policy_describe(const struct policy_decision *decision);
const char *policy_route(struct fixture *f);
const char *policy_admit(struct fixture *f, const char *name, size_t bytes);
void policy_done(struct fixture *f, const char *name, int code);

/* A script in which `body` is the declaration of hooks, on lines of its own from line 6. */
#define POLICY(on_error, body)                                                                     \
	"backends {\n"                                                                             \
	"  cpu = plugin 'torch' { threads = 2 },\n"                                                \
	"  test = plugin 'signed',\n"                                                              \
	"}\n"                                                                                      \
	"policy { name = 'p', api = 1, on_error = " on_error ",\n" body "}\n"

#endif
