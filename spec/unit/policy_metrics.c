/*
 * policy_metrics.c - metric { }: what scripts count and set, its labels, its bounds, and what a
 * reload keeps.
 */
#include "engine.h"
#include "metric.h"
#include "policy_support.h"

#include <stdio.h>
#include <string.h>

/* Each hook of p.lua runs `body` with op; m counts by two labels, g is a gauge without any. */
#define METRICS                                                                                    \
	"local m = metric { name = 'refused', help = 'What was refused.', kind = 'counter',\n"     \
	"  labels = { 'tenant', 'why' } }\n"                                                       \
	"local g = metric { name = 'level', help = 'How high it is.', kind = 'gauge' }\n"
#define RUNS(head, body)                                                                           \
	head "policy { name = 'p', api = 1, on_error = 'reject', op_admit = function (op)\n" body  \
	     "\nend }\n"

/* "refused{p,a,b}=2 level{p}=0", of what is active. */
static const char *all(struct fixture *f)
{
	const struct policy_generation *active = f->engine->active;
	static char text[4096];
	struct policy_metric metric;
	struct policy_sample sample;
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; policy_metric(active, i, &metric); i++)
		for (size_t k = 0; policy_sample(active, i, k, &sample); k++) {
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s{%s", n ? " " : "",
					      metric.name, metric.policy);
			for (size_t l = 0; l < metric.nr_labels; l++)
				n += (size_t)snprintf(text + n, sizeof(text) - n, ",%s",
						      sample.labels[l]);
			n += (size_t)snprintf(text + n, sizeof(text) - n, "}=%g", sample.value);
		}
	return text;
}

/* Run the body once in a script with the metrics. */
static const char *runs(struct fixture *f, const char *body)
{
	const char *said, *reason;
	char text[2000];

	snprintf(text, sizeof(text), RUNS(METRICS, "%s"), body);
	policy_use(f, text, NULL);
	said = policy_admit(f, "noop", 1);
	reason = strstr(said, "op_admit failed: ");
	return reason ? reason + strlen("op_admit failed: ") : said;
}

static void they_count(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(runs(f, ""), "pass");
	assert_string_equal(all(f), "level{p}=0");
	assert_string_equal(runs(f, "m:add(1, 'a', 'x') m:add(2.5, 'a', 'x') m:add(0, 'b', 'x')\n"
				    "g:set(7) g:add(-2)"),
			    "pass");
	assert_string_equal(all(f), "refused{p,a,x}=3.5 refused{p,b,x}=0 level{p}=5");
}

static void labels_are_texts(void **state)
{
	struct fixture *f = *state;

	runs(f, "m:add(1, 42, true) m:add(1, '42', 'true') m:add(1, nil, 0.5) m:add(1, '', -0)\n"
		"m:add(1, math.huge, -math.huge)");
	assert_string_equal(all(f), "refused{p,42,true}=2 refused{p,,0.5}=1 refused{p,,-0}=1 "
				    "refused{p,inf,-inf}=1 level{p}=0");
}

