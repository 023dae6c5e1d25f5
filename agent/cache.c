/*
 * cache.c - see cache.h.
 */
#include "cache.h"
#include "agent.h"
#include "message.h"
#include "operation.h"
#include "operation_end.h"
#include "resource.h"
#include <stdlib.h>
#include <string.h>

enum { LOOKED_UP_MAX = 1 << 20, MESSAGE_MAX = 256, KEY_TEXT = 256 };

/* Of an operation that was looked up: what its answer will be kept by, or was. */
struct lookup {
	struct answers *answers; /* counted */
	uint8_t digest[DIGEST_SIZE];
	const struct backend *backend; /* it is an answer of this one, */
	unsigned long coming;	       /* as it was then */
	struct answer *found;	       /* counted; NULL: none */
};

/* ---- what it depends on */

static void add_text(struct digest *digest, const char *text)
{
	const uint64_t length = strlen(text);

	digest_add(digest, &length, sizeof(length));
	digest_add(digest, text, (size_t)length);
}

static void add_backend(struct digest *digest, const struct backend *backend)
{
	digest_add(digest, &backend->coming, sizeof(backend->coming));
	add_text(digest, backend->name);
	add_text(digest, backend->target);
}

/* False: nobody knows, or not yet. */
static bool add_model(struct digest *digest, const struct registration *registration)
{
	const uint8_t *fingerprint = fingerprint_of(registration->resource);

	if (!fingerprint)
		return false;
	digest_add(digest, fingerprint, DIGEST_SIZE);
	digest_add(digest, &registration->loaded, sizeof(registration->loaded));
	return true;
}

/* The one that it names, or all that its plugin may find. */
static bool add_models(struct digest *digest, const struct operation *operation)
{
	const struct session *session = operation->session;
	const struct registration *at;
	bool known = true;

	if (operation->resource) {
		at = session_registration(session, operation->resource);
		return at && add_model(digest, at);
	}
	for (at = session->registrations; at; at = at->next)
		known = add_model(digest, at) && known;
	return known;
}

struct hashing {
	ProtobufCBuffer buffer;
	struct digest *digest;
};

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *data)
{
	digest_add(((struct hashing *)buffer)->digest, data, size);
}

static void blank(ProtobufCMessage *message, const char *name)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);

	if (field)
		memset((char *)message + field->offset, 0, sizeof(int64_t));
}

/* The message without its ids, which differ from session to session. */
static void add_message(struct digest *digest, const ProtobufCMessage *message)
{
	struct hashing hashing = { { append }, digest };
	_Alignas(max_align_t) char copy[MESSAGE_MAX];

	memcpy(copy, message, message->descriptor->sizeof_message);
	blank((ProtobufCMessage *)copy, "session_id");
	blank((ProtobufCMessage *)copy, "model_id");
	protobuf_c_message_pack_to_buffer((ProtobufCMessage *)copy, &hashing.buffer);
}

static bool make_digest(struct lookup *lookup, const struct operation *operation)
{
	const struct session *session = operation->session;
	const uint32_t facts[] = { (uint32_t)operation->type, session->hint };
	struct digest digest;
	char apart[KEY_TEXT];

	digest_begin(&digest, lookup->answers->key);
	digest_add(&digest, facts, sizeof(facts));
	add_backend(&digest, lookup->backend);
	policy_answers_key(session->policy, lookup->answers->what.by, apart, sizeof(apart));
	add_text(&digest, apart);
	if (!add_models(&digest, operation))
		return false;
	add_message(&digest, operation->message);
	digest_end(&digest, lookup->digest);
	return true;
}

/* ---- looking up */

/* Would it find the session as it is now, when it has its turn? */
static bool can_be_looked_up(const struct operation *operation)
{
	const struct session *session = operation->session;

	return session->answers && operation->class->pure && !session->changing &&
	       session_is_entered(session) && operation->request->received <= LOOKED_UP_MAX &&
	       !operation->request->cut &&
	       operation->message->descriptor->sizeof_message <= MESSAGE_MAX;
}

static bool reply_with(struct operation *operation, struct answer *answer)
{
	ProtobufCMessage *response;

	if (ttrpc_message_decode(answer->type, answer->packed, answer->length,
				 &operation->request->arena, &response, NULL, 0))
		return false;
	operation->backend = operation->lookup->backend;
	operation->bytes_out = answer->bytes_out;
	operation->cached = true;
	operation_finish_cached(operation, response);
	return true;
}

bool cache_answers(struct operation *operation)
{
	struct session *session = operation->session;
	struct lookup *lookup;

	if (!can_be_looked_up(operation))
		return false;
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return false;
	lookup->answers = answers_ref(session->answers);
	lookup->backend = session->leg.backend;
	lookup->coming = session->leg.backend->coming;
	operation->lookup = lookup;
	if (!make_digest(lookup, operation)) {
		cache_forget(operation);
		return false;
	}
	lookup->found = answers_find(lookup->answers, lookup->digest);
	return lookup->found && reply_with(operation, lookup->found);
}

void cache_keep(const struct operation *operation, const ProtobufCMessage *response)
{
	const struct lookup *lookup = operation->lookup;

	if (!lookup || operation->cached || operation->work.status > 0 ||
	    operation->backend != lookup->backend || operation->backend->coming != lookup->coming)
		return;
	answers_keep(lookup->answers, lookup->digest, response, operation->bytes_out);
}

void cache_forget(struct operation *operation)
{
	struct lookup *lookup = operation->lookup;

	if (!lookup)
		return;
	if (lookup->found)
		answer_unref(lookup->found);
	answers_unref(lookup->answers);
	free(lookup);
	operation->lookup = NULL;
}
