/*
 * plugins_library.c - libraries for the tests of the exec plugin. Built as the main library, as
 * one that needs a function of another (NEEDS), and as that other (GIVES). Each counts in the
 * program that opens it how often it was opened and closed, and calls it at the opening.
 */
#include <stdatomic.h>
#include <unistd.h>
#include <vaccel.h>

#define EXPORTED __attribute__((visibility("default")))

extern atomic_int libraries_opened, libraries_closed;
extern void (*library_opening)(void);

__attribute__((constructor)) static void opened(void)
{
	atomic_fetch_add(&libraries_opened, 1);
	if (library_opening)
		library_opening();
}

__attribute__((destructor)) static void closed(void)
{
	atomic_fetch_add(&libraries_closed, 1);
}

#if defined(GIVES)
EXPORTED int given(int number);

int given(int number)
{
	return 3 * number;
}
#elif defined(NEEDS)
extern int given(int number);
#else
static int given(int number)
{
	return 2 * number;
}
#endif

EXPORTED int answer(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		    size_t nr_write);
EXPORTED int refuse(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		    size_t nr_write);
EXPORTED int pause_a_while(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
			   size_t nr_write);

int answer(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	if (nr_read != 1 || nr_write != 1)
		return 1;
	*(int *)write[0].buf = given(*(int *)read[0].buf);
	return 0;
}

int refuse(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	(void)read;
	(void)write;
	return nr_read || nr_write ? 5 : 6;
}

int pause_a_while(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		  size_t nr_write)
{
	usleep(1000);
	return answer(read, nr_read, write, nr_write);
}
