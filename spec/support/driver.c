/*
 * driver.c - the public C API as a program that a spec talks to, line by line.
 *
 * One command a line on stdin, one answer a line on stdout, flushed:
 *
 *     OK us=TIME at=CLOCK name=value ... text=the rest of the line
 *     ERR CODE us=TIME at=CLOCK step=STEP text=luaccel_last_error()
 *
 * TIME is what the vAccel call took and CLOCK when it ended (CLOCK_MONOTONIC), in microseconds.
 * Sessions and resources have names that the spec chooses. Commands (the last word takes the rest
 * of the line):
 *
 *     session NAME HINT                  release NAME
 *     resource NAME HOW FILE             drop NAME
 *         HOW: path, memory, file or blob, a model; library, a library's path
 *     register RES SESSION               unregister RES SESSION
 *     classify SESSION FILE              classify, with the tags alone
 *     named SESSION FILE                 classify, with an image name too (a generic operation)
 *     say SESSION TEXT                   classify the text itself
 *     tags SESSION SIZE TEXT             the same, with room for SIZE bytes of tags
 *     fill SESSION SIZE                  classify SIZE bytes that nobody guesses
 *     heldout SESSION FILE               classify each image of a file as train-digits.py writes
 *                                        it; text= the first word of each answer
 *     loop SESSION COUNT SIZE            COUNT times; median, p99 and max in us
 *     load SESSION RES                   torch: load
 *     run SESSION RES IN DIMS COUNT OUT  torch: run float32 of file IN, of DIMS as 1x3x8x8, for
 *                                        COUNT outputs; they go to files OUT0, OUT1, ...
 *     noop SESSION
 *     every OP SESSION direct|generic RES    any operation, with RES (or -) where it takes one;
 *                                        text= all that it wrote (driver_every.c)
 *     churn FILE                         sessions, resources, operations for ever: says CHURN when
 *                                        it begins, and ends by an error (step= where)
 *     fork COMMAND ; COMMAND ...         in a child, which answers as `CHILD ...` and exits
 *     rundir
 *
 * One thread. At the end of the input the program leaves main() with what is still open: letting
 * go of it is the library's business.
 */
#include "driver.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 7 };

static void cmd_session(char **word)
{
	struct vaccel_session *sess = NULL;
	int code = TIMED(vaccel_session_new(&sess, (uint32_t)strtoul(word[2], NULL, 0)));

	if (code) {
		say_error(code);
		return;
	}
	slot_add(sessions, word[1], sess);
	say_ok("id=%" PRId64 " remote=%" PRId64 " text=", sess->id, sess->remote_id);
}

static void cmd_release(char **word)
{
	struct slot *slot = slot_find(sessions, word[1]);
	int code;

	if (!slot) {
		say_misuse("no such session");
		return;
	}
	code = TIMED(vaccel_session_delete(slot->object));
	if (!code)
		slot->object = NULL;
	answer(code);
}

static int resource_from_blob(struct vaccel_resource **res, const char *bytes, size_t size,
			      const char *name)
{
	struct vaccel_blob *blob;
	int code =
		vaccel_blob_from_buf(&blob, (const uint8_t *)bytes, size, false, name, NULL, false);

	if (code)
		return code;
	const struct vaccel_blob *blobs[] = { blob };

	code = vaccel_resource_from_blobs(res, blobs, 1, VACCEL_RESOURCE_MODEL);
	vaccel_blob_delete(blob);
	return code;
}

static void cmd_resource(char **word)
{
	const char *how = word[2];
	bool library = strcmp(how, "library") == 0, path = library || strcmp(how, "path") == 0;
	struct vaccel_resource *res = NULL;
	char *bytes = NULL;
	size_t size = 0;
	int code;

	if (!path) {
		bytes = read_file(word[3], &size);
		if (!bytes)
			return;
		if (!keep_bytes(bytes)) {
			free(bytes);
			say_misuse("out of memory");
			return;
		}
	}
	if (path)
		code = TIMED(vaccel_resource_new(
			&res, word[3], library ? VACCEL_RESOURCE_LIB : VACCEL_RESOURCE_MODEL));
	else if (strcmp(how, "blob") == 0)
		code = TIMED(resource_from_blob(&res, bytes, size, "blob.bin"));
	else
		code = TIMED(vaccel_resource_from_buf(&res, bytes, size, VACCEL_RESOURCE_MODEL,
						      "model.bin", strcmp(how, "memory") == 0));
	if (code) {
		say_error(code);
		return;
	}
	slot_add(resources, word[1], res);
	say_ok("id=%" PRId64 " text=", res->id);
}

static void cmd_drop(char **word)
{
	struct slot *slot = slot_find(resources, word[1]);
	int code;

	if (!slot) {
		say_misuse("no such resource");
		return;
	}
	code = TIMED(vaccel_resource_delete(slot->object));
	if (!code)
		slot->object = NULL;
	answer(code);
}

static void cmd_register(char **word)
{
	struct vaccel_resource *res = resource(word[1]);
	int code = TIMED(vaccel_resource_register(res, session(word[2])));

	if (code)
		say_error(code);
	else
		say_ok("id=%" PRId64 " remote=%" PRId64 " text=", res->id, res->remote_id);
}

static void cmd_unregister(char **word)
{
	answer(TIMED(vaccel_resource_unregister(resource(word[1]), session(word[2]))));
}

static void cmd_rundir(char **word)
{
	(void)word;
	say_ok("text=%s", vaccel_rundir());
}

static void cmd_fork(char **word);

static const struct command {
	const char *name;
	int words; /* after the name; the last takes the rest of the line */
	void (*run)(char **word);
} commands[] = {
	{ "session", 2, cmd_session },	 { "release", 1, cmd_release },
	{ "resource", 3, cmd_resource }, { "drop", 1, cmd_drop },
	{ "register", 2, cmd_register }, { "unregister", 2, cmd_unregister },
	{ "classify", 2, cmd_classify }, { "named", 2, cmd_named },
	{ "say", 2, cmd_say },		 { "fill", 2, cmd_fill },
	{ "loop", 3, cmd_loop },	 { "load", 2, cmd_load },
	{ "run", 6, cmd_run },		 { "noop", 1, cmd_noop },
	{ "heldout", 2, cmd_heldout },	 { "churn", 1, cmd_churn },
	{ "every", 4, cmd_every },	 { "rundir", 0, cmd_rundir },
	{ "fork", 1, cmd_fork },	 { "tags", 3, cmd_tags },
};

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Cuts the line into words and runs it. */
static void execute(char *line)
{
	char *word[WORDS + 1] = { strsep(&line, " ") };
	const struct command *command = command_find(word[0]);

	if (!command) {
		say_misuse(word[0]);
		return;
	}
	for (int i = 1; i <= command->words; i++) {
		word[i] = i == command->words ? line : strsep(&line, " ");
		if (!word[i]) {
			say_misuse("words missing");
			return;
		}
	}
	started = ended = now_ns();
	command->run(word);
}

static void cmd_fork(char **word)
{
	char *rest = word[1];
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		prefix = "CHILD ";
		while (rest) {
			char *next = strstr(rest, " ; ");

			if (next)
				*next = '\0';
			execute(rest);
			rest = next ? next + strlen(" ; ") : NULL;
		}
		exit(EXIT_SUCCESS); /* with the library's destructor: that is what is tested */
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		say_misuse("fork");
	else
		say_ok("status=%d text=", status);
}

int main(void)
{
	static char line[64 * 1024];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		execute(line);
	}
	return EXIT_SUCCESS;
}
