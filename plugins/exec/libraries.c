/*
 * libraries.c - opens what a resource consists of and counts who uses it.
 *
 * One lock guards plugin_priv of every resource and all counts. It is not held while a library is
 * opened or closed, since its constructors and destructors are anybody's code. Two threads that
 * meet both open; the second to come gives its handles back, which the loader counts. Any thread.
 */
#include "libraries.h"
#include "log.h"
#include "settings.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* References: one is the resource's (plugin_priv), one each caller's of libraries_get(). */
struct libraries {
	unsigned int references;
	bool close; /* with the last reference */
	size_t nr_handles;
	void *handles[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * A file of a resource is a file: a relative path must not become a name that the loader searches
 * elsewhere.
 */
static void *open_file(const char *path, int flags)
{
	char here[PATH_MAX];

	if (!strchr(path, '/')) {
		snprintf(here, sizeof(here), "./%s", path);
		path = here;
	}
	return dlopen(path, flags);
}

static const char *mode_name(int mode)
{
	return mode == RTLD_LAZY ? "RTLD_LAZY" : "RTLD_NOW";
}

/* Libraries that need each other may open in one mode of binding and not in the other. */
static void *open_either_way(const char *path, int mode, int flags)
{
	const int other = mode == RTLD_LAZY ? RTLD_NOW : RTLD_LAZY;
	void *handle = open_file(path, mode | flags);

	if (handle)
		return handle;
	exec_warn("dlopen with %s failed for %s: %s", mode_name(mode), path, dlerror());
	exec_warn("Trying %s fallback", mode_name(other));
	return open_file(path, other | flags);
}

/* One of the resource's files: what the main library needs is visible to it. */
static int open_one(const struct vaccel_resource *resource, size_t i, int mode, void **handle)
{
	const bool main_library = i + 1 == resource->nr_blobs;
	const char *path = resource->blobs[i]->path;

	if (!path)
		return exec_fail(
			VACCEL_EINVAL,
			"file %zu of resource %lld is in memory alone; create the resource "
			"from a file, or from a buffer that is not mem_only",
			i, (long long)resource->id);
	if (main_library)
		exec_debug("Library: %s", path);
	if (resource->nr_blobs == 1)
		*handle = open_file(path, mode);
	else
		*handle = open_either_way(path, mode, main_library ? 0 : RTLD_GLOBAL);
	return *handle ? VACCEL_OK
		       : exec_fail(VACCEL_EINVAL, "dlopen failed for %s: %s", path, dlerror());
}

/* Close the last first, as each may need those before it. */
static int close_all(const struct libraries *libraries)
{
	int ret = VACCEL_OK;

	for (size_t i = libraries->nr_handles; i > 0; i--) {
		if (dlclose(libraries->handles[i - 1]))
			ret = exec_fail(VACCEL_EINVAL, "dlclose failed: %s", dlerror());
	}
	return ret;
}

static int open_all(const struct vaccel_resource *resource, struct libraries **result)
{
	const int mode = setting_dlopen_mode();
	struct libraries *libraries =
		calloc(1, sizeof(*libraries) + resource->nr_blobs * sizeof(void *));

	if (!libraries)
		return exec_fail(VACCEL_ENOMEM, "no memory for the handles of %zu libraries",
				 resource->nr_blobs);
	for (size_t i = 0; i < resource->nr_blobs; i++) {
		const int ret = open_one(resource, i, mode, &libraries->handles[i]);

		if (ret) {
			close_all(libraries);
			free(libraries);
			return ret;
		}
		libraries->nr_handles++;
	}
	*result = libraries;
	return VACCEL_OK;
}

/* The resource's libraries with one more reference, if there are any. */
static struct libraries *find(struct vaccel_resource *resource)
{
	struct libraries *libraries;

	pthread_mutex_lock(&lock);
	libraries = resource->plugin_priv;
	if (libraries)
		libraries->references++;
	pthread_mutex_unlock(&lock);
	return libraries;
}

/*
 * Make what was opened the resource's, or take what another thread has made so meanwhile. When the
 * last session has let go of the resource meanwhile it is this caller's alone, as nobody would come
 * to forget it.
 */
static struct libraries *settle(struct vaccel_resource *resource, struct libraries *opened)
{
	struct libraries *libraries;
	bool kept;

	pthread_mutex_lock(&lock);
	if (!resource->plugin_priv && vaccel_resource_refcount(resource) > 0) {
		resource->plugin_priv = opened;
		opened->references = 1;
	}
	kept = resource->plugin_priv;
	libraries = kept ? resource->plugin_priv : opened;
	libraries->references++;
	pthread_mutex_unlock(&lock);
	if (!kept)
		opened->close = setting_dlclose_enabled(true);
	if (libraries != opened) {
		close_all(opened);
		free(opened);
	}
	return libraries;
}

int libraries_get(struct vaccel_resource *resource, struct libraries **result)
{
	struct libraries *libraries = find(resource);

	if (!libraries) {
		const int ret = open_all(resource, &libraries);

		if (ret)
			return ret;
		libraries = settle(resource, libraries);
	}
	*result = libraries;
	return VACCEL_OK;
}

/* Without the lock, and only after the last reference has gone. */
static int end(struct libraries *libraries)
{
	const int ret = libraries->close ? close_all(libraries) : VACCEL_OK;

	free(libraries);
	return ret;
}

void libraries_put(struct libraries *libraries)
{
	bool last;

	pthread_mutex_lock(&lock);
	last = --libraries->references == 0;
	pthread_mutex_unlock(&lock);
	if (last)
		end(libraries);
}

void *libraries_main(const struct libraries *libraries)
{
	return libraries->handles[libraries->nr_handles - 1];
}

int libraries_forget(struct vaccel_resource *resource)
{
	const bool close = setting_dlclose_enabled(true);
	struct libraries *libraries;
	bool last = false;

	pthread_mutex_lock(&lock);
	libraries = resource->plugin_priv;
	if (libraries) {
		resource->plugin_priv = NULL;
		libraries->close = close;
		last = --libraries->references == 0;
	}
	pthread_mutex_unlock(&lock);
	return last ? end(libraries) : VACCEL_OK;
}
