/*
 * metric.c - see metric.h: metric { name = "refused", kind = "counter", labels = { "tenant" } },
 * and its methods. A script's table is read raw: none of its metamethods runs in C.
 */
#include "metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What counters' names end in, as is the custom where they are read. */
#define TOTAL "_total"

struct metric_use {
	struct metric *metric;
	int ref;
	const struct script *script;
};

/* ---- declaring */

/* As Prometheus has it, without the ':' that is for rules: letters, digits and '_'. */
static bool is_metric_name(const char *text, size_t len)
{
	return policy_is_name(text, len) && !strpbrk(text, ".-") &&
	       !(text[0] >= '0' && text[0] <= '9');
}

/* The option on the stack's top, or NULL when it is no string. */
static const char *get_text(lua_State *L, const char *option, size_t *len)
{
	lua_pushstring(L, option);
	lua_rawget(L, 1);
	return lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, len) : NULL;
}

static void check_options(lua_State *L)
{
	if (lua_type(L, 1) != LUA_TTABLE)
		policy_fail(L, "metric takes one table: metric { ... }");
	lua_pushnil(L);
	while (lua_next(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

		if (strcmp(key, "name") != 0 && strcmp(key, "help") != 0 &&
		    strcmp(key, "kind") != 0 && strcmp(key, "labels") != 0)
			policy_fail(
				L,
				"metric has no option \"%.60s\"; it has: name, help, kind, labels",
				key);
		lua_pop(L, 1);
	}
}

static void take_name(lua_State *L, struct metric *metric)
{
	size_t len;
	const char *name = get_text(L, "name", &len);

	if (!name || !is_metric_name(name, len))
		policy_fail(
			L,
			"metric: a name has 1 to %d letters, digits and '_', and does not begin "
			"with a digit",
			POLICY_NAME_MAX - 1);
	if (len > strlen(TOTAL) && strcmp(name + len - strlen(TOTAL), TOTAL) == 0)
		policy_fail(L, "metric %s: \"" TOTAL "\" is added to the names of counters", name);
	memcpy(metric->name, name, len + 1);
	lua_pop(L, 1);
}

static void take_help(lua_State *L, struct metric *metric)
{
	size_t len;
	const char *text = get_text(L, "help", &len);

	if (!text || len < 1 || len >= METRIC_HELP_MAX)
		policy_fail(L, "metric %s needs a help of 1 to %d bytes: what the number means",
			    metric->name, METRIC_HELP_MAX - 1);
	metric_copy(metric->help, sizeof(metric->help), text, len);
	lua_pop(L, 1);
}

static void take_kind(lua_State *L, struct metric *metric)
{
	size_t len;
	const char *kind = get_text(L, "kind", &len);

	metric->rises = kind && strcmp(kind, "counter") == 0;
	if (!metric->rises && (!kind || strcmp(kind, "gauge") != 0))
		policy_fail(L, "metric %s: kind must be one of \"counter\", \"gauge\"",
			    metric->name);
	snprintf(metric->family, sizeof(metric->family), "%s%s", metric->name,
		 metric->rises ? TOTAL : "");
	lua_pop(L, 1);
}

/* The string on the stack's top. */
static void add_label(lua_State *L, struct metric *metric)
{
	size_t len;
	const char *label = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;

	if (!label || !is_metric_name(label, len) || strncmp(label, "__", 2) == 0)
		policy_fail(
			L,
			"metric %s: a label has 1 to %d letters, digits and '_', and begins with "
			"neither a digit nor \"__\"",
			metric->name, POLICY_NAME_MAX - 1);
	if (strcmp(label, "policy") == 0)
		policy_fail(L, "metric %s: every metric has the label policy already",
			    metric->name);
	for (size_t i = 0; i < metric->nr_labels; i++)
		if (strcmp(metric->labels[i], label) == 0)
			policy_fail(L, "metric %s names the label %s twice", metric->name, label);
	memcpy(metric->labels[metric->nr_labels++], label, len + 1);
}

/* What the table on the stack's top has, in a list or not. */
static size_t count_keys(lua_State *L)
{
	size_t count = 0;

	lua_pushnil(L);
	for (; lua_next(L, -2); count++)
		lua_pop(L, 1);
	return count;
}

static void take_labels(lua_State *L, struct metric *metric)
{
	size_t count;

	lua_pushliteral(L, "labels");
	lua_rawget(L, 1);
	if (lua_isnil(L, -1))
		return;
	count = lua_type(L, -1) == LUA_TTABLE ? lua_objlen(L, -1) : 0;
	if (count < 1 || count > POLICY_LABELS_MAX || count_keys(L) != count)
		policy_fail(L, "metric %s: labels are a list of 1 to %d names", metric->name,
			    POLICY_LABELS_MAX);
	for (size_t i = 1; i <= count; i++) {
		lua_rawgeti(L, -1, (int)i);
		add_label(L, metric);
		lua_pop(L, 1);
	}
}

/* A name is one family, in whatever scripts, and one metric in each. */
static void check_others(lua_State *L, const struct policy_engine *engine,
			 const struct metric *metric)
{
	const struct policy_generation *gen = engine->loading;
	size_t count = 0;

	for (size_t i = 0; i < gen->nr_metrics; i++) {
		const struct metric_use *use = &gen->metrics[i];
		const bool same = strcmp(use->metric->name, metric->name) == 0;

		count += use->script == engine->script;
		if (same && use->script == engine->script)
			policy_fail(L, "there is a metric of the name \"%s\" already",
				    metric->name);
		if (same && use->metric->rises != metric->rises)
			policy_fail(L, "metric %s is a %s in policy %s", metric->name,
				    use->metric->rises ? "counter" : "gauge",
				    policy_script_label(use->script));
	}
	if (count == METRICS_MAX)
		policy_fail(L, "metric %s: a script has %d metrics at most", metric->name,
			    METRICS_MAX);
}

/* The userdata on the stack's top. */
static void keep(lua_State *L, const struct policy_engine *engine, struct metric *metric)
{
	struct policy_generation *gen = engine->loading;

	if (!gen->metrics)
		gen->metrics = calloc(gen->nr_scripts * METRICS_MAX, sizeof(*gen->metrics));
	if (!gen->metrics)
		policy_fail(L, "no memory for the metrics of a policy");
	lua_pushvalue(L, -1);
	gen->metrics[gen->nr_metrics++] = (struct metric_use){
		.metric = metric,
		.ref = luaL_ref(L, LUA_REGISTRYINDEX),
		.script = engine->script,
	};
}

/* metric { ... } */
static int declare(lua_State *L)
{
	const struct policy_engine *engine = policy_engine_of(L);
	static const struct metric_set none;
	struct metric wanted = { .nr_labels = 0 }, *metric;

	if (!engine->loading)
		policy_fail(L, "metric can only be made while the script is loaded");
	check_options(L);
	take_name(L, &wanted);
	take_help(L, &wanted);
	take_kind(L, &wanted);
	take_labels(L, &wanted);
	check_others(L, engine, &wanted);
	metric = lua_newuserdata(L, sizeof(*metric));
	*metric = wanted;
	lua_rawgeti(L, LUA_REGISTRYINDEX, engine->metric_meta);
	lua_setmetatable(L, -2);
	metric->series = metric_series_new(L, metric->nr_labels > 0);
	/* Without labels there is something to read from the beginning. */
	if (!metric->series ||
	    (!metric->nr_labels && !metric_series_value(L, metric->series, &none)))
		policy_fail(L, "metric %s: the memory of policies is full", metric->name);
	keep(L, engine, metric);
	return 1;
}

/* ---- changing */

static struct metric *check_self(lua_State *L)
{
	struct policy_engine *engine = policy_engine_of(L);
	struct metric *metric = lua_touserdata(L, 1);
	bool ours = false;

	if (lua_type(L, 1) == LUA_TUSERDATA && lua_getmetatable(L, 1)) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, engine->metric_meta);
		ours = lua_rawequal(L, -1, -2);
		lua_pop(L, 2);
	}
	if (!ours)
		policy_fail(L, "a method of a metric is called with it: x:add(1)");
	if (engine->loading)
		policy_fail(L,
			    "metric %s can be changed in hooks and timers only: a script that is "
			    "loaded may yet be refused",
			    metric->name);
	return metric;
}

