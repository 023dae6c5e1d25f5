/*
 * fault_driver.h - what fault_driver runs: scenarios, each a use of the library from creation to
 * release, and mishaps, things that happen to files at one point of a scenario.
 */
#ifndef FAULT_DRIVER_H
#define FAULT_DRIVER_H

#include <limits.h>
#include <stdbool.h>
#include <vaccel.h>

/* Where in a scenario a mishap comes. */
enum moment { BEFORE, CREATED, REGISTERED };

struct mishap {
	const char *name;
	enum moment moment;
	bool (*happen)(void); /* with errno */
	bool (*mend)(void);
};

struct bench {
	char dir[PATH_MAX];		/* the scenario's own files */
	char file[PATH_MAX];		/* in it, two pages and a bit */
	char sub[PATH_MAX];		/* in it: a directory with one file */
	unsigned port;			/* of the server */
	const char *how;		/* the server answers */
	struct vaccel_session *session; /* usable all the time */
	const struct mishap *mishap;	/* or NULL; once it has happened too */
	int error;			/* of a mishap that did not succeed */
	char why[1024];			/* the sentence of the first call that failed */
};

extern struct bench bench;

/* The code of the first call that failed; whatever happened, all that was made is gone. */
typedef int scenario_run(void);

scenario_run *scenario_find(const char *name);
const struct mishap *mishap_find(const char *name);

/* Let the mishap happen if its moment has come. */
void bench_reach(enum moment moment);

/* Make the scenario's files anew. */
bool bench_make_files(void);
void bench_remove_files(void);

#endif
