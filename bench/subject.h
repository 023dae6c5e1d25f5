/*
 * subject.h - what the benchmarks time: one call, again and again, and its median. One thread.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "vaccel.h"
#include <stddef.h>
#include <sys/types.h>

/* What an agent answers to a classification: tags, and the protocol's own bytes around them. */
enum { TAGS = 1024, ENVELOPE = 100 };

struct subject {
	int (*call)(struct subject *subject);
	struct vaccel_session *session;
	unsigned char *image;
	size_t size;
	int fd;
};

/* An image to classify, of subject->size bytes. */
int call_classify(struct subject *subject);

/* As many bytes sent raw over subject->fd, to a peer that does answer_raw(). */
int call_raw(struct subject *subject);

/* Reads `size` bytes into the buffer, answers as many as an agent does, until the peer is gone. */
void answer_raw(int fd, unsigned char *buffer, size_t size);

/* All of it; 0, or -1 when the other end is gone. */
int read_all(int fd, void *data, size_t size);
int write_all(int fd, void *data, size_t size);

/* What one call takes in ns; exits when it fails. */
double sample(struct subject *subject);
double *samples_for(size_t rounds);

/* Processor time that a process has had, in ns; 0: this one. Exits when it is not there. */
double processor_time(pid_t pid);

/* Of samples, which are freed; 50: the median. */
double percentile_of(double *samples, size_t rounds, size_t percent);
double median_of(double *samples, size_t rounds);
double median(struct subject *subject, size_t rounds);

#endif