/* The argument at idx, as a label's value. */
static void take_label(lua_State *L, const struct metric *metric, int idx, struct metric_set *set)
{
	char number[32];
	const char *text;
	size_t len;

	switch (lua_type(L, idx)) {
	case LUA_TSTRING:
		text = lua_tolstring(L, idx, &len);
		metric_set_add(set, text, len);
		break;
	case LUA_TNUMBER:
		len = (size_t)snprintf(number, sizeof(number), "%.14g", lua_tonumber(L, idx));
		metric_set_add(set, number, len);
		break;
	case LUA_TBOOLEAN:
		text = lua_toboolean(L, idx) ? "true" : "false";
		metric_set_add(set, text, strlen(text));
		break;
	case LUA_TNIL:
		metric_set_add(set, "", 0);
		break;
	default:
		policy_fail(L,
			    "metric %s: a label is a string, a number, a boolean or nil, not a %s",
			    metric->name, luaL_typename(L, idx));
	}
}

static double check_number(lua_State *L, const struct metric *metric)
{
	const double number = lua_tonumber(L, 2);

	if (lua_type(L, 2) != LUA_TNUMBER || !isfinite(number))
		policy_fail(L, "metric %s takes a number that is finite, and then its labels",
			    metric->name);
	return number;
}

/* The value that (metric, number, label...) is about. */
static double *find_value(lua_State *L, struct metric *metric)
{
	struct metric_set set = { .nr = 0, .len = 0 };
	const int top = lua_gettop(L);
	double *value;

	if (top != 2 + (int)metric->nr_labels)
		policy_fail(L, "metric %s has %d labels, and got %d", metric->name,
			    (int)metric->nr_labels, top - 2);
	for (int i = 3; i <= top; i++)
		take_label(L, metric, i, &set);
	value = metric_series_value(L, metric->series, &set);
	if (!value)
		policy_fail(L, "metric %s: the memory of policies is full", metric->name);
	return value;
}

