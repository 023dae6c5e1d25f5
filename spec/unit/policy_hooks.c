/*
 * policy_hooks.c - what hooks read, what they may say, and what becomes of it.
 */
#include "policy_support.h"

#include <stdio.h>
#include <string.h>

/* A body of hooks (see POLICY), and what session_route gives. */
static const struct {
	const char *on_error, *body, *decision;
} routes[] = {
	/* what it may say */
	{ "'reject'", "session_route = function() end\n", "pass" },
	{ "'reject'", "session_route = function() return nil end\n", "pass" },
	{ "'reject'", "session_route = function() return route 'cpu' end\n", "route cpu @p.lua:6" },
	{ "'reject'", "session_route = function()\n return route('test', 'cpu')\n end\n",
	  "route test,cpu @p.lua:7" },
	{ "'reject'",
	  "session_route = function()\n local p = route {\n 'cpu', 'noop' } return p end\n",
	  "route cpu,noop @p.lua:7" },
	{ "'reject'", "session_route = function()\n return reject 'full' end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): full" },
	{ "'reject'", "session_route = function() return reject('full', 'EBUSY') end\n",
	  "reject 16 @p.lua:6 refused by policy p (p.lua:6): full" },
	{ "'reject'", "session_route = function() return reject('full', 87) end\n",
	  "reject 87 @p.lua:6 refused by policy p (p.lua:6): full" },
	{ "'allow'",
	  "session_route = function()\n\n return reject { code = 'EAGAIN', reason = 'a\\nb\\27[1m' "
	  "}\n"
	  "end\n",
	  "reject 11 @p.lua:8 refused by policy p (p.lua:8): a\\x0ab\\x1b[1m" },
	{ "'reject'",
	  "session_route = function(s)\n if s.hint == 4 then return route 'cpu'\n"
	  " else return reject 'hint' end end\n",
	  "reject 1 @p.lua:8 refused by policy p (p.lua:8): hint" },
	/* from a function of a function, by other names, and where no line is left */
	{ "'reject'",
	  "session_route = function()\n local no = reject\n local function f()\n  return no 'x'\n"
	  " end\n local r = f()\n return r end\n",
	  "reject 1 @p.lua:11 refused by policy p (p.lua:11): x" },
	{ "'reject'", "session_route = function()\n local no = reject\n return no 'x' end\n",
	  "reject 1 @p.lua:6 refused by policy p (p.lua:6): x" },
	/* what it may not say */
	{ "'reject'", "session_route = function() return 'cpu' end\n",
	  "reject 1 @p.lua:6 refused by policy p (p.lua:6): session_route failed: session_route "
	  "returned a string; it may return route, reject or nothing" },
	{ "'reject'", "session_route = function() return {} end\n",
	  "reject 1 @p.lua:6 refused by policy p (p.lua:6): session_route failed: session_route "
	  "returned a table; it may return route, reject or nothing" },
	{ "'reject'", "session_route = function() return false end\n",
	  "reject 1 @p.lua:6 refused by policy p (p.lua:6): session_route failed: session_route "
	  "returned a boolean; it may return route, reject or nothing" },
	{ "'reject'", "session_route = function()\n local x = 'gpu' return route(x) end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: route names "
	  "\"gpu\"; declared: cpu, test, noop" },
	/* failures */
	{ "'reject'", "session_route = function(s)\n\n return s.x.y end\n",
	  "reject 1 @p.lua:8 refused by policy p (p.lua:8): session_route failed: session has no "
	  "field \"x\"; it has: age, backend, hint, id, inflight, peer, "
	  "plan, tags" },
	{ "'reject'", "session_route = function(s)\n return s.peer.name end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: peer has no "
	  "field "
	  "\"name\"; it has: addr, cid, gid, listener, pid, transport, uid" },
	{ "'reject'", "session_route = function(s)\n return s[1] end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: session has no "
	  "field of type number; it has: age, backend, hint, id, inflight, peer, "
	  "plan, tags" },
	{ "'reject'", "session_route = function(s)\n s.id = 1 end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: session is "
	  "read-only; what a policy wants to keep goes into session.tags" },
	{ "'reject'", "session_route = function(s)\n s.peer.uid = 0 end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: peer is "
	  "read-only" },
	{ "'reject'", "session_route = function(s)\n rawset(s, 'id', 1) end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: rawset: this "
	  "table is read-only" },
	{ "'reject'", "session_route = function(s)\n error('no\\tgood') end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: no\\x09good" },
	{ "'reject'", "session_route = function(s)\n error({}) end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: the error is a "
	  "table value" },
	{ "'reject'", "session_route = error\n",
	  "reject 1 @p.lua:5 refused by policy p (p.lua:5): session_route failed: the error is a "
	  "table value" },
	{ "'reject'", "session_route = function(s)\n local x = ('x'):rep(2, {}) .. nil end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: attempt to "
	  "concatenate a nil value" },
	{ "'reject'", "session_route = function(s)\n table.sort { 1, 'a' } end\n",
	  "reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: attempt to "
	  "compare string with number" },
	{ "'allow'", "session_route = function() error 'x' end\n", "pass" },
	{ "{ default = 'test' }", "session_route = function() error 'x' end\n",
	  "route test @p.lua:5" },
};

