/*
 * many.c - how many sessions and resources a program can have, and what finding one costs:
 *
 *     many SESSIONS RESOURCES
 *
 * prints how many of each could be had, the code of the one that could not, and the median time of
 * a look-up by id when there are few (the first 16) and when there are all, in ns. One thread.
 */
#include "vaccel.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FEW = 16, LOOKUPS = 20000 };

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of sessions with ids 1 to count: the median of many rounds over all of them, for one look-up. */
static uint64_t lookup_ns(size_t count)
{
	enum { ROUNDS = 21 };
	uint64_t times[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		const uint64_t start = now_ns();

		for (size_t i = 0; i < LOOKUPS; i++) {
			struct vaccel_session *sess;

			if (vaccel_session_get_by_id(&sess, (vaccel_id_t)(1 + i % count)))
				exit(EXIT_FAILURE);
		}
		times[round] = (now_ns() - start) / LOOKUPS;
	}
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	return times[ROUNDS / 2];
}

static void sessions(struct vaccel_session **made, size_t wanted)
{
	uint64_t few = 0;
	size_t count = 0;
	int code = VACCEL_OK;

	while (count < wanted && !code) {
		code = vaccel_session_new(&made[count], 0);
		count += !code;
		if (count == FEW)
			few = lookup_ns(FEW);
	}
	printf("sessions %zu code %d few %" PRIu64 " all %" PRIu64 "\n", count, code, few,
	       count > FEW ? lookup_ns(count) : 0);
	while (count)
		vaccel_session_delete(made[--count]);
}

static void resources(struct vaccel_resource **made, size_t wanted)
{
	size_t count = 0;
	int code = VACCEL_OK;

	while (count < wanted && !code) {
		code = vaccel_resource_from_buf(&made[count], "bytes", 5, VACCEL_RESOURCE_DATA,
						NULL, true);
		count += !code;
	}
	printf("resources %zu code %d\n", count, code);
	while (count)
		vaccel_resource_delete(made[--count]);
}

int main(int argc, char **argv)
{
	const size_t nr_sessions = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	const size_t nr_resources = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	void *made = calloc(nr_sessions + nr_resources + 1, sizeof(void *));

	if (!made)
		return EXIT_FAILURE;
	sessions(made, nr_sessions);
	resources(made, nr_resources);
	free(made);
	return EXIT_SUCCESS;
}
