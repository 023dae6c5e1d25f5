/*
 * reloads.c - what calls notice of reloads: their 99th percentile while the agent loads its
 * policies again, beside that without reloads. In turn, so that the machine is in the same state
 * for both.
 *
 * bench-reloads CALLS BOUND AGENT, with VACCEL_PLUGINS naming the rpc plugin and an agent with a
 * policy at VACCEL_RPC_ADDRESS, whose process id AGENT is: it is told by SIGHUP, once in 1,000
 * calls. It ends with 1 when reloads make the percentile more than BOUND times what it was.
 */
#include "subject.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLICE = 1000 };

static void take(struct subject *subject, double *samples)
{
	for (size_t i = 0; i < SLICE; i++)
		samples[i] = sample(subject);
}

static void reload(pid_t agent)
{
	if (kill(agent, SIGHUP)) {
		perror("bench-reloads: the agent");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	unsigned char image[64] = { 0 };
	struct vaccel_session session;
	struct subject subject = {
		.call = call_classify, .session = &session, .image = image, .size = sizeof(image)
	};
	const double bound = argc == 4 ? strtod(argv[2], NULL) : 0;
	const pid_t agent = argc == 4 ? atoi(argv[3]) : 0;
	size_t i, rounds;
	double *quiet, *busy, before, during;

	if (argc != 4 || atoi(argv[1]) < 1 || bound <= 0 || agent < 1) {
		fprintf(stderr, "Usage: bench-reloads CALLS BOUND AGENT\n");
		return 2;
	}
	if (vaccel_session_init(&session, 0)) {
		fprintf(stderr, "bench-reloads needs the rpc plugin and an agent\n");
		return 1;
	}
	rounds = ((size_t)atoi(argv[1]) + SLICE - 1) / SLICE;
	quiet = samples_for(rounds * SLICE);
	busy = samples_for(rounds * SLICE);
	take(&subject, quiet);
	for (i = 0; i < rounds; i++) {
		take(&subject, quiet + i * SLICE);
		reload(agent);
		take(&subject, busy + i * SLICE);
	}
	before = percentile_of(quiet, rounds * SLICE, 99);
	during = percentile_of(busy, rounds * SLICE, 99);
	printf("p99 of %zu calls          %10.1f us   during %zu reloads %8.1f us   %5.2f times, "
	       "%g allowed\n",
	       rounds * SLICE, before / 1e3, rounds, during / 1e3, during / before, bound);
	vaccel_session_release(&session);
	if (during > bound * before)
		fprintf(stderr, "reloads cost calls more than they may\n");
	return during > bound * before;
}
