/*
 * sessions.h - starting and ending sessions, public and hidden.
 */
#ifndef SESSIONS_H
#define SESSIONS_H

#include "luaccel.h"
#include "registry.h"

/* End a session: EINVAL when it is ending already. With force nothing stops it, and what failed
 * is logged. */
int session_release(struct session_record *record, bool force);

/* A leg: a hidden session on this plugin, see luaccel_core.h. */
int leg_open(struct vaccel_plugin *plugin, vaccel_id_t id, uint32_t hint,
	     const struct luaccel_target *target, struct vaccel_session **leg);
int leg_close(struct vaccel_session *leg);

#endif
