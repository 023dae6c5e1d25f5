/*
 * policy_load.c - loading scripts: every error with its exact sentence, and what a good script
 * leaves.
 */
#include "policy_support.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELDS                                                                                     \
	"it has: name, api, on_error; and the hooks peer_accept, session_route, "                  \
	"resource_admit, op_admit, op_route, op_failed, op_done, session_close, backend_state"
#define HEAD "policy { name = 'p', api = 1, on_error = 'reject', "

static const struct {
	const char *script, *error;
} refused[] = {
	/* not a script */
	{ "", "p.lua: no policy { } in this file: nothing would be decided" },
	{ "local x = \n\n= 1", "p.lua:3: unexpected symbol near '='" },
	{ "x = 'abc\n", "p.lua:1: unfinished string near ''abc'" },
	{ "if x then", "p.lua:1: 'end' expected near '<eof>'" },
	{ "\n\nerror('no good')", "p.lua:3: no good" },
	{ "error({})", "p.lua:1: the error is a table value" },
	{ "error()", "p.lua:1: the error is a nil value" },
	{ "local t = nil\nreturn t.x", "p.lua:2: attempt to index local 't' (a nil value)" },
	/* the declaration */
	{ HEAD "}\n" HEAD "}", "p.lua:2: policy { } is used twice; the first is in line 1" },
	{ "pcall(policy, { name = 'p' })\n" HEAD "}",
	  "p.lua:2: policy { } is used twice; the first is in line 1" },
	{ "pcall(policy, { name = 'p' })",
	  "p.lua:1: this policy { } was not accepted, and the script went on" },
	{ "policy()", "p.lua:1: policy takes one table: policy { ... }" },
	{ "policy {}", "p.lua:1: policy needs a name: name = \"inference\"" },
	{ "policy { name = 5 }", "p.lua:1: policy needs a name: name = \"inference\"" },
	{ "policy { name = 'a b' }",
	  "p.lua:1: a policy's name has 1 to 63 letters, digits, '_', '-' and '.'" },
	{ "policy { name = 'p' }",
	  "p.lua:1: policy needs api = 1: the version of this interface that it is written for" },
	{ "policy { name = 'p', api = 2 }",
	  "p.lua:1: api must be 1, the only version that this agent knows" },
	{ "policy { name = 'p', api = 1 }",
	  "p.lua:1: policy needs on_error, which says what happens when a hook fails: \"reject\", "
	  "\"allow\" or { default = \"BACKEND\" }" },
	{ "policy { name = 'p', api = 1, on_error = 'ignore' }",
	  "p.lua:1: on_error must be \"reject\", \"allow\" or { default = \"BACKEND\" }" },
	{ "policy { name = 'p', api = 1, on_error = { default = 'noop', x = 1 } }",
	  "p.lua:1: on_error must be \"reject\", \"allow\" or { default = \"BACKEND\" }" },
	{ HEAD "op_refuse = print }",
	  "p.lua:1: policy has no hook or option \"op_refuse\"; " FIELDS },
	{ HEAD "\n\n sesion_route = print }",
	  "p.lua:1: policy has no hook or option \"sesion_route\"; " FIELDS },
	{ HEAD "print }", "p.lua:1: policy takes named options only; " FIELDS },
	{ HEAD "op_admit = {} }",
	  "p.lua:1: op_admit is a table; it must be a function or an object that fits" },
	/* backends */
	{ "backends 'cpu'", "p.lua:1: backends takes one table: backends { ... }" },
	{ "backends { plugin 'torch' }",
	  "p.lua:1: backends have names: backends { cpu = plugin \"torch\" }" },
	{ "backends { cpu = 'torch' }",
	  "p.lua:1: backend cpu is a string; it must be plugin \"NAME\" or remote "
	  "\"URI\"" },
	{ "backends { ['a b'] = plugin 'torch' }",
	  "p.lua:1: a backend's name has 1 to 63 letters, digits, '_', '-' and '.'" },
	{ "backends { cpu = plugin 'torch', gpu = plugin 'torch' }",
	  "p.lua:1: backends cpu and gpu are the same plugin \"torch\"; one library can serve one "
	  "backend only" },
	{ "backends { cpu = plugin 'torch' }\nbackends { cpu = plugin 'noop' }",
	  "p.lua:2: backend cpu is declared twice; first in p.lua:1" },
	{ "backends { cpu = plugin 'torch' { threads = {} } }",
	  "p.lua:1: option threads is a table; it must be a string, a number or a boolean" },
	{ "backends { cpu = plugin 'torch' { 2 } }",
	  "p.lua:1: backend cpu: options have names: { threads = 2 }" },
	{ "plugin(5)", "p.lua:1: plugin takes a name (\"torch\") or a path, got a number" },
	{ "plugin ''",
	  "p.lua:1: plugin takes a name (\"torch\") or a path, of 1 to 255 characters" },
	{ "plugin 'torch' 'x'",
	  "p.lua:1: the options of a plugin are a table: plugin \"torch\" { threads = 2 }" },
	{ "plugin 'torch' {} {}",
	  "p.lua:1: the options of plugin \"torch\" are given once, where it is declared" },
	{ "remote(5)", "p.lua:1: remote takes an address (\"vsock://2:2048\"), got a number" },
	{ "remote ''",
	  "p.lua:1: remote takes an address (\"vsock://2:2048\"), of 1 to 255 characters" },
	{ "remote 'unix:///a\\0b'",
	  "p.lua:1: remote takes an address (\"vsock://2:2048\"), of 1 to 255 characters" },
	{ "remote 'vsock://2:2048' { threads = 2 }",
	  "p.lua:1: remote \"vsock://2:2048\" takes no options" },
	{ "backends { cpu = remote 'unix:///a', }\nbackends { cpu = remote 'unix:///b' }",
	  "p.lua:2: backend cpu is declared twice; first in p.lua:1" },
	/* names of backends, also where nothing has run yet */
	{ HEAD "session_route = function(s)\n\n return route { 'noop', 'gpu' }\n end }",
	  "p.lua:3: route names \"gpu\"; declared: noop" },
	{ "backends { cpu = plugin 'torch', test = plugin 'x' }\n" HEAD
	  "session_route = function(s)\n if s.hint == 1 then return route 'gpu' end end }",
	  "p.lua:3: route names \"gpu\"; declared: cpu, test, noop" },
	{ HEAD "session_route = function(s)\n return route('noop',\n\"gpu\") end }",
	  "p.lua:3: route names \"gpu\"; declared: noop" },
	{ HEAD "session_route = function(s)\n return route({\n[[gpu]]}) end }",
	  "p.lua:3: route names \"gpu\"; declared: noop" },
	{ "local gpu = 'gp' .. 'u'\nlocal plan = route(gpu)\n" HEAD "}",
	  "p.lua:2: route names \"gpu\"; declared: noop" },
	{ "policy { name = 'p', api = 1,\n on_error = { default =\n 'gpu' } }",
	  "p.lua:3: on_error names \"gpu\"; declared: noop" },
	{ "local g = 'gpu'\npolicy { name = 'p', api = 1, on_error = { default = g } }",
	  "p.lua:2: on_error names \"gpu\"; declared: noop" },
	{ HEAD "op_admit = function(op)\n local b = backends\n .gpu end }",
	  "p.lua:3: backends has no \"gpu\"; declared: noop" },
	{ HEAD "op_admit = function(op)\n return backends['gpu'].up, backends.noop end }",
	  "p.lua:2: backends has no \"gpu\"; declared: noop" },
	{ "local b = backends.noop\n" HEAD "}",
	  "p.lua:1: backends can be read in hooks only: while a script is loaded, its backends are "
	  "not there yet" },
	{ "backends.noop = plugin 'x'\n" HEAD "}",
	  "p.lua:1: backends is read-only; backends { NAME = ... } declares one" },
	{ "rawset(backends, 'noop', 5)\n" HEAD "}", "p.lua:1: rawset: this table is read-only" },
	{ "backends('noop')\n" HEAD "}", "p.lua:1: backends takes one table: backends { ... }" },
	{ "getmetatable(backends).x = 1\n" HEAD "}", "p.lua:1: attempt to index a boolean value" },
	/* the constructors */
	{ "route()", "p.lua:1: route needs at least one backend" },
	{ "route { }", "p.lua:1: route needs at least one backend" },
	{ "route(5)", "p.lua:1: route takes names of backends, got a number" },
	{ "route { 'noop', stick = true }",
	  "p.lua:1: route has no option \"stick\"; it takes backends in order and: sticky, ttl, "
	  "uses, deadline, per_op, cache" },
	{ "route { 'noop', per_op = 1 }", "p.lua:1: route: per_op is true or false" },
	{ "retry()", "p.lua:1: retry needs at least one backend" },
	{ "retry { 'noop', sticky = true }",
	  "p.lua:1: retry has no option \"sticky\"; it takes backends" },
	{ "mirror { 'noop', 'x' }", "p.lua:1: mirror takes one backend" },
	{ HEAD "op_failed = function()\n return retry { 'noop', 'gpu' } end }",
	  "p.lua:2: retry names \"gpu\"; declared: noop" },
	{ HEAD "op_route = function()\n return mirror 'gpu' end }",
	  "p.lua:2: mirror names \"gpu\"; declared: noop" },
	{ "route { 'noop', 'noop' }", "p.lua:1: route names \"noop\" twice" },
	{ "route { 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i' }",
	  "p.lua:1: route takes at most 8 backends" },
	{ "reject()", "p.lua:1: reject needs a reason: what the caller is to read" },
	{ "reject { code = 'EBUSY' }",
	  "p.lua:1: reject needs a reason: what the caller is to read" },
	{ "reject { reason = 'x', kode = 1 }",
	  "p.lua:1: reject has no option \"kode\"; it has: code, reason" },
	{ "reject('x', 'EWHAT')", "p.lua:1: reject: \"EWHAT\" is no error code; one is \"EBUSY\"" },
	{ "reject('x', 0)", "p.lua:1: reject: code 0 is no error code; one is 16 or \"EBUSY\"" },
	{ "reject('x', 1.5)",
	  "p.lua:1: reject: code 1.5 is no error code; one is 16 or \"EBUSY\"" },
	{ "reject('x', {})",
	  "p.lua:1: reject: code is a table; it must be a number or a name such as \"EBUSY\"" },
	/* without end */
	{ "\nwhile true do end", "p.lua:2: loading took longer than 1000 ms" },
};

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct policy_generation *generation;

	for (size_t i = 0; i < COUNT(refused); i++) {
		if (policy_try(f, refused[i].script, NULL, &generation) == 0)
			fail_msg("this was loaded:\n%s", refused[i].script);
		assert_string_equal(f->err, refused[i].error);
	}
}

