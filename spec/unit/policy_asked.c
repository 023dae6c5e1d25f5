/*
 * policy_asked.c - every hook but those of operations and routes, which have tests of their own:
 * what it reads, what it may say, and what becomes of one that means harm.
 */
#include "engine.h"
#include "policy_support.h"

#include <stdio.h>
#include <string.h>

/* ---- what is asked */

static const char *ask_peer(struct fixture *f)
{
	struct policy_peer peer = { .transport = "vsock", .has_cid = true, .cid = 42 };
	struct policy_decision decision;

	policy_peer_accept(f->engine, &peer, &decision);
	return policy_describe(&decision);
}

static const char *give_name(const void *of, size_t i)
{
	const char *const *names = of;

	return names[i];
}

static const char *ask_about(struct fixture *f, const char *const *names, size_t nr_names)
{
	struct policy_resource resource = {
		.type = "model",
		.bytes = 4096,
		.nr_names = nr_names,
		.name = give_name,
		.of = names,
	};
	struct policy_decision decision;

	policy_resource_admit(f->engine, f->session, &resource, &decision);
	return policy_describe(&decision);
}

static const char *ask_resource(struct fixture *f)
{
	static const char *const names[] = { "net.pt", "labels.txt" };

	return ask_about(f, names, COUNT(names));
}

/* Hooks that may refuse, and who asks them. */
static const struct {
	const char *hook;
	const char *(*ask)(struct fixture *f);
} refusing[] = {
	{ "peer_accept", ask_peer },
	{ "resource_admit", ask_resource },
};

/* One script, whose hook has this body; it begins in line 6. */
static void use(struct fixture *f, const char *on_error, const char *hook, const char *body)
{
	char script[1024];

	snprintf(script, sizeof(script),
		 "backends {\n  cpu = plugin 'torch' { threads = 2 },\n"
		 "  test = plugin 'signed',\n}\n"
		 "policy { name = 'p', api = 1, on_error = %s,\n%s = function(a, b) %s end\n}\n",
		 on_error, hook, body);
	policy_use(f, script, NULL);
}

static void test_answers(void **state)
{
	struct fixture *f = *state;
	char text[256];

	for (size_t i = 0; i < COUNT(refusing); i++) {
		policy_activate(f->engine, NULL);
		assert_string_equal(refusing[i].ask(f), "pass");
		use(f, "'reject'", refusing[i].hook, "");
		assert_string_equal(refusing[i].ask(f), "pass");
		use(f, "'allow'", refusing[i].hook, "return reject('no', 'EBUSY')");
		assert_string_equal(refusing[i].ask(f),
				    "reject 16 @p.lua:6 refused by policy p (p.lua:6): no");
		use(f, "'reject'", refusing[i].hook, "return route 'cpu'");
		snprintf(text, sizeof(text), "%s returned a route; it may return reject or nothing",
			 refusing[i].hook);
		assert_non_null(strstr(refusing[i].ask(f), text));
		use(f, "'reject'", refusing[i].hook, "return true");
		snprintf(text, sizeof(text),
			 "%s returned a boolean; it may return reject or nothing",
			 refusing[i].hook);
		assert_non_null(strstr(refusing[i].ask(f), text));
	}
}

/* Any script can refuse, and the first that does is the last that is asked. */
static void test_several(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(refusing); i++) {
		char p[256], q[256];

		snprintf(p, sizeof(p),
			 "policy { name = 'p', api = 1, on_error = 'allow',\n"
			 "%s = function() log 'p is asked' end }",
			 refusing[i].hook);
		snprintf(q, sizeof(q),
			 "policy { name = 'q', api = 1, on_error = 'allow',\n"
			 "%s = function() return reject 'q says no' end }",
			 refusing[i].hook);
		policy_use(f, p, q);
		assert_string_equal(refusing[i].ask(f), "reject 1 @q.lua:2 refused by policy q "
							"(q.lua:2): q says no");
		assert_string_equal(f->log, "policy p: p is asked\n");
	}
}

