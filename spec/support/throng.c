/*
 * throng.c - a program whose threads call at once: throng THREADS TEXT. Each has a session of its
 * own and classifies the text; one line for each, in any order: `CODE SECONDS REASON`.
 */
#include "luaccel.h"
#include "vaccel.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 64 };

static const char *text;
static pthread_barrier_t all_are_here;

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void *call(void *unused)
{
	struct vaccel_session *session;
	unsigned char tags[512];
	char reason[512] = "";
	double began;
	int code;

	(void)unused;
	if (vaccel_session_new(&session, 0))
		abort();
	pthread_barrier_wait(&all_are_here);
	began = now();
	code = vaccel_image_classification(session, text, tags, NULL, strlen(text), sizeof(tags),
					   0);
	if (code)
		luaccel_last_error(reason, sizeof(reason));
	printf("%d %.3f %s\n", code, now() - began, reason);
	vaccel_session_delete(session);
	return NULL;
}

int main(int argc, char **argv)
{
	const int count = argc == 3 ? atoi(argv[1]) : 0;
	pthread_t threads[MOST];

	if (count < 1 || count > MOST)
		return 2;
	text = argv[2];
	pthread_barrier_init(&all_are_here, NULL, (unsigned)count);
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, call, NULL))
			abort();
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
