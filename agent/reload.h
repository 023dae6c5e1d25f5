/*
 * reload.h - the file of settings and the policies, read again while the agent runs.
 */
#ifndef AGENT_RELOAD_H
#define AGENT_RELOAD_H

#include "lifecycle.h"

/*
 * Listeners and policies become what file and command line say now, limits and the drain timeout
 * too; of what cannot change while the agent runs the log says that it needs a restart. 0, or -1
 * with the sentence in err: nothing has changed then.
 */
int reload(struct lifecycle *life, char *err, size_t errsize);

#endif
