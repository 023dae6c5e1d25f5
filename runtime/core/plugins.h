/*
 * plugins.h - the loaded plugins.
 */
#ifndef PLUGINS_H
#define PLUGINS_H

#include "core.h"

/* From bootstrap to cleanup; outside, nothing can be loaded. */
void plugins_start(void);
void plugins_stop(void);

/* Forget the plugins without a word to them: in a forked child they are the parent's. */
void plugins_abandon(void);

/* vaccel_plugin_load() that hands the plugin out, also with EEXIST. */
int plugin_load(const char *lib, struct vaccel_plugin **plugin);

/* Add to the list, after checks; take out again. */
int plugin_register(struct vaccel_plugin *plugin);
void plugin_unregister(struct vaccel_plugin *plugin);

/* The first plugin that is loaded (previous NULL), or the next. */
struct vaccel_plugin *plugin_next(const struct vaccel_plugin *previous);

/*
 * The plugin for a session with these wishes; *remote says whether the session is to be carried
 * to another side. NULL, with a reason, when none fits.
 */
struct vaccel_plugin *plugin_choose(uint32_t hint, bool *remote);

/* luaccel_core: options, reentrancy and targets of a plugin. */
int plugin_configure(struct vaccel_plugin *plugin, const char *key, const char *value);
uint64_t plugin_reentrant(const struct vaccel_plugin *plugin);
const struct luaccel_targets *plugin_targets(const struct vaccel_plugin *plugin);

/* Around fork(). */
void plugins_lock(void);
void plugins_unlock(void);

#endif
