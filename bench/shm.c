/*
 * shm.c - what long calls cost through memory that agent and client share, and through the socket
 * alone; beside the same bytes sent raw over a Unix socket and back, and copied once each way.
 *
 * bench-shm ROUNDS PROCESSOR BOUND AGENT SHARING PLAIN, with VACCEL_PLUGINS naming the rpc plugin,
 * AGENT an agent's process on PROCESSOR, SHARING an address of its, and PLAIN another, with
 * shm=off. In each round the four have their turn, so that the machine is in the same state for
 * all; times are medians. Processor time is that of both ends. It ends with 1 when shared memory
 * costs more than BOUND times the socket, at any size.
 *
 * A process has one connection to an agent, so each address has a child, which calls when it is
 * told to. One thread each.
 */
#include "subject.h"
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 16 << 20, WARM = 3 };

/* What is measured: a classification, whose answer is short, or minmax, whose answer is as long. */
struct order {
	size_t size;
	bool both_ways;
};

struct cost {
	double wall, cpu; /* in ns */
};

static unsigned char *sent, *received;
static int processor;
static clockid_t agent_clock;

static double clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "bench-shm: %s\n", what);
	exit(1);
}

static int call(struct vaccel_session *session, const struct order *order)
{
	double min, max;

	if (order->both_ways)
		return vaccel_minmax(session, (const double *)(void *)sent,
				     (int)(order->size / sizeof(double)), 0, 1,
				     (double *)(void *)received, &min, &max);
	return vaccel_image_classification(session, sent, received, NULL, order->size, TAGS, 0);
}

/* A child: calls as it is told, and says what that cost. */
static void call_for(int fd, const char *address)
{
	struct vaccel_session session;
	struct order order;

	setenv("VACCEL_RPC_ADDRESS", address, 1);
	if (vaccel_session_init(&session, VACCEL_PLUGIN_REMOTE))
		fail("no session");
	while (!read_all(fd, &order, sizeof(order))) {
		struct cost cost = { -clock_ns(CLOCK_MONOTONIC),
				     -clock_ns(CLOCK_PROCESS_CPUTIME_ID) - clock_ns(agent_clock) };

		if (call(&session, &order))
			fail("a call failed");
		cost.wall += clock_ns(CLOCK_MONOTONIC);
		cost.cpu += clock_ns(CLOCK_PROCESS_CPUTIME_ID) + clock_ns(agent_clock);
		if (write_all(fd, &cost, sizeof(cost)))
			break;
	}
	vaccel_session_release(&session);
}

static size_t answer_size(const struct order *order)
{
	return order->both_ways ? order->size : TAGS + ENVELOPE;
}

/* The raw peer, where the agent runs. */
static void answer(int fd, const char *unused)
{
	struct order order;
	cpu_set_t set;

	(void)unused;
	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!read_all(fd, &order, sizeof(order)) && !read_all(fd, sent, order.size) &&
	       !write_all(fd, received, answer_size(&order)))
		;
}

static int start(void (*run)(int fd, const char *address), const char *address)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		fail("no socket pair");
	fflush(stdout);
	if (fork()) {
		close(fds[1]);
		return fds[0];
	}
	close(fds[0]);
	run(fds[1], address);
	exit(0);
}

static struct cost ask(int fd, const struct order *order)
{
	struct order copy = *order;
	struct cost cost;

	if (write_all(fd, &copy, sizeof(copy)) || read_all(fd, &cost, sizeof(cost)))
		fail("a child has gone");
	return cost;
}

static double raw(int fd, const struct order *order)
{
	const double begin = clock_ns(CLOCK_MONOTONIC);
	struct order copy = *order;

	if (write_all(fd, &copy, sizeof(copy)) || write_all(fd, sent, order->size) ||
	    read_all(fd, received, answer_size(order)))
		fail("the raw peer has gone");
	return clock_ns(CLOCK_MONOTONIC) - begin;
}

static double copy(const struct order *order)
{
	const double begin = clock_ns(CLOCK_MONOTONIC);

	memcpy(received, sent, order->size);
	memcpy(sent, received, answer_size(order));
	return clock_ns(CLOCK_MONOTONIC) - begin;
}

/* Whether shared memory costs at most `bound` times the socket. */
static bool compare(const int fds[3], const struct order *order, size_t rounds, double bound)
{
	enum { SHARED, SOCKET, SHARED_CPU, SOCKET_CPU, RAW, COPY, RATIO, COLUMNS };
	double *samples[COLUMNS], us[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++)
		samples[i] = samples_for(rounds);
	for (size_t i = 0; i < WARM + rounds; i++) {
		struct cost shared = ask(fds[0], order), plain = ask(fds[1], order);
		const double values[COLUMNS] = {
			shared.wall,
			plain.wall,
			shared.cpu,
			plain.cpu,
			raw(fds[2], order),
			copy(order),
			shared.wall / plain.wall * 1e3,
		};

		for (size_t c = 0; i >= WARM && c < COLUMNS; c++)
			samples[c][i - WARM] = values[c];
	}
	for (size_t i = 0; i < COLUMNS; i++)
		us[i] = median_of(samples[i], rounds) / 1e3;
	printf("%-8s %8zu bytes  shared memory %8.1f us (%8.1f us of processor)  socket %8.1f us "
	       "(%8.1f us)  %5.2f times  raw socket %8.1f us  copy %8.1f us\n",
	       order->both_ways ? "minmax" : "classify", order->size, us[SHARED], us[SHARED_CPU],
	       us[SOCKET], us[SOCKET_CPU], us[RATIO], us[RAW], us[COPY]);
	return us[RATIO] <= bound;
}

static bool compare_all(const int fds[3], size_t rounds, double bound)
{
	static const struct order orders[] = {
		{ 4096, false },    { 32768, false },	{ 65536, false },  { 131072, false },
		{ 1 << 20, false }, { LARGEST, false }, { 1 << 20, true }, { LARGEST, true },
	};
	bool good = true;

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		good &= compare(fds, &orders[i],
				orders[i].size < LARGEST ? rounds : rounds / 10 + 1, bound);
	return good;
}

int main(int argc, char **argv)
{
	int fds[3];
	bool good;

	if (argc != 7 || atoi(argv[1]) < 1) {
		fprintf(stderr, "Usage: bench-shm ROUNDS PROCESSOR BOUND AGENT SHARING PLAIN\n");
		return 2;
	}
	processor = atoi(argv[2]);
	sent = calloc(1, LARGEST);
	received = calloc(1, LARGEST);
	if (!sent || !received || clock_getcpuclockid(atoi(argv[4]), &agent_clock))
		fail("no memory, or no such agent");
	memset(sent, 1, LARGEST);
	memset(received, 1, LARGEST);
	fds[0] = start(call_for, argv[5]);
	fds[1] = start(call_for, argv[6]);
	fds[2] = start(answer, NULL);
	good = compare_all(fds, (size_t)atoi(argv[1]), atof(argv[3]));
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
	while (wait(NULL) > 0)
		;
	if (!good)
		fprintf(stderr, "shared memory costs more than it may\n");
	return !good;
}