static void test_route(void **state)
{
	struct fixture *f = *state;
	char script[1024];

	for (size_t i = 0; i < COUNT(routes); i++) {
		snprintf(script, sizeof(script),
			 "backends {\n  cpu = plugin 'torch' { threads = 2 },\n"
			 "  test = plugin 'signed',\n}\n"
			 "policy { name = 'p', api = 1, on_error = %s,\n%s}\n",
			 routes[i].on_error, routes[i].body);
		policy_use(f, script, NULL);
		assert_string_equal(policy_route(f), routes[i].decision);
	}
}

static void test_no_policy(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(policy_route(f), "pass");
	assert_false(policy_wants_op_admit(f->engine));
	assert_string_equal(policy_admit(f, "noop", 0), "pass");
	policy_use(f, POLICY("'reject'", ""), NULL);
	assert_false(policy_wants_op_admit(f->engine));
	assert_string_equal(policy_route(f), "pass");
	assert_string_equal(policy_admit(f, "noop", 0), "pass");
	policy_done(f, "noop", 0);
	policy_session_close(f->engine, f->session);
	assert_string_equal(f->log, "");
}

static void test_op_admit(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'reject'",
			  "op_admit = function(op)\n"
			  "  if op.name == 'exec' then return reject('no exec', 'EPERM') end\n"
			  "  if op.bytes_in > 100 then return reject { code = 'EINVAL', reason = "
			  "'big' } end\n"
			  "  if op.name == 'route' then return route 'cpu' end\n"
			  "  if op.name == 'true' then return true end\n"
			  "  if op.name == 'field' then return op.size end\n"
			  "  if op.name == 'write' then op.name = 'x' end\n"
			  "  assert(op.id == 99 and op.backend == 'cpu' and op.session.id == 7)\n"
			  "end\n"),
		   NULL);
	assert_true(policy_wants_op_admit(f->engine));
	assert_string_equal(policy_admit(f, "noop", 100), "pass");
	assert_string_equal(policy_admit(f, "exec", 0),
			    "reject 1 @p.lua:7 refused by policy p (p.lua:7): no exec");
	assert_string_equal(policy_admit(f, "noop", 101),
			    "reject 22 @p.lua:8 refused by policy p (p.lua:8): big");
	assert_string_equal(policy_admit(f, "route", 0),
			    "reject 1 @p.lua:6 refused by policy p (p.lua:6): op_admit failed: "
			    "op_admit returned a route; it may return reject or nothing");
	assert_string_equal(policy_admit(f, "true", 0),
			    "reject 1 @p.lua:6 refused by policy p (p.lua:6): op_admit failed: "
			    "op_admit returned a boolean; it may return reject or nothing");
	assert_string_equal(
		policy_admit(f, "field", 0),
		"reject 1 @p.lua:11 refused by policy p (p.lua:11): op_admit failed: op "
		"has no field \"size\"; it has: attempt, backend, bytes_in, deadline, id, "
		"idempotent, name, session");
	assert_string_equal(
		policy_admit(f, "write", 0),
		"reject 1 @p.lua:12 refused by policy p (p.lua:12): op_admit failed: op "
		"is read-only");
}

