/*
 * subject.c - see subject.h.
 */
#include "subject.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double read_clock(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now)) {
		perror("a clock");
		exit(1);
	}
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double processor_time(pid_t pid)
{
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock)) {
		fprintf(stderr, "no process %d\n", (int)pid);
		exit(1);
	}
	return read_clock(clock);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int call_classify(struct subject *subject)
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

int read_all(int fd, void *data, size_t size)
{
	return move_all(read, fd, data, size);
}

static ssize_t put(int fd, void *data, size_t size)
{
	return write(fd, data, size);
}

int write_all(int fd, void *data, size_t size)
{
	return move_all(put, fd, data, size);
}

int call_raw(struct subject *subject)
{
	unsigned char answer[TAGS + ENVELOPE];

	return write_all(subject->fd, subject->image, subject->size) ||
	       read_all(subject->fd, answer, sizeof(answer));
}

void answer_raw(int fd, unsigned char *buffer, size_t size)
{
	while (!read_all(fd, buffer, size) && !write_all(fd, buffer, TAGS + ENVELOPE))
		;
}

double sample(struct subject *subject)
{
	const double start = read_clock(CLOCK_MONOTONIC);
	const int ret = subject->call(subject);
	const double taken = read_clock(CLOCK_MONOTONIC) - start;

	if (ret) {
		fprintf(stderr, "a call failed: %d\n", ret);
		exit(1);
	}
	return taken;
}

double *samples_for(size_t rounds)
{
	double *samples = calloc(rounds, sizeof(*samples));

	if (!samples)
		exit(1);
	return samples;
}

double percentile_of(double *samples, size_t rounds, size_t percent)
{
	double result;

	qsort(samples, rounds, sizeof(*samples), compare);
	result = samples[rounds * percent / 100];
	free(samples);
	return result;
}

double median_of(double *samples, size_t rounds)
{
	return percentile_of(samples, rounds, 50);
}

double median(struct subject *subject, size_t rounds)
{
	double *samples = samples_for(rounds);

	for (size_t i = 0; i < rounds; i++)
		samples[i] = sample(subject);
	return median_of(samples, rounds);
}
