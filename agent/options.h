/*
 * options.h - the agent's command line.
 */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include "address.h"
#include "agent_limits.h"
#include <stdbool.h>

enum { OPTIONS_ADDRESSES_MAX = 64, OPTIONS_SCRIPTS_MAX = 16 };

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct listen_option {
	struct ttrpc_address address;
	struct ttrpc_listen_options options;
	bool has_owner;
	uid_t uid; /* of the socket file */
	gid_t gid;
	char name[64]; /* of the listener */
};

struct options {
	struct listen_option listens[OPTIONS_ADDRESSES_MAX];
	size_t nr_listens;
	const char *scripts[OPTIONS_SCRIPTS_MAX];
	size_t nr_scripts;
	const char *vaccel_config; /* NULL: the environment configures libvaccel */
	struct limits limits;
	unsigned threads;
	double drain_timeout; /* seconds */
	bool allow_plaintext, check;
};

/*
 * Parse. -1: go on; otherwise the status to exit with (--help and --version have printed, an error
 * has said what is wrong and what would be right).
 */
int options_parse(struct options *options, int argc, char **argv);
void options_release(struct options *options);

/* Apply "plugins=...,log_level=4" as the original's agent does: -1, or an exit status. */
int options_configure_vaccel(const char *text);

#endif
