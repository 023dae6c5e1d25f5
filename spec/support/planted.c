/*
 * planted.c - one fault of each kind that a sanitizer must report: `planted leak|overflow|ub|race`.
 * ctest runs it under the preset that is to find it, and fails when there is no report: a preset
 * that finds nothing is then known to find nothing.
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int shared;

static void *write_shared(void *arg)
{
	for (int i = 0; i < 1000; i++)
		shared = shared + 1;
	return arg;
}

static void race(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, write_shared, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

__attribute__((noinline)) static void leak(void)
{
	char *volatile lost = malloc(100);

	lost[0] = 'x';
	lost = NULL;
}

static int overflow(void)
{
	volatile size_t past = 10;
	volatile char *bytes = calloc(past, 1);
	int read = bytes[past];

	free((void *)bytes);
	return read;
}

static int undefined(void)
{
	volatile int largest = INT_MAX;

	return largest + 1;
}

int main(int argc, char **argv)
{
	const char *fault = argc == 2 ? argv[1] : "";

	if (strcmp(fault, "leak") == 0) {
		leak();
	} else if (strcmp(fault, "overflow") == 0) {
		printf("%d\n", overflow());
	} else if (strcmp(fault, "ub") == 0) {
		printf("%d\n", undefined());
	} else if (strcmp(fault, "race") == 0) {
		race();
	} else {
		fprintf(stderr, "Usage: planted leak|overflow|ub|race\n");
		return 2;
	}
	return 0;
}
