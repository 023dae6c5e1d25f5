/*
 * policy_tags.c - objects whose key is a tag: what scripts write reaches them, sessions and reloads
 * come and go, and what runs is counted where its session is.
 */
#include "policy_support.h"
#include "registry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Operations of these names write the tag; what is written last line by line is admitted. */
#define BY_TAG(object)                                                                             \
	"local held = " object "\n"                                                                \
	"local values = { a = 'a', b = 'b', one = 1, text = '1', yes = true, no = false,\n"        \
	"  zero = 0, minus = -0, empty = '', inf = math.huge, nan = 0/0, }\n"                      \
	"policy { name = 'p', api = 1, on_error = 'allow', op_admit = function (op)\n"             \
	"  if op.name ~= 'ask' then op.session.tags.tenant = values[op.name] return end\n"         \
	"  return held:ask() end }\n"

#define QUOTA BY_TAG("quota { rate = 0.001, burst = 1, key = 'tag:tenant' }")
#define FEW   BY_TAG("concurrency { limit = 2, key = 'tag:tenant', name = 'few' }")

static struct policy_session *session_of(struct fixture *f, int64_t id)
{
	const struct policy_peer peer = { .transport = "unix" };
	struct policy_session *session;

	assert_int_equal(policy_session_new(f->engine, id, 0, &peer, &session), 0);
	return session;
}

static bool admits(struct fixture *f, struct policy_session *session, const char *name)
{
	const struct policy_op op = { .name = name, .id = 1 };
	struct policy_decision decision;

	policy_op_admit(f->engine, session, &op, &decision);
	assert_string_equal(f->log, "");
	return decision.verdict == POLICY_PASS;
}

/* Write the tag; nil for a name that the script does not know. */
static void tag(struct fixture *f, struct policy_session *session, const char *value)
{
	assert_true(admits(f, session, value));
}

static bool begins(struct fixture *f, struct policy_session *session)
{
	const bool admitted = admits(f, session, "ask");

	if (admitted)
		policy_session_begins(session);
	return admitted;
}

static void a_quota_is_each_values(void **state)
{
	struct fixture *f = *state;
	struct policy_session *other = session_of(f, 8);

	policy_use(f, QUOTA, NULL);
	assert_true(admits(f, f->session, "ask"));
	assert_false(admits(f, other, "ask")); /* who has none: one for all of them */
	for (int i = 0; i < 2; i++) {
		static const char *const values[] = { "a",  "b",    "one",   "text", "yes",
						      "no", "zero", "empty", "inf",  "nan" };

		for (size_t k = 0; k < COUNT(values); k++) {
			tag(f, f->session, values[k]);
			assert_int_equal(admits(f, f->session, "ask"), i == 0);
			tag(f, other, values[k]);
			assert_false(admits(f, other, "ask"));
		}
	}
	tag(f, other, "minus"); /* the same as 0 */
	assert_false(admits(f, other, "ask"));
	tag(f, other, "none");
	assert_false(admits(f, other, "ask"));
	policy_session_free(f->engine, other);
}

static void it_names_the_tag(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   POLICY("'allow'", "op_admit = quota { rate = 0.001, burst = 1, "
				     "key = 'tag:tenant' }\n"),
		   NULL);
	policy_admit(f, "noop", 1);
	assert_string_equal(policy_admit(f, "noop", 1),
			    "reject 11 @p.lua:6 refused by policy p (p.lua:6): over quota: at most "
			    "0.001 a second for each tenant, 1 at once");
}

