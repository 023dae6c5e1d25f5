/*
 * remote.h - backends that are other agents: remote "URI" in a policy. All of them share the rpc
 * plugin; each has a connection there, a pool here, and its health.
 *
 * One that was declared is taken for up until its first probe says otherwise. It goes down when its
 * connection is lost or cannot be made, or when nothing comes back from it for a while and a probe,
 * which has a connection of its own, gets no answer either: the connection is severed then, and
 * whoever waited there has VACCEL_ESESS. While it is down no session waits for it; it is probed
 * after a second, and then less and less often, until it answers.
 *
 * The pool is its own so that an agent which hangs holds up its own threads and nobody else's; the
 * probes of all remotes share one that nothing else uses. The loop's thread, but for the jobs.
 */
#ifndef AGENT_REMOTE_H
#define AGENT_REMOTE_H

#include "backend.h"

extern const struct backend_class remote_class;

/* 0, -ENOMEM, or -EINVAL with a sentence in err for what is no address. */
int remote_new(struct agent *agent, const char *uri, struct remote **remote, char *err,
	       size_t errsize);
/* The backend is this remote, from now on. */
void remote_attach(struct remote *remote, struct backend *backend);
/* Nothing may run there any more; waits for a probe. */
void remote_free(struct remote *remote);

/* Valid as long as it is. Any thread. */
const char *remote_uri(const struct remote *remote);

/*
 * Look after it from now on, if its backend has the plugin. A line warns of an address that others
 * can listen in on. Nothing new for one that is looked after already.
 */
void remote_start(struct remote *remote);
/* No session comes any more; with its last one its connection goes, and its threads. */
void remote_retire(struct remote *remote);

/* Is it not known yet whether anybody is there? */
bool remote_is_new(const struct remote *remote);
/* Is it being asked at the moment? */
bool remote_is_probing(const struct remote *remote);

#endif
