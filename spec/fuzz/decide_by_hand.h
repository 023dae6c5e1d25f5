/*
 * decide_by_hand.h - what decides in the agent's fuzz targets, in place of operators' scripts: bits
 * of a session's hint choose its plan and refuse it or its resources, so that a target's input
 * reaches both sides of each decision. What is decided goes into a record when one is asked for.
 * Nothing is owned here; all of it runs on the one thread that a target has.
 */
#ifndef DECIDE_BY_HAND_H
#define DECIDE_BY_HAND_H

#include "decide.h"
#include <stddef.h>

/* Calls that have begun and not ended, as policies are told. */
size_t decide_running(void);

#endif
