/*
 * table.h - a hash table whose entries are members of what it holds: look-up, insertion and
 * removal in constant time. It allocates its buckets alone; the caller locks.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_entry {
	uint64_t key;
	struct table_entry *next; /* in its bucket, or the next one with this key */
};

struct table {
	struct table_entry **buckets;
	size_t nr_buckets; /* 0 or a power of two */
	size_t count;
};

/* Room for one more entry. ENOMEM. Inserting cannot fail after it. */
int table_reserve(struct table *table);

/* After table_reserve(); several entries may have one key. */
void table_insert(struct table *table, struct table_entry *entry, uint64_t key);

/* Must be in it. */
void table_remove(struct table *table, struct table_entry *entry);

/* The first entry with this key, or NULL; the others follow by table_next(). */
struct table_entry *table_find(const struct table *table, uint64_t key);
struct table_entry *table_next(const struct table_entry *entry);

/* Free the buckets; the entries are the caller's. */
void table_release(struct table *table);

#endif
