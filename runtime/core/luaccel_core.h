/*
 * luaccel_core.h - the door into the core for the agent and the policy engine.
 *
 * An application sees one session with one plugin. The agent needs more: a session of a peer has
 * a *leg*, a hidden vaccel_session, on each backend that serves it, and a resource has one hidden
 * vaccel_resource for each backend, sharing the bytes of the first. Legs bear the id of the
 * session they belong to, so that what a plugin prints names the session that the operator knows.
 *
 *     peer's session 17 ──┬── leg 17 on plugin torch    peer's resource 4 ──┬── hidden 4 for torch
 *                         └── leg 17 on plugin noop                         └── hidden 4 for noop
 *
 * libvaccel exports luaccel_core() and nothing else of this. All functions may be called from any
 * thread; those that reach a plugin block for as long as the plugin does. Codes are VACCEL_*.
 */
#ifndef LUACCEL_CORE_H
#define LUACCEL_CORE_H

#include "luaccel.h"
#include "vaccel.h"
#include <stdbool.h>
#include <stdint.h>

#define LUACCEL_CORE_VERSION 2

struct luaccel_core {
	/*
	 * Load a plugin as VACCEL_PLUGINS does and hand it out. `lib` is a path, or a name for
	 * dlopen to find. Errors: those of vaccel_plugin_load(); EEXIST when the library is
	 * loaded already (*plugin is then that one). luaccel_last_error() has dlopen's words.
	 */
	int (*plugin_load)(const char *lib, struct vaccel_plugin **plugin);

	/* Loaded plugins in load order: NULL gives the first, NULL comes after the last. */
	struct vaccel_plugin *(*plugin_next)(const struct vaccel_plugin *previous);

	/* What vaccel_session_init() would choose for this hint; NULL when no plugin fits. */
	struct vaccel_plugin *(*plugin_for_hint)(uint32_t hint);

	/* Hand an option to the plugin: ENOTSUP when it takes none, else what it answered. */
	int (*plugin_configure)(struct vaccel_plugin *plugin, const char *key, const char *value);

	/* Operations that the plugin allows at once on one session or model, see luaccel.h. */
	uint64_t (*plugin_reentrant)(const struct vaccel_plugin *plugin);

	/* What it does with targets, see luaccel.h; NULL: nothing. */
	const struct luaccel_targets *(*plugin_targets)(const struct vaccel_plugin *plugin);

	/* How many resources the process may have: an agent has limits of its own for peers. */
	void (*limit_resources)(size_t resources);

	/* dlopen() a module of ours, with these flags, in libvaccel.so's own directory; NULL when
	 * it cannot. */
	void *(*library_beside)(const char *name, int flags);

	/* A new session id: rising, below 2^53, shared with vaccel_session_init(). */
	vaccel_id_t (*session_id)(void);

	/*
	 * Open a leg for session `id` on `plugin`: like vaccel_session_init(), but on this plugin
	 * whatever the hint, and to this target unless it is NULL. Errors: ENOMEM, the run
	 * directory's errno, ENOTSUP for a target that the plugin cannot take, what the plugin's
	 * session_init returned. The caller owns *leg until leg_close().
	 */
	int (*leg_open)(struct vaccel_plugin *plugin, vaccel_id_t id, uint32_t hint,
			const struct luaccel_target *target, struct vaccel_session **leg);

	/* Release the leg: unregisters what is registered with it, then the plugin's
	 * session_release. */
	int (*leg_close)(struct vaccel_session *leg);

	/*
	 * A resource of blobs that are in files: as vaccel_resource_from_blobs() makes it, but with
	 * each blob's bytes at its path, and no copy of them. A MAPPED blob is a link to the file
	 * in the run directory, under its name, so the file must be on that file system; a BUFFER
	 * has no path. The bytes are private to the resource: what is written to them reaches
	 * no file. Neither file nor blob is kept beyond the call. Errors as there.
	 */
	int (*resource_from_files)(struct vaccel_resource **res, const struct vaccel_blob **blobs,
				   size_t nr_blobs, vaccel_resource_type_t type);

	/*
	 * A hidden resource with the id, type and bytes of `shared`, to be registered with legs of
	 * one backend. `shared` must outlive it. Errors: ENOMEM, the run directory's errno.
	 */
	int (*resource_share)(const struct vaccel_resource *shared,
			      struct vaccel_resource **hidden);

	/* Unregister the hidden resource from every leg and free it. */
	int (*resource_unshare)(struct vaccel_resource *hidden);

	/* For a process that must end while plugins run: remove its run-time files alone. */
	void (*remove_files)(void);
};

/* The table, or NULL when libvaccel speaks another version of it. Valid until the library goes. */
const struct luaccel_core *luaccel_core(uint32_t version);

#endif