static void test_fields(void **state)
{
	struct fixture *f = *state;
	struct policy_peer tcp = { .transport = "tcp", .addr = "10.0.0.2" };
	struct policy_peer vsock = { .transport = "vsock", .has_cid = true, .cid = 42 };
	struct policy_session *s;
	const char *script = POLICY(
		"'reject'",
		"session_close = function(s)\n"
		"  local p = s.peer\n"
		"  log(s.id, s.hint, s.backend, s.plan, p.transport, p.uid, p.gid, p.pid, p.cid,"
		" p.addr, p.listener)\n"
		"end\n");

	policy_use(f, script, NULL);
	policy_session_close(f->engine, f->session);
	assert_string_equal(f->log, "policy p: 7 3 nil nil unix 1000 100 4711 nil nil main\n");
	policy_session_set_route(f->engine, f->session, "cpu", "p.lua:3");
	f->log[0] = '\0';
	policy_session_close(f->engine, f->session);
	assert_string_equal(f->log, "policy p: 7 3 cpu p.lua:3 unix 1000 100 4711 nil nil main\n");

	assert_int_equal(policy_session_new(f->engine, 9007199254740991, 0, &tcp, &s), 0);
	f->log[0] = '\0';
	policy_session_close(f->engine, s);
	assert_string_equal(f->log, "policy p: 9.007199254741e+15 0 nil nil tcp nil nil nil nil "
				    "10.0.0.2 nil\n");
	policy_session_free(f->engine, s);
	assert_int_equal(policy_session_new(f->engine, 8, 1, &vsock, &s), 0);
	f->log[0] = '\0';
	policy_session_close(f->engine, s);
	assert_string_equal(f->log, "policy p: 8 1 nil nil vsock nil nil nil 42 nil nil\n");
	policy_session_free(f->engine, s);
}

static void test_op_done(void **state)
{
	struct fixture *f = *state;

	policy_use(
		f,
		POLICY("'reject'",
		       "op_done = function(op, r)\n"
		       "  print(op.name, op.bytes_in, r.code, r.backend, r.queue_us, r.service_us,"
		       " r.bytes_out)\n"
		       "  return r.code == 5 and r.nothing or nil\n"
		       "end\n"),
		NULL);
	policy_done(f, "image_classify", 0);
	assert_string_equal(f->log, "policy p: image_classify 5 0 test 11 22 33\n");
	f->log[0] = '\0';
	policy_done(f, "noop", 5);
	assert_string_equal(
		f->log, "policy p: noop 5 5 test 11 22 33\n"
			"policy p (p.lua:8): op_done failed: result has no field \"nothing\"; it "
			"has: backend, bytes_out, cached, code, mirror, queue_us, service_us\n");
}

static const char *route_op(struct fixture *f, const char *name)
{
	static struct policy_decision decision;
	const struct policy_op op = { .name = name, .id = 9, .backend = "noop", .bytes_in = 5 };

	policy_op_route(f->engine, f->session, &op, &decision);
	return policy_describe(&decision);
}

static const char *op_failed(struct fixture *f, const char *name, int code)
{
	static struct policy_decision decision;
	const struct policy_op op = { .name = name, .backend = "noop", .retries = 1 };
	const struct policy_result result = { .code = code, .backend = "noop" };

	policy_op_failed(f->engine, f->session, &op, &result, &decision);
	return policy_describe(&decision);
}

#define ROUTES                                                                                     \
	"op_route = function(op)\n"                                                                \
	"  if op.name == 'noop' then return mirror 'noop' end\n"                                   \
	"  if op.name == 'exec' then return route { 'noop' } end\n"                                \
	"  if op.name == 'minmax' then return retry 'noop' end\n"                                  \
	"  if op.name == 'opencv' then return route { 'noop', deadline = 1 } end\n"                \
	"end\n"

static void test_op_route(void **state)
{
	struct fixture *f = *state;

	assert_false(policy_wants_op_route(f->engine));
	policy_use(f, POLICY("{ default = 'noop' }", ROUTES), NULL);
	assert_true(policy_wants_op_route(f->engine));
	assert_string_equal(route_op(f, "noop"), "mirror noop @p.lua:7");
	assert_string_equal(route_op(f, "exec"), "route noop @p.lua:8");
	assert_string_equal(route_op(f, "image_classify"), "pass");
	f->log[0] = '\0';
	assert_string_equal(route_op(f, "minmax"), "route noop @p.lua:5");
	assert_string_equal(route_op(f, "opencv"), "route noop @p.lua:5");
	assert_string_equal(
		f->log, "policy p (p.lua:6): op_route failed: op_route returned a retry; it may "
			"return route, mirror or nothing\n"
			"policy p (p.lua:6): op_route failed: op_route returned a route with "
			"sticky, ttl, uses, deadline, per_op or cache, which are of a session's "
			"route\n");
}

