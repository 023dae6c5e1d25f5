/*
 * bulk.c - many threads that send and get back long arguments over one connection:
 *
 *     bulk THREADS ROUNDS BYTES
 *
 * Each thread has a session, and in each round sends BYTES bytes (a little more with each round)
 * that differ for each process, thread and round, to be given back as they are: minmax, as the
 * witness does it. Prints `done ROUNDS` when all of them came back; 1 and a sentence when not.
 */
#include "vaccel.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MAX = 64 };

struct worker {
	pthread_t thread;
	uint64_t state;
	size_t rounds, bytes;
	int code;
};

/* Any bit patterns will do: they are moved, not computed with. */
static void fill(struct worker *worker, double *data, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		worker->state = worker->state * UINT64_C(6364136223846793005) +
				UINT64_C(1442695040888963407);
		memcpy(&data[i], &worker->state, sizeof(*data));
	}
}

static int go_round(struct worker *worker, struct vaccel_session *session, size_t count)
{
	double *in = calloc(count, sizeof(*in)), *out = calloc(count, sizeof(*out)), min, max;
	int code = VACCEL_ENOMEM;

	if (in && out) {
		fill(worker, in, count);
		code = vaccel_minmax(session, in, (int)count, 1, 2, out, &min, &max);
	}
	if (!code && memcmp(in, out, count * sizeof(*in)) != 0)
		code = VACCEL_EIO;
	free(in);
	free(out);
	return code;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct vaccel_session session;

	worker->code = vaccel_session_init(&session, VACCEL_PLUGIN_REMOTE);
	if (worker->code)
		return NULL;
	for (size_t i = 0; i < worker->rounds && !worker->code; i++)
		worker->code = go_round(worker, &session, worker->bytes / sizeof(double) + i);
	vaccel_session_release(&session);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MAX];
	size_t threads = argc == 4 ? strtoul(argv[1], NULL, 0) : 0;
	int code = 0;

	if (threads < 1 || threads > THREADS_MAX) {
		fprintf(stderr, "Usage: bulk THREADS ROUNDS BYTES\n");
		return 2;
	}
	for (size_t i = 0; i < threads; i++) {
		workers[i].state = (uint64_t)getpid() << 32 | i;
		workers[i].rounds = strtoul(argv[2], NULL, 0);
		workers[i].bytes = strtoul(argv[3], NULL, 0);
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return 1;
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		if (workers[i].code)
			code = workers[i].code;
	}
	if (code)
		printf("code %d: bytes came back changed, or not at all\n", code);
	else
		printf("done %s\n", argv[2]);
	return code ? 1 : 0;
}
