/*
 * metrics_text.c - see metrics.h: the text, in the exposition format of Prometheus (0.0.4).
 *
 * A name's lines follow each other after its HELP and TYPE, and a series that never was is left
 * out.
 */
#include "backend.h"
#include "metrics.h"
#include "metrics_times.h"
#include "reply.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const outcomes[] = {
	[SESSION_CREATED] = "created", [SESSION_REFUSED] = "refused",
	[SESSION_LIMITED] = "limited", [SESSION_DRAINING] = "draining",
	[SESSION_FAILED] = "failed",
};

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP luaccel_%s %s\n# TYPE luaccel_%s %s\n", name, help, name, type);
}

/* name="value" with what the format escapes, in UTF-8. */
static void label(FILE *out, const char *name, const char *value)
{
	char text[512];
	const char *at;

	snprintf(text, sizeof(text), "%s", value);
	reply_make_utf8(text);
	fprintf(out, "%s=\"", name);
	for (at = text; *at; at++) {
		if (*at == '\n')
			fputs("\\n", out);
		else if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else
			fputc(*at, out);
	}
	fputc('"', out);
}

/* One series with one label. */
static void series(FILE *out, const char *name, const char *key, const char *value, uint64_t number)
{
	fprintf(out, "luaccel_%s{", name);
	label(out, key, value);
	fprintf(out, "} %" PRIu64 "\n", number);
}

static double seconds(uint64_t us)
{
	return (double)us / 1e6;
}

/* ---- operations: each backend, and then those that came to none */

struct labels {
	const char *op; /* NULL: none */
	const char *backend;
};

static void put_labels(FILE *out, const struct labels *labels)
{
	if (labels->op) {
		label(out, "op", labels->op);
		fputc(',', out);
	}
	label(out, "backend", labels->backend);
}

static void put_times(FILE *out, const char *name, const struct labels *labels,
		      const struct metrics_times *times)
{
	size_t i;

	for (i = 0; i <= METRICS_BOUNDS; i++) {
		fprintf(out, "luaccel_%s_bucket{", name);
		put_labels(out, labels);
		if (i < METRICS_BOUNDS)
			fprintf(out, ",le=\"%g\"} %" PRIu64 "\n", seconds(metrics_bounds_us[i]),
				times->within[i]);
		else
			fprintf(out, ",le=\"+Inf\"} %" PRIu64 "\n", times->count);
	}
	fprintf(out, "luaccel_%s_sum{", name);
	put_labels(out, labels);
	fprintf(out, "} %.6f\nluaccel_%s_count{", seconds(times->sum_us), name);
	put_labels(out, labels);
	fprintf(out, "} %" PRIu64 "\n", times->count);
}

static void put_count(FILE *out, const struct labels *labels, const char *outcome, uint64_t count)
{
	if (!count)
		return;
	fputs("luaccel_operations_total{", out);
	put_labels(out, labels);
	fprintf(out, ",outcome=\"%s\"} %" PRIu64 "\n", outcome, count);
}

static void put_counts(FILE *out, const struct labels *labels,
		       const struct metrics_operation *operation)
{
	put_count(out, labels, "ok", operation->times.count - operation->failed);
	put_count(out, labels, "error", operation->failed);
	put_count(out, labels, "cached", operation->cached);
}

static void put_seconds(FILE *out, const struct labels *labels,
			const struct metrics_operation *operation)
{
	put_times(out, "operation_seconds", labels, &operation->times);
}

static void each_operation(FILE *out, const char *backend, const struct metrics_backend *counts,
			   void (*put)(FILE *, const struct labels *,
				       const struct metrics_operation *))
{
	char name[VACCEL_ENUM_STR_MAX];
	struct labels labels = { .backend = backend };
	int type;

	for (type = 0; type < VACCEL_OP_MAX; type++) {
		if (!counts->operations[type].times.count && !counts->operations[type].cached)
			continue;
		labels.op = vaccel_op_type_name((vaccel_op_type_t)type, name, sizeof(name));
		put(out, &labels, &counts->operations[type]);
	}
}

static void put_mirrored(FILE *out, const struct agent *agent)
{
	static const char *const words[] = {
		[MIRROR_EQUAL] = "equal",
		[MIRROR_DIFFERS] = "differ",
		[MIRROR_FAILED] = "failed",
		[MIRROR_DROPPED] = "dropped",
	};
	const struct backend *backend;
	int i;

	head(out, "mirrored_total", "counter",
	     "Operations that a backend was to run as the mirror of another.");
	for (backend = agent->backends; backend; backend = backend->next) {
		for (i = 0; i < MIRROR_OUTCOMES; i++) {
			if (!backend->metrics->mirrored[i])
				continue;
			fputs("luaccel_mirrored_total{", out);
			label(out, "backend", backend->name);
			fprintf(out, ",outcome=\"%s\"} %" PRIu64 "\n", words[i],
				backend->metrics->mirrored[i]);
		}
	}
}

