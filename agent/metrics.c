/*
 * metrics.c - see metrics.h: the counting.
 */
#include "metrics.h"
#include "metrics_times.h"
#include "operation.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct metrics_times *times, uint64_t us)
{
	size_t i;

	times->count++;
	times->sum_us += us;
	for (i = METRICS_BOUNDS; i > 0 && us <= metrics_bounds_us[i - 1]; i--)
		times->within[i - 1]++;
}

static struct metrics_listener *find_listener(struct metrics *metrics, const char *name)
{
	struct metrics_listener **at = &metrics->listeners;

	while (*at && strncmp((*at)->name, name, sizeof((*at)->name) - 1) != 0)
		at = &(*at)->next;
	if (*at)
		return *at;
	*at = calloc(1, sizeof(**at));
	if (*at)
		snprintf((*at)->name, sizeof((*at)->name), "%s", name);
	return *at;
}

void metrics_session(struct agent *agent, const char *listener, enum metrics_outcome outcome)
{
	struct metrics_listener *counts = find_listener(&agent->metrics, listener);

	if (counts)
		counts->sessions[outcome]++;
}

void metrics_operation(const struct operation *operation)
{
	operation->agent->metrics.bytes_in += operation->bytes_in;
	operation->agent->metrics.bytes_out += operation->bytes_out;
}

void metrics_attempt(const struct operation *operation)
{
	struct metrics *metrics = &operation->agent->metrics;
	struct metrics_backend *backend =
		operation->backend ? operation->backend->metrics : &metrics->nowhere;
	struct metrics_operation *counts = &backend->operations[operation->type];
	const struct work *work = &operation->work;

	if (operation->cached) {
		counts->cached++;
		return;
	}
	counts->failed += operation->code != 0;
	add(&counts->times, work->ended_us ? work->ended_us - work->started_us : 0);
	if (!work->ended_us)
		return;
	add(&backend->queue, work->started_us - operation->received_us);
	tally_add(&backend->tally, operation->code, work->ended_us - work->started_us);
}

void metrics_limit(struct agent *agent, const char *why)
{
	struct limits_entry entry;
	size_t i, length;

	if (strncmp(why, "limit ", 6) != 0)
		return;
	why += 6;
	length = strcspn(why, ": ");
	for (i = 0; i < METRICS_LIMITS && limits_entry(&agent->limits, i, &entry); i++)
		if (strlen(entry.name) == length && !strncmp(entry.name, why, length))
			agent->metrics.limit_hits[i]++;
}

void metrics_release(struct metrics *metrics)
{
	struct metrics_listener *listener;

	while ((listener = metrics->listeners)) {
		metrics->listeners = listener->next;
		free(listener);
	}
}
