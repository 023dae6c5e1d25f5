/*
 * idmap.h - from an id to what it names, in constant time: an open hash table of pointers.
 * The owner's thread only. The table does not own what it points to.
 */
#ifndef AGENT_IDMAP_H
#define AGENT_IDMAP_H

#include <stddef.h>
#include <stdint.h>

struct idmap_slot {
	int64_t id;  /* 0: never used */
	void *value; /* NULL with an id: was removed */
};

struct idmap {
	struct idmap_slot *slots;
	size_t capacity, used, count; /* used counts removed slots too */
};

/* 0 or -ENOMEM. The id is positive and not in the table; one that was removed may come back. */
int idmap_put(struct idmap *map, int64_t id, void *value);
void *idmap_get(const struct idmap *map, int64_t id);
void idmap_remove(struct idmap *map, int64_t id);
/* Every value, in no order: start with *at = 0 and go on until NULL. Values may be removed
 * meanwhile. */
void *idmap_next(const struct idmap *map, size_t *at);
void idmap_release(struct idmap *map);

#endif
