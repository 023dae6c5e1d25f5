/*
 * bootstrap.c - the library's life: constructor, bootstrap, cleanup, fork, exit.
 *
 *   start   log, profiling, run directory, registry, plugins, policy; a step that fails undoes
 *           those before it
 *   stop    the profile is printed; sessions, resources, policy, plugins, run directory,
 *           profiling, log
 *
 * Bootstrap and cleanup exclude each other by a lock; what they bring up is safe for any thread.
 *
 * At exit nobody can say whether a session that a caller keeps in its own memory is there still,
 * so unless every live one came from *_new(), only files are removed then. A forked child leaves
 * everything of its parent's alone: plugins, run directory, connections.
 */
#include "bootstrap.h"
#include "app_policy.h"
#include "blobs.h"
#include "environment.h"
#include "last_error.h"
#include "logging.h"
#include "plugins.h"
#include "profiling.h"
#include "regions.h"
#include "resources.h"
#include "rundir.h"
#include "sessions.h"
#include "url.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHY_MAX = 512 };

static struct {
	pthread_mutex_t lock; /* one bootstrap or cleanup at a time */
	atomic_bool initialized;
	bool fork_handlers; /* are there */
	pid_t pid;	    /* process that bootstrapped */
	struct vaccel_config config;
	pthread_mutex_t why_lock;
	char why[WHY_MAX]; /* not initialised */
} library = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.config = { .log_level = VACCEL_LOG_ERROR },
	.why_lock = PTHREAD_MUTEX_INITIALIZER,
	.why = "vaccel_bootstrap() has not been called",
};

bool vaccel_is_initialized(void)
{
	return atomic_load(&library.initialized);
}

const struct vaccel_config *vaccel_config(void)
{
	return &library.config;
}

static void set_why(const char *why)
{
	pthread_mutex_lock(&library.why_lock);
	snprintf(library.why, sizeof(library.why), "%s", why);
	pthread_mutex_unlock(&library.why_lock);
}

int bootstrap_missing(int code)
{
	pthread_mutex_lock(&library.why_lock);
	luaccel_set_error("vAccel is not initialised: %s", library.why);
	pthread_mutex_unlock(&library.why_lock);
	return code;
}

/* Sessions first, as they hold resources; each ends whatever its plugin says. */
static void release_views(void)
{
	struct session_record *session;
	struct resource_record *resource;

	log_debug("Cleaning up sessions");
	while ((session = registry_first_session()))
		session_release(session, true);
	log_debug("Cleaning up resources");
	while ((resource = registry_first_resource()))
		resource_release(resource, true);
}

/* views: whether live sessions and resources can still be reached. */
static void stop(bool views)
{
	regions_report();
	log_debug("Cleaning up vAccel");
	atomic_store(&library.initialized, false);
	if (views)
		release_views();
	registry_stop();
	app_policy_stop();
	log_debug("Cleaning up plugins");
	plugins_stop();
	rundir_destroy();
	prof_enable(false);
	vaccel_log_shutdown();
}

static int start(void)
{
	int ret;

	vaccel_log_init();
	prof_enable(library.config.profiling_enabled);
	log_debug("Initializing vAccel");
	log_info("vAccel %s", VACCEL_VERSION);
	vaccel_config_print_debug(&library.config);
	ret = rundir_create();
	if (ret)
		goto stop_log;
	library.pid = getpid();
	registry_start();
	plugins_start();
	if (library.config.plugins)
		ret = vaccel_plugin_parse_and_load(library.config.plugins);
	if (ret) {
		log_error("Could not load plugins");
		goto stop_plugins;
	}
	ret = app_policy_start();
	if (ret)
		goto stop_plugins;
	atomic_store(&library.initialized, true);
	return VACCEL_OK;

stop_plugins:
	release_views();
	registry_stop();
	plugins_stop();
	rundir_destroy();
stop_log:
	prof_enable(false);
	vaccel_log_shutdown();
	return ret;
}

