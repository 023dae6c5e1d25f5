/*
 * sockets.h - stream sockets without the kernel, for fuzz targets: a program that links sockets.c
 * has its own socketpair() and what is called on its ends. Bytes lie in the program's memory, so a
 * call costs a copy; nothing waits, and the same calls have the same results.
 *
 * Their numbers begin at SOCKETS_FIRST; below, descriptors are the kernel's, as ever, and there are
 * so many at most.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

enum { SOCKETS_FIRST = 4096 };

/* How many ends are open. */
unsigned sockets_open(void);

#endif
