/*
 * vaccel_start.h - libvaccel as --vaccel-config, or the environment, wants it: before all else.
 */
#ifndef AGENT_VACCEL_START_H
#define AGENT_VACCEL_START_H

#include <stddef.h>

/*
 * `config` is "plugins=...,log_level=4", or NULL: libvaccel bootstraps itself from the environment
 * before main() runs, and only that is checked here. -1: go on; otherwise the status to leave with,
 * and the sentence in err. libvaccel says more on stderr.
 */
int vaccel_start(const char *config, char *err, size_t errsize);

#endif
