/*
 * policy.c - what decisions cost: from C into the engine and back, the watchdog included, beside a
 * bare lua_pcall() of a function with three arguments in the same run, interpreted as policies are.
 * Exits with 1 when an object that C runs takes more than the bound, finding a plan that is
 * remembered more than a tenth of it, or a hook with four fields and a route that much more than
 * the lua_pcall.
 *
 *     bench-policy BATCHES BOUND_NS
 *
 * One thread; medians of the batches' means. Instructions are those of one call, counted exactly.
 */
#include "count.h"
#include "engine.h"
#include "subject.h"
#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CALLS_IN_A_BATCH = 1000 };

static struct policy_engine *engine;
static struct policy_session *session;
static struct policy_decision decision;
static lua_State *bare;

#define SCRIPT(hooks)                                                                              \
	"backends { cpu = plugin 'torch', gpu = remote 'vsock://2:2048' }\n"                       \
	"local plan = route { 'gpu', 'cpu' }\n"                                                    \
	"policy { name = 'p', api = 1, on_error = 'reject', " hooks " }\n"

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "bench-policy: %s\n", what);
	exit(2);
}

/* Load the script, anew for each measurement: an object begins at its start. */
static void use(const char *text)
{
	char path[] = "/tmp/bench-policy-XXXXXX", err[512];
	const char *const paths[] = { path };
	struct policy_generation *generation;
	const int fd = mkstemp(path);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail("no temporary file can be written in /tmp");
	close(fd);
	if (policy_load(engine, paths, 1, NULL, 0, &generation, err, sizeof(err)))
		fail(err);
	unlink(path);
	policy_activate(engine, generation);
}

/* ---- what is measured */

static int pcall_bare(struct vaccel_session *unused)
{
	(void)unused;
	lua_pushvalue(bare, 1);
	lua_pushinteger(bare, 1);
	lua_pushinteger(bare, 2);
	lua_pushinteger(bare, 3);
	if (lua_pcall(bare, 3, 1, 0))
		fail("the bare function failed");
	lua_pop(bare, 1);
	return 0;
}

static int admit(struct vaccel_session *unused)
{
	const struct policy_op op = {
		.name = "image_classify", .id = 7, .backend = "cpu", .bytes_in = 4096
	};

	(void)unused;
	policy_op_admit(engine, session, &op, &decision);
	return decision.verdict == POLICY_REJECT;
}

static int route_session(struct vaccel_session *unused)
{
	(void)unused;
	policy_session_route(engine, session, &decision);
	return decision.verdict == POLICY_REJECT;
}

static int find_plan(struct vaccel_session *unused)
{
	(void)unused;
	return !policy_remembered(engine, engine->active->scripts, session);
}

static int route_op(struct vaccel_session *unused)
{
	const struct policy_op op = {
		.name = "image_classify", .id = 7, .backend = "cpu", .bytes_in = 4096
	};

	(void)unused;
	policy_op_route(engine, session, &op, &decision);
	return 0;
}

static int tell_done(struct vaccel_session *unused)
{
	const struct policy_op op = {
		.name = "image_classify", .id = 7, .backend = "cpu", .bytes_in = 4096
	};
	const struct policy_result result = { 0, "cpu", 3, 900, 40, NULL, false };

	(void)unused;
	policy_op_done(engine, session, &op, &result);
	return 0;
}

static int run_one(struct vaccel_session *unused)
{
	(void)unused;
	policy_session_begins(session);
	policy_session_ended(session);
	return 0;
}

struct cost {
	const char *name, *script;
	count_call *call;
	int expected;
	double share; /* of the bound; 0: it has none; below: of what comes on top of a lua_pcall */
};

#define REMEMBERED(option)                                                                         \
	SCRIPT("session_route = function () return route { 'gpu', 'cpu', " option " } end")

