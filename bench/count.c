/*
 * count.c - see count.h.
 *
 * Instructions: a forked child stops itself, calls a function through a pointer, and stops itself
 * again; its parent steps it from stop to stop. From that the same with a function that is one
 * instruction, `ret`, is subtracted: what is left is the call's own.
 *
 * Allocations: this program's malloc() stands in front of the C library's for every library here.
 */
#include "count.h"
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WARM_CALLS = 100 };

count_call count_just_return;
__asm__(".text\n"
	".globl count_just_return\n"
	".hidden count_just_return\n"
	".type count_just_return, %function\n"
	"count_just_return:\n"
	"	ret\n"
	".size count_just_return, . - count_just_return\n");

/* Is stepped through the second call and all around it. */
static void be_stepped(count_call *volatile call, struct vaccel_session *session)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	for (int i = 0; i < WARM_CALLS; i++)
		call(session);
	kill(getpid(), SIGSTOP);
	call(session);
	kill(getpid(), SIGSTOP);
	_exit(0);
}

static bool stops_with(pid_t child, int signal)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
	       WSTOPSIG(status) == signal;
}

/* Steps from one stop of the child's to the next; -1 when it cannot be stepped. */
static long count_steps(count_call *call, struct vaccel_session *session)
{
	const pid_t child = fork();
	long steps = 0;

	if (!child)
		be_stepped(call, session);
	if (child < 0 || !stops_with(child, SIGSTOP))
		return -1;
	do {
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL))
			break;
		steps++;
	} while (stops_with(child, SIGTRAP));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return steps;
}

long count_instructions(count_call *call, struct vaccel_session *session)
{
	const long around = count_steps(count_just_return, session);
	const long all = count_steps(call, session);

	return around > 0 && all > 0 ? all - around + 1 : -1;
}

#ifdef COUNT_ALLOCATIONS

static long allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

#pragma GCC visibility push(default)

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	allocations++;
	return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	allocations++;
	return __libc_memalign(alignment, size);
}

#pragma GCC visibility pop

long count_allocations(void)
{
	return allocations;
}

#else

long count_allocations(void)
{
	return -1;
}

#endif
