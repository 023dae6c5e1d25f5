/*
 * list.h - the links of the doubly linked, circular lists inside public structs.
 *
 * The library owns these lists; a program reads them at most.
 */
#ifndef VACCEL_LIST_H
#define VACCEL_LIST_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An empty list, or an entry that is in none: both links point at itself. */
#define LIST_ENTRY_INIT(name)                                                                      \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}

struct vaccel_list_entry {
	/* following entry */
	struct vaccel_list_entry *next;

	/* preceding entry */
	struct vaccel_list_entry *prev;
};

#ifdef __cplusplus
}
#endif

#endif
