/*
 * decide_by_hand.h - agent/decide.h without scripts: bits of a session's hint choose its plan and
 * refuse it or its resources, as a policy would. So a fuzz target's input decides. What is decided
 * goes into a record when one is asked for.
 */
#ifndef DECIDE_BY_HAND_H
#define DECIDE_BY_HAND_H

#include "decide.h"
#include <stddef.h>

/* Calls that have begun and not ended, as policies are told. */
size_t decide_running(void);

#endif
