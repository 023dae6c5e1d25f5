/*
 * bridge.h - getting at libtorch, when it is first needed.
 */
#ifndef TORCH_PLUGIN_BRIDGE_H
#define TORCH_PLUGIN_BRIDGE_H

#include "fault.h"
#include "torch_bridge.h"

/* Settle the environment that libtorch reads when it is loaded. Once, before there are threads. */
void bridge_prepare(void);

/*
 * How many threads one operation may use: 1 to 256; without it the CPUs that the process may use,
 * at most 4. EBUSY once libtorch has been started with another number.
 */
int bridge_set_threads(int threads, struct fault *fault);

/*
 * The bridge, loaded and started by the first call, which takes half a second. ELIBBAD when it or
 * libtorch cannot be loaded; ESESS in a child forked after the parent had it: libtorch's threads
 * do not live there, and it would wait for them for ever.
 */
int bridge_get(const struct torch_bridge **bridge, struct fault *fault);

#endif
