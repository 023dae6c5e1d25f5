/*
 * exec.h - the program that the exec examples with plain arguments are: a number is sent to a
 * function, which gives its double back.
 */
#ifndef EXAMPLE_EXEC_H
#define EXAMPLE_EXEC_H

#include "example.h"

struct exec_call {
	struct vaccel_session sess;
	char *library;
	struct vaccel_prof_region region;
	struct example_args args;
	int32_t input;
	int32_t output;
};

/*
 * The program: its exit status. `begin` adds what goes before the number to the arguments, NULL for
 * nothing; `run` is the operation.
 */
int exec_main(int argc, char **argv, uint32_t flags, int (*begin)(struct exec_call *call),
	      int (*run)(void *call));

#endif
