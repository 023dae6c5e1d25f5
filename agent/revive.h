/*
 * revive.h - looks after backends that are plugins and could not be loaded: a library that is put
 * in its place later, or that finds its device later, comes up without a reload.
 *
 * One that is declared and down is tried again after a second, and then less and less often. The
 * library is loaded on a thread of the pool that probes remotes, since that takes as long as it
 * takes; the rest is the loop's thread.
 */
#ifndef AGENT_REVIVE_H
#define AGENT_REVIVE_H

#include "backend.h"

#define REVIVE_FIRST 1.0 /* seconds until one that is down is tried again */

/* The wait after one in vain. */
double revive_longer(double wait);
/* As long as the moment has it: those that lost one agent do not come back to it all at once. */
double revive_jittered(double seconds);

/* agent->probes is there. 0 or -ENOMEM. */
int revive_pool(struct agent *agent);

/* Declarations are settled: from now on it is tried again while it is down and declared. */
void revive_watch(struct backend *backend);
/* Its library is being loaded: nobody else may. */
bool revive_is_loading(const struct backend *backend);
/* Waits for a load that is under way. */
void revive_free(struct backend *backend);

#endif
