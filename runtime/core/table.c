/*
 * table.c - the hash table of table.h: chained, doubled when full. The keys are ids, which rise
 * one by one, or addresses; a multiplication spreads both. The caller locks.
 */
#include "table.h"
#include "core.h"
#include <stdlib.h>

enum { FIRST_BUCKETS = 8 };

static size_t bucket_of(uint64_t key, size_t nr_buckets)
{
	return (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (nr_buckets - 1);
}

static void push(struct table_entry **buckets, size_t nr_buckets, struct table_entry *entry)
{
	struct table_entry **bucket = &buckets[bucket_of(entry->key, nr_buckets)];

	entry->next = *bucket;
	*bucket = entry;
}

int table_reserve(struct table *table)
{
	const size_t doubled = table->nr_buckets ? 2 * table->nr_buckets : FIRST_BUCKETS;
	struct table_entry **buckets;

	if (table->count < table->nr_buckets)
		return VACCEL_OK;
	buckets = calloc(doubled, sizeof(struct table_entry *));
	if (!buckets)
		return VACCEL_ENOMEM;
	for (size_t i = 0; i < table->nr_buckets; i++) {
		struct table_entry *entry = table->buckets[i];

		while (entry) {
			struct table_entry *next = entry->next;

			push(buckets, doubled, entry);
			entry = next;
		}
	}
	free(table->buckets);
	table->buckets = buckets;
	table->nr_buckets = doubled;
	return VACCEL_OK;
}

void table_insert(struct table *table, struct table_entry *entry, uint64_t key)
{
	entry->key = key;
	push(table->buckets, table->nr_buckets, entry);
	table->count++;
}

void table_remove(struct table *table, struct table_entry *entry)
{
	struct table_entry **link = &table->buckets[bucket_of(entry->key, table->nr_buckets)];

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	table->count--;
}

static struct table_entry *with_key(struct table_entry *entry, uint64_t key)
{
	while (entry && entry->key != key)
		entry = entry->next;
	return entry;
}

struct table_entry *table_find(const struct table *table, uint64_t key)
{
	if (!table->count)
		return NULL;
	return with_key(table->buckets[bucket_of(key, table->nr_buckets)], key);
}

struct table_entry *table_next(const struct table_entry *entry)
{
	return with_key(entry->next, entry->key);
}

void table_release(struct table *table)
{
	free(table->buckets);
	*table = (struct table){ 0 };
}
