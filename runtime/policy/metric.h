/*
 * metric.h - metric { }: numbers of scripts.
 *
 *   metric.c          what scripts see: a userdata for each metric, which they declare while they
 * are loaded and change in hooks and timers metric_series.c   a metric's series: its value for each
 * set of labels
 *
 * A metric belongs to its generation, its series to every generation that goes on with them: a
 * script of the same policy that declares the metric in the same way takes them over, so what is
 * counted between a load and its being in force is not lost. Both are Lua's memory, by its bounds.
 * On the engine's thread.
 */
#ifndef LUACCEL_POLICY_METRIC_H
#define LUACCEL_POLICY_METRIC_H

#include "engine.h"

enum {
	METRICS_MAX = 64,      /* of a script */
	METRIC_SETS_MAX = 256, /* of labels, of a metric; what comes then is "other" */
	METRIC_LABEL_MAX = 64, /* bytes of a value, with its end */
	METRIC_HELP_MAX = 200,
};

/* The values of a set's labels one after the other, each with its end; UTF-8. */
struct metric_set {
	size_t nr, len;
	char text[POLICY_LABELS_MAX * METRIC_LABEL_MAX];
};

/*
 * Copy a text of so many bytes as a string: what is no UTF-8, and control characters but newlines,
 * are '?'; cut at size. Its length.
 */
size_t metric_copy(char *dst, size_t size, const char *text, size_t len);
/* Add a value, the same way. */
void metric_set_add(struct metric_set *set, const char *text, size_t len);

struct metric_series;

/* NULL: no memory. The caller has the one reference. */
struct metric_series *metric_series_new(lua_State *L, bool labelled);
void metric_series_ref(struct metric_series *series);
void metric_series_unref(lua_State *L, struct metric_series *series);
/* The value of a set, new ones beginning at 0. NULL: no memory. */
double *metric_series_value(lua_State *L, struct metric_series *series,
			    const struct metric_set *set);
/* Number i, in the order in which they came; false past the end. */
bool metric_series_sample(const struct metric_series *series, size_t i, size_t nr_labels,
			  struct policy_sample *sample);

struct metric {
	char name[POLICY_NAME_MAX], family[POLICY_NAME_MAX + 8], help[METRIC_HELP_MAX];
	bool rises; /* a counter */
	size_t nr_labels;
	char labels[POLICY_LABELS_MAX][POLICY_NAME_MAX];
	struct metric_series *series;
};

#endif
