/*
 * arena.c - memory that goes at once, within a budget.
 *
 * A list of blocks, the one that serves next in front; each is twice the one before, up to
 * BLOCK_MAX. What is charged is what malloc() was asked for, so that the budget bounds memory and
 * not merely what the decoder uses of it. One owner, any thread.
 */
#include "message.h"

#include <errno.h>
#include <stdlib.h>

enum { BLOCK_FIRST = 512, BLOCK_MAX = 64 << 10 };

struct arena_block {
	struct arena_block *next;
	size_t size, used; /* of data */
	_Alignas(max_align_t) unsigned char data[];
};

void ttrpc_arena_init(struct ttrpc_arena *arena, size_t budget)
{
	arena->blocks = NULL;
	arena->used = 0;
	arena->budget = budget;
}

static size_t room(const struct arena_block *block)
{
	return block ? block->size - block->used : 0;
}

/* What the next block should hold for a request of `size`; 0 when the budget has no room. */
static size_t next_size(const struct ttrpc_arena *arena, size_t size)
{
	size_t left = arena->budget - arena->used;
	size_t want = BLOCK_FIRST - sizeof(struct arena_block);

	if (left < sizeof(struct arena_block) || left - sizeof(struct arena_block) < size)
		return 0;
	left -= sizeof(struct arena_block);
	if (arena->blocks && arena->blocks->size * 2 > want)
		want = arena->blocks->size * 2;
	if (want > BLOCK_MAX)
		want = BLOCK_MAX;
	if (want < size)
		want = size;
	return want < left ? want : left;
}

static struct arena_block *add_block(struct ttrpc_arena *arena, size_t size)
{
	size_t want = next_size(arena, size);
	struct arena_block *block;

	if (want == 0) {
		errno = ENOBUFS;
		return NULL;
	}
	block = malloc(sizeof(*block) + want);
	if (!block)
		return NULL;
	block->size = want;
	block->used = 0;
	arena->used += sizeof(*block) + want;
	/* One large object does not close a block that still has room for small ones. */
	if (room(arena->blocks) > want - size) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	return block;
}

void *ttrpc_arena_alloc(struct ttrpc_arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *block = arena->blocks;
	void *data;

	if (size > arena->budget) {
		errno = ENOBUFS;
		return NULL;
	}
	size = (size + align - 1) / align * align;
	if (size == 0)
		size = align;
	if (room(block) < size)
		block = add_block(arena, size);
	if (!block)
		return NULL;
	data = block->data + block->used;
	block->used += size;
	return data;
}

void ttrpc_arena_release(struct ttrpc_arena *arena)
{
	struct arena_block *block;

	while ((block = arena->blocks)) {
		arena->blocks = block->next;
		free(block);
	}
	arena->used = 0;
}
