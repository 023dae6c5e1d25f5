/*
 * rundir.c - where run-time files are.
 *
 * The first of these that can be written: /run/user/UID, $XDG_RUNTIME_DIR, $RUNTIME_DIRECTORY,
 * and for containers and accounts without any of them a private directory under $TMPDIR.
 *
 * The directory belongs to the process that made it. A forked child makes its own when it first
 * needs one and leaves its parent's alone. Any thread.
 */
#include "rundir.h"
#include "files.h"
#include "last_error.h"
#include "logging.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	pthread_mutex_t lock;
	char path[PATH_MAX]; /* the last one, also after it is gone */
	pid_t owner;	     /* process that made it, 0 when it is gone */
} rundir = { .lock = PTHREAD_MUTEX_INITIALIZER };

void rundir_lock(void)
{
	pthread_mutex_lock(&rundir.lock);
}

void rundir_unlock(void)
{
	pthread_mutex_unlock(&rundir.lock);
}

const char *vaccel_rundir(void)
{
	return rundir.path;
}

/* mkdtemp(base + suffix), with what is missing above it. 0 or an errno. */
static int try_place(const char *base, size_t base_length, const char *suffix)
{
	char parent[PATH_MAX];
	char path[PATH_MAX];
	int ret;

	if (!base_length || base[0] != '/')
		return VACCEL_ENOENT;
	if (snprintf(path, sizeof(path), "%.*s/%sXXXXXX", (int)base_length, base, suffix) >=
	    (int)sizeof(path))
		return VACCEL_ENAMETOOLONG;
	memcpy(parent, path, sizeof(path));
	*strrchr(parent, '/') = '\0';
	ret = file_make_directories(parent);
	if (ret)
		return ret;
	if (!mkdtemp(path))
		return errno;
	memcpy(rundir.path, path, sizeof(path));
	return VACCEL_OK;
}

/* A variable that may hold several paths with ':' between them; the first counts. */
static int try_variable(const char *name, const char *suffix)
{
	const char *value = getenv(name);

	return value ? try_place(value, strcspn(value, ":"), suffix) : VACCEL_ENOENT;
}

static int create_locked(void)
{
	char run_user[64];
	int ret;

	snprintf(run_user, sizeof(run_user), "/run/user/%ju", (uintmax_t)getuid());
	ret = try_place(run_user, strlen(run_user), "vaccel/");
	if (ret)
		ret = try_variable("XDG_RUNTIME_DIR", "vaccel/");
	if (ret)
		ret = try_variable("RUNTIME_DIRECTORY", "vaccel/");
	if (ret)
		ret = try_variable("TMPDIR", "vaccel-");
	if (ret)
		ret = try_place("/tmp", strlen("/tmp"), "vaccel-");
	if (ret)
		return fail(ret,
			    "Could not create a run directory in %s, $XDG_RUNTIME_DIR, "
			    "$RUNTIME_DIRECTORY, $TMPDIR or /tmp: %s; set XDG_RUNTIME_DIR to a "
			    "directory that this user can write",
			    run_user, strerror(ret));
	rundir.owner = getpid();
	log_debug("Created top-level rundir: %s", rundir.path);
	return VACCEL_OK;
}

int rundir_create(void)
{
	int ret;

	rundir_lock();
	ret = create_locked();
	rundir_unlock();
	return ret;
}

void rundir_destroy(void)
{
	int ret = 0;

	rundir_lock();
	if (rundir.owner == getpid()) {
		ret = file_remove_tree(rundir.path);
		rundir.owner = 0;
	}
	rundir_unlock();
	if (ret)
		log_warn("Could not remove rundir %s: %s", rundir.path, strerror(ret));
}

int rundir_make(const char *name, char *path)
{
	int ret = VACCEL_OK;

	rundir_lock();
	if (rundir.owner != getpid())
		ret = create_locked();
	if (!ret && snprintf(path, PATH_MAX, "%s/%s", rundir.path, name) >= PATH_MAX)
		ret = VACCEL_ENAMETOOLONG;
	rundir_unlock();
	if (!ret && mkdir(path, S_IRWXU))
		ret = errno;
	return ret;
}

bool rundir_owns(const char *path)
{
	bool owns;
	size_t length;

	rundir_lock();
	length = strlen(rundir.path);
	owns = rundir.owner == getpid() && strncmp(path, rundir.path, length) == 0 &&
	       path[length] == '/';
	rundir_unlock();
	return owns;
}

void rundir_remove(const char *path)
{
	int ret;

	if (!rundir_owns(path) || rmdir(path) == 0)
		return;
	ret = errno == ENOTEMPTY ? file_remove_tree(path) : errno;
	if (ret)
		log_warn("Could not remove rundir %s: %s", path, strerror(ret));
}
