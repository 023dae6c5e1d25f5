/*
 * sockets.h - stream sockets without the kernel, for fuzz targets: a program that links sockets.c
 * has its own socketpair() and what is called on its ends. Bytes lie in the program's memory, so a
 * call costs a copy; nothing waits, and the same calls have the same results.
 *
 * Their numbers begin at SOCKETS_FIRST; below, descriptors are the kernel's, as ever, and there are
 * so many at most.
 *
 * A message may carry descriptors (SCM_RIGHTS) if the target says how another number for one is
 * had, and how one is closed: they come with the first of the message's bytes, and are lost when
 * these are received without asking for them.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

enum { SOCKETS_FIRST = 4096 };

/* How many ends are open. */
unsigned sockets_open(void);

struct sockets_rights {
	int (*again)(int fd); /* -1: there are enough, and it is not sent */
	int (*close)(int fd);
};

void sockets_pass(const struct sockets_rights *rights);

#endif