/* What has failed stays failed, whatever on_error says. */
static void test_op_failed(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'reject'", "op_failed = function(op, r)\n"
				      "  if r.code == 5 and op.attempt == 2 then return retry "
				      "'noop' end\n"
				      "  if r.code == 6 then error 'oh' end\n"
				      "end\n"),
		   "policy { name = 'q', api = 1, on_error = { default = 'noop' },\n"
		   "op_failed = function(op, r)\n"
		   "  if r.code < 8 then return retry 'noop' end\n"
		   "  return route 'noop'\n"
		   "end }\n");
	assert_string_equal(op_failed(f, "noop", 5), "retry noop @p.lua:7");
	assert_string_equal(op_failed(f, "noop", 6), "retry noop @q.lua:3");
	assert_string_equal(op_failed(f, "noop", 9), "pass");
	assert_non_null(strstr(f->log, "op_failed failed: oh\n"));
	assert_non_null(
		strstr(f->log, "op_failed returned a route; it may return retry or nothing"));
}

/* op and result are closed after their hook, also when it failed. */
static void test_kept_op(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'reject'", "op_admit = function(op) KEPT = op if op.name == 'fail' then "
				      "error 'x' end end,\n"
				      "op_done = function(op, r) RESULT = r if op.name == 'fail' "
				      "then error 'x' end end,\n"
				      "session_close = function()\n"
				      "  log(select(2, pcall(function() return KEPT.name end)))\n"
				      "  log(select(2, pcall(function() return RESULT.code end)))\n"
				      "end\n"),
		   NULL);
	for (int fails = 0; fails < 2; fails++) {
		policy_admit(f, fails ? "fail" : "noop", 0);
		policy_done(f, fails ? "fail" : "noop", 0);
		f->log[0] = '\0';
		policy_session_close(f->engine, f->session);
		assert_string_equal(
			f->log,
			"policy p: p.lua:9: op can only be read in the hook that was given it\n"
			"policy p: p.lua:10: result can only be read in the hook that was given "
			"it\n");
	}
}

static void test_tags(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'reject'",
			  "session_route = function(s)\n"
			  "  local t = s.tags\n"
			  "  t.tenant = 'a'  t.count = 1  t.ok = true  t.gone = 'x'  t.gone = nil\n"
			  "  assert(s.tags == t and t.none == nil)\n"
			  "end,\n"
			  "op_admit = function(op)\n"
			  "  local t = op.session.tags\n"
			  "  t.count = t.count + 1\n"
			  "  if op.name == 'table' then t.x = {} end\n"
			  "  if op.name == 'key' then t[1] = 1 end\n"
			  "  if op.name == 'long' then t.x = ('x'):rep(257) end\n"
			  "  if op.name == 'many' then for i = 1, 100 do t['k' .. i] = i end end\n"
			  "end,\n"
			  "session_close = function(s)\n"
			  "  log(s.tags.tenant, s.tags.count, s.tags.ok, s.tags.gone, s.tags.k61,"
			  " s.tags.k62)\n"
			  "end\n"),
		   NULL);
	assert_string_equal(policy_route(f), "pass");
	assert_string_equal(policy_admit(f, "noop", 0), "pass");
	assert_string_equal(policy_admit(f, "table", 0),
			    "reject 1 @p.lua:14 refused by policy p (p.lua:14): op_admit failed: "
			    "session.tags: a tag is a string, a number or a boolean, not a table");
	assert_string_equal(policy_admit(f, "key", 0),
			    "reject 1 @p.lua:15 refused by policy p (p.lua:15): op_admit failed: "
			    "session.tags: a tag's name is a string of at most 256 bytes");
	assert_string_equal(policy_admit(f, "long", 0),
			    "reject 1 @p.lua:16 refused by policy p (p.lua:16): op_admit failed: "
			    "session.tags: a tag's text has at most 256 bytes");
	assert_string_equal(policy_admit(f, "many", 0),
			    "reject 1 @p.lua:17 refused by policy p (p.lua:17): op_admit failed: "
			    "session.tags: more than 64 tags");
	f->log[0] = '\0';
	policy_session_close(f->engine, f->session);
	assert_string_equal(f->log, "policy p: a 6 true nil 61 nil\n");
}

