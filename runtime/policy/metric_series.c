/*
 * metric_series.c - see metric.h. Sets of labels are found by a hash table with chains, and kept
 * for good, as whoever reads a counter takes one that is gone for one that began anew. There is
 * room for so many and one more: the last is that of all others.
 */
#include "metric.h"
#include "registry.h"
#include "utf8.h"

#include <string.h>

enum { CHAINS = 64 };

struct sample {
	struct sample *next; /* of its chain */
	double value;
	size_t len;
	char text[];
};

struct metric_series {
	unsigned refs;
	size_t nr, most;
	struct sample *chains[CHAINS];
	struct sample *samples[];
};

/* ---- memory: the script's, by Lua's own allocator */

static void *take(lua_State *L, size_t size)
{
	void *ctx;
	lua_Alloc allocate = lua_getallocf(L, &ctx);

	return allocate(ctx, NULL, 0, size);
}

static void give(lua_State *L, void *block, size_t size)
{
	void *ctx;
	lua_Alloc allocate = lua_getallocf(L, &ctx);

	allocate(ctx, block, size, 0);
}

static size_t size_of(size_t most)
{
	return sizeof(struct metric_series) + most * sizeof(struct sample *);
}

struct metric_series *metric_series_new(lua_State *L, bool labelled)
{
	const size_t most = labelled ? METRIC_SETS_MAX + 1 : 1;
	struct metric_series *series = take(L, size_of(most));

	if (!series)
		return NULL;
	memset(series, 0, size_of(most));
	series->refs = 1;
	series->most = most;
	return series;
}

void metric_series_ref(struct metric_series *series)
{
	series->refs++;
}

void metric_series_unref(lua_State *L, struct metric_series *series)
{
	if (!series || --series->refs)
		return;
	for (size_t i = 0; i < series->nr; i++)
		give(L, series->samples[i], sizeof(struct sample) + series->samples[i]->len);
	give(L, series, size_of(series->most));
}

/* ---- labels */

size_t metric_copy(char *dst, size_t size, const char *text, size_t len)
{
	char *at = dst;

	for (size_t i = 0; i < len;) {
		const unsigned char c = (unsigned char)text[i];
		const size_t length = utf8_sequence(text + i);
		const bool plain = length > 1 || (length && c >= 0x20 && c != 0x7f) || c == '\n';
		const size_t bytes = plain ? length : 1;

		if ((size_t)(at - dst) + bytes >= size)
			break;
		if (plain)
			memcpy(at, text + i, bytes);
		else
			*at = '?';
		at += bytes;
		i += bytes;
	}
	*at = '\0';
	return (size_t)(at - dst);
}

void metric_set_add(struct metric_set *set, const char *text, size_t len)
{
	set->len += metric_copy(set->text + set->len, METRIC_LABEL_MAX, text, len) + 1;
	set->nr++;
}

static struct sample **chain_of(struct metric_series *series, const struct metric_set *set)
{
	return &series->chains[policy_hash_bytes(set->text, set->len) % CHAINS];
}

static struct sample *find(struct metric_series *series, const struct metric_set *set)
{
	struct sample *sample = *chain_of(series, set);

	while (sample &&
	       (sample->len != set->len || memcmp(sample->text, set->text, set->len) != 0))
		sample = sample->next;
	return sample;
}

static struct sample *add(lua_State *L, struct metric_series *series, const struct metric_set *set)
{
	struct sample **chain = chain_of(series, set);
	struct sample *sample = take(L, sizeof(*sample) + set->len);

	if (!sample)
		return NULL;
	*sample = (struct sample){ .next = *chain, .len = set->len };
	memcpy(sample->text, set->text, set->len);
	*chain = sample;
	series->samples[series->nr++] = sample;
	return sample;
}

double *metric_series_value(lua_State *L, struct metric_series *series,
			    const struct metric_set *set)
{
	struct sample *sample = find(series, set);
	struct metric_set others = { .nr = 0, .len = 0 };

	if (!sample && set->nr && series->nr >= METRIC_SETS_MAX) {
		while (others.nr < set->nr)
			metric_set_add(&others, "other", strlen("other"));
		sample = find(series, &others);
		set = &others;
	}
	if (!sample)
		sample = add(L, series, set);
	return sample ? &sample->value : NULL;
}

bool metric_series_sample(const struct metric_series *series, size_t i, size_t nr_labels,
			  struct policy_sample *sample)
{
	const char *text;

	if (i >= series->nr)
		return false;
	text = series->samples[i]->text;
	sample->value = series->samples[i]->value;
	for (size_t k = 0; k < nr_labels; k++, text += strlen(text) + 1)
		sample->labels[k] = text;
	return true;
}