/* ---- what is read */

static void test_peer(void **state)
{
	struct fixture *f = *state;

	use(f, "'reject'", "peer_accept",
	    "assert(b == nil and a.transport == 'vsock' and a.cid == 42 and a.uid == nil)\n"
	    "assert(a.listener == nil and a.addr == nil)");
	assert_string_equal(ask_peer(f), "pass");
	use(f, "'reject'", "peer_accept", "return a.id");
	assert_non_null(strstr(ask_peer(f), "peer has no field \"id\"; it has: addr, cid, gid, "));
	use(f, "'reject'", "peer_accept", "a.cid = 1");
	assert_non_null(strstr(ask_peer(f), "peer is read-only"));
}

static void test_resource(void **state)
{
	struct fixture *f = *state;
	struct policy_resource nothing = { .id = 12, .bytes = SIZE_MAX };
	struct policy_decision decision;

	use(f, "'reject'", "resource_admit",
	    "assert(a.id == 7 and a.peer.uid == 1000)\n"
	    "assert(b.type == 'model' and b.bytes == 4096 and b.id == nil and b.digest == nil)\n"
	    "assert(#b.names == 2 and b.names[1] == 'net.pt' and b.names[2] == 'labels.txt')\n"
	    "b.names[1] = 'mine'");
	assert_string_equal(ask_resource(f), "pass");
	assert_string_equal(ask_resource(f), "pass");
	use(f, "'reject'", "resource_admit",
	    "assert(b.id == 12 and b.type == nil and b.bytes == nil and #b.names == 0)");
	policy_resource_admit(f->engine, f->session, &nothing, &decision);
	assert_string_equal(policy_describe(&decision), "pass");
	use(f, "'reject'", "resource_admit", "return b.name");
	assert_non_null(strstr(ask_resource(f), "resource has no field \"name\"; it has: bytes, "
						"digest, id, names, type"));
	use(f, "'reject'", "resource_admit", "b.type = 'data'");
	assert_non_null(strstr(ask_resource(f), "resource is read-only"));
}

/* What a peer makes too large for scripts is an error, and never an overrun, which would count. */
static void test_many_names(void **state)
{
	static const char *names[1025];
	static char name[1026];
	struct fixture *f = *state;

	memset(name, 'x', sizeof(name) - 1);
	for (size_t i = 0; i < COUNT(names); i++)
		names[i] = name + 1;
	use(f, "'reject'", "resource_admit", "assert(#b.names[#b.names] == 1024)");
	assert_string_equal(ask_about(f, names, 1024), "pass");
	for (int n = 0; n < 4; n++)
		assert_non_null(
			strstr(ask_about(f, names, 1025),
			       "the resource has 1025 files; scripts are shown 1024 at most"));
	names[3] = name;
	for (int n = 0; n < 4; n++)
		assert_non_null(
			strstr(ask_about(f, names, 4),
			       "a file of the resource has a name of more than 1024 bytes"));
	assert_null(strstr(f->log, "set aside"));
}

static void test_backend_state(void **state)
{
	struct fixture *f = *state;

	use(f, "'reject'", "backend_state", "log(type(b), tostring(b), a.name) return reject 'x'");
	policy_backend_state(f->engine, "cpu", true);
	policy_backend_state(f->engine, "noop", false);
	policy_backend_state(f->engine, "stranger", true); /* no script knows it */
	assert_string_equal(f->log, "policy p: boolean true cpu\npolicy p: boolean false noop\n");
	policy_activate(f->engine, NULL);
	policy_backend_state(f->engine, "cpu", true);
}

/* ---- harm */

