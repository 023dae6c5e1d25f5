/*
 * loops.c - what callers at the same time get from an agent: how many calls a second in all, and
 * how long each waits; with LONG, while one more caller sends so many bytes again and again.
 *
 * bench-loops CALLS SIZE CALLERS LONG AGENT, with VACCEL_PLUGINS naming the rpc plugin and an agent
 * at VACCEL_RPC_ADDRESS, whose process id AGENT is. Each caller is a process with a connection of
 * its own, and makes CALLS calls of SIZE bytes. Processor time is the agent's, for each call.
 */
#include "subject.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WARM = 50, CALLERS_MAX = 64 };

/* In memory that all share. */
struct common {
	pthread_barrier_t start;
	double samples[]; /* in ns, of one caller after the other */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void wait_for_all(struct common *common)
{
	pthread_barrier_wait(&common->start);
}

/* In a process of its own. Without samples: until it is killed. */
__attribute__((noreturn)) static void call(struct common *common, size_t size, double *samples,
					   size_t calls)
{
	struct vaccel_session session;
	struct subject subject = { .call = call_classify, .session = &session, .size = size };

	subject.image = calloc(1, size);
	if (!subject.image || vaccel_session_init(&session, 0)) {
		fprintf(stderr, "bench-loops needs the rpc plugin and an agent\n");
		exit(1);
	}
	for (size_t i = 0; i < (samples ? WARM : 2); i++)
		sample(&subject);
	wait_for_all(common);
	while (!samples)
		sample(&subject);
	for (size_t i = 0; i < calls; i++)
		samples[i] = sample(&subject);
	vaccel_session_release(&session);
	exit(0);
}

static pid_t start(struct common *common, size_t size, double *samples, size_t calls)
{
	const pid_t pid = fork();

	if (pid < 0) {
		perror("bench-loops");
		exit(1);
	}
	if (!pid)
		call(common, size, samples, calls);
	return pid;
}

static struct common *common_new(size_t samples, unsigned processes)
{
	struct common *common = mmap(NULL, sizeof(*common) + samples * sizeof(double),
				     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t attr;

	if (common == MAP_FAILED) {
		perror("bench-loops");
		exit(1);
	}
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&common->start, &attr, processes);
	pthread_barrierattr_destroy(&attr);
	return common;
}

static void await(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	fprintf(stderr, "bench-loops: a caller failed\n");
	exit(1);
}

static double percentile(const double *samples, size_t count, size_t percent)
{
	double *copy = samples_for(count);

	for (size_t i = 0; i < count; i++)
		copy[i] = samples[i];
	return percentile_of(copy, count, percent);
}

int main(int argc, char **argv)
{
	const size_t calls = argc == 6 ? strtoul(argv[1], NULL, 10) : 0;
	const size_t size = argc == 6 ? strtoul(argv[2], NULL, 10) : 0;
	const unsigned callers = argc == 6 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	const size_t long_size = argc == 6 ? strtoul(argv[4], NULL, 10) : 0;
	const size_t count = calls * callers;
	pid_t pids[CALLERS_MAX], sender = 0;
	struct common *common;
	double began, wall, cpu;

	if (!calls || !size || !callers || callers > CALLERS_MAX) {
		fprintf(stderr, "Usage: bench-loops CALLS SIZE CALLERS LONG AGENT\n");
		return 2;
	}
	common = common_new(count, callers + 1 + (long_size > 0));
	if (long_size)
		sender = start(common, long_size, NULL, 0);
	for (unsigned i = 0; i < callers; i++)
		pids[i] = start(common, size, common->samples + i * calls, calls);
	wait_for_all(common);
	began = now();
	cpu = processor_time(atoi(argv[5]));
	for (unsigned i = 0; i < callers; i++)
		await(pids[i]);
	wall = now() - began;
	cpu = processor_time(atoi(argv[5])) - cpu;
	if (sender) {
		kill(sender, SIGKILL);
		waitpid(sender, NULL, 0);
	}
	printf("%8zu B by %2u callers%s %9.0f calls/s   median %8.1f us   p99 %8.1f us   agent's "
	       "processor %8.1f us\n",
	       size, callers, long_size ? " beside a long one" : "", (double)count / wall,
	       percentile(common->samples, count, 50) / 1e3,
	       percentile(common->samples, count, 99) / 1e3, cpu / 1e3 / (double)count);
	return 0;
}
