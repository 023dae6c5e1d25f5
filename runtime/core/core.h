/*
 * core.h - what every file of the core includes first: the public headers, whose functions this
 * library exports, and a few helpers. Everything else in here is hidden.
 */
#ifndef CORE_H
#define CORE_H

#pragma GCC visibility push(default)
#include "luaccel.h"
#include "luaccel_core.h"
#include "vaccel.h"
#pragma GCC visibility pop

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* The struct that has this member at this address. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Helpers for struct vaccel_list_entry, a circular list; an entry in no list points at itself. */
static inline void list_init(struct vaccel_list_entry *entry)
{
	entry->next = entry;
	entry->prev = entry;
}

static inline bool list_empty(const struct vaccel_list_entry *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct vaccel_list_entry *head, struct vaccel_list_entry *entry)
{
	entry->next = head;
	entry->prev = head->prev;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_remove(struct vaccel_list_entry *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	list_init(entry);
}

#define list_for_each(entry, head)                                                                 \
	for (struct vaccel_list_entry *entry = (head)->next; entry != (head); entry = entry->next)

#endif
