/*
 * idmap.c - see idmap.h. Linear probing; ids rise by one, so multiplying spreads them.
 */
#include "idmap.h"
#include <errno.h>
#include <stdlib.h>

static size_t home(const struct idmap *map, int64_t id)
{
	return ((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (map->capacity - 1);
}

static struct idmap_slot *find(const struct idmap *map, int64_t id)
{
	size_t at;

	if (!map->capacity || id <= 0)
		return NULL;
	for (at = home(map, id); map->slots[at].id; at = (at + 1) & (map->capacity - 1))
		if (map->slots[at].id == id)
			return &map->slots[at];
	return NULL;
}

static void insert(struct idmap *map, int64_t id, void *value)
{
	size_t at = home(map, id);

	while (map->slots[at].id)
		at = (at + 1) & (map->capacity - 1);
	map->slots[at] = (struct idmap_slot){ id, value };
	map->used++;
	map->count++;
}

/* Make room, and forget removed slots. */
static int grow(struct idmap *map)
{
	struct idmap bigger = { .capacity = 16 };
	size_t at;

	while (bigger.capacity < 4 * map->count)
		bigger.capacity *= 2;
	bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (at = 0; at < map->capacity; at++)
		if (map->slots[at].value)
			insert(&bigger, map->slots[at].id, map->slots[at].value);
	free(map->slots);
	*map = bigger;
	return 0;
}

int idmap_put(struct idmap *map, int64_t id, void *value)
{
	struct idmap_slot *slot = find(map, id);

	if (slot) { /* it was here before, and comes back */
		slot->value = value;
		map->count++;
		return 0;
	}
	if (4 * (map->used + 1) > 3 * map->capacity && grow(map))
		return -ENOMEM;
	insert(map, id, value);
	return 0;
}

void *idmap_get(const struct idmap *map, int64_t id)
{
	struct idmap_slot *slot = find(map, id);

	return slot ? slot->value : NULL;
}

void idmap_remove(struct idmap *map, int64_t id)
{
	struct idmap_slot *slot = find(map, id);

	if (!slot || !slot->value)
		return;
	slot->value = NULL;
	map->count--;
}

void *idmap_next(const struct idmap *map, size_t *at)
{
	while (*at < map->capacity) {
		void *value = map->slots[(*at)++].value;

		if (value)
			return value;
	}
	return NULL;
}

void idmap_release(struct idmap *map)
{
	free(map->slots);
	*map = (struct idmap){ 0 };
}
