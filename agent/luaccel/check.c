/*
 * check.c - luaccel policy check: scripts loaded as an agent would load them, without an agent, and
 * looked at by luacheck, which is told what scripts can use. And policy reference, which tells
 * people.
 */
#include "luaccel.h"
#include "policy.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KNOWN_MAX = 64, FILES_MAX = 64 };

/* What scripts print while they are loaded. */
static void print_line(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s\n", line);
}

/* ---- luacheck */

/* Each name of the environment, as luacheck's settings have it. */
static void write_name(void *ctx, const char *name, const char *field)
{
	if (field && strcmp(field, "*") == 0)
		fprintf(ctx, "stds.policy.read_globals.%s.other_fields = true\n", name);
	else if (field)
		fprintf(ctx, "stds.policy.read_globals.%s.fields[\"%s\"] = {}\n", name, field);
	else
		fprintf(ctx,
			"stds.policy.read_globals.%s = { fields = {}, other_fields = false }\n",
			name);
}

static int write_settings(struct policy_engine *engine, int fd)
{
	FILE *file = fdopen(fd, "w");
	int ret;

	if (!file) {
		close(fd);
		return -1;
	}
	fputs("std = \"policy\"\nallow_defined_top = true\nunused_args = false\nmax_line_length = "
	      "false\n"
	      "stds.policy = { read_globals = {} }\n",
	      file);
	ret = policy_globals(engine, write_name, file);
	return fclose(file) || ret ? -1 : 0;
}

/* Does not return. */
static void become_luacheck(char *settings, char **files)
{
	char *argv[FILES_MAX + 8] = { "luacheck",   "--quiet",	"--no-color",
				      "--no-cache", "--config", settings };
	size_t i, n = 6;

	for (i = 0; files[i]; i++)
		argv[n++] = files[i];
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? 127 : 126);
}

/* What luacheck has found is on stdout. */
static int run_luacheck(char *settings, char **files)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child == 0)
		become_luacheck(settings, files);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return say_error(STATUS_FAILED, "cannot run luacheck: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		fprintf(stderr,
			"luaccel: luacheck is not installed (Debian's package lua-check), so "
			"nothing more was looked for\n");
		return STATUS_DONE;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? STATUS_DONE : STATUS_FAILED;
}

static int luacheck(struct policy_engine *engine, char **files)
{
	char settings[] = "/tmp/luaccel-check-XXXXXX";
	int fd = mkstemp(settings), ret;

	if (fd < 0)
		return say_error(STATUS_FAILED, "cannot write luacheck's settings: %s",
				 strerror(errno));
	if (write_settings(engine, fd))
		ret = say_error(STATUS_FAILED, "cannot write %s", settings);
	else
		ret = run_luacheck(settings, files);
	unlink(settings);
	return ret;
}

/* ---- loading */

/* The names in --backends, split in place. */
static size_t split(char *names, const char **known)
{
	size_t count = 0;
	char *name;

	while ((name = strsep(&names, ",")))
		if (*name && count < KNOWN_MAX)
			known[count++] = name;
	return count;
}

static void print_generation(const struct policy_generation *generation, char **files)
{
	const struct policy_backend *backends;
	size_t i, count;
	char text[512];

	for (i = 0; policy_describe_script(generation, i, text, sizeof(text)); i++)
		printf("%s: %s\n", files[i], text);
	backends = policy_backends(generation, &count);
	for (i = 0; i < count; i++)
		printf("%s: backend %s = %s \"%s\"\n", backends[i].where, backends[i].name,
		       backends[i].kind, backends[i].target);
}

static int check(struct policy_engine *engine, const struct luaccel *luaccel, char **files,
		 size_t count)
{
	struct policy_generation *generation;
	char *names = strdup(luaccel->backends ? luaccel->backends : "");
	const char *known[KNOWN_MAX];
	size_t nr_known;
	char err[1024];
	int ret;

	if (!names)
		return say_error(STATUS_FAILED, "out of memory");
	nr_known = split(names, known);
	ret = policy_load(engine, (const char *const *)files, count, known, nr_known, &generation,
			  err, sizeof(err));
	free(names);
	if (ret)
		return say_error(STATUS_FAILED, "%s", err);
	print_generation(generation, files);
	policy_generation_free(engine, generation);
	return luacheck(engine, files);
}

int policy_check_command(const struct luaccel *luaccel, char **words)
{
	const struct policy_engine_options options = { .log = print_line };
	struct policy_engine *engine;
	size_t count = 0;
	char err[256];
	int ret;

	while (words[count])
		count++;
	if (count > FILES_MAX)
		return say_error(STATUS_USAGE, "at most %d files at once", FILES_MAX);
	if (policy_engine_new(&options, &engine, err, sizeof(err)))
		return say_error(STATUS_FAILED, "%s", err);
	ret = check(engine, luaccel, words, count);
	policy_engine_free(engine);
	return ret;
}

int policy_reference_command(const struct luaccel *luaccel, char **words)
{
	(void)luaccel;
	(void)words;
	policy_reference(stdout);
	return STATUS_DONE;
}