static int add(lua_State *L)
{
	struct metric *metric = check_self(L);
	const double number = check_number(L, metric);
	double *value;

	if (metric->rises && number < 0)
		policy_fail(L, "metric %s only rises: it is a counter", metric->name);
	value = find_value(L, metric);
	if (!isfinite(*value + number))
		policy_fail(L, "metric %s would not be finite any more", metric->name);
	*value += number;
	return 0;
}

static int set(lua_State *L)
{
	struct metric *metric = check_self(L);
	const double number = check_number(L, metric);

	if (metric->rises)
		policy_fail(L, "metric %s only rises: it is a counter", metric->name);
	*find_value(L, metric) = number;
	return 0;
}

static int drop(lua_State *L)
{
	struct metric *metric = lua_touserdata(L, 1);

	metric_series_unref(L, metric->series);
	metric->series = NULL;
	return 0;
}

/* metric.NAME: counters have add, gauges set as well. */
static int find_field(lua_State *L)
{
	const struct metric *metric = lua_touserdata(L, 1);
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);

	if (strcmp(name, "add") == 0)
		lua_pushvalue(L, lua_upvalueindex(1));
	else if (!metric->rises && strcmp(name, "set") == 0)
		lua_pushvalue(L, lua_upvalueindex(2));
	else
		policy_fail(L, "a metric that is a %s has no field \"%.40s\"; it has: %s",
			    metric->rises ? "counter" : "gauge", name,
			    metric->rises ? "add" : "add, set");
	return 1;
}

void policy_metrics_open(lua_State *L, struct policy_engine *engine)
{
	lua_pushcfunction(L, declare);
	lua_setfield(L, -2, "metric");
	lua_newtable(L);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pushcfunction(L, drop);
	lua_setfield(L, -2, "__gc");
	lua_pushcfunction(L, add);
	lua_pushcfunction(L, set);
	lua_pushcclosure(L, find_field, 2);
	lua_setfield(L, -2, "__index");
	engine->metric_meta = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* ---- generations */

static bool agree(const struct metric *a, const struct metric *b)
{
	if (strcmp(a->name, b->name) != 0 || a->rises != b->rises || a->nr_labels != b->nr_labels)
		return false;
	for (size_t i = 0; i < a->nr_labels; i++)
		if (strcmp(a->labels[i], b->labels[i]) != 0)
			return false;
	return true;
}

void policy_metrics_inherit(lua_State *L, const struct policy_engine *engine,
			    const struct script *script)
{
	const struct policy_generation *before = engine->active, *gen = engine->loading;

	for (size_t i = 0; before && i < gen->nr_metrics; i++) {
		struct metric *metric = gen->metrics[i].metric;

		if (gen->metrics[i].script != script)
			continue;
		for (size_t k = 0; k < before->nr_metrics; k++) {
			const struct metric_use *use = &before->metrics[k];

			if (strcmp(use->script->name, script->name) != 0 ||
			    !agree(use->metric, metric))
				continue;
			metric_series_unref(L, metric->series);
			metric->series = use->metric->series;
			metric_series_ref(metric->series);
		}
	}
}

void policy_metrics_unref(lua_State *L, const struct policy_generation *gen)
{
	for (size_t i = 0; i < gen->nr_metrics; i++)
		luaL_unref(L, LUA_REGISTRYINDEX, gen->metrics[i].ref);
}

bool policy_metric(const struct policy_generation *generation, size_t i, struct policy_metric *info)
{
	const struct metric *metric;

	if (i >= generation->nr_metrics)
		return false;
	metric = generation->metrics[i].metric;
	*info = (struct policy_metric){
		.policy = generation->metrics[i].script->name,
		.name = metric->name,
		.help = metric->help,
		.kind = metric->rises ? "counter" : "gauge",
		.family = metric->family,
		.nr_labels = metric->nr_labels,
	};
	for (size_t k = 0; k < metric->nr_labels; k++)
		info->labels[k] = metric->labels[k];
	return true;
}

bool policy_sample(const struct policy_generation *generation, size_t i, size_t k,
		   struct policy_sample *sample)
{
	const struct metric *metric = generation->metrics[i].metric;

	return metric_series_sample(metric->series, k, metric->nr_labels, sample);
}
