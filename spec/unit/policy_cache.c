/*
 * policy_cache.c - cache { } as routes name it: what decisions say of it, and how long it lives.
 */
#include "policy_support.h"
#include "registry.h"

#include <string.h>

static struct policy_answers answers_of(struct fixture *f)
{
	struct policy_decision decision;

	policy_session_route(f->engine, f->session, &decision);
	return decision.answers;
}

static void a_route_says_which_and_how(void **state)
{
	struct fixture *f = *state;
	struct policy_answers answers;

	policy_use(f,
		   "backends { cpu = plugin 'torch' }\n"
		   "local few = cache { bytes = 1e6, ttl = 2.5, key = 'uid' }\n"
		   "local one, other = route { 'cpu', cache = few }, route 'cpu'\n"
		   "policy { name = 'p', api = 1, on_error = 'reject',\n"
		   "session_route = function (s) one, other = other, one return other end }\n",
		   NULL);
	answers = answers_of(f);
	assert_true(answers.id > 0);
	assert_int_equal(answers.bytes, 1000000);
	assert_true(answers.seconds > 2.4 && answers.seconds < 2.6);
	assert_int_equal(answers.by, KEY_UID);
	assert_true(policy_answers_live(f->engine, answers.id));
	assert_int_equal(answers_of(f).id, 0);
	assert_int_equal(answers_of(f).id, answers.id);
}

static void the_first_plan_is_the_one_that_counts(void **state)
{
	struct fixture *f = *state;

	policy_use(f, POLICY("'reject'", "session_route = function () return route 'cpu' end\n"),
		   "local kept = cache { bytes = 1e6 }\n"
		   "policy { name = 'q', api = 1, on_error = 'reject',\n"
		   "session_route = function () return route { 'cpu', cache = kept } end }\n");
	assert_int_equal(answers_of(f).id, 0);
}

static void a_remembered_plan_has_it_too(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	policy_use(
		f,
		"backends { cpu = plugin 'torch' }\n"
		"local kept, asked = cache { bytes = 1e6 }, 0\n"
		"policy { name = 'p', api = 1, on_error = 'reject', session_route = function ()\n"
		"  asked = asked + 1 assert(asked == 1)\n"
		"  return route { 'cpu', cache = kept, sticky = true } end }\n",
		NULL);
	id = answers_of(f).id;
	assert_true(id > 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(answers_of(f).id, id);
}

#define KEPT(options)                                                                              \
	"backends { cpu = plugin 'torch' }\n"                                                      \
	"local plan = route { 'cpu', cache = cache { " options " } }\n"                            \
	"policy { name = 'p', api = 1, on_error = 'reject',\n"                                     \
	"session_route = function () return plan end }\n"

static uint64_t after(struct fixture *f, const char *text)
{
	policy_use(f, text, NULL);
	return answers_of(f).id;
}

static void with_a_name_it_outlives_a_reload(void **state)
{
	struct fixture *f = *state;
	const uint64_t id = after(f, KEPT("bytes = 1e6, name = 'kept'"));
	uint64_t other;

	assert_int_equal(after(f, KEPT("bytes = 2e6, ttl = 5, name = 'kept'")), id);
	assert_int_equal(answers_of(f).bytes, 2000000);
	other = after(f, KEPT("bytes = 1e6, name = 'kept', key = 'uid'")); /* kept apart now */
	assert_int_not_equal(other, id);
	assert_false(policy_answers_live(f->engine, id));
	assert_true(policy_answers_live(f->engine, other));
	policy_use(f, POLICY("'allow'", ""), NULL);
	assert_false(policy_answers_live(f->engine, other));
	assert_int_not_equal(after(f, KEPT("bytes = 1e6, name = 'kept', key = 'uid'")), other);
}

static void without_one_it_goes_with_its_scripts(void **state)
{
	struct fixture *f = *state;
	const uint64_t id = after(f, KEPT("bytes = 1e6"));

	assert_int_not_equal(after(f, KEPT("bytes = 1e6")), id);
	assert_false(policy_answers_live(f->engine, id));
	policy_activate(f->engine, NULL);
	assert_false(policy_answers_live(f->engine, id));
}

static void keys_tell_who_shares(void **state)
{
	struct fixture *f = *state;
	const struct policy_peer near = { .transport = "tcp", .addr = "10.0.0.1" };
	const struct policy_peer far = { .transport = "tcp", .addr = "10.0.0.2" };
	struct policy_session *one, *other;
	char a[256], b[256];

	assert_int_equal(policy_session_new(f->engine, 8, 0, &near, &one), 0);
	assert_int_equal(policy_session_new(f->engine, 9, 0, &far, &other), 0);
	for (int by = 0; by < NR_KEYS; by++) {
		policy_answers_key(one, by, a, sizeof(a));
		policy_answers_key(other, by, b, sizeof(b));
		assert_int_equal(strcmp(a, b) != 0, by == KEY_SESSION || by == KEY_ADDR);
		if (by == KEY_ADDR)
			assert_non_null(strstr(a, "10.0.0.1"));
	}
	policy_session_free(f->engine, one);
	policy_session_free(f->engine, other);
}

static void what_is_wrong_is_said(void **state)
{
	struct fixture *f = *state;

	policy_fails_to_load(f, "cache { }", "p.lua:1: cache needs the option bytes");
	policy_fails_to_load(f, "cache { bytes = 1 }",
			     "p.lua:1: cache: bytes must be a number from 10000 to 1e+12");
	policy_fails_to_load(
		f, "cache { bytes = 1e6, rate = 1 }",
		"p.lua:1: cache has no option \"rate\"; it has: bytes, ttl, key, name");
	policy_fails_to_load(f, "route { 'noop', cache = 1e6 }",
			     "p.lua:1: route: cache is a number; it must be what cache { } made");
	policy_fails_to_load(f, "route { 'noop', cache = quota { rate = 1, burst = 1 } }",
			     "p.lua:1: route: cache is a quota; it must be what cache { } made");
	policy_fails_to_load(f,
			     "policy { name = 'p', api = 1, on_error = 'allow',\n"
			     "session_route = cache { bytes = 1e6 } }",
			     "p.lua:1: session_route cannot be a cache, which is for routes: "
			     "route { ..., cache = it }");
	policy_use(f,
		   "local kept = cache { bytes = 1e6 }\n"
		   "policy { name = 'p', api = 1, on_error = 'reject',\n"
		   "session_route = function () return kept:ask() end }\n",
		   NULL);
	assert_non_null(strstr(policy_route(f), "cache cannot be asked: it is for routes, "
						"route { ..., cache = it }"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(a_route_says_which_and_how),
		POLICY_TEST(the_first_plan_is_the_one_that_counts),
		POLICY_TEST(a_remembered_plan_has_it_too),
		POLICY_TEST(with_a_name_it_outlives_a_reload),
		POLICY_TEST(without_one_it_goes_with_its_scripts),
		POLICY_TEST(keys_tell_who_shares),
		POLICY_TEST(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
