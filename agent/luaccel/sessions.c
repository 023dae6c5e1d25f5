/*
 * sessions.c - luaccel sessions, session, close.
 */
#include "luaccel.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void to_json(const Luaccel__V1__SessionInfo *session)
{
	size_t i;

	json_open(NULL, '{');
	json_number("id", (uint64_t)session->id);
	json_text("peer", session->peer);
	json_text("listener", session->listener);
	json_text("backend", session->backend);
	json_open("plan", '[');
	for (i = 0; i < session->n_plan; i++)
		json_text(NULL, session->plan[i]);
	json_close(']');
	json_text("decided", session->decided);
	json_text("moved", session->moved);
	json_seconds("age", session->age);
	json_number("operations", session->operations);
	json_number("errors", session->errors);
	json_number("bytes_in", session->bytes_in);
	json_number("bytes_out", session->bytes_out);
	json_number("resources", session->resources);
	json_bool("running", session->running);
	json_close('}');
}

/* "cpu,test (p.lua:12)" */
static const char *plan_text(const Luaccel__V1__SessionInfo *session, char *buf, size_t size)
{
	size_t i, length = 0;

	for (i = 0; i < session->n_plan && length < size; i++)
		length += (size_t)snprintf(buf + length, size - length, "%s%s", i ? "," : "",
					   session->plan[i]);
	if (length < size)
		snprintf(buf + length, size - length, " (%s)", session->decided);
	return buf;
}

static void print_row(const Luaccel__V1__SessionInfo *session)
{
	char plan[256];

	printf("%8" PRId64 "  %-16s %-12s %8.0f %8" PRIu64 " %6" PRIu64 "  %s\n", session->id,
	       session->peer, session->backend[0] ? session->backend : "-", session->age,
	       session->operations, session->errors, plan_text(session, plan, sizeof(plan)));
}

static void print_one(const Luaccel__V1__SessionInfo *session)
{
	char plan[256];

	printf("session %" PRId64 "%s\n", session->id, session->running ? ", running" : "");
	printf("  peer        %s, by %s\n", session->peer, session->listener);
	printf("  backend     %s\n", session->backend[0] ? session->backend : "none yet");
	printf("  plan        %s\n", plan_text(session, plan, sizeof(plan)));
	if (session->moved[0])
		printf("  moved       %s\n", session->moved);
	printf("  age         %.1f s\n", session->age);
	printf("  operations  %" PRIu64 ", %" PRIu64 " of them errors\n", session->operations,
	       session->errors);
	printf("  bytes       %" PRIu64 " in, %" PRIu64 " out\n", session->bytes_in,
	       session->bytes_out);
	printf("  resources   %" PRIu32 "\n", session->resources);
}

static int by_id(const void *a, const void *b)
{
	const Luaccel__V1__SessionInfo *const *x = a, *const *y = b;

	return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

static int ask(const struct luaccel *luaccel, int64_t id, struct ttrpc_answer *answer)
{
	Luaccel__V1__SessionRequest request = LUACCEL__V1__SESSION_REQUEST__INIT;

	request.id = id;
	return control_call(luaccel, "Sessions", &request.base,
			    &luaccel__v1__sessions_response__descriptor, answer);
}

int sessions_command(const struct luaccel *luaccel, char **words)
{
	const Luaccel__V1__SessionsResponse *response;
	struct ttrpc_answer answer;
	int ret = ask(luaccel, 0, &answer);
	size_t i;

	(void)words;
	if (ret)
		return ret;
	response = (const Luaccel__V1__SessionsResponse *)answer.response;
	if (response->n_sessions)
		qsort(response->sessions, response->n_sessions, sizeof(*response->sessions), by_id);
	if (luaccel->json)
		json_open(NULL, '[');
	else
		printf("%8s  %-16s %-12s %8s %8s %6s  %s\n", "SESSION", "PEER", "BACKEND", "AGE",
		       "OPS", "ERRORS", "PLAN");
	for (i = 0; i < response->n_sessions; i++)
		(luaccel->json ? to_json : print_row)(response->sessions[i]);
	if (luaccel->json)
		json_close(']');
	ttrpc_answer_release(&answer);
	return STATUS_DONE;
}

static int64_t session_id(const char *text)
{
	char *end;
	long long id;

	errno = 0;
	id = strtoll(text, &end, 10);
	if (!errno && end > text && !*end && id > 0)
		return id;
	say_error(STATUS_USAGE, "a session is a number, as `luaccel sessions` has it, not \"%s\"",
		  text);
	return 0;
}

int session_command(const struct luaccel *luaccel, char **words)
{
	const int64_t id = session_id(words[0]);
	const Luaccel__V1__SessionsResponse *response;
	struct ttrpc_answer answer;
	int ret = id ? ask(luaccel, id, &answer) : STATUS_USAGE;

	if (ret)
		return ret;
	response = (const Luaccel__V1__SessionsResponse *)answer.response;
	if (response->n_sessions)
		(luaccel->json ? to_json : print_one)(response->sessions[0]);
	ttrpc_answer_release(&answer);
	return STATUS_DONE;
}

int close_command(const struct luaccel *luaccel, char **words)
{
	Luaccel__V1__SessionRequest request = LUACCEL__V1__SESSION_REQUEST__INIT;

	request.id = session_id(words[0]);
	return request.id ? control_say(luaccel, "Close", &request.base) : STATUS_USAGE;
}