/* Not library.lock: a plugin may fork in its init or fini, which run under it. */
static void before_fork(void)
{
	app_policy_lock();
	registry_lock();
	plugins_lock();
	rundir_lock();
	blob_lock();
	prof_lock();
	url_lock();
	log_lock();
	pthread_mutex_lock(&library.why_lock);
}

static void unlock_all(void)
{
	pthread_mutex_unlock(&library.why_lock);
	log_unlock();
	url_unlock();
	prof_unlock();
	blob_unlock();
	rundir_unlock();
	plugins_unlock();
	registry_unlock();
}

static void after_fork(void)
{
	unlock_all();
	app_policy_unlock();
}

static void after_fork_in_child(void)
{
	unlock_all();
	app_policy_unlock_in_child();
	regions_forget();
}

/* A child that the library was loaded in before the fork cleans up nothing but its own files. */
static void stop_child(void)
{
	regions_report();
	atomic_store(&library.initialized, false);
	registry_stop();
	app_policy_abandon();
	plugins_abandon();
	rundir_destroy();
	prof_enable(false);
}

static void stop_what_runs(bool views)
{
	if (library.pid == getpid())
		stop(views);
	else
		stop_child();
}

static void add_fork_handlers(void)
{
	if (!library.fork_handlers)
		pthread_atfork(before_fork, after_fork, after_fork_in_child);
	library.fork_handlers = true;
}

/* Takes the settings over. */
static int bootstrap(struct vaccel_config *config)
{
	char why[WHY_MAX];
	int ret;

	pthread_mutex_lock(&library.lock);
	if (vaccel_is_initialized()) {
		log_debug("Reloading vAccel");
		stop_what_runs(true);
	}
	vaccel_config_release(&library.config);
	library.config = *config;
	ret = start();
	if (ret) {
		luaccel_last_error(why, sizeof(why));
		set_why(why);
		vaccel_config_release(&library.config);
	} else {
		add_fork_handlers();
	}
	pthread_mutex_unlock(&library.lock);
	return ret;
}

int vaccel_bootstrap(void)
{
	const unsigned mark = error_mark();
	struct vaccel_config config;
	int ret;

	ret = vaccel_config_init_from_env(&config);
	if (ret)
		fprintf(stderr, "Error: Could not init main config from env\n");
	else
		ret = bootstrap(&config);
	return error_settle(mark, ret);
}

int vaccel_bootstrap_with_config(struct vaccel_config *config)
{
	const unsigned mark = error_mark();
	struct vaccel_config copy;
	int ret;

	ret = vaccel_config_init_from(&copy, config);
	if (ret)
		fprintf(stderr, "Error: Could not init main config\n");
	else
		ret = bootstrap(&copy);
	return error_settle(mark, ret);
}

int vaccel_cleanup(void)
{
	pthread_mutex_lock(&library.lock);
	if (vaccel_is_initialized()) {
		stop_what_runs(true);
		vaccel_config_release(&library.config);
		set_why("vaccel_cleanup() was called");
	}
	pthread_mutex_unlock(&library.lock);
	return VACCEL_OK;
}

/* Never ends the process: it may be one that only happens to load us. */
__attribute__((constructor)) static void load(void)
{
	char why[WHY_MAX];

	if (!environment_enabled("VACCEL_BOOTSTRAP_ENABLED") || !vaccel_bootstrap())
		return;
	luaccel_last_error(why, sizeof(why));
	set_why(why);
	fprintf(stderr,
		"vaccel: not initialised: %s; every vAccel call will fail until VACCEL_PLUGINS "
		"and the other VACCEL_ variables are put right\n",
		why[0] ? why : "out of memory");
}

__attribute__((destructor)) static void unload(void)
{
	if (!environment_enabled("VACCEL_CLEANUP_ENABLED")) {
		regions_report();
		return;
	}
	pthread_mutex_lock(&library.lock);
	if (vaccel_is_initialized()) {
		stop_what_runs(registry_views_are_ours());
		vaccel_config_release(&library.config);
	}
	pthread_mutex_unlock(&library.lock);
}
