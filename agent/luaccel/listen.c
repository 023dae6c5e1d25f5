/*
 * listen.c - luaccel listen list, add, rm: the agent's addresses.
 */
#include "luaccel.h"
#include <inttypes.h>
#include <stdio.h>

static void to_json(const Luaccel__V1__ListenerInfo *listener)
{
	char mode[16] = "";

	if (listener->mode)
		snprintf(mode, sizeof(mode), "0%03" PRIo32, listener->mode);
	json_open(NULL, '{');
	json_text("uri", listener->uri);
	json_text("name", listener->name);
	json_text("mode", mode);
	json_text("owner", listener->owner);
	json_close('}');
}

void listeners_to_json(const char *name, const Luaccel__V1__InfoResponse *info)
{
	size_t i;

	json_open(name, '[');
	for (i = 0; i < info->n_listeners; i++)
		to_json(info->listeners[i]);
	json_close(']');
}

static void print(const Luaccel__V1__InfoResponse *info)
{
	size_t i;

	printf("%-40s %-20s %-5s %s\n", "ADDRESS", "NAME", "MODE", "OWNER");
	for (i = 0; i < info->n_listeners; i++) {
		const Luaccel__V1__ListenerInfo *listener = info->listeners[i];
		char mode[16] = "-";

		if (listener->mode)
			snprintf(mode, sizeof(mode), "0%03" PRIo32, listener->mode);
		printf("%-40s %-20s %-5s %s\n", listener->uri, listener->name, mode,
		       listener->owner[0] ? listener->owner : "-");
	}
}

int listen_list_command(const struct luaccel *luaccel, char **words)
{
	Luaccel__V1__ControlRequest request = LUACCEL__V1__CONTROL_REQUEST__INIT;
	const Luaccel__V1__InfoResponse *info;
	struct ttrpc_answer answer;
	int ret = control_call(luaccel, "Info", &request.base,
			       &luaccel__v1__info_response__descriptor, &answer);

	(void)words;
	if (ret)
		return ret;
	info = (const Luaccel__V1__InfoResponse *)answer.response;
	if (luaccel->json)
		listeners_to_json(NULL, info);
	else
		print(info);
	ttrpc_answer_release(&answer);
	return STATUS_DONE;
}

int listen_add_command(const struct luaccel *luaccel, char **words)
{
	Luaccel__V1__ListenRequest request = LUACCEL__V1__LISTEN_REQUEST__INIT;
	const Luaccel__V1__ListenerInfo *listener;
	struct ttrpc_answer answer;
	int ret;

	request.uri = words[0];
	ret = control_call(luaccel, "Listen", &request.base,
			   &luaccel__v1__listener_info__descriptor, &answer);
	if (ret)
		return ret;
	listener = (const Luaccel__V1__ListenerInfo *)answer.response;
	if (luaccel->json)
		to_json(listener);
	else
		printf("listens at %s\n", listener->uri);
	ttrpc_answer_release(&answer);
	return STATUS_DONE;
}

int listen_rm_command(const struct luaccel *luaccel, char **words)
{
	Luaccel__V1__ListenRequest request = LUACCEL__V1__LISTEN_REQUEST__INIT;

	request.uri = words[0];
	return control_say(luaccel, "Unlisten", &request.base);
}
