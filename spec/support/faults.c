/*
 * faults.c - libfaults.so, to be preloaded: calls of the C library that fail when they are told
 * to, see faults.h; and a count of the heap's blocks. Built without sanitizers, so that it may
 * come before theirs. Any thread.
 */
#include "faults.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum call { MALLOC, MKDIR, MKDTEMP, OPEN, WRITE, MMAP, OPENDIR, CALLS };

static const char *const names[CALLS] = { "malloc", "mkdir", "mkdtemp", "open",
					  "write",  "mmap",  "opendir" };

static _Thread_local struct {
	enum call call;
	long left; /* calls until it fails; 0: not armed, or over */
	int error;
	bool fired;
} fault __attribute__((tls_model("initial-exec")));

static atomic_long blocks;

/* dlsym() may allocate, before we know how: from here, never freed. */
static struct {
	_Alignas(16) unsigned char bytes[65536];
	atomic_size_t used;
} arena;

static void *arena_take(size_t size)
{
	const size_t rounded = (size + 15) & ~(size_t)15;
	const size_t at = atomic_fetch_add(&arena.used, rounded);

	return at + rounded <= sizeof(arena.bytes) ? arena.bytes + at : NULL;
}

static bool arena_has(const void *block)
{
	return (uintptr_t)block >= (uintptr_t)arena.bytes &&
	       (uintptr_t)block < (uintptr_t)arena.bytes + sizeof(arena.bytes);
}

static bool fails(enum call call)
{
	if (!fault.left || fault.call != call || --fault.left)
		return false;
	fault.fired = true;
	if (fault.error)
		errno = fault.error;
	return true;
}

EXPORT bool faults_arm(const char *call, long nth, int error)
{
	for (enum call known = 0; known < CALLS; known++) {
		if (strcmp(names[known], call) == 0) {
			fault.call = known;
			fault.left = nth;
			fault.error = error;
			fault.fired = false;
			return true;
		}
	}
	return false;
}

EXPORT bool faults_disarm(void)
{
	fault.left = 0;
	return fault.fired;
}

EXPORT long faults_blocks(void)
{
	return atomic_load(&blocks);
}

/* The C library's own function, or the sanitizer's in front of it. */
static void resolve(void *function, const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	memcpy(function, &symbol, sizeof(symbol));
}

#define REAL(type, name, ...)                                                                      \
	static type (*real)(__VA_ARGS__);                                                          \
	do {                                                                                       \
		if (!real)                                                                         \
			resolve(&real, #name);                                                     \
	} while (0)

/* All of the heap's at once, since dlsym() itself needs them. */
static struct {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t number, size_t size);
	void *(*realloc)(void *block, size_t size);
	void (*free)(void *block);
	int (*posix_memalign)(void **block, size_t alignment, size_t size);
	void *(*aligned_alloc)(size_t alignment, size_t size);
	bool ready;
} heap;

static bool heap_ready(void)
{
	static _Thread_local bool resolving __attribute__((tls_model("initial-exec")));

	if (heap.ready || resolving)
		return heap.ready;
	resolving = true;
	resolve(&heap.malloc, "malloc");
	resolve(&heap.calloc, "calloc");
	resolve(&heap.realloc, "realloc");
	resolve(&heap.free, "free");
	resolve(&heap.posix_memalign, "posix_memalign");
	resolve(&heap.aligned_alloc, "aligned_alloc");
	heap.ready = true;
	resolving = false;
	return true;
}

static void *counted(void *block)
{
	if (block)
		atomic_fetch_add(&blocks, 1);
	return block;
}

EXPORT void *malloc(size_t size)
{
	if (!heap_ready())
		return arena_take(size);
	return fails(MALLOC) ? NULL : counted(heap.malloc(size));
}

EXPORT void *calloc(size_t number, size_t size)
{
	if (!heap_ready())
		return arena_take(number * size);
	return fails(MALLOC) ? NULL : counted(heap.calloc(number, size));
}

EXPORT void *realloc(void *block, size_t size)
{
	if (!heap_ready() || fails(MALLOC))
		return NULL;
	return block ? heap.realloc(block, size) : counted(heap.realloc(NULL, size));
}

EXPORT void free(void *block)
{
	if (!block || arena_has(block) || !heap_ready())
		return;
	atomic_fetch_sub(&blocks, 1);
	heap.free(block);
}

/* A sanitizer's would take its memory past us. */
EXPORT char *strdup(const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
	const int ret = heap_ready() ? heap.posix_memalign(block, alignment, size) : ENOMEM;

	if (!ret)
		counted(*block);
	return ret;
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	return heap_ready() ? counted(heap.aligned_alloc(alignment, size)) : NULL;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
	REAL(int, mkdir, const char *, mode_t);
	return fails(MKDIR) ? -1 : real(path, mode);
}

EXPORT char *mkdtemp(char *path)
{
	REAL(char *, mkdtemp, char *);
	return fails(MKDTEMP) ? NULL : real(path);
}

EXPORT int mkostemps(char *path, int suffix, int flags)
{
	REAL(int, mkostemps, char *, int, int);
	return fails(OPEN) ? -1 : real(path, suffix, flags);
}

EXPORT int open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;

	REAL(int, open, const char *, int, ...);
	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return fails(OPEN) ? -1 : real(path, flags, mode);
}

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
	REAL(ssize_t, write, int, const void *, size_t);
	if (!fails(WRITE))
		return real(fd, data, size);
	return fault.error ? -1 : real(fd, data, size > 1 ? size / 2 : size);
}

EXPORT void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	REAL(void *, mmap, void *, size_t, int, int, int, off_t);
	return fails(MMAP) ? MAP_FAILED : real(at, size, protection, flags, fd, offset);
}

EXPORT DIR *opendir(const char *path)
{
	REAL(DIR *, opendir, const char *);
	return fails(OPENDIR) ? NULL : real(path);
}
