/*
 * policy_backends.c - what scripts see of backends, and what a session and an operation tell.
 */
#include "policy_support.h"

#include <stdio.h>
#include <string.h>

/* What an expression gives in a session_route: its text, or how the hook failed. */
static const char *evaluate(struct fixture *f, const char *expression)
{
	static const char before[] = "refused by policy p (p.lua:6): ";
	char script[1024];
	const char *said;

	snprintf(script, sizeof(script),
		 POLICY("'reject'", "session_route = function(s) local b = backends.cpu "
				    "local r = tostring(%s) return reject(r) end\n"),
		 expression);
	policy_use(f, script, NULL);
	said = strstr(policy_route(f), before);
	return said ? said + strlen(before) : "?";
}

static void fields_are_what_is_known_at_that_moment(void **state)
{
	struct fixture *f = *state;

	f->cpu = (struct policy_backend_view){
		.up = true,
		.inflight = 3,
		.operations = 100,
		.errors = 7,
		.has_latency = true,
		.p50_us = 250,
		.p99_us = 9000,
	};
	assert_string_equal(evaluate(f, "b.name"), "cpu");
	assert_string_equal(evaluate(f, "b.up"), "true");
	assert_string_equal(evaluate(f, "b.inflight"), "3");
	assert_string_equal(evaluate(f, "b.operations"), "100");
	assert_string_equal(evaluate(f, "b.errors"), "7");
	assert_string_equal(evaluate(f, "b.p50_us"), "250");
	assert_string_equal(evaluate(f, "b.p99_us"), "9000");
	assert_string_equal(evaluate(f, "b == backends['c' .. 'pu']"), "true");
	assert_string_equal(evaluate(f, "b ~= backends.test"), "true");
}

/* The same table, without a new look at the script. */
static void what_a_script_keeps_does_not_age(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'reject'", "session_route = function(s) kept = kept or backends.cpu\n"
				      " return reject(tostring(kept.up) .. kept.inflight) end\n"),
		   NULL);
	f->cpu = (struct policy_backend_view){ .up = true, .inflight = 1 };
	assert_string_equal(policy_route(f),
			    "reject 1 @p.lua:7 refused by policy p (p.lua:7): true1");
	f->cpu = (struct policy_backend_view){ .up = false, .inflight = 9 };
	assert_string_equal(policy_route(f),
			    "reject 1 @p.lua:7 refused by policy p (p.lua:7): false9");
}

static void what_is_not_known_is_nil(void **state)
{
	struct fixture *f = *state;

	f->cpu = (struct policy_backend_view){ .up = true };
	assert_string_equal(evaluate(f, "b.p50_us"), "nil");
	assert_string_equal(evaluate(f, "b.p99_us"), "nil");
	assert_string_equal(evaluate(f, "backends.noop.up"), "nil");
	assert_string_equal(evaluate(f, "backends.noop.inflight"), "nil");
	assert_string_equal(evaluate(f, "backends.noop.errors"), "nil");
	assert_string_equal(evaluate(f, "backends.noop.supports 'noop'"), "nil");
}

static void supports_knows_operations_by_name(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(evaluate(f, "b.supports('noop')"), "true");
	assert_string_equal(evaluate(f, "b.supports('exec')"), "false");
	assert_string_equal(evaluate(f, "b.supports('sing')"),
			    "session_route failed: supports: there is no operation \"sing\"; one "
			    "is \"image_classify\"");
	assert_string_equal(evaluate(f, "b.supports(5)"),
			    "session_route failed: supports takes an operation's name "
			    "(\"image_classify\"), got a number");
	assert_string_equal(evaluate(f, "b:supports('noop')"),
			    "session_route failed: supports takes an operation's name "
			    "(\"image_classify\"), got a userdata");
}

static void what_is_not_there_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(evaluate(f, "backends['g' .. 'pu']"),
			    "session_route failed: backends has no \"gpu\"; declared: cpu, test, "
			    "noop");
	assert_string_equal(evaluate(f, "backends[5]"),
			    "session_route failed: backends has no \"number\"; declared: cpu, "
			    "test, noop");
	assert_string_equal(
		evaluate(f, "b.load"),
		"session_route failed: a backend has no field \"load\"; it has: errors, "
		"inflight, name, operations, p50_us, p99_us, state, supports, up");
	assert_string_equal(
		evaluate(f, "b[{}]"),
		"session_route failed: a backend has no field \"table\"; it has: "
		"errors, inflight, name, operations, p50_us, p99_us, state, supports, up");
	assert_string_equal(evaluate(f, "(function() b.up = false end)()"),
			    "session_route failed: backend cpu is read-only");
	assert_string_equal(evaluate(f, "(function() backends.cpu = b end)()"),
			    "session_route failed: backends is read-only; backends { NAME = ... } "
			    "declares one");
	assert_string_equal(evaluate(f, "backends { x = 5 }"),
			    "session_route failed: backends can only be used while the script is "
			    "loaded");
	assert_string_equal(evaluate(f, "getmetatable(b)"), "false");
}

