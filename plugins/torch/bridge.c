/*
 * bridge.c - loads libvaccel-torch-bridge.so, and libtorch with it, when the first model comes.
 *
 * The module lies beside the plugin and is never unloaded: libtorch's threads would be left
 * without code. One lock guards all of it; any thread may come.
 */
#include "bridge.h"
#include "vaccel.h"
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BRIDGE_FILE	"libvaccel-torch-bridge.so"
#define DEFAULT_THREADS 4
#define MAX_THREADS	256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct torch_bridge *loaded;
static pid_t loaded_by;
static int wanted_threads; /* 0: the default */

void bridge_prepare(void)
{
	/* OpenMP's idle threads would otherwise spin on the CPUs that everything else needs. */
	setenv("OMP_WAIT_POLICY", "passive", 0);
}

static int default_threads(void)
{
	cpu_set_t cpus;
	int n = 1;

	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		n = CPU_COUNT(&cpus);
	return n < DEFAULT_THREADS ? n : DEFAULT_THREADS;
}

int bridge_set_threads(int threads, struct fault *fault)
{
	int ret = 0;

	if (threads < 1 || threads > MAX_THREADS)
		return fault_set(fault, VACCEL_EINVAL, "threads = %d; it can be 1 to %d", threads,
				 MAX_THREADS);
	pthread_mutex_lock(&lock);
	if (loaded && threads != wanted_threads)
		ret = fault_set(fault, VACCEL_EBUSY,
				"libtorch runs already, with threads = %d; set it before the first "
				"model is loaded",
				wanted_threads);
	else
		wanted_threads = threads;
	pthread_mutex_unlock(&lock);
	return ret;
}

/* The bridge's file, in the directory that this code was loaded from. */
static int bridge_path(char *path, size_t size)
{
	Dl_info self;
	const char *slash;
	int length;

	if (!dladdr(&lock, &self) || !self.dli_fname)
		return VACCEL_ELIBBAD;
	slash = strrchr(self.dli_fname, '/');
	length = snprintf(path, size, "%.*s%s", slash ? (int)(slash - self.dli_fname + 1) : 0,
			  self.dli_fname, BRIDGE_FILE);
	return length < 0 || (size_t)length >= size ? VACCEL_ELIBBAD : VACCEL_OK;
}

/* OpenBLAS, where it is libtorch's BLAS, has threads and a setting of its own. */
static void limit_blas(void *handle, int threads)
{
	void (*set)(int);

	*(void **)&set = dlsym(handle, "openblas_set_num_threads");
	if (set)
		set(threads);
}

static int load(struct fault *fault)
{
	char path[4096];
	const struct torch_bridge *bridge;
	void *handle;

	if (bridge_path(path, sizeof(path)))
		return fault_set(fault, VACCEL_ELIBBAD,
				 "the torch plugin cannot tell where " BRIDGE_FILE " is");
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!handle)
		return fault_set(fault, VACCEL_ELIBBAD,
				 "libtorch cannot be loaded (Debian: apt install libtorch1.13): %s",
				 dlerror());
	bridge = dlsym(handle, TORCH_BRIDGE_SYMBOL);
	if (!bridge || bridge->version != TORCH_BRIDGE_VERSION) {
		dlclose(handle);
		return fault_set(fault, VACCEL_ELIBBAD, "%s is of another version than the plugin",
				 path);
	}
	if (!wanted_threads)
		wanted_threads = default_threads();
	limit_blas(handle, wanted_threads);
	if (bridge->start(wanted_threads, fault)) {
		dlclose(handle);
		return VACCEL_ELIBBAD;
	}
	vaccel_info("[torch] libtorch loaded, threads = %d", wanted_threads);
	loaded = bridge;
	loaded_by = getpid();
	return VACCEL_OK;
}

int bridge_get(const struct torch_bridge **bridge, struct fault *fault)
{
	int ret = VACCEL_OK;

	pthread_mutex_lock(&lock);
	if (!loaded)
		ret = load(fault);
	else if (loaded_by != getpid())
		ret = fault_set(fault, VACCEL_ESESS,
				"libtorch cannot be used in a forked child of the process that "
				"used it; start a new program, or call through the agent");
	*bridge = loaded;
	pthread_mutex_unlock(&lock);
	return ret;
}
