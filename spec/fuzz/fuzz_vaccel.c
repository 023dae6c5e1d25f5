/*
 * fuzz_vaccel.c - see fuzz_vaccel.h.
 */
#include "fuzz_vaccel.h"
#include "fuzz.h"
#include "vaccel.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * libvaccel makes directories for every session and resource, under /run/user if it can. On a disk
 * they would take most of the time: here it cannot anywhere but in memory, where there is some.
 */
__attribute__((visibility("default"))) char *mkdtemp(char *template)
{
	char *(*real)(char *) = (char *(*)(char *))dlsym(RTLD_NEXT, "mkdtemp");

	if (strncmp(template, FUZZ_MEMORY, strlen(FUZZ_MEMORY)) != 0 &&
	    access(FUZZ_MEMORY, W_OK) == 0) {
		errno = EACCES;
		return NULL;
	}
	return real(template);
}

void fuzz_start_vaccel(const char *plugins, bool profiling)
{
	struct vaccel_config config;

	/* The constructor may have started it, as the environment says. */
	if (vaccel_is_initialized())
		vaccel_cleanup();
	setenv("XDG_RUNTIME_DIR", FUZZ_MEMORY, 1);
	fuzz_check(vaccel_config_init(&config, plugins, 0, NULL, profiling, false) == 0);
	fuzz_check(vaccel_bootstrap_with_config(&config) == 0);
	vaccel_config_release(&config);
}