static const struct cost costs[] = {
	{ "a bare lua_pcall", NULL, pcall_bare, 0, 0 },
	{ "op_admit that no script has", SCRIPT(""), admit, 0, 0 },
	{ "quota that lets through",
	  SCRIPT("op_admit = quota { key = 'uid', rate = 1e9, burst = 1e9 }"), admit, 0, 1 },
	{ "quota that refuses", SCRIPT("op_admit = quota { key = 'uid', rate = 0.001, burst = 1 }"),
	  admit, 1, 1 },
	{ "concurrency that lets through",
	  SCRIPT("op_admit = concurrency { limit = 4, key = 'uid' }"), admit, 0, 1 },
	{ "quota by a tag that lets through",
	  SCRIPT("op_admit = quota { key = 'tag:tenant', rate = 1e9, burst = 1e9 }"), admit, 0, 1 },
	{ "round_robin of two", SCRIPT("session_route = round_robin { 'cpu', 'gpu' }"),
	  route_session, 0, 1 },
	{ "breaker of two", SCRIPT("session_route = breaker { 'cpu', 'gpu' }"), route_session, 0,
	  1 },
	{ "canary of two",
	  SCRIPT("session_route = canary { 'gpu', 'cpu', percent = 5, errors = 0.02 }"),
	  route_session, 0, 1 },
	{ "sample of one in twenty", SCRIPT("op_route = sample { 'gpu', percent = 5 }"), route_op,
	  0, 1 },
	{ "a remembered plan, found", REMEMBERED("sticky = true"), find_plan, 0, 0.1 },
	{ "one that has a ttl, found", REMEMBERED("ttl = 1000"), find_plan, 0, 0.1 },
	{ "session_route that is remembered", REMEMBERED("sticky = true"), route_session, 0, 1 },
	{ "op_admit that does nothing", SCRIPT("op_admit = function () end"), admit, 0, 0 },
	{ "op_admit, four fields read",
	  SCRIPT("op_admit = function (op) local a, b, c, d = op.name, op.id, op.backend, "
		 "op.bytes_in end"),
	  admit, 0, 0 },
	{ "op_admit, a backend looked at",
	  SCRIPT("op_admit = function () local b = backends.gpu end"), admit, 0, 0 },
	{ "op_admit, a backend, four fields",
	  SCRIPT("op_admit = function () local b = backends.gpu "
		 "local a, b, c, d = b.up, b.inflight, b.p50_us, b.p99_us end"),
	  admit, 0, 0 },
	{ "session_route, four fields, a route",
	  SCRIPT("session_route = function (s) local p = s.peer; local a, b, c = p.uid, s.hint, "
		 "s.id; return plan end"),
	  route_session, 0, -1 },
	{ "an operation counted, begin and end", NULL, run_one, 0, 0 },
	{ "op_admit that writes a tag",
	  SCRIPT("op_admit = function (op) op.session.tags.tenant = 'a' end"), admit, 0, 0 },
	{ "the same, and it is an object's key",
	  "local q = quota { key = 'tag:tenant', rate = 1, burst = 1 }\n" SCRIPT(
		  "op_admit = function (op) op.session.tags.tenant = 'a' end"),
	  admit, 0, 0 },
	{ "op_admit that counts in common",
	  "local n = shared_counter 'n'\n" SCRIPT("op_admit = function () n:add() end"), admit, 0,
	  0 },
	{ "op_admit that reads a shared table",
	  "local t = shared_table 't'\n" SCRIPT("op_admit = function () local v = t:get 'a' end"),
	  admit, 0, 0 },
	{ "op_admit that counts in a metric",
	  "local m = metric { name = 'm', help = 'h', kind = 'counter', labels = { 'a' } "
	  "}\n" SCRIPT("op_admit = function () m:add(1, 'tenant') end"),
	  admit, 0, 0 },
	{ "op_done that does nothing", SCRIPT("op_done = function () end"), tell_done, 0, 0 },
};

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static double time_call(const struct cost *cost, size_t batches)
{
	double *samples = samples_for(batches);

	for (size_t i = 0; i < batches; i++) {
		const double start = now_ns();

		for (int k = 0; k < CALLS_IN_A_BATCH; k++)
			cost->call(NULL);
		samples[i] = (now_ns() - start) / CALLS_IN_A_BATCH;
	}
	return median_of(samples, batches);
}

/* The median in ns. */
static double measure(const struct cost *cost, size_t batches, double pcall)
{
	long instructions;
	double ns;

	if (cost->script)
		use(cost->script);
	route_session(NULL); /* makes what is remembered */
	cost->call(NULL);
	if (cost->call(NULL) != cost->expected)
		fail("a decision is not the one that was to be measured");
	ns = time_call(cost, batches);
	instructions = count_instructions(cost->call, NULL);
	printf("%-36s %8.1f ns %7.2f x", cost->name, ns, pcall > 0 ? ns / pcall : 1.0);
	if (instructions > 0)
		printf(" %7ld instructions\n", instructions);
	else
		printf("  SKIP: instructions cannot be counted where ptrace() is not allowed\n");
	return ns;
}

static bool view_backend(void *ctx, const char *name, struct policy_backend_view *view)
{
	(void)ctx;
	(void)name;
	*view = (struct policy_backend_view){ .up = true, .has_latency = true, .p50_us = 900 };
	return true;
}

static void set_up(void)
{
	const struct policy_engine_options options = { .backend = view_backend };
	const struct policy_peer peer = {
		.transport = "unix", .has_credentials = true, .uid = 1000, .listener = "main"
	};
	char err[256];

	if (policy_engine_new(&options, &engine, err, sizeof(err)))
		fail(err);
	if (policy_session_new(engine, 7, 3, &peer, &session))
		fail("out of memory");
	bare = luaL_newstate();
	if (!bare || luaL_loadstring(bare, "local a, b, c = ... return a"))
		fail("no second Lua state");
	luaJIT_setmode(bare, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
}

int main(int argc, char **argv)
{
	const size_t batches = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	const double bound = argc == 3 ? strtod(argv[2], NULL) : 0;
	double pcall = 0, most;
	int rc = 0;

	if (!batches || bound <= 0)
		fail("usage: bench-policy BATCHES BOUND_NS");
	set_up();
	puts(policy_engine_describe(engine));
	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		const double ns = measure(&costs[i], batches, pcall);

		if (!i)
			pcall = ns;
		most = costs[i].share < 0 ? pcall - costs[i].share * bound : costs[i].share * bound;
		if (costs[i].share != 0 && ns > most) {
			printf("  over the bound of %.0f ns\n", most);
			rc = 1;
		}
	}
	policy_session_free(engine, session);
	policy_engine_free(engine);
	lua_close(bare);
	return rc;
}
