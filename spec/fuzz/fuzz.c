/*
 * fuzz.c - see fuzz.h.
 */
#include "fuzz.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The sanitizer's name. */
const char *__asan_default_options(void);

/* More than any target has open at once, beside those that libFuzzer has. */
enum { DESCRIPTORS = 64 };

static struct pollfd before[DESCRIPTORS];

/* stderr, also when libFuzzer has closed it for the target. */
static int words = STDERR_FILENO;

__attribute__((constructor)) static void keep_stderr(void)
{
	words = dup(STDERR_FILENO);
}

void fuzz_failed(const char *what, const char *file, int line)
{
	dprintf(words, "fuzz: %s:%d: not true: %s\n", file, line, what);
	abort();
}

/*
 * Memory that was freed is kept from being used again for a while, as long as a run and many more,
 * but no more than the processor's cache holds: with 4 MiB a run takes half as long again, with the
 * sanitizer's own 256 MiB far longer. Where memory was allocated is one call deep, which is what
 * many runs can afford; scripts/fuzz.sh says how to have more of a find.
 */
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=1:thread_local_quarantine_size_kb=256:malloc_context_size=1";
}

static void look(struct pollfd *pfd)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		pfd[fd] = (struct pollfd){ .fd = fd };
	poll(pfd, DESCRIPTORS, 0);
}

void fuzz_descriptors_note(void)
{
	look(before);
}

void fuzz_descriptors_check(void)
{
	struct pollfd now[DESCRIPTORS];

	look(now);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		fuzz_check((now[fd].revents & POLLNVAL) == (before[fd].revents & POLLNVAL));
}
