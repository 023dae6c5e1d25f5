/*
 * faults.h - what libfaults.so, when it is preloaded, lets a program do: make one of its calls of
 * the C library fail. Calls are counted on the thread that armed it alone.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>

/*
 * The nth call from now on fails with this errno; a write with error 0 is a short one instead.
 * Known calls: malloc (also calloc, realloc and strdup), mkdir, mkdtemp, open (also mkostemps),
 * write, mmap, opendir. False for another.
 */
bool faults_arm(const char *call, long nth, int error);

/* Back to normal; whether it came to that call. */
bool faults_disarm(void);

/* Blocks of the heap in use, of all threads. */
long faults_blocks(void);

#endif
