/*
 * mirror.c - see mirror.h.
 */
#include "mirror.h"
#include "aftermath.h"
#include "agent.h"
#include "digest.h"
#include "log.h"
#include "metrics.h"
#include "operation_end.h"
#include "side.h"
#include <inttypes.h>
#include <stdlib.h>

/* What one of the two would tell the caller. */
struct answer {
	bool known;
	int code;
	uint8_t digest[DIGEST_SIZE]; /* of a success */
};

/* Goes when the second has ended, and the first has answered or gone. */
struct mirror {
	struct operation *second;
	const struct backend *backend; /* the first one's */
	bool first_gone, second_ended;
	struct answer first, other;
	/* the copy of the request */
	uint8_t *frame;
	size_t size;
	struct ttrpc_arena arena;
};

/* ---- comparing */

struct hashing {
	ProtobufCBuffer base;
	struct digest digest;
};

static void hash_bytes(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes)
{
	digest_add(&((struct hashing *)buffer)->digest, bytes, size);
}

static void take_answer(struct answer *answer, const struct operation *operation,
			const ProtobufCMessage *response)
{
	struct hashing hashing = { .base = { .append = hash_bytes } };

	answer->known = true;
	answer->code = operation->code;
	if (!response)
		return;
	digest_begin(&hashing.digest, operation->agent->contents.key);
	protobuf_c_message_pack_to_buffer(response, &hashing.base);
	digest_end(&hashing.digest, answer->digest);
}

static enum metrics_mirrored compare(const struct mirror *mirror)
{
	const struct answer *first = &mirror->first, *other = &mirror->other;

	if (mirror->second->work.kind != WORK_RUN)
		return MIRROR_FAILED; /* it has not run there */
	if (first->code != other->code)
		return MIRROR_DIFFERS;
	return first->code || digest_equal(first->digest, other->digest) ? MIRROR_EQUAL
									 : MIRROR_DIFFERS;
}

static void judge(const struct mirror *mirror)
{
	static const char *const words[] = {
		[MIRROR_EQUAL] = "equal",
		[MIRROR_DIFFERS] = "differ",
		[MIRROR_FAILED] = "failed",
	};
	const struct operation *second = mirror->second;
	const struct session *home = second->home;
	const enum metrics_mirrored outcome = compare(mirror);
	const struct backend *backend = second->session->plan.backends[0];

	backend->metrics->mirrored[outcome]++;
	if (outcome != MIRROR_EQUAL && session_may_log(home))
		log_warn("session %" PRId64 " %s: %s answered with code %d, its mirror %s with "
			 "code %d: %s%s%s",
			 home->id, second->class->method, mirror->backend->name, mirror->first.code,
			 backend->name, mirror->other.code, words[outcome],
			 mirror->other.code && second->work.reason[0] ? ": " : "",
			 mirror->other.code ? second->work.reason : "");
	aftermath_mirror(second, words[outcome]);
}

/* ---- life */

static void mirror_free(struct mirror *mirror)
{
	mirror->second->home->mirrors--;
	operation_free(mirror->second);
	free(mirror);
}

static void look(struct mirror *mirror)
{
	if (!mirror->second_ended || !(mirror->first.known || mirror->first_gone))
		return;
	if (!mirror->first_gone)
		judge(mirror);
	mirror_free(mirror);
}

void mirror_answers(struct operation *operation, const ProtobufCMessage *response)
{
	struct mirror *mirror = operation->mirror;

	if (operation->home)
		return take_answer(&mirror->other, operation, response);
	operation->mirror = NULL;
	take_answer(&mirror->first, operation, response);
	mirror->backend = operation->backend;
	look(mirror);
}

void mirror_leave(struct operation *operation)
{
	struct mirror *mirror = operation->mirror;

	operation->mirror = NULL;
	mirror->first_gone = true;
	look(mirror);
}

static void give_back(struct mirror *mirror, struct session *home)
{
	account_give(home->account, ACCOUNT_HELD, mirror->size);
	ttrpc_arena_release(&mirror->arena);
	free(mirror->frame);
}

static void second_ended(struct operation *second)
{
	struct mirror *mirror = second->mirror;

	if (second->code)
		mirror_answers(second, NULL);
	else
		second->class->reply(second);
	operation_drop_result(second); /* it may lie in the copy of the request */
	give_back(mirror, second->home);
	second->mirror = NULL;
	mirror->second_ended = true;
	look(mirror);
}

/* A copy of the request, charged to the peer. NULL: there is no room for it. */
static const ProtobufCMessage *copy_request(struct mirror *mirror, const struct operation *first)
{
	const ProtobufCMessage *message = first->message;
	ProtobufCMessage *copy;
	char why[160];

	mirror->size = protobuf_c_message_get_packed_size(message);
	if (account_take(first->session->account, ACCOUNT_HELD, mirror->size, why, sizeof(why)))
		return NULL;
	mirror->frame = malloc(mirror->size + 1);
	ttrpc_arena_init(&mirror->arena, ttrpc_decode_budget(mirror->size));
	if (mirror->frame) {
		protobuf_c_message_pack(message, mirror->frame);
		if (!ttrpc_message_decode(message->descriptor, mirror->frame, mirror->size,
					  &mirror->arena, &copy, why, sizeof(why)))
			return copy;
	}
	give_back(mirror, first->session);
	return NULL;
}

static bool start(struct mirror *mirror, struct operation *first, struct backend *backend)
{
	struct session *home = first->session;
	struct session *side = side_get(home, backend);
	const ProtobufCMessage *copy = side ? copy_request(mirror, first) : NULL;
	struct operation *second;

	if (!copy)
		return false;
	second = operation_new(first->class, side, first->resource);
	if (!second) {
		give_back(mirror, home);
		return false;
	}
	second->id = first->id;
	second->type = first->type;
	second->message = copy;
	second->bytes_in = first->bytes_in;
	second->arena = &mirror->arena;
	second->home = session_ref(home);
	second->ended = second_ended;
	second->mirror = mirror;
	mirror->second = second;
	return true;
}

void mirror_begin(struct operation *first, struct backend *backend)
{
	struct session *home = first->session;
	const bool room = home->mirrors < MIRROR_INFLIGHT && backend->up &&
			  backend != home->leg.backend && !backend_lacks(backend, first->type);
	struct mirror *mirror = room ? calloc(1, sizeof(*mirror)) : NULL;

	if (!mirror || !start(mirror, first, backend)) {
		backend->metrics->mirrored[MIRROR_DROPPED]++;
		free(mirror);
		return;
	}
	home->mirrors++;
	first->mirror = mirror;
	operation_start_own(mirror->second);
}
