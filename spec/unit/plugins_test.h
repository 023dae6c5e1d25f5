/*
 * plugins_test.h - what the tests of noop, exec and mbench share: a session with one plugin, the
 * plugin's own functions, and what it prints.
 */
#ifndef PLUGINS_TEST_H
#define PLUGINS_TEST_H

#include "unit_output.h"
#include <dlfcn.h>
#include <luaccel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vaccel.h>

static struct vaccel_session sess;

/* libvaccel with one plugin, logging everything, and a session. */
static inline int start_plugin(const char *path)
{
	struct vaccel_config config;
	int ret;

	vaccel_config_init(&config, path, VACCEL_LOG_DEBUG, NULL, false, false);
	ret = vaccel_bootstrap_with_config(&config);
	vaccel_config_release(&config);
	return ret ? ret : vaccel_session_init(&sess, 0);
}

static inline int stop_plugin(void **state)
{
	(void)state;
	return vaccel_session_release(&sess) || vaccel_cleanup();
}

/* The plugin's function for an operation, for calls that libvaccel would not let through. */
static inline void *operation(vaccel_op_type_t type)
{
	assert_non_null(sess.plugin->ops[type]);
	return sess.plugin->ops[type]->func;
}

/* The operations that the plugin lets run at once. */
static inline uint64_t reentrant(void)
{
	const uint64_t *mask = dlsym(sess.plugin->dl_handle, "luaccel_plugin_reentrant");

	assert_non_null(mask);
	return *mask;
}

typedef int (*exec_fn)(struct vaccel_session *, const char *, const char *, struct vaccel_arg *,
		       size_t, struct vaccel_arg *, size_t);
typedef int (*exec_with_resource_fn)(struct vaccel_session *, struct vaccel_resource *,
				     const char *, struct vaccel_arg *, size_t, struct vaccel_arg *,
				     size_t);

static inline struct vaccel_arg raw(void *buf, size_t size)
{
	return (struct vaccel_arg){ .buf = buf, .size = size, .type = VACCEL_ARG_RAW };
}

static inline void assert_reason(const char *part)
{
	char text[1024];

	luaccel_last_error(text, sizeof(text));
	if (!strstr(text, part))
		fail_msg("\"%s\" has no \"%s\"", text, part);
}

#endif