static const struct {
	const char *body, *error;
} harm[] = {
	{ "while true do end", "ran longer than 20 ms" },
	{ "while true do pcall(function() while true do end end) end", "ran longer than 20 ms" },
	{ "local t = {} while true do t[#t + 1] = ('x'):rep(60000) .. #t end", NULL },
	{ "error(setmetatable({}, { __tostring = function() error 'again' end }))",
	  "the error is a table value" },
	{ "error(setmetatable({}, { __tostring = function() while true do end end }))",
	  "the error is a table value" },
	{ "local function f() return 1 + f() end f()", "stack overflow" },
	{ "coroutine.yield()", "attempt to yield" },
};

static void test_harm(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(refusing); i++)
		for (size_t j = 0; j < COUNT(harm); j++) {
			const char *said;

			use(f, "'allow'", refusing[i].hook, harm[j].body);
			assert_string_equal(refusing[i].ask(f), "pass");
			assert_non_null(strstr(f->log, refusing[i].hook));
			use(f, "{ default = 'cpu' }", refusing[i].hook, harm[j].body);
			assert_string_equal(refusing[i].ask(f), "pass");
			use(f, "'reject'", refusing[i].hook, harm[j].body);
			said = refusing[i].ask(f);
			assert_non_null(strstr(said, "reject 1 @p.lua:"));
			assert_non_null(strstr(said, " failed: "));
			if (harm[j].error)
				assert_non_null(strstr(said, harm[j].error));
		}
	for (size_t j = 0; j < COUNT(harm); j++) {
		use(f, "'reject'", "backend_state", harm[j].body);
		policy_backend_state(f->engine, "cpu", true);
		assert_non_null(strstr(f->log, "policy p (p.lua:6): backend_state failed: "));
		assert_non_null(strstr(f->log, harm[j].error ? harm[j].error : ""));
	}
	policy_activate(f->engine, NULL);
	assert_true(policy_engine_memory(f->engine) < 1 << 20);
}

/* Three overruns, and on_error answers without the script. */
static void test_set_aside(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(refusing); i++) {
		use(f, "'reject'", refusing[i].hook, "while true do end");
		for (int n = 0; n < 3; n++)
			assert_non_null(strstr(refusing[i].ask(f), "ran longer than 20 ms"));
		assert_non_null(strstr(refusing[i].ask(f), "set aside after three overruns"));
		assert_non_null(strstr(f->log, "three overruns; its on_error answers\n"));
	}
	use(f, "'reject'", "backend_state", "while true do end");
	for (int n = 0; n < 4; n++)
		policy_backend_state(f->engine, "cpu", true);
	assert_non_null(strstr(f->log, "backend_state is set aside for 10 s after three "
				       "overruns\n"));
}

/* ---- in an application */

/* What is an agent's only is left out, and a line says so. */
static void test_application(void **state)
{
	struct fixture *f = *state;
	struct policy_engine_options options = { .log = policy_take_line,
						 .ctx = f,
						 .application = true };
	const char *paths[] = { policy_path(f, SCRIPT_P) };
	struct policy_engine *agents = f->engine;
	struct policy_generation *generation;

	policy_write(f, SCRIPT_P,
		     "policy { name = 'p', api = 1, on_error = 'reject',\n"
		     "peer_accept = function() return reject 'no' end,\n"
		     "backend_state = function() log 'called' end }\n");
	assert_int_equal(policy_engine_new(&options, &f->engine, f->err, sizeof(f->err)), 0);
	assert_int_equal(
		policy_load(f->engine, paths, 1, NULL, 0, &generation, f->err, sizeof(f->err)), 0);
	policy_activate(f->engine, generation);
	assert_string_equal(f->log, "policy p: peer_accept is an agent's hook; an application "
				    "never calls it\n"
				    "policy p: backend_state is an agent's hook; an application "
				    "never calls it\n");
	policy_backend_state(f->engine, "noop", true);
	assert_null(strstr(f->log, "called"));
	assert_string_equal(ask_peer(f), "pass");
	policy_engine_free(f->engine);
	f->engine = agents;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_several, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_peer, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_resource, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_many_names, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_backend_state, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_harm, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_set_aside, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_application, policy_setup, policy_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
