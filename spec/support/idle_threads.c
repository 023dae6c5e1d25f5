/*
 * idle_threads.c - a program with no fault: `idle_threads LIBRARY` ends without a leak while
 * threads stand that have a variable of a library loaded late, as any process with the torch plugin
 * does.
 *
 * LeakSanitizer of GCC 12 and LLVM 14 breaks down over this now and then unless it is told
 * intercept_tls_get_addr=0: it takes the words before such a variable for a header of an older C
 * library (google/sanitizers issue 1322), and scans what they point to. So many threads make "now
 * and then" every time.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 300, STACK_BYTES = 256 * 1024 };

static int *(*touch)(void);
static pthread_barrier_t touched;

static void *stand(void *unused)
{
	touch();
	pthread_barrier_wait(&touched);
	for (;;)
		pause();
	return unused;
}

static void start_thread(const pthread_attr_t *attributes)
{
	pthread_t thread;

	if (pthread_create(&thread, attributes, stand, NULL)) {
		fputs("idle_threads: no further thread starts\n", stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	pthread_attr_t attributes;
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;

	if (library)
		*(void **)&touch = dlsym(library, "idle_tls_touch");
	if (!touch) {
		fputs("usage: idle_threads LIBRARY, which has idle_tls_touch()\n", stderr);
		return 2;
	}
	pthread_barrier_init(&touched, NULL, THREADS + 1);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	for (int i = 0; i < THREADS; i++)
		start_thread(&attributes);
	pthread_barrier_wait(&touched);
	return 0;
}