static void sessions_of_one_value_begin_together(void **state)
{
	struct policy_session *sessions[64];
	char first[64][64];
	struct fixture *f = *state;
	bool differ = false;

	policy_use(
		f,
		"policy { name = 'q', api = 1, on_error = 'reject', session_route =\n"
		"function (s) s.tags.tenant = s.id % 8 end }\n",
		POLICY("'reject'", "session_route = hash { 'cpu', 'test', key = 'tag:tenant' }\n"));
	for (int i = 0; i < 64; i++) {
		struct policy_decision decision;

		sessions[i] = session_of(f, i + 8);
		policy_session_route(f->engine, sessions[i], &decision);
		assert_int_equal(decision.verdict, POLICY_ROUTE);
		snprintf(first[i], sizeof(first[i]), "%s", decision.backends[0]);
		assert_string_equal(first[i], first[i % 8]);
		differ = differ || strcmp(first[i], first[0]) != 0;
	}
	assert_true(differ);
	for (int i = 0; i < 64; i++)
		policy_session_free(f->engine, sessions[i]);
}

/* Nobody looked at the tag when it was written. */
static void a_script_that_comes_later_knows_tags(void **state)
{
	struct fixture *f = *state;
	struct policy_session *a = session_of(f, 8), *b = session_of(f, 9), *c;

	policy_use(f, BY_TAG("{ ask = function () end }"), NULL);
	tag(f, a, "a");
	tag(f, b, "b");
	for (int i = 0; i < 3; i++)
		policy_session_begins(a);
	policy_session_begins(b);
	policy_use(f, FEW, NULL);
	assert_false(begins(f, a));
	assert_true(begins(f, b));
	assert_false(begins(f, b));
	assert_true(begins(f, f->session)); /* has none */
	c = session_of(f, 10);		    /* and this one comes later still */
	assert_true(begins(f, c));
	assert_false(begins(f, c));
	/* Written while nobody looks, and then somebody does again. */
	policy_use(f, BY_TAG("{ ask = function () end }"), NULL);
	tag(f, a, "b");
	tag(f, b, "a");
	policy_use(f, FEW, NULL);
	assert_false(begins(f, a));
	policy_session_ended(a);
	policy_session_ended(a);
	assert_true(begins(f, a));
	assert_false(begins(f, b));
	policy_session_free(f->engine, a);
	policy_session_free(f->engine, b);
	policy_session_free(f->engine, c);
}

/* Against a count of our own: sessions that begin, end, change their tag and go in any order. */
static void what_runs_is_counted_where_its_session_is(void **state)
{
	enum { SESSIONS = 12, VALUES = 3, LIMIT = 2 };
	static const char *const values[VALUES] = { "a", "b", "none" };
	struct policy_session *sessions[SESSIONS] = { NULL };
	int value[SESSIONS], running[SESSIONS];
	struct fixture *f = *state;
	unsigned random = 1;
	bool refused = false;

	policy_use(f, FEW, NULL);
	for (int step = 0; step < 5000; step++) {
		int i, all = 0;

		random = random * 1103515245 + 12345;
		i = (int)(random >> 16) % SESSIONS;
		if (!sessions[i]) {
			sessions[i] = session_of(f, i + 8);
			value[i] = 2;
			running[i] = 0;
		}
		switch (random >> 28) {
		case 0:
			policy_session_free(f->engine, sessions[i]);
			sessions[i] = NULL;
			continue;
		case 1:
		case 2:
		case 3:
		case 4:
			value[i] = (int)(random >> 20 & 0xff) % VALUES;
			tag(f, sessions[i], values[value[i]]);
			continue;
		case 5:
		case 6:
		case 7:
			if (running[i]) {
				policy_session_ended(sessions[i]);
				running[i]--;
			}
			continue;
		default:
			break;
		}
		for (int k = 0; k < SESSIONS; k++)
			all += sessions[k] && value[k] == value[i] ? running[k] : 0;
		assert_int_equal(begins(f, sessions[i]), all < LIMIT);
		running[i] += all < LIMIT;
		refused = refused || all >= LIMIT;
		if (step % 500 == 0)
			policy_use(f, FEW, NULL);
	}
	assert_true(refused);
	for (int i = 0; i < SESSIONS; i++)
		policy_session_free(f->engine, sessions[i]);
}

struct runner {
	struct policy_session *session;
	atomic_bool stop;
};