static void test_two_scripts(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *p, *q, *decision;
	} cases[] = {
		{ "", "return route 'noop'", "route noop @q.lua:3" },
		{ "return route 'cpu'", "return route 'noop'", "route cpu @p.lua:6" },
		{ "return route 'cpu'", "return reject 'no'",
		  "reject 1 @q.lua:3 refused by policy q (q.lua:3): no" },
		{ "return reject 'first'", "return reject 'second'",
		  "reject 1 @p.lua:6 refused by policy p (p.lua:6): first" },
		/* p says reject on errors, q says noop */
		{ "error 'x'", "return route 'noop'",
		  "reject 1 @p.lua:6 refused by policy p (p.lua:6): session_route failed: x" },
		{ "return route 'cpu'", "error 'x'", "route cpu @p.lua:6" },
		{ "", "error 'x'", "route noop @q.lua:1" },
		/* an environment each */
		{ "SHARED = 1", "if SHARED then return reject 'shared' end", "pass" },
	};
	char p[512], q[512];

	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(p, sizeof(p), POLICY("'reject'", "session_route = function() %s end\n"),
			 cases[i].p);
		snprintf(q, sizeof(q),
			 "policy { name = 'q', api = 1, on_error = { default = 'noop' },\n"
			 "session_route = function()\n%s end }\n",
			 cases[i].q);
		policy_use(f, p, q);
		assert_string_equal(policy_route(f), cases[i].decision);
	}
}

/* Sessions and tags outlive a reload; hooks and the script's variables do not. */
static void test_reload(void **state)
{
	struct fixture *f = *state;
	size_t before;

	policy_use(f,
		   POLICY("'reject'", "session_route = function(s) s.tags.x = 'kept' V = 1\n"
				      "return route 'cpu' end\n"),
		   NULL);
	assert_string_equal(policy_route(f), "route cpu @p.lua:7");
	policy_use(f,
		   POLICY("'reject'", "session_route = function(s)\n"
				      "return reject(s.tags.x .. tostring(V)) end\n"),
		   NULL);
	assert_string_equal(policy_route(f),
			    "reject 1 @p.lua:7 refused by policy p (p.lua:7): keptnil");
	policy_activate(f->engine, NULL);
	assert_string_equal(policy_route(f), "pass");

	before = policy_engine_memory(f->engine);
	for (int i = 0; i < 200; i++)
		policy_use(f,
			   POLICY("'reject'", "session_route = function() end,\n"
					      "op_admit = function() end\n"),
			   "BIG = {} for i = 1, 1000 do BIG[i] = 'x' .. i end\n"
			   "policy { name = 'q', api = 1, on_error = 'allow',"
			   " op_done = function() return BIG end }");
	policy_activate(f->engine, NULL);
	assert_true(policy_engine_memory(f->engine) < before + 16384);
}

static void test_log_is_bounded(void **state)
{
	struct fixture *f = *state;
	size_t lines = 0;

	policy_use(f,
		   POLICY("'allow'", "op_admit = function(op) print('a\\nb', ('x'):rep(3)) end,\n"
				     "session_route = function(s) error 'bad' end\n"),
		   NULL);
	policy_admit(f, "noop", 0);
	assert_string_equal(f->log, "policy p: a\\x0ab xxx\n");
	for (int i = 0; i < 60; i++)
		policy_admit(f, "noop", 0);
	for (const char *p = f->log; (p = strchr(p, '\n')); p++)
		lines++;
	assert_in_range(lines, 20, 41); /* twice 20 when a second ended meanwhile */
	f->log[0] = '\0';
	lines = 0;
	for (int i = 0; i < 60; i++)
		policy_route(f);
	for (const char *p = f->log; (p = strchr(p, '\n')); p++)
		lines++;
	assert_in_range(lines, 3, 7);
	assert_int_equal(strncmp(f->log, "policy p (p.lua:7): session_route failed: bad\n", 46), 0);
}

static void test_describe(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(policy_engine_describe(f->engine), "LuaJIT 2.1"));
	assert_non_null(strstr(policy_engine_describe(f->engine), "can be stopped"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_route, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_no_policy, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_op_admit, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_fields, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_op_done, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_op_route, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_op_failed, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_kept_op, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_tags, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_two_scripts, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_reload, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_log_is_bounded, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_describe, policy_setup, policy_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
