/*
 * policy_hostile.c - scripts that mean harm, or have a defect that amounts to it: each call
 * returns in time with on_error's answer, and the engine is as good as before.
 */
#include "policy_support.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * The budget is 20 ms and 20 ms more are allowed; the sanitizers get ten times that. In processor
 * time, which is what a loop uses until it is stopped, however busy the machine is otherwise.
 */
enum { LIMIT_MS = 400 };

static uint64_t used_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Bodies of session_route, and a part of the failure's text; NULL: it must pass. */
static const struct {
	const char *body, *error;
} hostile[] = {
	/* loops */
	{ "while true do end", "ran longer than 20 ms" },
	{ "repeat until false", "ran longer than 20 ms" },
	{ "for i = 1, 1e15 do end", "ran longer than 20 ms" },
	{ "::again:: goto again", "ran longer than 20 ms" },
	{ "while true do pcall(function() while true do end end) end", "ran longer than 20 ms" },
	{ "local function f() pcall(f) return f() end f()", "ran longer than 20 ms" },
	{ "local function f() while true do pcall(error) end end\n"
	  "while true do pcall(pcall, f) end",
	  "ran longer than 20 ms" },
	{ "local co = coroutine.wrap(function() while true do end end) co()",
	  "ran longer than 20 ms" },
	{ "while true do local co = coroutine.create(function() while true do\n"
	  "pcall(function() while true do end end) end end) coroutine.resume(co) end",
	  "ran longer than 20 ms" },
	{ "local co = coroutine.wrap(function() while true do coroutine.yield() end end)\n"
	  "while true do co() end",
	  "ran longer than 20 ms" },
	{ "local t = setmetatable({}, { __index = function() while true do end end })\n"
	  "return t.x",
	  "ran longer than 20 ms" },
	{ "local t t = setmetatable({}, { __index = function(_, k) return t[k] .. 'x' end })\n"
	  "while true do pcall(function() return t.x end) end",
	  "ran longer than 20 ms" },
	{ "local m = { __lt = function() while true do end end }\n"
	  "return setmetatable({}, m) < setmetatable({}, m)",
	  "ran longer than 20 ms" },
	{ "return tostring(setmetatable({}, { __tostring = function() while true do end end }))",
	  "ran longer than 20 ms" },
	{ "log(setmetatable({}, { __tostring = function() while true do end end }))",
	  "ran longer than 20 ms" },
	{ "string.format('%s', setmetatable({}, { __tostring = function() while true do end end "
	  "}))",
	  "ran longer than 20 ms" },
	{ "('x'):rep(1000):gsub('x', function() while true do end end)", "ran longer than 20 ms" },
	{ "table.sort({ 3, 2, 1 }, function() while true do end end)", "ran longer than 20 ms" },
	{ "for _ in function() return 1 end do end", "ran longer than 20 ms" },
	{ "while true do local t = {} for i = 1, 100 do t[i] = reject('x') end end",
	  "ran longer than 20 ms" },
	{ "while true do ('x'):rep(60000):find('y', 1, true) end", "ran longer than 20 ms" },
	{ "local t = {} for i = 1, 1e9 do table.insert(t, 1, i) end", NULL },
	/* patterns */
	{ "('a'):rep(200):find('a*a*a*a*a*b')", "ran longer than 20 ms" },
	{ "('a'):rep(60000):match('.-.-.-.-b$')", "ran longer than 20 ms" },
	{ "('a'):rep(60000):gsub('a-a-a-b', '')", "ran longer than 20 ms" },
	{ "for _ in ('a'):rep(60000):gmatch('a*a*b') do end", "ran longer than 20 ms" },
	{ "pcall(string.find, ('('):rep(60000), '%b()') ('(' ):rep(60000):gsub('%b()', '')", NULL },
	{ "return ('x'):find(('(x'):rep(33))", "pattern too complex: more than 32 captures" },
	{ "return ('x'):find(('.'):rep(201))", "pattern too complex: more than 200 items" },
	/* memory */
	{ "local t = {} while true do t[#t + 1] = {} end", NULL },
	{ "local s = 'x' while true do s = s .. s end",
	  "session_route failed" }, /* or the time's */
	{ "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end", NULL },
	{ "T = {} while true do pcall(function() while true do T[#T + 1] = { 1, 2, 3 } end end)"
	  " end",
	  NULL },
	{ "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(print) end", NULL },
	{ "local t = {} for i = 1, 1e9 do t[i] = route 'cpu' end", NULL },
	{ "unpack({}, 1, 1e8)", "unpack: 100000000 elements; the limit is 10000" },
	{ "return select('#', unpack({}, 1, 9999))", "too many results to unpack" },
	{ "table.concat({}, 'x', 1, 1e9)",
	  "table.concat: 1000000000 elements; the limit is 10000" },
	{ "local s = ('x'):rep(65536) table.concat({ s, s, s, s }, s)", NULL },
	{ "local t = {} for i = 1, 10001 do t[i] = i end table.sort(t)",
	  "table.sort: 10001 elements; the limit is 10000" },
	{ "('x'):rep(1e9)", "string.rep: the result would be larger than 65536 bytes" },
	{ "(''):rep(1e9)", NULL },
	{ "('x'):rep(65536):upper():lower():reverse():rep(2)", "string.rep" },
	{ "local s = ('x'):rep(65536) .. 'x' return s:find('y')",
	  "string.find: a string of 65537 bytes; the limit is 65536" },
	{ "local s = ('x'):rep(65536) .. 'x' return ('y'):find(s, 1, true)", "the limit is 65536" },
	{ "local s = ('x'):rep(65536) .. 'x' return s:upper()", "the limit is 65536" },
	{ "local s = ('x'):rep(65536) .. 'x' return ('%s'):format(s)", "the limit is 65536" },
	{ "return string.format('%99999d', 1)", "invalid option" },
	{ "os.date(('%c'):rep(1000))", "os.date: a format of more than 256 bytes" },
	/* depth: the stack ends, or the time where it is slow */
	{ "local function f() return 1 + f() end f()", "stack overflow" },
	{ "local function f() return pcall(f) or 1 end f() f() f()", NULL },
	{ "local function f(n) local ok, e = pcall(f, n + 1) if not ok then error(e, 0) end end "
	  "f(0)",
	  "pcall: calls are nested more than 100 deep" },
	{ "local function f(n) return coroutine.wrap(f)(n + 1) end f(0)",
	  "coroutines are nested more than 16 deep" },
	{ "local function f() return coroutine.resume(coroutine.create(f)) end f()", NULL },
	{ "local t t = setmetatable({}, { __tostring = function()"
	  " return string.format('%s', t) .. 'x' end }) tostring(t)",
	  "session_route failed" },
	{ "local t t = setmetatable({}, { __index = function() return os.time(t) .. 'x' end })"
	  " os.time(t)",
	  "session_route failed" },
	{ "local function f() return ('x'):gsub('x', f) .. 'x' end f()", "session_route failed" },
	{ "local f f = function(a, b) table.sort({ 2, 1 }, f) return a < b end table.sort({ 2, 1 "
	  "}, f)",
	  "session_route failed" },
	{ "local t = {} for i = 1, 1e5 do t = setmetatable({}, { __index = t }) end return t.x",
	  NULL },
	/* errors that hit back */
	{ "error(setmetatable({}, { __tostring = function() error('again') end }))",
	  "the error is a table value" },
	{ "error(setmetatable({}, { __tostring = function() while true do end end }))",
	  "the error is a table value" },
	{ "error(('x'):rep(60000))", "xxxxxxxxxx" },
	{ "error('')", "failed: " },
	{ "error(('\\0'):rep(10))", "\\x00\\x00" },
	{ "coroutine.yield()", "attempt to yield" },
	/* the way out */
	{ "return ffi.C", "global 'ffi' (a nil value)" },
	{ "io.open('/etc/passwd')", "global 'io' (a nil value)" },
	{ "os.execute('true')", "field 'execute' (a nil value)" },
	{ "os.getenv('HOME')", "field 'getenv' (a nil value)" },
	{ "os.exit(1)", "field 'exit' (a nil value)" },
	{ "os.remove('x')", "field 'remove' (a nil value)" },
	{ "debug.sethook()", "global 'debug' (a nil value)" },
	{ "require 'ffi'", "global 'require' (a nil value)" },
	{ "package.loaded.x = 1", "global 'package' (a nil value)" },
	{ "jit.on()", "global 'jit' (a nil value)" },
	{ "load('x = 1')", "global 'load' (a nil value)" },
	{ "loadstring('x = 1')", "global 'loadstring' (a nil value)" },
	{ "loadfile('x')", "global 'loadfile' (a nil value)" },
	{ "dofile('x')", "global 'dofile' (a nil value)" },
	{ "string.dump(print)", "field 'dump' (a nil value)" },
	{ "getfenv(1)", "global 'getfenv' (a nil value)" },
	{ "setfenv(1, {})", "global 'setfenv' (a nil value)" },
	{ "newproxy(true)", "global 'newproxy' (a nil value)" },
	{ "xpcall(print, print)", "global 'xpcall' (a nil value)" },
	{ "collectgarbage()", "global 'collectgarbage' (a nil value)" },
	{ "for k in pairs(_G) do if k == 'module' or k == 'gcinfo' then error(k) end end", NULL },
	{ "assert(_G ~= nil and _G._G == _G and rawget(_G, 'io') == nil)", NULL },
	/* what is shared */
	{ "string.find = nil", "string is read-only" },
	{ "rawset(string, 'find', 1)", "rawset: this table is read-only" },
	{ "math.random = print", "math is read-only" },
	{ "bit.band = print", "bit is read-only" },
	{ "coroutine.wrap = print", "coroutine is read-only" },
	{ "os.time = print", "os is read-only" },
	{ "table.insert(string, 1)", NULL }, /* into the empty proxy: see the next */
	{ "assert(getmetatable('') == false and getmetatable(string) == false)", NULL },
	{ "assert(getmetatable(route 'cpu') == false)", NULL },
	{ "setmetatable(string, {})", "cannot change a protected metatable" },
	{ "setmetatable(_G, { __index = function(_, k) while true do end end }) return foo",
	  "ran longer than 20 ms" },
	{ "route = nil print = nil pairs = nil", NULL },
	{ "setmetatable({}, { __gc = function() while true do end end })", NULL },
	{ "string = nil table = nil", NULL },
};

