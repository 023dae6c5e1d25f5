/*
 * control_answer.c - see control_answer.h.
 */
#include "control_answer.h"
#include "reply.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lists are of what the agent has; its limits bound them before this does. */
enum { BUDGET = 256 << 20, TEXT_MAX = 2048 };

struct control_answer {
	struct ttrpc_arena arena;
	bool failed;
};

struct control_answer *control_answer_new(void)
{
	struct control_answer *answer = calloc(1, sizeof(*answer));

	if (answer)
		ttrpc_arena_init(&answer->arena, BUDGET);
	return answer;
}

void *control_answer_alloc(struct control_answer *answer, size_t size)
{
	void *memory;

	if (!answer || answer->failed)
		return NULL;
	memory = ttrpc_arena_alloc(&answer->arena, size + 1);
	answer->failed = !memory;
	return memory ? memset(memory, 0, size + 1) : NULL;
}

char *control_answer_text(struct control_answer *answer, const char *format, ...)
{
	char text[TEXT_MAX], *copy;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reply_make_utf8(text);
	copy = control_answer_alloc(answer, strlen(text) + 1);
	return copy ? strcpy(copy, text) : (char *)protobuf_c_empty_string;
}

void control_answer_listener(struct control_answer *answer, const struct listener *listener,
			     Luaccel__V1__ListenerInfo *info)
{
	const struct listen_option *asked = &listener->asked;

	luaccel__v1__listener_info__init(info);
	info->uri =
		control_answer_text(answer, "%s", ttrpc_listener_address(listener->socket)->uri);
	info->name = control_answer_text(answer, "%s", asked->name);
	info->mode = asked->options.mode;
	if (asked->has_owner)
		info->owner = control_answer_text(answer, "%u:%u", asked->uid, asked->gid);
}

static void release(void *arg)
{
	struct control_answer *answer = arg;

	ttrpc_arena_release(&answer->arena);
	free(answer);
}

void control_answer_send(struct control_answer *answer, struct ttrpc_request *request,
			 const ProtobufCMessage *message)
{
	if (answer && !answer->failed)
		return ttrpc_request_reply(request, message, release, answer);
	if (answer)
		release(answer);
	reply_status(request, TTRPC_RESOURCE_EXHAUSTED, "out of memory");
}
