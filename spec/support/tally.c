/*
 * tally.c - see tally.h. One word for each id: whose it is, and how often that was begun.
 */
#include "tally.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

enum { IDS = 1 << 21, COUNT_BITS = 16 };

#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

static const char *const names[] = { "session", "resource" };
static _Atomic uint64_t words[TALLY_KINDS][IDS];
static atomic_uint_fast64_t begun, used, twins, mistakes;

static void add(atomic_uint_fast64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void complain(atomic_uint_fast64_t *counter, const char *what, enum tally_kind kind,
		     vaccel_id_t id)
{
	add(counter);
	fprintf(stderr, "tally: %s %" PRId64 " %s\n", names[kind], id, what);
}

static _Atomic uint64_t *word_of(enum tally_kind kind, vaccel_id_t id)
{
	if (id > 0 && id < IDS)
		return &words[kind][id];
	complain(&mistakes, "is no id that can be", kind, id);
	return NULL;
}

/* An object's address, above the count. */
static uint64_t mark_of(const void *object)
{
	return (uint64_t)(uintptr_t)object << COUNT_BITS;
}

void tally_begin(enum tally_kind kind, vaccel_id_t id, const void *object)
{
	_Atomic uint64_t *word = word_of(kind, id);
	uint64_t old, new;

	if (!word)
		return;
	add(&begun);
	old = atomic_load_explicit(word, memory_order_relaxed);
	do {
		if (old && (old & ~COUNT_MASK) != mark_of(object)) {
			complain(&twins, "is alive twice", kind, id);
			return;
		}
		new = (old ? old : mark_of(object)) + 1;
	} while (!atomic_compare_exchange_weak_explicit(word, &old, new, memory_order_relaxed,
							memory_order_relaxed));
}

void tally_end(enum tally_kind kind, vaccel_id_t id, const void *object)
{
	_Atomic uint64_t *word = word_of(kind, id);
	uint64_t old, new;

	if (!word)
		return;
	old = atomic_load_explicit(word, memory_order_relaxed);
	do {
		if (!old || (old & ~COUNT_MASK) != mark_of(object)) {
			complain(&mistakes, "ends and was not alive", kind, id);
			return;
		}
		new = (old & COUNT_MASK) > 1 ? old - 1 : 0;
	} while (!atomic_compare_exchange_weak_explicit(word, &old, new, memory_order_relaxed,
							memory_order_relaxed));
}

void tally_use(enum tally_kind kind, vaccel_id_t id, const void *object)
{
	_Atomic uint64_t *word = word_of(kind, id);
	uint64_t now;

	if (!word)
		return;
	add(&used);
	now = atomic_load_explicit(word, memory_order_relaxed);
	if (!now || (now & ~COUNT_MASK) != mark_of(object))
		complain(&mistakes, "is used and not alive", kind, id);
}

struct tally tally_count(void)
{
	struct tally tally = { .begun = begun, .used = used, .twins = twins, .mistakes = mistakes };

	for (int kind = 0; kind < TALLY_KINDS; kind++)
		for (int id = 0; id < IDS; id++)
			tally.alive += words[kind][id] != 0;
	return tally;
}
