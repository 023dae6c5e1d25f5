/*
 * luaccel.h - what luaccel adds to the vAccel interface.
 *
 * Nothing here is needed by a program or plugin written for vAccel; both can use it when they
 * find it. Safe to include from C and C++.
 */
#ifndef LUACCEL_H
#define LUACCEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Why the calling thread's last failing vAccel call failed, in one sentence for a person
 * ("refused by policy inference (p.lua:12): over quota").
 *
 * Copies at most size - 1 bytes and a NUL into buf and returns the length of the whole sentence,
 * as snprintf does; buf may be NULL when size is 0. 0 when that call left no reason. Each thread
 * has its own; calls that succeed leave it as it is. Never fails.
 */
size_t luaccel_last_error(char *buf, size_t size);

/* Formats are checked; a reader of the text alone, as cffi is, defines this to be nothing. */
#ifndef LUACCEL_PRINTF
#define LUACCEL_PRINTF(text, first) __attribute__((format(printf, text, first)))
#endif

/*
 * For plugins: leave the reason for the failure that the current operation is about to return.
 * printf-like; kept for the calling thread, cut at 1023 bytes. Never fails.
 */
LUACCEL_PRINTF(1, 2) void luaccel_set_error(const char *format, ...);

/*
 * For plugins: the operations that may run at once on one session and one model. Without it the
 * agent runs a plugin's operations one after the other for each session and each model, as
 * vAccel always did. mask is an OR of LUACCEL_OP(VACCEL_OP_...).
 */
#define LUACCEL_OP(type) (UINT64_C(1) << (type))
#define LUACCEL_REENTRANT(mask)                                                                    \
	__attribute__((visibility("default"))) const uint64_t luaccel_plugin_reentrant = (mask)

/*
 * A plugin may also export
 *
 *     int luaccel_plugin_configure(const char *key, const char *value);
 *
 * which receives the options of `plugin "NAME" { key = value }` after init and before the first
 * session: VACCEL_OK, or VACCEL_EINVAL (with luaccel_set_error) for an option it does not know.
 */

/*
 * For plugins that carry sessions to other processes: where one leads, if not to where the plugin
 * would take it by itself. All of it is the caller's, for the length of the call.
 */
struct luaccel_target {
	const char *uri;
	const uint64_t *via; /* agents that have handed the session on, this one last */
	size_t nr_via;
};

struct vaccel_session;

/*
 * Such a plugin exports `const struct luaccel_targets luaccel_plugin_targets`. Its functions may be
 * called on any thread, at once with each other.
 */
struct luaccel_targets {
	/* As the session_init of vaccel_plugin_info, to this target. */
	int (*session_init)(struct vaccel_session *sess, uint32_t flags,
			    const struct luaccel_target *target);
	/* Does anybody answer there? Asks anew, for some seconds: VACCEL_OK, VACCEL_EBACKEND, or
	 * VACCEL_EAGAIN when nothing is heard; with luaccel_set_error(). */
	int (*probe)(const char *uri);
	/* 1 if sessions there share a connection that is not lost, else 0. */
	int (*connected)(const char *uri);
	/* New sessions connect anew. The connection goes with its last session; or, with `now`, at
	 * once, and its calls and sessions end with VACCEL_ESESS. */
	void (*close)(const char *uri, int now);
};

#ifdef __cplusplus
}
#endif

#endif
