/*
 * idle_tls.c - a library with a thread-local variable, for idle_threads.c to load: what a thread
 * has of it the dynamic linker allocates, as it does for the libraries of the torch plugin.
 */
__attribute__((visibility("default"))) int *idle_tls_touch(void);

static _Thread_local int touched;

int *idle_tls_touch(void)
{
	touched++;
	return &touched;
}