/* Whoever reads them wants UTF-8, and each series once. */
static void labels_are_utf8(void **state)
{
	static const struct {
		const char *lua, *label;
	} labels[] = {
		{ "'\"q\\\\uote\\nline'", "\"q\\uote\nline" },
		{ "'a\\0b\\1\\127\\r'", "a?b???" },
		{ "'\\195\\164\\226\\130\\172\\240\\159\\152\\128'",
		  "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "'\\255'", "?" },
		{ "'\\254'", "?" },
		{ "'\\192\\128'", "??" },	      /* overlong */
		{ "'\\224\\128\\128'", "???" },	      /* the same */
		{ "'\\237\\160\\128'", "???" },	      /* a surrogate */
		{ "'\\244\\144\\128\\128'", "????" }, /* beyond U+10FFFF */
		{ "'x\\195'", "x?" },		      /* cut */
		{ "('x'):rep(62) .. '\\195\\164'",
		  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" },
		{ "('x'):rep(60000)",
		  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" },
	};
	struct fixture *f = *state;
	char body[200], expected[300];

	for (size_t i = 0; i < COUNT(labels); i++) {
		snprintf(body, sizeof(body), "m:add(1, %s, 'x') m:add(1, %s, 'x')", labels[i].lua,
			 labels[i].lua);
		assert_string_equal(runs(f, body), "pass");
		snprintf(expected, sizeof(expected), "refused{p,%s,x}=2 level{p}=0",
			 labels[i].label);
		assert_string_equal(all(f), expected);
		policy_use(f, POLICY("'reject'", ""), NULL);
	}
	/* Two that look the same are one. */
	runs(f, "m:add(1, '\\255', 'x') m:add(1, '\\254', 'x') m:add(1, '?', 'x')");
	assert_string_equal(all(f), "refused{p,?,x}=3 level{p}=0");
}

/* More sets than there is room for are one together, and memory stays as it is. */
static void sets_are_bounded(void **state)
{
	static const char loop[] = "for i = 1, 300 do m:add(1, 'tenant' .. i, 'x') end\n";
	struct fixture *f = *state;
	struct policy_sample sample;
	size_t memory;

	assert_string_equal(runs(f, loop), "pass");
	assert_string_equal(runs(f, loop), "pass");
	for (size_t k = 0; k < METRIC_SETS_MAX; k++) {
		assert_true(policy_sample(f->engine->active, 0, k, &sample));
		assert_true(sample.value == 2);
	}
	assert_true(policy_sample(f->engine->active, 0, METRIC_SETS_MAX, &sample));
	assert_string_equal(sample.labels[0], "other");
	assert_string_equal(sample.labels[1], "other");
	assert_true(sample.value == 2 * (300 - METRIC_SETS_MAX));
	assert_false(policy_sample(f->engine->active, 0, METRIC_SETS_MAX + 1, &sample));
	runs(f, "if op.name == 'exec' then for i = 1, 300 do m:add(1, op.id .. i, i) end end");
	policy_collect(f->engine);
	memory = policy_engine_memory(f->engine);
	for (int i = 0; i < 100; i++)
		assert_string_equal(policy_admit(f, "exec", 1), "pass");
	policy_collect(f->engine);
	assert_in_range(policy_engine_memory(f->engine), 0, memory + 4096);
	policy_activate(f->engine, NULL);
	policy_collect(f->engine);
	assert_in_range(policy_engine_memory(f->engine), 0, memory - 12000);
}

static void a_reload_goes_on(void **state)
{
	struct policy_generation *generation;
	struct fixture *f = *state;

	runs(f, "m:add(1, 'a', 'x') g:set(3)");
	/* A load that is refused, and one that waits: neither loses anything. */
	assert_int_equal(policy_try(f, METRICS "error 'no'", NULL, &generation), -1);
	assert_int_equal(policy_try(f, RUNS(METRICS, "m:add(5, 'a', 'x')"), NULL, &generation), 0);
	policy_admit(f, "noop", 1);
	assert_string_equal(all(f), "refused{p,a,x}=2 level{p}=3");
	policy_activate(f->engine, generation);
	policy_admit(f, "noop", 1);
	assert_string_equal(all(f), "refused{p,a,x}=7 level{p}=3");
	/* Another script's of the same name is another. */
	policy_use(f, RUNS(METRICS, "m:add(1, 'a', 'x')"),
		   METRICS "policy { name = 'q', api = 1, on_error = 'reject',\n"
			   "session_route = function () m:add(1, 'b', 'x') g:set(9) end }\n");
	policy_admit(f, "noop", 1);
	policy_route(f);
	assert_string_equal(all(f), "refused{p,a,x}=8 level{p}=3 refused{q,b,x}=1 level{q}=9");
	/* Other labels, another kind: it begins anew. */
	policy_use(f,
		   RUNS("local m = metric { name = 'refused', help = 'h', kind = 'counter' }\n"
			"local g = metric { name = 'level', help = 'h', kind = 'counter' }\n",
			"m:add(1)"),
		   NULL);
	assert_string_equal(all(f), "refused{p}=0 level{p}=0");
}

/* Those that no script names go with their memory. */
static void what_is_gone_is_given_back(void **state)
{
	static const char many[] =
		"local all = {}\n"
		"for i = 1, 64 do all[i] = metric { name = 'm' .. i, help = 'h', kind = 'gauge',\n"
		"  labels = { 'a', 'b', 'c', 'd' } } end\n"
		"local n = 0\n"
		"policy { name = 'p', api = 1, on_error = 'reject', op_admit = function (op)\n"
		"n = n + 1\n"
		"local x = n .. ('x'):rep(100)\n"
		"for i = 1, 64 do all[i]:set(n, x, x, x, x) end end }\n";
	struct fixture *f = *state;
	size_t memory;

	policy_use(f, POLICY("'reject'", ""), NULL);
	policy_collect(f->engine);
	memory = policy_engine_memory(f->engine);
	policy_use(f, many, NULL);
	for (int i = 0; i < 300; i++)
		assert_string_equal(policy_admit(f, "noop", 1), "pass");
	policy_collect(f->engine);
	/* Full to the brim: what the reference says a script may have. */
	assert_in_range(policy_engine_memory(f->engine) - memory, 4 << 20, 5 << 20);
	policy_use(f, many, NULL);
	policy_collect(f->engine);
	assert_in_range(policy_engine_memory(f->engine) - memory, 4 << 20, 5 << 20);
	policy_use(f, POLICY("'reject'", ""), NULL);
	policy_collect(f->engine);
	assert_in_range(policy_engine_memory(f->engine), 0, memory + (64 << 10));
}

/* The memory of policies ends while labels are kept: an error, and nothing worse. */
static void memory_that_ends_is_an_error(void **state)
{
	struct fixture *f = *state;

	policy_use(f,
		   RUNS(METRICS, "local s, t = ('x'):rep(60000), {}\n"
				 "pcall(function () for i = 1, 1e6 do t[i] = s .. i end end)\n"
				 "for i = 1, 256 do m:add(1, i, s) end\n"),
		   NULL);
	assert_non_null(strstr(policy_admit(f, "noop", 1), "op_admit failed: "));
	policy_collect(f->engine);
	assert_string_equal(runs(f, "g:set(1)"), "pass");
}

/* Options, and why the script is not loaded. */
static const struct {
	const char *options, *error;
} refused[] = {
	{ "{ nam = 'a' }", "metric has no option \"nam\"; it has: name, help, kind, labels" },
	{ "{ 'a' }", "metric has no option \"?\"; it has: name, help, kind, labels" },
	{ "'a'", "metric takes one table: metric { ... }" },
	{ "(setmetatable({}, { __index = function () while true do end end }))",
	  "metric: a name has 1 to 63 letters, digits and '_', and does not begin with a digit" },
	{ "{ help = 'h', kind = 'gauge' }",
	  "metric: a name has 1 to 63 letters, digits and '_', and does not begin with a digit" },
	{ "{ name = 'a-b', help = 'h', kind = 'gauge' }",
	  "metric: a name has 1 to 63 letters, digits and '_', and does not begin with a digit" },
	{ "{ name = '1a', help = 'h', kind = 'gauge' }",
	  "metric: a name has 1 to 63 letters, digits and '_', and does not begin with a digit" },
	{ "{ name = 'a:b', help = 'h', kind = 'gauge' }",
	  "metric: a name has 1 to 63 letters, digits and '_', and does not begin with a digit" },
	{ "{ name = 'a\\0', help = 'h', kind = 'gauge' }",
	  "metric: a name has 1 to 63 letters, digits and '_', and does not begin with a digit" },
	{ "{ name = ('a'):rep(64), help = 'h', kind = 'gauge' }",
	  "metric: a name has 1 to 63 letters, digits and '_', and does not begin with a digit" },
	{ "{ name = 'a_total', help = 'h', kind = 'counter' }",
	  "metric a_total: \"_total\" is added to the names of counters" },
	{ "{ name = 'a', kind = 'gauge' }",
	  "metric a needs a help of 1 to 199 bytes: what the number means" },
	{ "{ name = 'a', help = ('h'):rep(200), kind = 'gauge' }",
	  "metric a needs a help of 1 to 199 bytes: what the number means" },
	{ "{ name = 'a', help = 'h' }", "metric a: kind must be one of \"counter\", \"gauge\"" },
	{ "{ name = 'a', help = 'h', kind = 'histogram' }",
	  "metric a: kind must be one of \"counter\", \"gauge\"" },
	{ "{ name = 'a', help = 'h', kind = 'gauge', labels = 'b' }",
	  "metric a: labels are a list of 1 to 4 names" },
	{ "{ name = 'a', help = 'h', kind = 'gauge', labels = {} }",
	  "metric a: labels are a list of 1 to 4 names" },
	{ "{ name = 'a', help = 'h', kind = 'gauge', labels = { 'b', x = 'c' } }",
	  "metric a: labels are a list of 1 to 4 names" },
	{ "{ name = 'a', help = 'h', kind = 'gauge', labels = { 'b', 'c', 'd', 'e', 'f' } }",
	  "metric a: labels are a list of 1 to 4 names" },
	{ "{ name = 'a', help = 'h', kind = 'gauge', labels = { 'b', 'b' } }",
	  "metric a names the label b twice" },
	{ "{ name = 'a', help = 'h', kind = 'gauge', labels = { 'policy' } }",
	  "metric a: every metric has the label policy already" },
	{ "{ name = 'a', help = 'h', kind = 'gauge', labels = { '__a' } }",
	  "metric a: a label has 1 to 63 letters, digits and '_', and begins with neither a digit "
	  "nor \"__\"" },
	{ "{ name = 'a', help = 'h', kind = 'gauge', labels = { 5 } }",
	  "metric a: a label has 1 to 63 letters, digits and '_', and begins with neither a digit "
	  "nor \"__\"" },
	{ "{ name = 'twice', help = 'h', kind = 'gauge' }",
	  "there is a metric of the name \"twice\" already" },
	{ "{ name = 'a', help = 'h', kind = 'gauge' }:set(1)",
	  "metric a can be changed in hooks and timers only: a script that is loaded may yet be "
	  "refused" },
	{ "{ name = 'a', help = 'h', kind = 'gauge' }\n"
	  "for i = 1, 63 do metric { name = 'n' .. i, help = 'h', kind = 'gauge' } end",
	  "metric n63: a script has 64 metrics at most" },
};

static void a_wrong_metric_is_not_loaded(void **state)
{
	struct policy_generation *generation;
	struct fixture *f = *state;
	char text[400];

	for (size_t i = 0; i < COUNT(refused); i++) {
		snprintf(text, sizeof(text),
			 "metric { name = 'twice', help = 'h', kind = 'gauge' } metric %s",
			 refused[i].options);
		assert_int_equal(policy_try(f, text, NULL, &generation), -1);
		assert_string_equal(strstr(f->err, ": ") + 2, refused[i].error);
	}
	assert_int_equal(
		policy_try(f, RUNS("metric { name = 'a', help = 'h', kind = 'gauge' }\n", ""),
			   "metric { name = 'a', help = 'h', kind = 'counter' }", &generation),
		-1);
	assert_string_equal(f->err, "q.lua:1: metric a is a gauge in policy p");
}

/* Bodies, and how the hook fails. */
static const struct {
	const char *body, *error;
} wrong[] = {
	{ "m:add(-1, 'a', 'b')", "metric refused only rises: it is a counter" },
	{ "g.set(m, 1, 'a', 'b')", "metric refused only rises: it is a counter" },
	{ "m:set(1, 'a', 'b')", "a metric that is a counter has no field \"set\"; it has: add" },
	{ "g:inc()", "a metric that is a gauge has no field \"inc\"; it has: add, set" },
	{ "m:add()", "metric refused takes a number that is finite, and then its labels" },
	{ "m:add('1', 'a', 'b')",
	  "metric refused takes a number that is finite, and then its labels" },
	{ "m:add(0/0, 'a', 'b')",
	  "metric refused takes a number that is finite, and then its labels" },
	{ "g:set(math.huge)", "metric level takes a number that is finite, and then its labels" },
	{ "g:set(1.7e308) g:add(1.7e308)", "metric level would not be finite any more" },
	{ "m:add(1, 'a')", "metric refused has 2 labels, and got 1" },
	{ "m:add(1, 'a', 'b', 'c')", "metric refused has 2 labels, and got 3" },
	{ "g:set(1, 'a')", "metric level has 0 labels, and got 1" },
	{ "m:add(1, {}, 'b')",
	  "metric refused: a label is a string, a number, a boolean or nil, not a table" },
	{ "m.add(1)", "a method of a metric is called with it: x:add(1)" },
	{ "m.add(reject 'no', 1)", "a method of a metric is called with it: x:add(1)" },
	{ "metric { name = 'x', help = 'h', kind = 'gauge' }",
	  "metric can only be made while the script is loaded" },
	{ "return getmetatable(m).__gc", "attempt to index a boolean value" },
};

static void what_is_wrong_is_said(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_string_equal(runs(f, wrong[i].body), wrong[i].error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(they_count),
		POLICY_TEST(labels_are_texts),
		POLICY_TEST(labels_are_utf8),
		POLICY_TEST(sets_are_bounded),
		POLICY_TEST(a_reload_goes_on),
		POLICY_TEST(what_is_gone_is_given_back),
		POLICY_TEST(memory_that_ends_is_an_error),
		POLICY_TEST(a_wrong_metric_is_not_loaded),
		POLICY_TEST(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
