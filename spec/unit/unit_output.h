/*
 * unit_output.h - what a function, or this program run again, leaves on stdout.
 */
#ifndef UNIT_OUTPUT_H
#define UNIT_OUTPUT_H

#include "cmocka_all.h"
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* What was written to file, which is closed. */
static inline void take_output(FILE *file, char *output, size_t size)
{
	rewind(file);
	output[fread(output, 1, size - 1, file)] = '\0';
	fclose(file);
}

/* What `run` leaves on stdout. */
static inline void capture(void (*run)(void), char *output, size_t size)
{
	FILE *file = tmpfile();
	int saved;

	assert_non_null(file);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	run();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	take_output(file, output, size);
}

/*
 * Run this program with the argument `what` and these variables: its exit status, and what it
 * leaves on stdout and stderr.
 */
static inline int run_again(const char *what, char *const *environment, char *output, size_t size)
{
	char *argv[] = { (char *)"/proc/self/exe", (char *)what, NULL };
	posix_spawn_file_actions_t actions;
	FILE *file = tmpfile();
	int status;
	pid_t pid;

	assert_non_null(file);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(file), STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fileno(file), STDERR_FILENO);
	assert_int_equal(posix_spawn(&pid, argv[0], &actions, NULL, argv, environment), 0);
	posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	take_output(file, output, size);
	if (!WIFEXITED(status))
		fail_msg("%s died: %s", what, output);
	return WEXITSTATUS(status);
}

#endif