static void put_operations(FILE *out, const struct agent *agent)
{
	const struct backend *backend;

	head(out, "operations_total", "counter", "Operations that have ended.");
	for (backend = agent->backends; backend; backend = backend->next)
		each_operation(out, backend->name, backend->metrics, put_counts);
	each_operation(out, "", &agent->metrics.nowhere, put_counts);
	head(out, "operation_seconds", "histogram", "How long a backend took for an operation.");
	for (backend = agent->backends; backend; backend = backend->next)
		each_operation(out, backend->name, backend->metrics, put_seconds);
	head(out, "queue_seconds", "histogram",
	     "How long operations waited until their backend began.");
	for (backend = agent->backends; backend; backend = backend->next)
		if (backend->metrics->queue.count)
			put_times(out, "queue_seconds", &(struct labels){ NULL, backend->name },
				  &backend->metrics->queue);
}

/* ---- the rest */

static void put_backends(FILE *out, const struct agent *agent)
{
	const struct backend *backend;

	head(out, "backend_up", "gauge", "1 when the backend can take sessions.");
	for (backend = agent->backends; backend; backend = backend->next)
		series(out, "backend_up", "backend", backend->name, backend->up);
	head(out, "backend_inflight", "gauge", "Work that the backend has and has not answered.");
	for (backend = agent->backends; backend; backend = backend->next)
		series(out, "backend_inflight", "backend", backend->name, backend->inflight);
}

static void put_sessions(FILE *out, const struct agent *agent)
{
	const struct metrics_listener *listener;
	size_t i;

	head(out, "sessions", "gauge", "Sessions that there are.");
	fprintf(out, "luaccel_sessions %zu\n", agent->accounts.total.used[ACCOUNT_SESSIONS]);
	head(out, "sessions_total", "counter",
	     "Sessions that were asked for, and what came of it.");
	for (listener = agent->metrics.listeners; listener; listener = listener->next)
		for (i = 0; i < SESSION_OUTCOMES; i++) {
			if (!listener->sessions[i])
				continue;
			fputs("luaccel_sessions_total{", out);
			label(out, "listener", listener->name);
			fprintf(out, ",outcome=\"%s\"} %" PRIu64 "\n", outcomes[i],
				listener->sessions[i]);
		}
}

/* The beginning of a series' line, as far as the hook goes. */
static void put_hook(FILE *out, const char *name, const char *policy, const char *hook)
{
	fprintf(out, "luaccel_%s{", name);
	label(out, "policy", policy);
	fprintf(out, ",hook=\"%s\"", hook);
}

static void put_hook_times(FILE *out, const char *policy, const char *hook,
			   const struct policy_counts *counts)
{
	uint64_t within = 0;
	size_t i;

	for (i = 0; i <= POLICY_BOUNDS; i++) {
		within += counts->buckets[i];
		put_hook(out, "policy_seconds_bucket", policy, hook);
		if (i < POLICY_BOUNDS)
			fprintf(out, ",le=\"%g\"} %" PRIu64 "\n", seconds(policy_bounds_us[i]),
				within);
		else
			fprintf(out, ",le=\"+Inf\"} %" PRIu64 "\n", within);
	}
	put_hook(out, "policy_seconds_sum", policy, hook);
	fprintf(out, "} %.9f\n", (double)counts->sum_ns / 1e9);
	put_hook(out, "policy_seconds_count", policy, hook);
	fprintf(out, "} %" PRIu64 "\n", counts->calls);
}

static void put_hook_errors(FILE *out, const char *policy, const char *hook,
			    const struct policy_counts *counts)
{
	put_hook(out, "policy_errors_total", policy, hook);
	fprintf(out, "} %" PRIu64 "\n", counts->errors);
}

static void each_hook(FILE *out, const struct policy_generation *active,
		      void (*put)(FILE *, const char *, const char *, const struct policy_counts *))
{
	const struct policy_counts *counts;
	const char *policy, *hook;
	size_t i, k;

	for (i = 0; active && (policy = policy_script_name(active, i)); i++)
		for (k = 0; policy_hook_counts(active, i, k, &hook, &counts); k++)
			if (counts)
				put(out, policy, hook, counts);
}

