/*
 * calls.c - what a call costs: locally against an indirect call, through the agent against the same
 * bytes sent raw over a Unix socket to a process that answers as many as the agent does.
 *
 * bench-calls CALLS PROCESSOR BOUND AGENT, with VACCEL_PLUGINS naming a local plugin and the rpc
 * plugin, and an agent at VACCEL_RPC_ADDRESS, whose process id AGENT is. The raw peer runs on
 * PROCESSOR, as the agent should. It ends with 1 when a local call takes more than BOUND times the
 * indirect call, or allocates.
 *
 * Time is the median of the calls, processor time what both ends used for all of them, for each.
 */
#include "count.h"
#include "subject.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 1000 };

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

static void stay_on(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

struct cost {
	double time, processor; /* us */
};

static struct cost cost_of(struct subject *subject, size_t rounds, pid_t peer)
{
	const double before = processor_time(0) + processor_time(peer);
	struct cost cost;

	cost.time = median(subject, rounds) / 1e3;
	cost.processor = processor_time(0) + processor_time(peer) - before;
	cost.processor /= 1e3 * (double)rounds;
	return cost;
}

static struct cost raw(unsigned char *data, size_t size, size_t rounds, int processor)
{
	struct subject subject = { .call = call_raw, .image = data, .size = size };
	struct cost result;
	int fds[2], status;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		exit(1);
	fflush(stdout);
	child = fork();
	if (!child) {
		close(fds[0]);
		stay_on(processor);
		answer_raw(fds[1], data, size);
		_exit(0);
	}
	close(fds[1]);
	subject.fd = fds[0];
	median(&subject, rounds / 10 + 1);
	result = cost_of(&subject, rounds, child);
	close(fds[0]);
	waitpid(child, &status, 0);
	return result;
}

/*
 * A local call beside an indirect one, in turn, so that the machine is in the same state for both:
 * the median of the ratios. *allocations becomes those of all these calls.
 */
static double compare_local(struct vaccel_session *session, size_t rounds, long *allocations)
{
	struct subject direct = { .call = call_pointer }, noop = { .call = call_noop };
	double *bases = samples_for(rounds), *calls = samples_for(rounds);
	double *ratios = samples_for(rounds);

	noop.session = session;
	median(&noop, 10);
	*allocations = count_allocations();
	for (size_t i = 0; i < rounds; i++) {
		bases[i] = sample(&direct);
		calls[i] = sample(&noop);
		ratios[i] = calls[i] / bases[i];
	}
	*allocations = count_allocations() - *allocations;
	printf("indirect call            %10.2f ns\n", median_of(bases, rounds) / BATCH);
	printf("vaccel_noop, local       %10.2f ns", median_of(calls, rounds) / BATCH);
	return median_of(ratios, rounds);
}

/* Whether a local call is within the bound and allocates nothing. */
static bool check_local(struct vaccel_session *session, size_t rounds, double bound)
{
	const long at_start = count_allocations();
	long allocations;
	const double ratio = compare_local(session, rounds, &allocations);
	const long instructions = count_instructions(vaccel_noop, session);

	printf("   %5.1f times, %.0f allowed\n", ratio, bound);
	if (instructions > 0)
		printf("vaccel_noop, local       %10ld instructions\n", instructions);
	else
		printf("SKIP: instructions cannot be counted where ptrace() is not allowed\n");
	if (at_start >= 0)
		printf("vaccel_noop, local       %10ld allocations in %zu calls (%ld at the "
		       "start)\n",
		       allocations, rounds * BATCH, at_start);
	return ratio <= bound && !allocations && at_start;
}

static void compare_remote(struct vaccel_session *session, size_t size, size_t rounds,
			   int processor, pid_t agent)
{
	unsigned char *image = calloc(1, (size > TAGS ? size : TAGS) + ENVELOPE);
	struct subject call = {
		.call = call_classify, .session = session, .image = image, .size = size
	};
	struct cost ours, socket;

	if (!image)
		exit(1);
	median(&call, rounds / 10 + 1);
	ours = cost_of(&call, rounds, agent);
	socket = raw(image, size + ENVELOPE, rounds, processor);
	printf("classify %9zu bytes  %10.1f us   raw socket %8.1f us   %5.2f times", size,
	       ours.time, socket.time, ours.time / socket.time);
	printf("   processor %8.1f us %8.1f us   %5.2f times\n", ours.processor, socket.processor,
	       ours.processor / socket.processor);
	free(image);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 64, 4096, 65536, 1 << 20, 16 << 20 };
	struct vaccel_session local, remote;
	size_t i, rounds;
	bool good;

	if (argc != 5 || atoi(argv[1]) < 1 || atoi(argv[3]) < 1 || atoi(argv[4]) < 1) {
		fprintf(stderr, "Usage: bench-calls CALLS PROCESSOR BOUND AGENT\n");
		return 2;
	}
	rounds = (size_t)atoi(argv[1]);
	if (vaccel_session_init(&local, 0) || vaccel_session_init(&remote, VACCEL_PLUGIN_REMOTE)) {
		fprintf(stderr, "bench-calls needs a local plugin, the rpc plugin and an agent\n");
		return 1;
	}
	good = check_local(&local, rounds / 10 + 1, atoi(argv[3]));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		compare_remote(&remote, sizes[i], sizes[i] > 65536 ? rounds / 50 + 1 : rounds,
			       atoi(argv[2]), atoi(argv[4]));
	vaccel_session_release(&remote);
	vaccel_session_release(&local);
	if (!good)
		fprintf(stderr, "vaccel_noop costs more than it may\n");
	return !good;
}
