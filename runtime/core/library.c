/*
 * library.c - libraries that lie beside libvaccel.so itself, which the system's search need not
 * know: in a build directory, under a prefix of somebody's own. Any thread.
 */
#include "library.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

void *library_beside_us(const char *name, int flags)
{
	char path[PATH_MAX];
	const char *slash;
	Dl_info us;

	if (!dladdr((void *)library_beside_us, &us) || !us.dli_fname)
		return NULL;
	slash = strrchr(us.dli_fname, '/');
	if (!slash || snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - us.dli_fname),
			       us.dli_fname, name) >= (int)sizeof(path))
		return NULL;
	return dlopen(path, flags);
}
