/*
 * fuzz_vaccel.h - libvaccel in a fuzz target: with these plugins and no other, and silent.
 */
#ifndef FUZZ_VACCEL_H
#define FUZZ_VACCEL_H

#include <stdbool.h>

/* Where files are not on a disk. */
#define FUZZ_MEMORY "/dev/shm"

/* Plugins are paths with ':' between them. Its run-time files are in FUZZ_MEMORY if it is there. */
void fuzz_start_vaccel(const char *plugins, bool profiling);

#endif
