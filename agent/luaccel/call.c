/*
 * call.c - calls on the agent's control socket: where it is, and what is said when one fails.
 */
#include "frame.h"
#include "luaccel.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/luaccel/control.sock"

enum { CONNECT_MS = 5000, URI_MAX = 256 };

static const int64_t TIMEOUT = INT64_C(30) * 1000 * 1000 * 1000;

int say_error(int status, const char *format, ...)
{
	va_list args;

	fputs("luaccel: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

/* --control, $LUACCEL_CONTROL, the system's agent if there is one, else this user's. */
static const char *control_uri(const struct luaccel *luaccel, char *buf)
{
	const char *named = getenv("LUACCEL_CONTROL"), *run = getenv("XDG_RUNTIME_DIR");

	if (luaccel->control)
		return luaccel->control;
	if (named && named[0])
		return named;
	if (access(DEFAULT_SOCKET, F_OK) && run && run[0])
		snprintf(buf, URI_MAX, "unix://%s/luaccel/control.sock", run);
	else
		snprintf(buf, URI_MAX, "unix://" DEFAULT_SOCKET);
	return buf;
}

static int reach(const char *uri, struct ttrpc_client **client)
{
	const struct ttrpc_client_options options = { .connect_timeout_ms = CONNECT_MS };
	struct ttrpc_address address;
	char err[512];
	int ret;

	if (ttrpc_address_parse(uri, &address, err, sizeof(err)))
		return say_error(STATUS_USAGE, "%s", err);
	ret = ttrpc_client_new(&address, &options, client, err, sizeof(err));
	ttrpc_address_release(&address);
	if (ret == -EACCES || ret == -EPERM)
		return say_error(STATUS_FAILED, "%s: only root and the agent's user may control it",
				 uri);
	if (ret)
		return say_error(STATUS_NOBODY,
				 "no agent answers: %s (is one running, with --control %s?)", err,
				 uri);
	return STATUS_DONE;
}

int control_reach(const struct luaccel *luaccel, struct ttrpc_client **client)
{
	char buf[URI_MAX];

	return reach(control_uri(luaccel, buf), client);
}

int control_call(const struct luaccel *luaccel, const char *method, const ProtobufCMessage *request,
		 const ProtobufCMessageDescriptor *type, struct ttrpc_answer *answer)
{
	char buf[URI_MAX];
	const char *uri = control_uri(luaccel, buf);
	struct ttrpc_client *client;
	int ret = reach(uri, &client);

	if (ret)
		return ret;
	ret = ttrpc_client_call(client, CONTROL_SERVICE, method, request, type, TIMEOUT, answer);
	ttrpc_client_unref(client);
	if (ret)
		return say_error(STATUS_NOBODY, "%s: no answer: %s", uri, strerror(-ret));
	if (answer->status.code == TTRPC_OK)
		return STATUS_DONE;
	say_error(STATUS_FAILED, "%s", answer->status.message ? answer->status.message : "refused");
	ttrpc_answer_release(answer);
	return STATUS_FAILED;
}

int control_say(const struct luaccel *luaccel, const char *method, const ProtobufCMessage *request)
{
	struct ttrpc_answer answer;
	int ret = control_call(luaccel, method, request, &luaccel__v1__control_response__descriptor,
			       &answer);

	if (ret)
		return ret;
	puts(((const Luaccel__V1__ControlResponse *)answer.response)->said);
	ttrpc_answer_release(&answer);
	return STATUS_DONE;
}
