/*
 * policy_first.c - scripts/policies/first.lua does what its comments say.
 */
#include "policy_support.h"

#include <string.h>

static void use_first(struct fixture *f)
{
	const char *paths[] = { POLICY_SCRIPTS "/first.lua" };
	struct policy_generation *generation;

	if (policy_load(f->engine, paths, 1, NULL, 0, &generation, f->err, sizeof(f->err)))
		fail_msg("%s", f->err);
	policy_activate(f->engine, generation);
}

/* A peer, and the backends that it gets, or the reason why it gets none. */
static const struct {
	struct policy_peer peer;
	size_t nr;
	const char *backends[2];
	int code;
	const char *reason;
} routes[] = {
	{ { .transport = "unix", .has_credentials = true, .uid = 0 }, 2, { "cpu", "test" }, 0, "" },
	{ { .transport = "unix", .has_credentials = true, .uid = 1000 },
	  2,
	  { "cpu", "test" },
	  0,
	  "" },
	{ { .transport = "unix", .has_credentials = true, .uid = 33 }, 1, { "test" }, 0, "" },
	{ { .transport = "vsock", .has_cid = true, .cid = 42 }, 2, { "cpu", "test" }, 0, "" },
	{ { .transport = "vsock", .has_cid = true, .cid = 5 },
	  0,
	  { NULL },
	  1,
	  "guest 5 is not on the list" },
	{ { .transport = "tcp", .addr = "10.0.0.2" }, 0, { NULL }, 13, "no network clients here" },
};

static void test_routes(void **state)
{
	struct fixture *f = *state;

	use_first(f);
	for (size_t i = 0; i < COUNT(routes); i++) {
		struct policy_session *session;
		struct policy_decision d;

		assert_int_equal(policy_session_new(f->engine, 1, 0, &routes[i].peer, &session), 0);
		policy_session_route(f->engine, session, &d);
		assert_int_equal(d.verdict, routes[i].nr ? POLICY_ROUTE : POLICY_REJECT);
		assert_int_equal(d.nr_backends, routes[i].nr);
		for (size_t k = 0; k < routes[i].nr; k++)
			assert_string_equal(d.backends[k], routes[i].backends[k]);
		assert_int_equal(d.code, routes[i].code);
		assert_non_null(strstr(d.text, routes[i].reason));
		policy_session_free(f->engine, session);
	}
}

static void test_operations(void **state)
{
	struct fixture *f = *state;

	use_first(f);
	assert_string_equal(policy_admit(f, "image_classify", 16 << 20), "pass");
	assert_non_null(strstr(policy_admit(f, "image_classify", (16 << 20) + 1),
			       "image_classify with 16777217 bytes; at most 16777216"));
	assert_string_equal(policy_admit(f, "torch_model_run", 64 << 20), "pass");
	assert_string_equal(policy_admit(f, "torch_model_load", 1), "pass");
	policy_done(f, "noop", 0);
	assert_string_equal(f->log, "");
	policy_done(f, "noop", 5);
	assert_string_equal(f->log, "policy first: session 7 noop on test failed with 5\n");
}

/* Who is on no list may have images looked at, and load no models. */
static void test_models_of_others(void **state)
{
	const struct policy_peer other = { .transport = "unix",
					   .has_credentials = true,
					   .uid = 33 };
	struct fixture *f = *state;
	struct policy_session *listed = f->session;

	use_first(f);
	assert_int_equal(policy_session_new(f->engine, 8, 0, &other, &f->session), 0);
	assert_string_equal(policy_admit(f, "image_classify", 1), "pass");
	assert_non_null(strstr(policy_admit(f, "torch_model_load", 1), "no models of your own"));
	policy_session_free(f->engine, f->session);
	f->session = listed;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_routes, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_operations, policy_setup, policy_teardown),
		cmocka_unit_test_setup_teardown(test_models_of_others, policy_setup,
						policy_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