static void check_healthy(struct fixture *f)
{
	policy_use(f,
		   POLICY("'reject'",
			  "session_route = function(s)\n"
			  "  assert(('x'):rep(3):find('x+') == 1 and #table.concat { 1, 2 } == 2)\n"
			  "  assert(string.find and math.random and s.id == 7)\n"
			  "  return route 'cpu' end\n"),
		   NULL);
	assert_string_equal(policy_route(f), "route cpu @p.lua:9");
}

static void run_hostile(struct fixture *f, const char *body, const char *error)
{
	char script[2048];
	const char *decision;
	uint64_t start, took;

	snprintf(script, sizeof(script),
		 POLICY("'reject'", "session_route = function(s)\n%s\nend\n"), body);
	policy_use(f, script, NULL);
	start = used_ms();
	decision = policy_route(f);
	took = used_ms() - start;
	if (took > LIMIT_MS)
		fail_msg("%s\ntook %u ms", body, (unsigned)took);
	if (error && !strstr(decision, error))
		fail_msg("%s\ngave: %s\nnot: %s", body, decision, error);
	if (error && !strstr(decision, "reject 1 @p.lua:"))
		fail_msg("%s\ngave: %s", body, decision);
}

static void test_hostile(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(hostile); i++) {
		run_hostile(f, hostile[i].body, hostile[i].error);
		check_healthy(f);
	}
	policy_activate(f->engine, NULL);
	assert_true(policy_engine_memory(f->engine) < 1 << 20);
}