static void reading_costs_no_memory(void **state)
{
	struct fixture *f = *state;
	size_t before;

	policy_use(
		f,
		POLICY("'reject'",
		       "session_route = function(s)\n"
		       " for i = 1, 1000 do local b = backends.cpu local _ = b.up, b.inflight end\n"
		       " end\n"),
		NULL);
	assert_string_equal(policy_route(f), "pass");
	before = policy_engine_memory(f->engine);
	assert_string_equal(policy_route(f), "pass");
	assert_in_range(policy_engine_memory(f->engine), 0, before + 4096);
}

/* ---- sessions */

static void a_session_knows_its_age_and_what_it_has_in_flight(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(evaluate(f, "s.inflight"), "0");
	policy_session_begins(f->session);
	policy_session_begins(f->session);
	assert_string_equal(evaluate(f, "s.inflight"), "2");
	policy_session_ended(f->session);
	assert_string_equal(evaluate(f, "s.inflight"), "1");
	policy_session_ended(f->session);
	assert_string_equal(evaluate(f, "s.age >= 0 and s.age < 600"), "true");
	assert_string_equal(evaluate(f, "(function() local a = s.age "
					"while s.age == a do end return s.age > a end)()"),
			    "true");
	assert_string_equal(evaluate(f, "(function() s.age = 1 end)()"),
			    "session_route failed: session is read-only; what a policy wants to "
			    "keep goes into session.tags");
}

/* What a script keeps of one that has gone can be read, and stands still. */
static void a_session_that_has_gone_can_be_kept(void **state)
{
	struct fixture *f = *state;
	struct policy_peer peer = { .transport = "unix" };
	struct policy_session *other;
	struct policy_decision decision;

	policy_use(
		f,
		POLICY("'reject'",
		       "session_route = function(s) if not kept then kept = s return end\n"
		       " local a = kept.age for i = 1, 1000 do local _ = s.age end\n"
		       " return reject(tostring(kept.age == a) .. kept.inflight .. kept.id) end\n"),
		NULL);
	assert_int_equal(policy_session_new(f->engine, 12, 0, &peer, &other), 0);
	policy_session_route(f->engine, other, &decision);
	policy_session_free(f->engine, other);
	assert_string_equal(policy_route(f),
			    "reject 1 @p.lua:8 refused by policy p (p.lua:8): true012");
}

/* ---- operations */

static const char *admit(struct fixture *f, const struct policy_op *op)
{
	static struct policy_decision decision;

	policy_use(
		f,
		POLICY("'reject'",
		       "op_admit = function(op) return reject(('%s %s %s'):format(\n"
		       "  tostring(op.deadline), tostring(op.attempt), tostring(op.idempotent)))\n"
		       " end\n"),
		NULL);
	policy_op_admit(f->engine, f->session, op, &decision);
	return strstr(decision.text, "): ") + 3;
}

static void an_operation_tells_its_deadline_its_attempt_and_if_it_may_be_repeated(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(admit(f, &(struct policy_op){ .name = "image_classify" }),
			    "nil 1 true");
	assert_string_equal(admit(f, &(struct policy_op){ .name = "exec",
							  .has_deadline = true,
							  .deadline = 1.5,
							  .retries = 2 }),
			    "1.5 3 false");
	assert_string_equal(admit(f, &(struct policy_op){ .name = "opencv", .has_deadline = true }),
			    "0 1 false");
	assert_string_equal(admit(f, &(struct policy_op){ .name = "exec_with_resource" }),
			    "nil 1 false");
	assert_string_equal(admit(f, &(struct policy_op){ .name = "torch_model_run" }),
			    "nil 1 true");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, policy_setup, policy_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fields_are_what_is_known_at_that_moment),
		TEST(what_a_script_keeps_does_not_age),
		TEST(what_is_not_known_is_nil),
		TEST(supports_knows_operations_by_name),
		TEST(what_is_not_there_is_an_error),
		TEST(reading_costs_no_memory),
		TEST(a_session_knows_its_age_and_what_it_has_in_flight),
		TEST(a_session_that_has_gone_can_be_kept),
		TEST(an_operation_tells_its_deadline_its_attempt_and_if_it_may_be_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