/* What looks like a wrong name and is none. */
static void test_not_names(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   "-- route 'gpu'\n"
		   "--[==[ return route { 'gpu' } ]==]\n"
		   "local text = [[ route 'gpu' ]] .. \"route 'gpu'\" .. 'x\\'route \"gpu\"'\n"
		   "local t = { route = function() end }\n"
		   "t.route 'gpu'  t:route 'gpu'\n"
		   "local function pick(n) return n == 'gpu' and 'noop' or 'noop' end\n"
		   "local plan = route { pick 'gpu', }\n"
		   "plan = route(pick('gpu'))\n" HEAD "}",
		   NULL);
	/* Of something else, or of a parameter; put together at run time. */
	policy_use(f,
		   "local other = { backends = { gpu = 1 } }\n"
		   "local x = other.backends.gpu\n"
		   "local function up(name) return backends[name .. 'x'].up end\n"
		   "local name = { backends = 'gpu' }\n"
		   "-- backends.gpu\n" HEAD "}",
		   NULL);
	policy_use(f,
		   "local function first(a, backends) return backends.gpu end\n"
		   "assert(first(1, { gpu = 2 }) == 2)\n" HEAD "}",
		   NULL);
	/* A `route` of the script's own. */
	policy_use(f,
		   "local function route(x) return x, 2 end\n"
		   "local function f() return route 'gpu' end\n"
		   "assert(select('#', f()) == 2)\n" HEAD "}",
		   NULL);
}

