/*
 * core.h - starting and stopping the library.
 *
 * The library starts itself when it is loaded, unless VACCEL_BOOTSTRAP_ENABLED is 0, and cleans
 * up at exit, unless VACCEL_CLEANUP_ENABLED is 0.
 */
#ifndef VACCEL_CORE_H
#define VACCEL_CORE_H

#include "config.h"
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Start with the settings of the environment; what ran before is cleaned up first. */
int vaccel_bootstrap(void);

/* Start with these settings, which are copied. */
int vaccel_bootstrap_with_config(struct vaccel_config *config);

/* Release every session and resource, unload the plugins, remove the run directory. */
int vaccel_cleanup(void);

/* Whether a bootstrap has succeeded and no cleanup followed. */
bool vaccel_is_initialized(void);

/* Where run-time files are; the last one after a cleanup. */
const char *vaccel_rundir(void);

/* The settings in force. */
const struct vaccel_config *vaccel_config(void);

#ifdef __cplusplus
}
#endif

#endif