/* Each of them again, from a coroutine and with its errors caught. */
static void test_hostile_wrapped(void **state)
{
	struct fixture *f = *state;
	char body[1500];

	for (size_t i = 0; i < COUNT(hostile); i++) {
		snprintf(
			body, sizeof(body),
			"for i = 1, 3 do coroutine.wrap(function() pcall(function() %s\nend) end)()"
			" end",
			hostile[i].body);
		run_hostile(f, body, NULL);
		check_healthy(f);
	}
}

/* The same while loading; the deadline is 1 s there, so only what ends by itself. */
static void test_hostile_load(void **state)
{
	struct fixture *f = *state;
	struct policy_generation *generation;

	for (size_t i = 0; i < COUNT(hostile); i++) {
		if (!hostile[i].error || strstr(hostile[i].error, "ran longer"))
			continue;
		assert_int_equal(policy_try(f, hostile[i].body, NULL, &generation), -1);
	}
	check_healthy(f);
}

/* The table that a proxy hides is not reached by what writes raw. */
static void test_raw_writers(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'reject'", "session_route = function(s)\n"
				      "pcall(table.insert, string, 1) pcall(table.insert, s, 1)\n"
				      "pcall(table.sort, s) pcall(table.remove, s)\n"
				      "end\n"),
		   NULL);
	assert_string_equal(policy_route(f), "pass");
	check_healthy(f);
}