static void test_files(void **state)
{
	struct fixture *f = *state;
	struct policy_generation *generation;
	char path[128], expected[256];
	const char *paths[] = { path };
	FILE *file;

	snprintf(path, sizeof(path), "%s/none.lua", f->dir);
	assert_int_equal(
		policy_load(f->engine, paths, 1, NULL, 0, &generation, f->err, sizeof(f->err)), -1);
	snprintf(expected, sizeof(expected), "cannot read policy %s: No such file or directory",
		 path);
	assert_string_equal(f->err, expected);

	snprintf(path, sizeof(path), "%s", f->dir);
	assert_int_equal(
		policy_load(f->engine, paths, 1, NULL, 0, &generation, f->err, sizeof(f->err)), -1);
	snprintf(expected, sizeof(expected), "cannot read policy %s: it is a directory", path);
	assert_string_equal(f->err, expected);

	snprintf(path, sizeof(path), "/dev/null");
	assert_int_equal(
		policy_load(f->engine, paths, 1, NULL, 0, &generation, f->err, sizeof(f->err)), -1);
	assert_string_equal(f->err, "cannot read policy /dev/null: it is not a regular file");

	snprintf(path, sizeof(path), "%s", policy_path(f, SCRIPT_P));
	policy_write(f, SCRIPT_P, "\x1bLJ\x02");
	assert_int_equal(
		policy_load(f->engine, paths, 1, NULL, 0, &generation, f->err, sizeof(f->err)), -1);
	snprintf(expected, sizeof(expected),
		 "cannot read policy %s: it is compiled; only text is taken", path);
	assert_string_equal(f->err, expected);

	file = fopen(path, "w");
	assert_int_equal(ftruncate(fileno(file), (1 << 20) + 1), 0);
	fclose(file);
	assert_int_equal(
		policy_load(f->engine, paths, 1, NULL, 0, &generation, f->err, sizeof(f->err)), -1);
	snprintf(expected, sizeof(expected), "cannot read policy %s: it is larger than 1 MiB",
		 path);
	assert_string_equal(f->err, expected);
}

