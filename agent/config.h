/*
 * config.h - the agent's file of settings: agent { ... } in Lua, with the same settings as flags.
 *
 * The file is read by the policy engine, in its sandbox. Each setting becomes the text that its
 * flag takes, and goes the flag's way: there are no settings that only a file has, and none that
 * mean something else there.
 */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include "options.h"
#include "policy.h"

/*
 * All settings of an agent, from its file, if the command line names one, and the command line.
 * Initializes `options`, which is to be released whatever comes. -1: go on; otherwise the status to
 * exit with, and the sentence in options->why unless something was printed.
 */
int config_read(struct options *options, struct policy_engine *engine, int argc, char **argv);

#endif