static void test_set_aside(void **state)
{
	struct fixture *f = *state;
	uint64_t start;

	policy_use(f,
		   POLICY("'reject'", "op_admit = function(op)\n"
				      "if op.name == 'slow' then while true do end end\n"
				      "if op.name == 'bad' then error 'bad' end end,\n"
				      "session_route = function() return route 'cpu' end\n"),
		   NULL);
	/* Errors do not count. */
	for (int i = 0; i < 10; i++)
		assert_non_null(strstr(policy_admit(f, "bad", 0), "op_admit failed: bad"));
	assert_string_equal(policy_admit(f, "noop", 0), "pass");
	f->log[0] = '\0';
	for (int i = 0; i < 3; i++)
		assert_string_equal(policy_admit(f, "slow", 0),
				    "reject 1 @p.lua:7 refused by policy p (p.lua:7): op_admit "
				    "failed: ran longer than 5 ms");
	assert_non_null(strstr(f->log, "policy p: op_admit is set aside for 10 s after three "
				       "overruns; its on_error answers\n"));
	start = used_ms();
	assert_string_equal(policy_admit(f, "noop", 0),
			    "reject 1 @p.lua:6 refused by policy p (p.lua:6): op_admit failed: set "
			    "aside after three overruns");
	assert_true(used_ms() - start < 5);
	assert_string_equal(policy_route(f), "route cpu @p.lua:9"); /* the other hook is asked */
	sleep(10);
	usleep(200000);
	assert_string_equal(policy_admit(f, "noop", 0), "pass");
}

/* Nothing has run for so long that the watchdog sleeps until it is woken. */
static void test_after_idle(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		usleep(200000);
		run_hostile(f, "while true do end", "ran longer than 20 ms");
	}
	check_healthy(f);
}

/* The state's memory is full of what a script keeps: sessions are refused, nothing ends. */
static void test_full(void **state)
{
	struct fixture *f = *state;
	struct policy_peer peer = { .transport = "unix" };
	struct policy_session *sessions[64];
	size_t n = 0;

	policy_use(f,
		   POLICY("'reject'", "op_admit = function(op)\n"
				      "T = T or {}\n"
				      "pcall(function() for i = 1, 1e9 do T = { T } end end)\n"
				      "end,\n"
				      "session_route = function() T = nil end\n"),
		   NULL);
	for (int i = 0; i < 100 && !strstr(policy_admit(f, "noop", 0), "out of memory"); i++)
		usleep(0);
	for (; n < COUNT(sessions); n++)
		if (policy_session_new(f->engine, (int64_t)n, 0, &peer, &sessions[n]))
			break;
	while (n-- > 0)
		policy_session_free(f->engine, sessions[n]);
	policy_activate(f->engine, NULL);
	check_healthy(f);
	assert_true(policy_engine_memory(f->engine) < 1 << 20);
}

/* A small cap, met at every possible place: in loading, in hooks, in making sessions. */
static void test_every_cap(void **state)
{
	struct fixture *f = *state;
	struct policy_peer peer = { .transport = "tcp", .addr = "10.0.0.2" };
	const char *paths[] = { policy_path(f, SCRIPT_P) };
	size_t started = 0, loaded = 0;

	policy_write(f, SCRIPT_P,
		     POLICY("'reject'", "session_route = function(s) s.tags.x = ('x'):rep(100)\n"
					"return reject(s.tags.x) end\n"));
	for (size_t cap = 1024; cap < 400 * 1024; cap += 1531) {
		struct policy_engine_options options = { .memory_max = cap };
		struct policy_generation *generation;
		struct policy_decision decision;
		struct policy_session *session;
		struct policy_engine *engine;

		if (policy_engine_new(&options, &engine, f->err, sizeof(f->err)))
			continue;
		started++;
		if (policy_load(engine, paths, 1, NULL, 0, &generation, f->err, sizeof(f->err)) ==
		    0) {
			loaded++;
			policy_activate(engine, generation);
		}
		for (int i = 0; i < 20; i++) {
			if (policy_session_new(engine, i, 0, &peer, &session))
				continue;
			policy_session_route(engine, session, &decision);
			policy_session_free(engine, session);
		}
		policy_engine_free(engine);
	}
	assert_true(started > 10 && loaded > 10 && loaded <= started);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hostile, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_hostile_wrapped, policy_setup,
						policy_teardown),
		cmocka_unit_test_setup_teardown(test_hostile_load, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_raw_writers, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_set_aside, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_after_idle, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_full, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_every_cap, policy_setup, policy_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
