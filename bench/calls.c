/*
 * calls.c - what a call costs: locally against an indirect call, through the agent against the same
 * bytes sent raw over a Unix socket to a process that answers as many as the agent does.
 *
 * bench-calls CALLS PROCESSOR, with VACCEL_PLUGINS naming a local plugin and the rpc plugin, and an
 * agent at VACCEL_RPC_ADDRESS. The raw peer runs on PROCESSOR, as the agent should.
 */
#include "vaccel.h"
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TAGS = 1024, BATCH = 1000, ENVELOPE = 100 };

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct subject {
	int (*call)(struct subject *subject);
	struct vaccel_session *session;
	unsigned char *image;
	size_t size;
	int fd;
};

static int indirect(struct subject *subject)
{
	return !subject;
}

static int (*volatile pointer)(struct subject *) = indirect;

static int call_pointer(struct subject *subject)
{
	int i, ret = 0;

	for (i = 0; i < BATCH; i++)
		ret |= pointer(subject);
	return ret;
}

static int call_noop(struct subject *subject)
{
	int i, ret = 0;

	for (i = 0; i < BATCH; i++)
		ret |= vaccel_noop(subject->session);
	return ret;
}

static int call_classify(struct subject *subject)
{
	unsigned char tags[TAGS];

	return vaccel_image_classification(subject->session, subject->image, tags, NULL,
					   subject->size, sizeof(tags), 0);
}

static int move_all(ssize_t (*move)(int, void *, size_t), int fd, void *data, size_t size)
{
	while (size) {
		ssize_t n = move(fd, data, size);

		if (n <= 0)
			return -1;
		data = (char *)data + n;
		size -= (size_t)n;
	}
	return 0;
}

static ssize_t put(int fd, void *data, size_t size)
{
	return write(fd, data, size);
}

static int call_raw(struct subject *subject)
{
	unsigned char answer[TAGS + ENVELOPE];

	return move_all(put, subject->fd, subject->image, subject->size) ||
	       move_all(read, subject->fd, answer, sizeof(answer));
}

/* Reads `size` bytes, answers TAGS and an envelope, for ever. */
static void answer_raw(int fd, unsigned char *buffer, size_t size, int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!move_all(read, fd, buffer, size) && !move_all(put, fd, buffer, TAGS + ENVELOPE))
		;
	_exit(0);
}

/* The median of `rounds` calls in ns; exits when a call fails. */
static double median(struct subject *subject, size_t rounds)
{
	double *samples = calloc(rounds, sizeof(*samples)), result;
	size_t i;

	if (!samples)
		exit(1);
	for (i = 0; i < rounds; i++) {
		double start = now_ns();
		int ret = subject->call(subject);

		samples[i] = now_ns() - start;
		if (ret) {
			fprintf(stderr, "a call failed: %d\n", ret);
			exit(1);
		}
	}
	qsort(samples, rounds, sizeof(*samples), compare);
	result = samples[rounds / 2];
	free(samples);
	return result;
}

static double raw(unsigned char *data, size_t size, size_t rounds, int processor)
{
	struct subject subject = { .call = call_raw, .image = data, .size = size };
	int fds[2], status;
	double result;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		exit(1);
	fflush(stdout);
	child = fork();
	if (!child) {
		close(fds[0]);
		answer_raw(fds[1], data, size, processor);
	}
	close(fds[1]);
	subject.fd = fds[0];
	result = median(&subject, rounds);
	close(fds[0]);
	waitpid(child, &status, 0);
	return result;
}

static void compare_local(struct vaccel_session *session, size_t rounds)
{
	struct subject direct = { .call = call_pointer }, noop = { .call = call_noop };
	double base, call;

	noop.session = session;
	median(&noop, 10);
	base = median(&direct, rounds) / BATCH;
	call = median(&noop, rounds) / BATCH;
	printf("indirect call            %10.2f ns\n", base);
	printf("vaccel_noop, local       %10.2f ns   %5.1f times\n", call, call / base);
}

static void compare_remote(struct vaccel_session *session, size_t size, size_t rounds,
			   int processor)
{
	unsigned char *image = calloc(1, (size > TAGS ? size : TAGS) + ENVELOPE);
	struct subject call = {
		.call = call_classify, .session = session, .image = image, .size = size
	};
	double agent, socket;

	if (!image)
		exit(1);
	median(&call, rounds / 10 + 1);
	agent = median(&call, rounds) / 1e3;
	socket = raw(image, size + ENVELOPE, rounds, processor) / 1e3;
	printf("classify %9zu bytes  %10.1f us   raw socket %8.1f us   %5.2f times\n", size, agent,
	       socket, agent / socket);
	free(image);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 64, 4096, 65536, 1 << 20, 16 << 20 };
	struct vaccel_session local, remote;
	size_t i, rounds;

	if (argc != 3 || atoi(argv[1]) < 1) {
		fprintf(stderr, "Usage: bench-calls CALLS PROCESSOR\n");
		return 2;
	}
	rounds = (size_t)atoi(argv[1]);
	if (vaccel_session_init(&local, 0) || vaccel_session_init(&remote, VACCEL_PLUGIN_REMOTE)) {
		fprintf(stderr, "bench-calls needs a local plugin, the rpc plugin and an agent\n");
		return 1;
	}
	compare_local(&local, rounds / 10 + 1);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		compare_remote(&remote, sizes[i], sizes[i] > 65536 ? rounds / 50 + 1 : rounds,
			       atoi(argv[2]));
	vaccel_session_release(&remote);
	vaccel_session_release(&local);
	return 0;
}
