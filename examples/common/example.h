/*
 * example.h - what the examples share: reporting, files, sessions, and running an operation
 * several times.
 *
 * Functions that return a code have said on stderr what failed. One thread.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stddef.h>
#include <stdint.h>
#include <vaccel.h>

/* A line on stderr: what failed, the code, and why if the library knows. Returns the code. */
int example_report(const char *what, int code);

/*
 * For ends: a report if `ended`, the code of giving something back, is a failure. Returns the first
 * failure of the two.
 */
int example_end(int ret, const char *what, int ended);

/* A line on stderr: how the program is called. Returns VACCEL_EINVAL. */
int example_usage(const char *program, const char *arguments);

/* The count that an argument asks for: 1 if it is NULL, 0 if it is no number of 1 or more. */
int example_count(const char *argument);

/* A whole file; the caller frees data, which is NULL after a failure. */
struct example_file {
	void *data;
	size_t size;
};

int example_read(const char *path, struct example_file *file);

/* Start a session and print its id. */
int example_session(struct vaccel_session *sess, uint32_t flags);

/* End it. Returns the first failure, as example_end(). */
int example_session_end(int ret, struct vaccel_session *sess);

/* An operation to run and to show. */
struct example_operation {
	int (*run)(void *context);
	void (*show)(const void *context); /* NULL: nothing to show */
	void *context;
	const char *failure; /* what to report, NULL for "Could not run op" */
};

/* Run it so many times, each measured in region. */
int example_repeat(const struct example_operation *operation, int iterations,
		   struct vaccel_prof_region *region);

/* Print and release a region. */
void example_profile(struct vaccel_prof_region *region);

/* Arguments of an operation. */
struct example_args {
	struct vaccel_arg_array read;
	struct vaccel_arg_array write;
};

int example_args_init(struct example_args *args);

/* Release them. Returns the first failure, as example_end(). */
int example_args_end(int ret, struct example_args *args);

/* Run a generic operation: its number is the first argument to read. */
int example_genop(struct vaccel_session *sess, struct example_args *args);

#endif
