/*
 * record.c - luaccel policy record: the lines of a recording, from the agent into a file, until it
 * has been long enough, or the operator interrupts it, or the agent ends. The agent sends a message
 * ten times a second, so that all of these are noticed between two of them.
 */
#include "frame.h"
#include "luaccel.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* An agent that says nothing for so long has gone. */
static const int64_t PATIENCE = INT64_C(10) * 1000 * 1000 * 1000;

struct recording {
	const char *path;
	FILE *file;
	struct ttrpc_stream *stream;
	double began, seconds;
	const char *why; /* it ends; NULL: it goes on */
	bool over;	 /* all that there was has come */
	uint64_t recorded, lost, connections, sessions, resources, operations;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* Once: a second one ends the program as usual. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static double now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int cannot_write(const struct recording *recording)
{
	return say_error(STATUS_FAILED, "%s cannot be written: %s", recording->path,
			 strerror(errno));
}

/* It tells who called from where: for nobody else to read. */
static int open_file(struct recording *recording)
{
	const int fd = open(recording->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	recording->file = fd < 0 ? NULL : fdopen(fd, "w");
	return recording->file ? STATUS_DONE : cannot_write(recording);
}

static int take(struct recording *recording, const Luaccel__V1__RecordResponse *response)
{
	recording->recorded = response->recorded;
	recording->lost = response->lost;
	recording->connections = response->connections;
	recording->sessions = response->sessions;
	recording->resources = response->resources;
	recording->operations = response->operations;
	recording->over = response->over;
	if (response->lines.len)
		fwrite(response->lines.data, 1, response->lines.len, recording->file);
	/* A recorder that is killed leaves what there was. */
	return fflush(recording->file) ? cannot_write(recording) : STATUS_DONE;
}

/* What the agent has yet to send still comes. */
static void end_if_enough(struct recording *recording)
{
	if (recording->why)
		return;
	if (interrupted)
		recording->why = "interrupted";
	else if (recording->seconds > 0 && now() - recording->began >= recording->seconds)
		recording->why = "time";
	if (recording->why)
		ttrpc_stream_close(recording->stream);
}

static int refused(const struct ttrpc_answer *answer)
{
	return say_error(STATUS_FAILED, "%s",
			 answer->status.message ? answer->status.message : "refused");
}

/* A status; -1: more may come. */
static int receive(struct recording *recording)
{
	struct ttrpc_answer answer;
	int ret;

	ttrpc_stream_set_timeout(recording->stream, PATIENCE);
	ret = ttrpc_stream_receive(recording->stream, &luaccel__v1__record_response__descriptor,
				   &answer);
	if (ret) {
		recording->why = "the agent has gone";
		return STATUS_DONE;
	}
	if (answer.status.code == TTRPC_OK && answer.response)
		ret = take(recording, (const Luaccel__V1__RecordResponse *)answer.response);
	else
		ret = refused(&answer);
	ttrpc_answer_release(&answer);
	if (ret || recording->over)
		return ret;
	end_if_enough(recording);
	return -1;
}

static int write_end(struct recording *recording)
{
	if (!recording->why)
		recording->why = "the agent ends";
	fprintf(recording->file, "{\"e\":\"over\",\"why\":\"%s\",\"lost\":%" PRIu64 "}\n",
		recording->why, recording->lost);
	return fflush(recording->file) ? cannot_write(recording) : STATUS_DONE;
}

static void report(const struct luaccel *luaccel, const struct recording *recording)
{
	const double took = now() - recording->began;

	if (luaccel->json) {
		json_open(NULL, '{');
		json_text("file", recording->path);
		json_text("why", recording->why);
		json_seconds("seconds", took);
		json_number("connections", recording->connections);
		json_number("sessions", recording->sessions);
		json_number("resources", recording->resources);
		json_number("operations", recording->operations);
		json_number("lines", recording->recorded - recording->lost);
		json_number("lost", recording->lost);
		json_close('}');
		return;
	}
	printf("%s: %.1f s (%s), %" PRIu64 " connections, %" PRIu64 " sessions, %" PRIu64
	       " resources, %" PRIu64 " operations\n",
	       recording->path, took, recording->why, recording->connections, recording->sessions,
	       recording->resources, recording->operations);
	if (recording->lost)
		printf("%" PRIu64 " of %" PRIu64
		       " lines were lost: the agent waits for no recorder, and this one was too "
		       "slow\n",
		       recording->lost, recording->recorded);
}

static int record(const struct luaccel *luaccel, struct ttrpc_client *client,
		  struct recording *recording)
{
	int ret = ttrpc_stream_open(client, CONTROL_SERVICE, "Record", NULL, true, 0,
				    &recording->stream);

	if (ret)
		return say_error(STATUS_NOBODY, "no answer: %s", strerror(-ret));
	ret = open_file(recording);
	if (ret)
		return ret;
	while ((ret = receive(recording)) < 0)
		;
	if (!ret)
		ret = write_end(recording);
	if (fclose(recording->file) && !ret)
		ret = cannot_write(recording);
	if (!ret)
		report(luaccel, recording);
	return ret;
}

int policy_record_command(const struct luaccel *luaccel, char **words)
{
	struct recording recording = { .path = words[0], .seconds = luaccel->seconds };
	struct ttrpc_client *client;
	int ret;

	catch_signals();
	ret = control_reach(luaccel, &client);
	if (ret)
		return ret;
	recording.began = now();
	ret = record(luaccel, client, &recording);
	ttrpc_stream_free(recording.stream);
	ttrpc_client_unref(client);
	return ret;
}