static void test_backends(void **state)
{
	struct fixture *f = *state;
	struct policy_generation *generation;
	const struct policy_backend *b;
	size_t count;

	if (policy_try(
		    f,
		    "backends {\n"
		    "  test = plugin './libvaccel-x.so',\n"
		    "  cpu = plugin 'torch' { threads = 2, warm = true, device = 'cpu:0' },\n"
		    "  far = remote 'tcp://10.0.0.5:65500', near = remote 'tcp://10.0.0.5:65500',\n"
		    "}\n" HEAD "}",
		    "backends { more = plugin 'more' }\n"
		    "policy { name = 'q', api = 1, on_error = 'allow',\n"
		    "  session_route = function() return route { 'cpu', 'noop', 'more' } end }",
		    &generation))
		fail_msg("%s", f->err);
	b = policy_backends(generation, &count);
	assert_int_equal(count, 5);
	assert_string_equal(b[0].name, "cpu");
	assert_string_equal(b[0].kind, "plugin");
	assert_string_equal(b[0].target, "torch");
	assert_string_equal(b[0].where, "p.lua:3");
	assert_int_equal(b[0].nr_options, 3);
	assert_string_equal(b[0].options[0].key, "device");
	assert_string_equal(b[0].options[0].value, "cpu:0");
	assert_string_equal(b[0].options[1].key, "threads");
	assert_string_equal(b[0].options[1].value, "2");
	assert_string_equal(b[0].options[2].key, "warm");
	assert_string_equal(b[0].options[2].value, "true");
	assert_string_equal(b[1].name, "far");
	assert_string_equal(b[1].kind, "remote");
	assert_string_equal(b[1].target, "tcp://10.0.0.5:65500");
	assert_int_equal(b[1].nr_options, 0);
	assert_string_equal(b[2].name, "more");
	assert_string_equal(b[2].where, "q.lua:1");
	assert_string_equal(b[3].name, "near");
	assert_string_equal(b[3].target, "tcp://10.0.0.5:65500");
	assert_string_equal(b[4].name, "test");
	assert_string_equal(b[4].target, "./libvaccel-x.so");
	assert_int_equal(b[4].nr_options, 0);
	assert_string_equal(policy_script_name(generation, 0), "p");
	assert_string_equal(policy_script_name(generation, 1), "q");
	assert_null(policy_script_name(generation, 2));
	policy_generation_free(f->engine, generation);
}

static void test_two_scripts_one_name(void **state)
{
	struct fixture *f = *state;
	struct policy_generation *generation;

	assert_int_equal(policy_try(f, HEAD "}", "\n" HEAD "}", &generation), -1);
	assert_string_equal(f->err, "q.lua:2: another script is policy \"p\" already: p.lua");
}

/* The declaration is over when the script has been loaded. */
static void test_too_late(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'reject'", "session_route = function()\n backends { x = 1 } end,\n"
				      "op_admit = function() plugin 'x' end\n"),
		   NULL);
	assert_string_equal(
		policy_route(f),
		"reject 1 @p.lua:7 refused by policy p (p.lua:7): session_route failed: "
		"backends can only be used while the script is loaded");
	assert_string_equal(policy_admit(f, "noop", 0),
			    "reject 1 @p.lua:8 refused by policy p (p.lua:8): op_admit failed: "
			    "plugin can only be used while the script is loaded");
}

/* A load that fails leaves what is active. */
static void test_failed_load_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct policy_generation *generation;

	policy_use(f, POLICY("'reject'", "session_route = function() return route 'cpu' end\n"),
		   NULL);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(policy_try(f, refused[i].script, NULL, &generation), -1);
	assert_string_equal(policy_route(f), "route cpu @p.lua:6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_not_names, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_files, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_backends, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_two_scripts_one_name, policy_setup,
						policy_teardown),
		cmocka_unit_test_setup_teardown(test_too_late, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_failed_load_changes_nothing, policy_setup,
						policy_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