static void *run_operations(void *arg)
{
	struct runner *runner = arg;

	while (!atomic_load(&runner->stop)) {
		policy_session_begins(runner->session);
		policy_session_ended(runner->session);
	}
	return NULL;
}

static void other_threads_count_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct policy_session *same = session_of(f, 8);
	struct runner runner = { .session = f->session };
	pthread_t threads[2];

	policy_use(f, FEW, NULL);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_operations, &runner), 0);
	for (int i = 0; i < 500; i++)
		tag(f, f->session, i % 2 ? "a" : "b");
	atomic_store(&runner.stop, true);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	/* Nothing runs, in either. */
	for (int i = 0; i < 2; i++) {
		tag(f, same, i ? "a" : "b");
		for (int k = 0; k < 2; k++)
			assert_true(begins(f, same));
		assert_false(begins(f, same));
		for (int k = 0; k < 2; k++)
			policy_session_ended(same);
	}
	policy_session_free(f->engine, same);
}

static void a_session_that_has_gone_can_be_written(void **state)
{
	struct fixture *f = *state;
	struct policy_session *gone = session_of(f, 8);

	policy_use(f,
		   "local few = quota { rate = 1, burst = 1, key = 'tag:tenant' }\n"
		   "local kept\n"
		   "policy { name = 'p', api = 1, on_error = 'reject', op_admit = function (op)\n"
		   "kept = kept or op.session kept.tags.tenant = op.name end }\n",
		   NULL);
	assert_true(admits(f, gone, "a"));
	policy_session_free(f->engine, gone);
	assert_true(admits(f, f->session, "b"));
}

/* Eight in scripts that are loaded together, and no load that is refused keeps one. */
static void so_many_tags_and_no_more(void **state)
{
	struct policy_generation *generation;
	struct fixture *f = *state;
	char text[400];

	for (int i = 0; i < 60; i++) {
		snprintf(text, sizeof(text),
			 "for i = 1, 8 do\n"
			 "quota { rate = 1, burst = 1, key = 'tag:t' .. i + %d }\n"
			 "quota { rate = 1, burst = 1, key = 'tag:t' .. i + %d }\n"
			 "end\n"
			 "%s\n"
			 "policy { name = 'p', api = 1, on_error = 'reject' }\n",
			 i, i, i % 3 ? "error 'no'" : "");
		if (i % 3)
			assert_int_equal(policy_try(f, text, NULL, &generation), -1);
		else
			policy_use(f, text, NULL);
	}
	policy_fails_to_load(
		f, "for i = 1, 9 do quota { rate = 1, burst = 1, key = 'tag:t' .. i } end",
		"p.lua:1: tag:t9: more than 8 tags are keys of objects");
	policy_activate(f->engine, NULL);
	for (int i = 0; i < TAG_SLOTS; i++)
		assert_int_equal(f->engine->tags[i].uses, 0);
}

/* A generation that is not in force yet is told of what is written, too. */
static void tags_are_written_between_load_and_activation(void **state)
{
	struct policy_generation *generation;
	struct fixture *f = *state;
	struct policy_session *a = session_of(f, 8);

	policy_use(f, BY_TAG("{ ask = function () end }"), NULL);
	assert_int_equal(policy_try(f, FEW, NULL, &generation), 0);
	tag(f, a, "a");
	policy_session_begins(a);
	policy_session_begins(a);
	policy_activate(f->engine, generation);
	assert_false(begins(f, a));
	assert_true(begins(f, f->session));
	policy_session_free(f->engine, a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(a_quota_is_each_values),
		POLICY_TEST(it_names_the_tag),
		POLICY_TEST(sessions_of_one_value_begin_together),
		POLICY_TEST(a_script_that_comes_later_knows_tags),
		POLICY_TEST(what_runs_is_counted_where_its_session_is),
		POLICY_TEST(other_threads_count_meanwhile),
		POLICY_TEST(a_session_that_has_gone_can_be_written),
		POLICY_TEST(so_many_tags_and_no_more),
		POLICY_TEST(tags_are_written_between_load_and_activation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
