/*
 * rundir.h - the directory of this process for run-time files, and those of sessions and
 * resources below it.
 */
#ifndef RUNDIR_H
#define RUNDIR_H

#include "core.h"

/* Make the process's directory at the first place that lets us. */
int rundir_create(void);

/* Remove it and everything in it, if it is this process's. */
void rundir_destroy(void);

/* Make <directory>/name; path has PATH_MAX bytes. EEXIST when it is there. */
int rundir_make(const char *name, char *path);

/* Remove what rundir_make() made. What another process made, before a fork, stays. */
void rundir_remove(const char *path);

/* Whether path is below this process's own directory. */
bool rundir_owns(const char *path);

/* Around fork(). */
void rundir_lock(void);
void rundir_unlock(void);

#endif
