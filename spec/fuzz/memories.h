/*
 * memories.h - memfd_create(2) and what is done with its descriptors, without the kernel, for a
 * fuzz target whose linker is told to (--wrap, see CMakeLists.txt). A mapping is the program's own
 * memory, so two ends that map the same descriptor share it, and what lies behind it is
 * poisoned. The same calls have the same results, and none costs a system call.
 *
 * Numbers of descriptors begin at MEMORIES_FIRST; they go over the sockets of sockets.c.
 */
#ifndef MEMORIES_H
#define MEMORIES_H

#include <stddef.h>
#include <stdint.h>

enum { MEMORIES_FIRST = 8192, MEMORIES_NO_SEALS = -1 };

/* What there is none of: the kernel is old, or has not the descriptors, the pages, the room. */
enum memories_want { WANT_NOTHING, WANT_NEW_KERNEL, WANT_DESCRIPTORS, WANT_PAGES, WANT_ROOM };

/* At the beginning of a run; calls may fail from here on. */
void memories_start(enum memories_want want);

/*
 * A descriptor as a peer may make one: it says that it has `size` bytes, which may be more than can
 * be mapped, and these seals; with MEMORIES_NO_SEALS it is something else, as a pipe is. -1: there
 * are enough.
 */
int memories_open(uint64_t size, int seals);

/* The bytes of the one made last, and how many; NULL: none has been made, or it has gone. */
uint8_t *memories_last(size_t *size);

/* How many descriptors and mappings there are. */
unsigned memories_left(void);

#endif
