/*
 * pool_by_hand.h - agent/pool.h without threads: a job waits until it is told to run, and its
 * done() until it is told to come back, in any order. So a fuzz target chooses which of the
 * orders that threads could have had, and has the same one each time.
 */
#ifndef POOL_BY_HAND_H
#define POOL_BY_HAND_H

#include "pool.h"
#include <stdbool.h>

/* Run the job after `skip` others that wait (or the last). False: none waits. */
bool pool_run_one(struct pool *pool, unsigned skip);

/* The same for done() of jobs that have run. */
bool pool_return_one(struct pool *pool, unsigned skip);

#endif
