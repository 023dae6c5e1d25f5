/*
 * core_test.h - what the core's tests share: starting the library with plugins, files to work on,
 * and the counters of the fake plugins.
 */
#ifndef CORE_TEST_H
#define CORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core_fake.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <luaccel.h>
#include <luaccel_core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vaccel.h>

#define FAKE(name) FAKE_PLUGIN_DIR "/libvaccel-fake-" name ".so"

static inline struct fake *fake_of(const char *path)
{
	void *handle = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
	struct fake *fake;

	assert_non_null(handle);
	fake = dlsym(handle, "fake");
	assert_non_null(fake);
	dlclose(handle);
	return fake;
}

static inline int start_with(const char *plugins)
{
	struct vaccel_config config;
	int ret;

	assert_int_equal(vaccel_config_init(&config, plugins, VACCEL_LOG_MAX, NULL, false, false),
			 0);
	ret = vaccel_bootstrap_with_config(&config);
	vaccel_config_release(&config);
	return ret;
}

static inline int start_noop(void **state)
{
	(void)state;
	return start_with(NOOP_PLUGIN);
}

static inline int stop(void **state)
{
	(void)state;
	return vaccel_cleanup();
}

static inline const char *last_error(void)
{
	static char text[1024];

	luaccel_last_error(text, sizeof(text));
	return text;
}

#define assert_reason(part)                                                                        \
	do {                                                                                       \
		if (!strstr(last_error(), part))                                                   \
			fail_msg("\"%s\" has no \"%s\"", last_error(), part);                      \
	} while (0)

/* Names in a directory, without "." and "..". */
static inline int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = -2;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static inline void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

#endif
