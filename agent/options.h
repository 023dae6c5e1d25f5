/*
 * options.h - the agent's settings: defaults, what a file says (config.h), and the command line.
 *
 * Every setting has one text form and one function that takes it, whether it is a flag or stands
 * in a file. Texts are the options' own.
 */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include "agent_limits.h"
#include "allow.h"
#include <stdbool.h>

enum { OPTIONS_TEXTS_MAX = 64 };

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Values of an option that may be given again, in their order. */
struct option_texts {
	char *text[OPTIONS_TEXTS_MAX + 1];
	size_t count;
	bool preset; /* by a file: the first from the command line replaces them all */
};

struct options {
	struct option_texts listens; /* as listeners_add() takes them */
	struct option_texts scripts;
	char *config;	     /* NULL: no file */
	char *vaccel_config; /* NULL: the environment configures libvaccel */
	char *control;	     /* a unix address; NULL: no control socket */
	char *metrics;	     /* as a listen; NULL: no metrics are served */
	struct limits limits;
	unsigned threads, loops;
	double drain_timeout; /* seconds */
	struct allow allow;
	bool allow_preset;
	bool check;
	char why[512]; /* what is wrong */
};

/* The defaults. */
void options_init(struct options *options);

/*
 * One setting by its flag's name ("server-address"), as a file has it. -1, or EXIT_USAGE with the
 * sentence in options->why.
 */
int options_set(struct options *options, const char *flag, const char *value);
/* The settings so far are a file's: flags win over them. */
void options_preset(struct options *options);

/* The file that a command line names with --config, or NULL. */
const char *options_config_file(int argc, char **argv);

/*
 * Parse a command line over what there is. -1: go on; otherwise the status to exit with (--help and
 * --version have printed, an error has said what is wrong and what would be right).
 */
int options_parse(struct options *options, int argc, char **argv);
void options_release(struct options *options);

/* Apply "plugins=...,log_level=4" as the original's agent does: -1, or an exit status. */
int options_configure_vaccel(const char *text);

#endif