static void put_policies(FILE *out, const struct agent *agent)
{
	const struct policy_generation *active = policy_active(agent->engine);
	const char *name;
	size_t i;

	head(out, "policy_generation", "gauge",
	     "How often policies were loaded; rises by reloads.");
	for (i = 0; active && (name = policy_script_name(active, i)); i++)
		series(out, "policy_generation", "policy", name, agent->generation);
	head(out, "policy_seconds", "histogram", "How long policies' hooks took.");
	each_hook(out, active, put_hook_times);
	head(out, "policy_errors_total", "counter",
	     "Hooks that failed, so that on_error answered.");
	each_hook(out, active, put_hook_errors);
}

/* ---- what scripts count: a family for each name, in whatever scripts */

/* A help may have lines. */
static void script_head(FILE *out, const struct policy_metric *metric)
{
	const char *at;

	fprintf(out, "# HELP luaccel_script_%s ", metric->family);
	for (at = metric->help; *at; at++) {
		if (*at == '\n')
			fputs("\\n", out);
		else if (*at == '\\')
			fputs("\\\\", out);
		else
			fputc(*at, out);
	}
	fprintf(out, "\n# TYPE luaccel_script_%s %s\n", metric->family, metric->kind);
}

static void script_samples(FILE *out, const struct policy_generation *active, size_t i,
			   const struct policy_metric *metric)
{
	struct policy_sample sample;
	size_t k, n;

	for (k = 0; policy_sample(active, i, k, &sample); k++) {
		fprintf(out, "luaccel_script_%s{", metric->family);
		label(out, "policy", metric->policy);
		for (n = 0; n < metric->nr_labels; n++) {
			fputc(',', out);
			label(out, metric->labels[n], sample.labels[n]);
		}
		fprintf(out, "} %.15g\n", sample.value);
	}
}

static bool is_first(const struct policy_generation *active, size_t i, const char *name)
{
	struct policy_metric other;

	while (i-- > 0)
		if (policy_metric(active, i, &other) && strcmp(other.name, name) == 0)
			return false;
	return true;
}

static void put_script_metrics(FILE *out, const struct policy_generation *active)
{
	struct policy_metric metric, other;
	size_t i, k;

	for (i = 0; active && policy_metric(active, i, &metric); i++) {
		if (!is_first(active, i, metric.name))
			continue;
		script_head(out, &metric);
		for (k = i; policy_metric(active, k, &other); k++)
			if (strcmp(other.name, metric.name) == 0)
				script_samples(out, active, k, &other);
	}
}

static void put_limits(FILE *out, const struct agent *agent)
{
	struct limits_entry entry;
	size_t i;

	head(out, "limit_hits_total", "counter", "Who was refused, or has gone, for a limit.");
	for (i = 0; i < METRICS_LIMITS && limits_entry(&agent->limits, i, &entry); i++)
		series(out, "limit_hits_total", "limit", entry.name, agent->metrics.limit_hits[i]);
}

static void put_memory(FILE *out, const struct agent *agent)
{
	const size_t *used = agent->accounts.total.used;

	head(out, "memory_bytes", "gauge",
	     "What peers make the agent hold (limits held, decoded, memory, disk, shm); policies.");
	series(out, "memory_bytes", "what", "held", used[ACCOUNT_HELD]);
	series(out, "memory_bytes", "what", "decoded", used[ACCOUNT_DECODED]);
	series(out, "memory_bytes", "what", "memory", used[ACCOUNT_MEMORY]);
	series(out, "memory_bytes", "what", "disk", used[ACCOUNT_DISK]);
	series(out, "memory_bytes", "what", "shm", used[ACCOUNT_SHM]);
	series(out, "memory_bytes", "what", "policy", policy_engine_memory(agent->engine));
	series(out, "memory_bytes", "what", "cache", agent->answers_bytes);
}

static void put_all(FILE *out, const struct agent *agent)
{
	head(out, "build_info", "gauge", "Which agent this is.");
	series(out, "build_info", "version", VACCEL_VERSION, 1);
	put_sessions(out, agent);
	put_operations(out, agent);
	put_mirrored(out, agent);
	head(out, "bytes_total", "counter", "Bytes of operations' requests and results.");
	series(out, "bytes_total", "direction", "in", agent->metrics.bytes_in);
	series(out, "bytes_total", "direction", "out", agent->metrics.bytes_out);
	put_backends(out, agent);
	put_policies(out, agent);
	put_script_metrics(out, policy_active(agent->engine));
	put_limits(out, agent);
	put_memory(out, agent);
}

char *metrics_text(const struct agent *agent, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (!out)
		return NULL;
	put_all(out, agent);
	if (!ferror(out) && !fclose(out))
		return text;
	free(text);
	return NULL;
}
